/** The model that functions of the lens take first. */
import { ArgumentError, InputError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import type { TokenRules } from "../text/index.ts";
import type { CachedModel } from "./cached.ts";
import type { Model } from "./model.ts";

/** @throws ArgumentError unless it is a model */
export function checkModel(of: string, model: unknown): asserts model is Model {
  const { cfg, weights, graph, compute } = (model ?? {}) as Partial<Model>;
  if (cfg && weights && typeof graph === "function" && typeof compute === "function") return;
  throw new ArgumentError(
    `${of} takes a model first, as HookedTransformer.fromPretrained gives it, not ${isPromised(model) ? "the promise of one: await it" : shown(model)}.`,
    { asked: model },
  );
}

/** Text to tokens and back. @throws InputError for a model without a tokenizer */
export function needText({ text }: Pick<CachedModel, "text">): TokenRules {
  if (text) return text;
  throw new InputError(
    "This model has no tokenizer (its notes may say why): pass one when it is made, or use token ids.",
    {},
  );
}

function isPromised(value: unknown): boolean {
  return value instanceof Promise;
}
