/** Attributions of single neurons, in the graph and as numbers. */
import type { Tensor } from "../../graph/tensor.ts";
import { components } from "../../lens/components.ts";
import type { Model } from "../../lens/model.ts";
import type { ModelGraph } from "../../lens/model-graph.ts";
import { unscaled } from "../../lens/output-norm.ts";
import { compose } from "../../models/compose.ts";
import type { Spread } from "./positions.ts";
import type { RowsBatch } from "./prompts.ts";
import type { Site } from "./site.ts";

/** `a_i = post_i effect_i`, all of them values in the graph. */
export interface AttributionValues {
  /** `hook_post` [row d_mlp]. */
  readonly post: Tensor;
  /**
   * What one unit of each neuron does to the next token's logit: `W_out[i] . W_U[:, t] / ln_final.hook_scale` [row d_mlp], with
   * `W_out[i]` as it is added to the stream where a norm stands behind it.
   */
  readonly effect: Tensor;
  /** `b_out . W_U[:, t] / ln_final.hook_scale` [row]. */
  readonly bias: Tensor;
}

export function attributionValues(model: Model, graph: ModelGraph, site: Site, batch: RowsBatch): AttributionValues {
  const mlp = `blocks.${site.layer}.mlp`;
  const directions = model.weights.get("unembed.W_U").gather("d_vocab", batch.targets); // [d_model row]
  const onto = (w: Tensor) => w.matmul(directions).transpose(); // [n d_model] to [row n]
  const { weights } = model;
  const norm = components(model).additions.find(({ kind, layer }) => kind === "mlp" && layer === site.layer)?.output
    ?.norm;
  const scales = [...(compose(model.cfg).finalNorm ? ["ln_final"] : []), ...(norm ? [norm.where] : [])];
  const scaled = (x: Tensor) =>
    scales.reduce((y, where) => y.div(graph.at(`${where}.hook_scale`).gatherRows(batch.predicting)), x);
  return {
    post: graph.at(site.post).gatherRows(batch.predicting),
    effect: scaled(onto(unscaled(weights.get(`${mlp}.W_out`), norm, weights))),
    bias: scaled(onto(unscaled(weights.get(`${mlp}.b_out`), norm, weights).unsqueeze(0, "one"))).squeeze(-1),
  };
}

/** |a_i|, the largest first. */
export function sortedSizes(attributions: Float64Array): Float64Array {
  const sizes = new Float64Array(attributions.length);
  for (let i = 0; i < sizes.length; i++) sizes[i] = Math.abs(attributions[i]);
  return sizes.sort().reverse();
}

/**
 * How a row of attributions is distributed over the neurons.
 * @param sizes as `sortedSizes` returns them
 * @param cumulative the share of the n largest neurons is added to it at index n - 1
 */
export function spreadOf(sizes: Float64Array, cumulative: Float64Array): Spread {
  let total = 0;
  let squares = 0;
  for (let i = 0; i < sizes.length; i++) {
    total += sizes[i];
    squares += sizes[i] * sizes[i];
  }
  if (total === 0) return { max_share: 0, effective_neurons: 0, n50: 0, n90: 0 };
  let n50 = 0;
  let n90 = 0;
  let sum = 0;
  for (let i = 0; i < sizes.length; i++) {
    if (sum < 0.5 * total) n50++;
    if (sum < 0.9 * total) n90++;
    sum += sizes[i];
    cumulative[i] += sum / total;
  }
  return { max_share: sizes[0] / total, effective_neurons: (total * total) / squares, n50, n90 };
}

/** The `count` neurons with the largest |a_i|, largest first. */
export function largest(
  attributions: Float64Array,
  sizes: Float64Array,
  count: number,
): [neuron: number, logits: number][] {
  const least = sizes[Math.min(count, sizes.length) - 1];
  const candidates: [number, number][] = [];
  for (let i = 0; i < attributions.length; i++) {
    if (Math.abs(attributions[i]) >= least) candidates.push([i, attributions[i]]);
  }
  return candidates.sort(([, a], [, b]) => Math.abs(b) - Math.abs(a)).slice(0, count);
}
