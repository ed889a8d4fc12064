/** What a token is on average. */
import type { Tensor } from "../graph/tensor.ts";
import type { Model } from "../lens/model.ts";
import { tokenEmbedding } from "../lens/model-has.ts";
import { compose } from "../models/compose.ts";
import { norm } from "../models/parts/norm.ts";
import { Scope } from "../models/scope.ts";

/** The mean over the vocabulary of what tokens are at the embedding's hook point, [d_model]. */
export function meanEmbedding({ cfg, weights }: Pick<Model, "cfg" | "weights">): Tensor {
  const { weight } = tokenEmbedding({ cfg });
  const wanted = { reads: () => false, hooks: () => false };
  const scope = new Scope({ weights, wanted, points: new Map(), asides: new Set() }, weight.replace(/W_E$/, ""));
  return norm(weights.get(weight), compose(cfg).embedding.norm, scope.part("ln")).mean(0);
}
