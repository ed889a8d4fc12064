/** The first SoLU models, trained on the Pile, whose checkpoints have other names and, in models of up to six layers, other layouts. */

import type { ModelFamily } from "./family.ts";
import { RawWeights, transposed } from "./layout.ts";
import { completeNeelWeights } from "./neel.ts";
import { neelArchitecture, neelConfig } from "./neel-config.ts";

const BUFFERS = /^blocks\.\d+\.attn\.(mask|IGNORE)$/;

/** Models of up to eight layers store `W_pos` as [d_model, n_ctx]. */
const LAST_WITH_LEFT_W_POS = 8;
/** Models of up to six layers store every other matrix as [.., out, in]. */
const LAST_WITH_LEFT_MATRICES = 6;

export const neelSoluOld = {
  name: "neel-solu-old",
  embedding: "embed.W_E",
  matches: (json, repoName) => neelArchitecture(json, repoName) === "neel-solu-old",
  config: neelConfig,
  weights(raw, config, context) {
    const arrays = new RawWeights(raw, "neel-solu-old");
    arrays.drop(BUFFERS);
    const weights = new Map(
      arrays.names().map((name) => {
        const array = arrays.take(name);
        return [
          currentName(name),
          array.shape.length > 1 && isLeftFacing(name, config.nLayers) ? transposed(array) : array,
        ];
      }),
    );
    return completeNeelWeights(weights, config, context);
  },
} satisfies ModelFamily;

/** `blocks.0.norm1.w` -> `blocks.0.ln1.w`; `norm.w` -> `ln_final.w`. */
function currentName(name: string): string {
  return name.replaceAll("norm", "ln").replace(/^ln\./, "ln_final.");
}

function isLeftFacing(name: string, nLayers: number): boolean {
  if (name.includes("W_pos")) return nLayers <= LAST_WITH_LEFT_W_POS;
  return name.includes("W_") && nLayers <= LAST_WITH_LEFT_MATRICES;
}
