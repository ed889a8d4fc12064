/** Every analysis on every kind of model: rotary positions, parallel blocks, gated MLPs, shared keys and values, windows. */

import { beforeAll, describe, expect, test } from "vitest";
import { ANALYSES } from "../../src/analyses/index.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { components } from "../../src/lens/components.ts";
import { readAnswer } from "../../src/measures/answer.ts";
import { attributionValues } from "../../src/measures/diffuse-mlp/attribution.ts";
import { batches, tokenizePrompts } from "../../src/measures/diffuse-mlp/prompts.ts";
import { siteOf } from "../../src/measures/diffuse-mlp/site.ts";
import { measureDirectLogitAttribution } from "../../src/measures/direct-logit-attribution.ts";
import { measureIntegratedGradients } from "../../src/measures/integrated-gradients.ts";
import { measureLogitLens } from "../../src/measures/logit-lens.ts";
import { measureNeuronSaliency } from "../../src/measures/neuron-saliency.ts";
import { parseConfig } from "../../src/models/config/parse.ts";
import { processWeights } from "../../src/models/processing/process-weights.ts";
import { HookedTransformer } from "../../src/node.ts";
import { render } from "../../src/report/index.ts";
import { expectClose } from "../close.ts";
import { randomDictionary } from "../dictionaries/random-dictionary.ts";
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
  "test-prompt": { prompt: "When Mary and John went to the store", answers: ["John"] },
  "induction-score": { length: 10 },
  ioi: { samples: 4, names: ["Mary", "John", "Tom", "James"] },
};

describe.each(["neox_2l", "gptj_2l", "llama_gqa_2l", "local_attn_2l", "qwen3_2l", "gemma2_2l"])("%s", (name) => {
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
    // Only a bundled model comes with a dictionary.
    const dictionary = randomDictionary("blocks.1.hook_mlp_out", model.cfg.dModel);
    const options = {
      ...Object.fromEntries(defaults),
      ...OWN[called],
      ...("dictionary" in analysis.options ? { dictionary } : {}),
    };
    const found = await analysis.run(model, options);
    expect(found.analysis).toBe(called);
    expect((await render(found, "text")).length).toBeGreaterThan(200);
  });

  test("what single neurons add to a logit directly is what the stacks say, and sums to what their MLP adds", async () => {
    const text = "The lady was so tired so that she went to the store";
    const asked = { prompt: text, answer: "and", wrong: "to" };
    const answer = readAnswer(model, asked);
    const { rows: neurons } = await measureNeuronSaliency(model, asked);
    const [, cache] = await model.runWithCache(text);
    const attrs = cache
      .stackNeuronResults({ posSlice: -1 })
      .logitAttrs(answer.id, { incorrectTokens: answer.wrongId! });
    const expected = await attrs.at({ batch: 0 }).compute();
    expectClose({ shape: [neurons.length], data: neurons.map(({ direct }) => direct) }, expected, 1e-4);

    const site = siteOf(model, model.cfg.nLayers - 1);
    const [batch] = batches(model, tokenizePrompts(model, [text]), 1000);
    const graph = model.graph(batch.tokens);
    const { post, effect, bias } = attributionValues(model, graph, site, batch);
    const rows = (name: string) => graph.at(name).gatherRows(batch.predicting);
    const directions = model.W_U.gather("d_vocab", batch.targets).transpose();
    const whole = rows(`blocks.${site.layer}.hook_mlp_out`).mul(directions).sum(-1);
    const [sum, logit] = await model.compute([
      post.mul(effect).sum(-1).add(bias),
      whole.div(rows("ln_final.hook_scale").squeeze(-1)),
    ]);
    expectClose(sum, logit, 1e-4);
  });

  test("what adds up, adds up: attributions to the logit, the last stream to the output, gradients along the way", async () => {
    const text = "The lady was so tired that she went to the store";
    const direct = await measureDirectLogitAttribution(model, { prompt: text, answer: "and", wrong: "to" });
    expect(direct.layers.length).toBe(components(model).additions.length);
    expect(Math.abs(direct.error)).toBeLessThan(1e-4);
    expect((await measureLogitLens(model, { prompt: text })).error).toBeLessThan(1e-4);
    const metric = (logits: Tensor) => logits.at({ batch: 0, pos: -1, d_vocab: 3 });
    // From the mean embedding, and finely: near zero the norms are all but singular.
    const along = { baseline: "mean", steps: 1000 } as const;
    const {
      completenessError,
      metric: end,
      baseline,
    } = await measureIntegratedGradients(model, { prompt: text, metric, ...along });
    expect(Math.abs(completenessError)).toBeLessThan(1e-2 * Math.max(1, Math.abs(end - baseline)));
  });
});
