/** A model's weights as leaves of its graphs, under TransformerLens' names, with their axes. */
import { Tensor } from "../../graph/tensor.ts";
import { type NDArray, ndarray } from "../../tensor/array.ts";
import { WeightsError } from "../../tensor/errors.ts";
import type { HookedTransformerConfig } from "../config/config.ts";
import { recordingOf } from "../recording.ts";
import type { WeightSource } from "../scope.ts";

/** Weights by TransformerLens' name, such as `blocks.0.attn.W_Q`. */
export class Weights implements WeightSource {
  private readonly leaves: ReadonlyMap<string, Tensor>;
  private readonly views = new Map<string, Tensor>();

  /** @param role `feed` for weights that change from run to run, in training */
  constructor(cfg: HookedTransformerConfig, arrays: ReadonlyMap<string, NDArray>, role: "weight" | "feed" = "weight") {
    const specs = recordingOf(cfg).weights;
    this.leaves = new Map(
      [...arrays].map(([name, array]) => [name, Tensor.leaf(array, specs.get(name)?.axes, role, name)]),
    );
  }

  /** A part's weight, by its full name. */
  weight(name: string): Tensor {
    return this.get(name);
  }

  /**
   * The weight of that name. Of heads that share their keys and values `W_K` is `_W_K`, [kv_head ...], once for each head
   * that it serves, [head ...], and so are `b_K`, `W_V` and `b_V`.
   * @throws WeightsError if there is none of that name.
   */
  get(name: string): Tensor {
    const weight = this.find(name);
    if (weight) return weight;
    throw new WeightsError(`The model has no weight "${name}".`, { asked: name, found: [...this.leaves.keys()] });
  }

  find(name: string): Tensor | undefined {
    return this.leaves.get(name) ?? this.views.get(name) ?? this.ungrouped(name);
  }

  entries(): IterableIterator<[string, Tensor]> {
    return this.leaves.entries();
  }

  private ungrouped(name: string): Tensor | undefined {
    const grouped = this.leaves.get(name.replace(/\.(?=[^.]+$)/, "._"));
    const queries = this.leaves.get(name.replace(/[^.]+$/, "W_Q"));
    if (grouped?.axes[0] !== "kv_head" || !queries) return undefined;
    const [heads, groups] = [queries.shape[0], grouped.shape[0]];
    const serving = Int32Array.from({ length: heads }, (_, head) => Math.floor((head * groups) / heads));
    const view = grouped.gather(0, Tensor.leaf(ndarray("int32", [heads], serving), ["head"]));
    this.views.set(name, view);
    return view;
  }
}
