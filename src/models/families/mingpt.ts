/** Models trained with minGPT and described in a NeelNanda `config.json`: Othello-GPT. */
import type { NDArray } from "../../tensor/array.ts";
import type { HookedTransformerConfig } from "../config/config.ts";
import type { ModelFamily } from "./family.ts";
import { fillNeutral } from "./fill.ts";
import { headsOfColumns, RawWeights, reshaped, transposed } from "./layout.ts";
import { neelArchitecture, neelConfig } from "./neel-config.ts";

const BUFFERS = /^blocks\.\d+\.attn\.(mask|bias)$/;

export const mingpt = {
  name: "mingpt",
  embedding: "tok_emb.weight",
  matches: (json, repoName) => neelArchitecture(json, repoName) === "mingpt",
  config: neelConfig,
  weights(raw, config, context) {
    const { nLayers, dModel, nCtx, dVocab, dVocabOut } = config;
    const arrays = new RawWeights(raw, "minGPT");
    arrays.drop(BUFFERS);
    const weights = new Map<string, NDArray<"float32">>();
    weights.set("embed.W_E", arrays.take("tok_emb.weight", [dVocab, dModel]));
    weights.set("pos_embed.W_pos", reshaped(arrays.take("pos_emb", [1, nCtx, dModel]), [nCtx, dModel]));
    for (let layer = 0; layer < nLayers; layer++) addBlock(weights, arrays, config, `blocks.${layer}`);
    weights.set("ln_final.w", arrays.take("ln_f.weight", [dModel]));
    weights.set("ln_final.b", arrays.take("ln_f.bias", [dModel]));
    weights.set("unembed.W_U", transposed(arrays.take("head.weight", [dVocabOut, dModel])));
    arrays.expectEmpty();
    return fillNeutral(weights, config, context);
  },
} satisfies ModelFamily;

/** PyTorch's Linear weights are [out, in]; one row block of query, key and value per head. */
function addBlock(
  weights: Map<string, NDArray<"float32">>,
  arrays: RawWeights,
  config: HookedTransformerConfig,
  block: string,
): void {
  const { nHeads, dHead, dModel } = config;
  const dMlp = config.dMlp ?? 0;
  const width = nHeads * dHead;
  for (const [part, name] of [
    ["Q", "query"],
    ["K", "key"],
    ["V", "value"],
  ]) {
    const matrix = transposed(arrays.take(`${block}.attn.${name}.weight`, [width, dModel]));
    weights.set(`${block}.attn.W_${part}`, headsOfColumns(matrix, nHeads, dHead));
    const bias = arrays.take(`${block}.attn.${name}.bias`, [width]);
    weights.set(`${block}.attn.b_${part}`, reshaped(bias, [nHeads, dHead]));
  }
  const output = transposed(arrays.take(`${block}.attn.proj.weight`, [dModel, width]));
  weights.set(`${block}.attn.W_O`, reshaped(output, [nHeads, dHead, dModel]));
  weights.set(`${block}.attn.b_O`, arrays.take(`${block}.attn.proj.bias`, [dModel]));
  for (const norm of ["ln1", "ln2"]) {
    weights.set(`${block}.${norm}.w`, arrays.take(`${block}.${norm}.weight`, [dModel]));
    weights.set(`${block}.${norm}.b`, arrays.take(`${block}.${norm}.bias`, [dModel]));
  }
  weights.set(`${block}.mlp.W_in`, transposed(arrays.take(`${block}.mlp.0.weight`, [dMlp, dModel])));
  weights.set(`${block}.mlp.b_in`, arrays.take(`${block}.mlp.0.bias`, [dMlp]));
  weights.set(`${block}.mlp.W_out`, transposed(arrays.take(`${block}.mlp.2.weight`, [dModel, dMlp])));
  weights.set(`${block}.mlp.b_out`, arrays.take(`${block}.mlp.2.bias`, [dModel]));
}
