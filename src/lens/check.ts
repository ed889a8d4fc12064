/** Arguments that many functions of the lens take, looked at before anything is made of them. */
import { Tensor } from "../graph/tensor.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { kindOf, shown } from "../tensor/show.ts";
import { HookedTransformer } from "./hooked-transformer.ts";
import { showValue } from "./hooks.ts";
import type { ModelGraph } from "./model-graph.ts";
import type { Metric } from "./sweep.ts";

/** @throws ArgumentError unless it is a model */
export function checkModel(of: string, model: unknown): asserts model is HookedTransformer {
  if (model instanceof HookedTransformer) return;
  throw new ArgumentError(
    `${of} takes a model first, as HookedTransformer.fromPretrained gives it, not ${isPromised(model) ? "the promise of one: await it" : shown(model)}.`,
    { asked: model },
  );
}

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

function isPromised(value: unknown): boolean {
  return value instanceof Promise;
}
