/** Gradients of a metric at hook points, as further values of a pass: the basis of attribution by gradients. */

import { showShape } from "../graph/axes.ts";
import { grad } from "../graph/rewrite/grad.ts";
import { selectEarly } from "../graph/rewrite/select.ts";
import type { Tensor } from "../graph/tensor.ts";
import { topological } from "../graph/walk.ts";
import type { HookNameLike } from "../lens/hook-names.ts";
import { type Metric, measured, oneNumber } from "../lens/metric.ts";
import type { ModelGraph } from "../lens/model-graph.ts";
import { ArgumentError, ShapeError } from "../tensor/errors.ts";

/** A metric with values that it is computed from and their gradients, [as the value]. */
export interface MetricGradients {
  readonly metric: Tensor;
  readonly values: readonly Tensor[];
  readonly gradients: readonly Tensor[];
}

/**
 * d metric / d value at each of the names, to be computed with whatever else is wanted. Selections (the last position's
 * logits) are moved up before the graph is differentiated, so that what the metric leaves out costs nothing in the backward pass.
 *
 * @throws ShapeError for a metric that is not a single number; ArgumentError for a point that it does not depend on.
 */
export function metricGradients(graph: ModelGraph, metric: Metric, names: readonly HookNameLike[]): MetricGradients {
  const single = metricNumber(graph, metric);
  return gradientsAt(
    single,
    names.map((name) => graph.at(name)),
  );
}

/** As `metricGradients`, for a number and values that already exist. */
export function gradientsAt(number: Tensor, at: readonly Tensor[]): MetricGradients {
  const [metric, ...values] = selectEarly([number, ...at]);
  const way = new Set(topological([metric]));
  const beside = values.find((value) => !way.has(value));
  if (beside) {
    throw new ArgumentError(`The metric does not depend on "${beside.label}", so nothing can be attributed to it.`, {
      asked: beside.label,
    });
  }
  return { metric, values, gradients: grad(metric, values) };
}

/** The metric of a pass. @throws ShapeError if it is not a single number */
export function metricNumber(graph: ModelGraph, metric: Metric): Tensor {
  return oneNumber(measured(metric, graph), graph.output);
}

/** @throws ShapeError unless both passes are on prompts of the same number of tokens */
export function checkSameLength(clean: ModelGraph, corrupted: ModelGraph): void {
  const [a, b] = [clean.tokens!.shape, corrupted.tokens!.shape];
  if (a.join() === b.join()) return;
  throw new ShapeError(
    `Clean and corrupted prompts must have the same number of tokens, but they are ${showShape(clean.tokens!)} and ${showShape(corrupted.tokens!)}: choose words with the same number of tokens.`,
    { asked: a, found: b },
  );
}
