/** Where in a model the analysis looks, and what it can say about that model. */
import { needSum } from "../../lens/components.ts";
import type { Model } from "../../lens/model.ts";
import { hasMlps, needFoldedNorms, needNeurons } from "../../lens/model-has.ts";
import { ArgumentError } from "../../tensor/errors.ts";

export interface Site {
  readonly layer: number;
  /** The point that is ablated and whose outlier score is computed: `hook_mid` if there is one, else `hook_post`. */
  readonly ablated: string;
  readonly post: string;
  /** The norm inside the MLP; `undefined` if there is none. */
  readonly norm: { readonly scale: string; readonly normalized: string } | undefined;
  /** Whether everything after the MLP works position by position, so that one pass can ablate all positions. */
  readonly last: boolean;
}

/**
 * @param layer the block, from 0
 * @throws ArgumentError if there is no MLP, or if the model's weights are not processed as attribution
 * needs them (`foldLn`), or if the model is not causal.
 */
export function siteOf(model: Model, layer: number): Site {
  const { cfg } = model;
  if (!hasMlps(model)) {
    throw new ArgumentError(
      `${cfg.modelName} has only attention layers, so there is no MLP to analyse: choose a model with MLPs, such as solu-1l.`,
      { asked: "mlp", found: cfg.modelName, nearest: "solu-1l" },
    );
  }
  needNeurons(model, layer);
  if (cfg.attentionDir !== "causal") {
    throw new ArgumentError(
      `${cfg.modelName} can see the tokens that it should predict (its attention is ${cfg.attentionDir}), so the loss of a next token means nothing: choose a causal model.`,
      { asked: "causal", found: cfg.attentionDir },
    );
  }
  needSum(model);
  needFoldedNorms("Attribution", model);
  const mlp = `blocks.${layer}.mlp`;
  const normed = model.hookNames.includes(`${mlp}.hook_mid`);
  return {
    layer,
    ablated: normed ? `${mlp}.hook_mid` : `${mlp}.hook_post`,
    post: `${mlp}.hook_post`,
    norm: normed ? { scale: `${mlp}.ln.hook_scale`, normalized: `${mlp}.ln.hook_normalized` } : undefined,
    last: layer === cfg.nLayers - 1,
  };
}
