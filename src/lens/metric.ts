/** A number of a run: what metrics and losses have in common. */
import { showShape } from "../graph/axes.ts";
import { Tensor } from "../graph/tensor.ts";
import { ArgumentError, ShapeError } from "../tensor/errors.ts";
import { kindOf } from "../tensor/show.ts";
import { showValue } from "./changes.ts";
import type { ModelGraph } from "./model-graph.ts";

/** A number of a run, from what there is of it: a single one, as graph. */
export type NumberOf<Of extends readonly unknown[]> = (...of: Of) => Tensor;

/** A number for each run, from logits [batch pos d_vocab]; written for one run, it is followed through the sweep. */
export type Metric = NumberOf<[logits: Tensor, graph: ModelGraph]>;

/** A number of a pass, as training makes it smaller. */
export type Loss = NumberOf<[graph: ModelGraph]>;

/** What a metric makes of a pass. @throws ArgumentError for what is not a function, or does not give a Tensor */
export function measured(metric: Metric, graph: ModelGraph): Tensor {
  return numberOf(metric, graph.output, graph);
}

/** What a metric makes of a run. @throws ArgumentError for what is not a function, or does not give a Tensor */
export function numberOf<Of extends readonly unknown[]>(metric: NumberOf<Of>, ...of: Of): Tensor {
  if (typeof metric !== "function") {
    throw new ArgumentError(
      `The metric is a function of the logits, (logits) => logits.at({ pos: -1, d_vocab: 5 }).mean(), not ${kindOf(metric)}.`,
      { asked: metric },
    );
  }
  const found: unknown = metric(...of);
  if (found instanceof Tensor) return found;
  throw new ArgumentError(
    `The metric is ${showValue(found)}: it must be a Tensor, a single number made of the logits, as in (logits) => logits.at({ pos: -1, d_vocab: 5 }).mean().`,
    { asked: "metric", found },
  );
}

/** A metric as one number. @throws ShapeError if it is something else */
export function oneNumber(metric: Tensor, logits: Tensor): Tensor {
  return numbers(metric, logits, []);
}

/** A metric as one number for each of several changes that run side by side along an axis in front. @throws ShapeError */
export function oneForEach(metric: Tensor, logits: Tensor, axis: string, count: number): Tensor {
  // Nothing that the metric looks at depends on what was changed: it is the same in every cell.
  if (metric.shape.length === 0) return metric.unsqueeze(0, axis).repeat(0, count);
  return numbers(metric, logits, [count]);
}

function numbers(metric: Tensor, logits: Tensor, shape: readonly number[]): Tensor {
  if (metric.shape.join() === shape.join() && metric.dtype === "float32") return metric;
  throw new ShapeError(
    `The metric must be one number for logits ${showShape(logits)}, but it is ${metric.dtype} ${showShape(metric)}: take the mean over what is left, or pick one.`,
    { asked: shape, found: metric.shape },
  );
}
