/** One number for a run: what metrics and losses have in common. */
import { showShape } from "../graph/axes.ts";
import { Tensor } from "../graph/tensor.ts";
import { ArgumentError, ShapeError } from "../tensor/errors.ts";
import { kindOf } from "../tensor/show.ts";
import { showValue } from "./changes.ts";
import type { ModelGraph } from "./model-graph.ts";

/** One number for a run, computed from its values, as a graph. */
export type NumberOf<Of extends readonly unknown[]> = (...of: Of) => Tensor;

/** One number for each run, from logits [batch pos d_vocab]; written for one run, a sweep applies it to each. */
export type Metric = NumberOf<[logits: Tensor, graph: ModelGraph]>;

/** One number for a pass, which training makes smaller. */
export type Loss = NumberOf<[graph: ModelGraph]>;

/** A metric of a pass. @throws ArgumentError for anything but a function, or one that does not return a Tensor */
export function measured(metric: Metric, graph: ModelGraph): Tensor {
  return numberOf(metric, graph.output, graph);
}

/** A metric of a run. @throws ArgumentError for anything but a function, or one that does not return a Tensor */
export function numberOf<Of extends readonly unknown[]>(metric: NumberOf<Of>, ...of: Of): Tensor {
  if (typeof metric !== "function") {
    throw new ArgumentError(
      `The metric must be a function of the logits, (logits) => logits.at({ pos: -1, d_vocab: 5 }).mean(), not ${kindOf(metric)}.`,
      { asked: metric },
    );
  }
  const result: unknown = metric(...of);
  if (result instanceof Tensor) return result;
  throw new ArgumentError(
    `The metric is ${showValue(result)}, but must be a Tensor, a single number computed from the logits, as in (logits) => logits.at({ pos: -1, d_vocab: 5 }).mean().`,
    { asked: "metric", found: result },
  );
}

/** A metric as one number. @throws ShapeError if it is something else */
export function oneNumber(metric: Tensor, logits: Tensor): Tensor {
  return numbers(metric, logits, []);
}

/** A metric as one number for each of several changes that run side by side along an axis in front. @throws ShapeError */
export function oneForEach(metric: Tensor, logits: Tensor, axis: string, count: number): Tensor {
  // Nothing that the metric reads depends on what was changed: it is the same in every cell.
  if (metric.shape.length === 0) return metric.unsqueeze(0, axis).repeat(0, count);
  return numbers(metric, logits, [count]);
}

function numbers(metric: Tensor, logits: Tensor, shape: readonly number[]): Tensor {
  if (metric.shape.join() === shape.join() && metric.dtype === "float32") return metric;
  throw new ShapeError(
    `The metric must be one number for logits ${showShape(logits)}, but it is ${metric.dtype} ${showShape(metric)}: take the mean over the remaining axes, or pick one.`,
    { asked: shape, found: metric.shape },
  );
}
