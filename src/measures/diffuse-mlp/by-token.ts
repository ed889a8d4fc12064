/** The measure for each token that predicts another, with everything over neurons added up in the graph: for texts of any length. */
import type { Tensor } from "../../graph/tensor.ts";
import type { Model } from "../../lens/model.ts";
import { attributionValues } from "./attribution.ts";
import { prediction } from "./prediction.ts";
import type { RowsBatch } from "./prompts.ts";
import type { Site } from "./site.ts";

/** Values [row] in the graph, of which each is what `DiffuseMlpRow` says; what needs a norm inside the MLP is missing in one without. */
export interface ByToken {
  readonly loss: Tensor;
  readonly loss_change: Tensor;
  readonly outlier: Tensor;
  readonly attribution: Tensor;
  readonly bias: Tensor;
  readonly max_share: Tensor;
  /** With one shuffle of the neurons' directions. */
  readonly shuffled_max_share: Tensor;
  readonly effective_neurons: Tensor;
  /** int32. */
  readonly largest_neuron: Tensor;
  readonly outlier_after: Tensor | undefined;
  readonly scale: Tensor | undefined;
}

/**
 * @param site in the last layer: there, ablating a position changes its own prediction only, and one pass has all ablations
 * @param order which neuron's direction each neuron gets in the shuffle, int32 [d_mlp]
 */
export function byToken(model: Model, site: Site, batch: RowsBatch, order: Tensor): ByToken {
  const graph = model.graph(batch.tokens);
  const clean = prediction(graph.output, batch.predicting, batch.targets);
  const ablated = prediction(graph.with([[site.ablated, (x) => x.mul(0)]]).output, batch.predicting, batch.targets);
  const neurons = graph.at(site.ablated).gatherRows(batch.predicting);
  const { post, effect, bias } = attributionValues(model, graph, site, batch);
  const each = post.mul(effect);
  const sizes = each.abs();
  const total = sizes.sum(-1);
  const shuffled = post.mul(effect.gather(-1, order)).abs();
  const after = site.norm && graph.at(site.norm.normalized).gatherRows(batch.predicting);
  return {
    loss: clean.loss,
    loss_change: ablated.loss.sub(clean.loss),
    outlier: outlierOf(neurons),
    attribution: each.sum(-1),
    bias,
    max_share: shareOf(sizes.max(-1), total),
    shuffled_max_share: shareOf(shuffled.max(-1), shuffled.sum(-1)),
    effective_neurons: shareOf(total.mul(total), each.mul(each).sum(-1)),
    largest_neuron: sizes.argmax(-1),
    outlier_after: after && outlierOf(after),
    scale: site.norm && graph.at(site.norm.scale).gatherRows(batch.predicting),
  };
}

/** The largest minus the mean of each row [row d_mlp]. */
const outlierOf = (x: Tensor) => x.max(-1).sub(x.mean(-1));

/** 0 where there is nothing to have a share of: the smallest normal float32 is larger than nothing. */
const shareOf = (part: Tensor, all: Tensor) => part.div(all.maximum(2 ** -126));
