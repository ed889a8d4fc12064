/** The model that functions of the lens take first. */
import { ArgumentError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import type { Model } from "./model.ts";

/** @throws ArgumentError unless it is a model */
export function checkModel(of: string, model: unknown): asserts model is Model {
  const { cfg, weights, graph, compute } = (model ?? {}) as Partial<Model>;
  if (cfg && weights && typeof graph === "function" && typeof compute === "function") return;
  throw new ArgumentError(
    `${of} takes a model first, as HookedTransformer.fromPretrained returns it, not ${isPromised(model) ? "a promise of one: await it" : shown(model)}.`,
    { asked: model },
  );
}

function isPromised(value: unknown): boolean {
  return value instanceof Promise;
}
