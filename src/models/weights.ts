/** A model's weights as leaves of its graphs, under TransformerLens' names, with their axes. */
import { Tensor } from "../graph/tensor.ts";
import type { NDArray } from "../tensor/array.ts";
import { WeightsError } from "../tensor/errors.ts";

/** The axes of each weight, by the last part of its name (norms' `w` and `b` have the width of what they norm). */
const axesOf: Readonly<Record<string, readonly string[]>> = {
  W_E: ["d_vocab", "d_model"],
  W_pos: ["pos", "d_model"],
  W_Q: ["head", "d_model", "d_head"],
  W_K: ["head", "d_model", "d_head"],
  W_V: ["head", "d_model", "d_head"],
  W_O: ["head", "d_head", "d_model"],
  b_Q: ["head", "d_head"],
  b_K: ["head", "d_head"],
  b_V: ["head", "d_head"],
  b_O: ["d_model"],
  W_in: ["d_model", "d_mlp"],
  b_in: ["d_mlp"],
  W_out: ["d_mlp", "d_model"],
  b_out: ["d_model"],
  W_U: ["d_model", "d_vocab"],
  b_U: ["d_vocab"],
};

/** Weights by TransformerLens' name, such as `blocks.0.attn.W_Q`. */
export class Weights {
  private readonly leaves: ReadonlyMap<string, Tensor>;

  /** @param role `feed` for weights that change from run to run, in training */
  constructor(arrays: ReadonlyMap<string, NDArray>, role: "weight" | "feed" = "weight") {
    this.leaves = new Map(
      [...arrays].map(([name, array]) => {
        const last = name.split(".").at(-1)!;
        const axes = axesOf[last] ?? [name.includes(".mlp.ln.") ? "d_mlp" : "d_model"];
        return [name, Tensor.leaf(array, axes, role, name)];
      }),
    );
  }

  /** @throws WeightsError if there is none of that name. */
  get(name: string): Tensor {
    const found = this.leaves.get(name);
    if (found) return found;
    throw new WeightsError(`The model has no weight "${name}".`, { asked: name, found: [...this.leaves.keys()] });
  }

  find(name: string): Tensor | undefined {
    return this.leaves.get(name);
  }

  entries(): IterableIterator<[string, Tensor]> {
    return this.leaves.entries();
  }
}
