/** Models whose checkpoint already has TransformerLens' names and layout. */
import type { NDArray } from "../../tensor/array.ts";
import type { HookedTransformerConfig } from "../config/config.ts";
import type { FamilyContext, ModelFamily } from "./family.ts";
import { fillNeutral } from "./fill.ts";
import { RawWeights, transposed } from "./layout.ts";
import { neelArchitecture, neelConfig } from "./neel-config.ts";

/** Constants that PyTorch saves with the weights: the causal mask and the masked score, rotary angles, xIELU's fixed numbers. */
const BUFFERS = /^blocks\.\d+\.(attn\.(mask|IGNORE|rotary_sin|rotary_cos)|mlp\.act_fn\.(beta|eps))$/;

export const neel = {
  name: "neel",
  embedding: "embed.W_E",
  // BERT's embeddings have a norm of their own, and are parts of one part with it.
  within: "embed.",
  matches: (json, repoName) => neelArchitecture(json, repoName) === "neel",
  config: neelConfig,
  weights(raw, config, context) {
    const arrays = new RawWeights(raw, "neel");
    arrays.drop(BUFFERS);
    const weights = new Map(arrays.names().map((name) => ownLinear(name, arrays.take(name))));
    return completeNeelWeights(weights, config, context);
  },
} satisfies ModelFamily;

/** TransformerLens has experts and their routers as PyTorch's `Linear`s, `W_in.weight` [out in]; everything else is ours already. */
function ownLinear(name: string, array: NDArray<"float32">): [string, NDArray<"float32">] {
  const [, part, which, kind] = /^(blocks\.\d+\.mlp\.(?:experts\.\d+\.)?)W_(\w+)\.(weight|bias)$/.exec(name) ?? [];
  if (kind === undefined) return [name, array];
  return kind === "bias" ? [`${part}b_${which}`, array] : [`${part}W_${which}`, transposed(array)];
}

/** What both generations of these checkpoints may lack or have in addition. */
export function completeNeelWeights(
  weights: Map<string, NDArray<"float32">>,
  config: HookedTransformerConfig,
  context: FamilyContext,
): Map<string, NDArray<"float32">> {
  if (config.finalRms && weights.delete("ln_final.b")) {
    context.note("The last norm is an RMSNorm, which has no bias; the checkpoint's ln_final.b is left out.");
  }
  if (config.positionalEmbeddingType === "alibi" && weights.delete("pos_embed.W_pos")) {
    context.note(
      "ALiBi positions have no embedding; the checkpoint's pos_embed.W_pos, which nothing reads, is left out.",
    );
  }
  return fillNeutral(weights, config, context);
}
