/** What a model's norms and caps take away from what weights say by themselves. */
import type { Model } from "../lens/model.ts";
import { compose } from "../models/compose.ts";

type Configured = Pick<Model, "cfg">;

/** For attributions to logits, of a model whose logits are softly capped. */
export function capCaveat({ cfg }: Configured): string[] {
  const cap = compose(cfg).logitsCap;
  if (cap === null) return [];
  return [
    `The model's logits are ${cap} · tanh(logit / ${cap}). What adds up is the logit before that cap, so attributions are to it; large logits count for less in the probabilities.`,
  ];
}

/** For what weights write, of a model in which a norm stands between that and the residual stream. */
export function outputNormCaveat({ cfg }: Configured): string[] {
  if (compose(cfg).blocks.every(({ outputNorm }) => outputNorm === null)) return [];
  return [
    "In this model a norm stands between what attention and MLP write and the residual stream. It divides by a scale that differs from position to position and multiplies with its weight, neither of which is in the matrix.",
  ];
}
