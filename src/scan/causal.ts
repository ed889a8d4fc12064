/** Scans whose question is about a next token. */
import type { Model } from "../lens/model.ts";
import { ArgumentError } from "../tensor/errors.ts";

/** @throws ArgumentError for a model that sees the tokens that it should predict */
export function needCausal({ cfg }: Model): void {
  if (cfg.attentionDir === "causal") return;
  throw new ArgumentError(
    `${cfg.modelName} can see the tokens that it should predict (its attention is ${cfg.attentionDir}), so the loss of a next token means nothing: choose a causal model.`,
    { asked: "causal", found: cfg.attentionDir },
  );
}
