/** From a normed residual stream to logits, outside a pass. */
import type { Tensor } from "../graph/tensor.ts";
import type { CachedModel } from "../lens/cached.ts";
import { compose } from "../models/compose.ts";
import { softCap } from "../models/parts/soft-cap.ts";

type Unembedding = Pick<CachedModel, "cfg" | "weights">;

/** `x W_U + b_U`, [... d_vocab] of streams [... d_model], before any cap. */
export function uncappedLogits({ weights }: Unembedding, x: Tensor): Tensor {
  return x.matmul(weights.get("unembed.W_U")).add(weights.get("unembed.b_U"));
}

/** The model's logits of normed streams, softly capped if the model's are. */
export function logitsOf(model: Unembedding, x: Tensor): Tensor {
  return softCap(uncappedLogits(model, x), compose(model.cfg).logitsCap);
}
