/** What each token's embedding is worth, measured by taking it away: what estimates by gradients are held against. */
import { Tensor } from "../../graph/tensor.ts";
import type { HookedTransformer } from "../../lens/hooked-transformer.ts";
import type { Metric } from "../../lens/sweep.ts";
import { ndarray } from "../../tensor/array.ts";
import type { Prompt } from "../prompt.ts";

/** What stands in place of a token's embedding: nothing, or the mean of the vocabulary's. */
export type Absence = "zero" | "mean";

export interface Occlusion {
  /** The metric minus what it is with that position's embedding replaced, by position. */
  readonly effects: readonly number[];
  /** The metric of the prompt. */
  readonly metric: number;
}

/** Replaces each position's embedding alone, all positions in one run. */
export async function occlusion(
  model: HookedTransformer,
  { input, ids }: Prompt,
  metric: Metric,
  absence: Absence,
  signal?: AbortSignal,
): Promise<Occlusion> {
  const graph = model.graph(input);
  const whole = metric(graph.output, graph);
  const n = ids.length;
  const diagonal = Uint8Array.from({ length: n * n }, (_, i) => +(i % (n + 1) === 0));
  const mask = Tensor.leaf(ndarray("bool", [n, 1, n, 1], diagonal), ["cell", "batch", "pos", "d_model"]);
  const replaced = graph.with([
    ["hook_embed", (x) => (absence === "mean" ? model.W_E.mean(0) : x.constant(0)).where(mask, x)],
  ]);
  const [clean, each] = await model.compute([whole, replaced.follow(whole)], signal ? { signal } : {});
  return { effects: Array.from(each.data, (value) => clean.item() - value), metric: clean.item() };
}
