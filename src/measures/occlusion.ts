/** The effect of removing each token's embedding, which gradient estimates are compared with. */
import { Tensor } from "../graph/tensor.ts";
import type { Metric } from "../lens/metric.ts";
import type { Model } from "../lens/model.ts";
import { tokenEmbedding } from "../lens/model-has.ts";
import { ndarray } from "../tensor/array.ts";
import { computeInParts, passBytes } from "./in-parts.ts";
import { meanEmbedding } from "./mean-embedding.ts";
import type { Prompt } from "./prompt.ts";

/** What replaces a token's embedding: zero, or the mean embedding of the vocabulary. */
export type Absence = "zero" | "mean";

export interface Occlusion {
  /** The metric minus what it is with that position's embedding replaced, by position. */
  readonly effects: readonly number[];
  /** The metric of the prompt. */
  readonly metric: number;
}

/** Replaces the embedding of each position alone, with as many positions in one run as fit. */
export async function occlusion(
  model: Model,
  { input, ids }: Prompt,
  metric: Metric,
  absence: Absence,
  signal?: AbortSignal,
): Promise<Occlusion> {
  const graph = model.graph(input);
  const embedding = tokenEmbedding(model);
  const whole = metric(graph.output, graph);
  const n = ids.length;
  const replaced = (from: number, to: number) => {
    const mask = new Uint8Array((to - from) * n);
    for (let pos = from; pos < to; pos++) mask[(pos - from) * n + pos] = 1;
    const here = Tensor.leaf(ndarray("bool", [to - from, 1, n, 1], mask), ["cell", "batch", "pos", "d_model"]);
    return graph.with([
      [embedding.point, (x) => (absence === "mean" ? meanEmbedding(model) : x.constant(0)).where(here, x)],
    ]);
  };
  const [clean] = await model.compute([whole], { signal });
  const [each] = await computeInParts(model, n, (from, to) => [replaced(from, to).follow(whole)], {
    ...{ signal },
    most: passBytes(model),
  });
  return { effects: Array.from(each.data, (value) => clean.item() - value), metric: clean.item() };
}
