/** Every analysis on every kind of model: rotary positions, parallel blocks, gated MLPs, shared keys and values, windows. */
import { beforeAll, describe, expect, test } from "vitest";
import { ANALYSES } from "../../src/analyses/index.ts";
import { parseConfig } from "../../src/models/config-parse.ts";
import { processWeights } from "../../src/models/processing/process-weights.ts";
import { HookedTransformer } from "../../src/node.ts";
import { render } from "../../src/report/index.ts";
import { golden } from "../goldens.ts";
import { wordTokenizer } from "./word-tokenizer.ts";

/** As such models are loaded: norms folded. */
async function foldedModel(name: string): Promise<HookedTransformer> {
  const g = await golden(name);
  const raw = g.under("weights.") as Parameters<typeof processWeights>[1];
  const { config, weights } = processWeights(parseConfig(g.info.config), raw, { foldLn: true });
  return new HookedTransformer(config, weights, { tokenizer: wordTokenizer(config.dVocab) });
}

/** What differs from the defaults, which are made for large contexts and vocabularies. */
const OWN: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "diffuse-mlp": { prompts: ["The lady was so tired that she went to the store", "When Mary and John went it was"] },
  "test-prompt": { prompt: "When Mary and John went to the store", answer: "John" },
  "induction-score": { length: 10 },
  ioi: { samples: 4, names: ["Mary", "John", "Tom", "James"] },
};

describe.each(["neox_2l", "gptj_2l", "llama_gqa_2l", "local_attn_2l"])("%s", (name) => {
  let model: HookedTransformer;
  beforeAll(async () => {
    model = await foldedModel(name);
  });

  test.each(ANALYSES.map((analysis) => analysis.name))("%s", async (called) => {
    const analysis = ANALYSES.find((one) => one.name === called)!;
    const defaults = Object.entries(analysis.options).map(([option, record]) => [
      option,
      record.type === "flag" ? false : "default" in record ? record.default : undefined,
    ]);
    const options = { ...Object.fromEntries(defaults), ...OWN[called] };
    const found = await analysis.run(model, options, {});
    expect(found.analysis).toBe(called);
    expect((await render(found, "text")).length).toBeGreaterThan(200);
  });
});
