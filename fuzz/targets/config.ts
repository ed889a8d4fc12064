/** Configurations: fields changed, left out, misspelt, added. An accepted one has fields of the right kinds, within bounds. */
import { parseConfig } from "../../src/index.ts";
import { parseJsonObject } from "../../src/load/index.ts";
import { familyOf } from "../../src/models/families/index.ts";
import { jsonOf, mutateJson } from "../mutate.ts";
import { outcomeOf } from "../outcome.ts";
import type { Target } from "../target.ts";
import { jsonOfFile } from "./files.ts";

const OURS = {
  n_layers: 2,
  d_model: 32,
  n_heads: 4,
  d_head: 8,
  d_mlp: 64,
  n_ctx: 16,
  d_vocab: 50,
  act_fn: "gelu",
  normalization_type: "LN",
  attention_dir: "causal",
  positional_embedding_type: "shortformer",
  attn_only: false,
  eps: 1e-5,
  seed: 1,
};

export const config: Target = {
  name: "config",
  description:
    "configurations of each family; what is accepted is within bounds, and equal to itself when written and read again",
  async prepare() {
    const originals = [
      OURS,
      jsonOfFile("models/solu-1l-novels/config.json"),
      jsonOfFile("test/goldens/hf/gpt2-tiny/config.json"),
    ];
    return (random) => {
      const original = random.pick(originals);
      // Through JSON's text, as it comes from a file.
      const text = jsonOf(mutateJson(random, original));
      return outcomeOf(
        () => {
          const json = parseJsonObject(text, "config.json");
          const context = { repoName: "a/b", weightNames: [], note: () => {} };
          return original === OURS ? parseConfig(json) : familyOf(json, "a/b").config(json, context);
        },
        (cfg) => {
          const { nLayers, dModel, nHeads, dHead, dMlp, nCtx, dVocab, dVocabOut, nParams, eps } = cfg;
          const counts = { nLayers, dModel, nHeads, dHead, dMlp: dMlp ?? 1, nCtx, dVocab, dVocabOut };
          for (const [name, n] of Object.entries(counts)) {
            if (!Number.isSafeInteger(n) || n < 1 || n >= 2 ** 31) return `${name} is ${n}`;
          }
          if (nLayers > 10_000) return `${nLayers} layers`;
          if (!Number.isFinite(nParams)) return `nParams is ${nParams}`;
          if (!(eps >= 0 && eps < Infinity)) return `eps is ${eps}`;
          const again = JSON.stringify(parseConfig({ ...cfg }));
          return again === JSON.stringify(cfg) ? undefined : "it changes when written and read again";
        },
      );
    };
  },
};
