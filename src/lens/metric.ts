/** A number of a run, as graph. */
import { Tensor } from "../graph/tensor.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { kindOf } from "../tensor/show.ts";
import { showValue } from "./hooks.ts";
import type { ModelGraph } from "./model-graph.ts";

/** A number for each run, from logits [batch pos d_vocab]; written for one run, it is followed through the sweep. */
export type Metric = (logits: Tensor, graph: ModelGraph) => Tensor;

/** What a metric makes of a pass. @throws ArgumentError for what is no function, or does not give a Tensor */
export function measured(metric: Metric, graph: ModelGraph): Tensor {
  if (typeof metric !== "function") {
    throw new ArgumentError(
      `The metric is a function of the logits, (logits) => logits.at({ pos: -1, d_vocab: 5 }).mean(), not ${kindOf(metric)}.`,
      { asked: metric },
    );
  }
  const found: unknown = metric(graph.output, graph);
  if (found instanceof Tensor) return found;
  throw new ArgumentError(
    `The metric is ${showValue(found)}: it must be a Tensor, a single number made of the logits, as in (logits) => logits.at({ pos: -1, d_vocab: 5 }).mean().`,
    { asked: "metric", found },
  );
}
