/** BERT against what transformers gives for a tiny random one: an encoder that fills in masked tokens. */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { Tensor } from "../../src/graph/tensor.ts";
import { memorySource, readSafetensors } from "../../src/load/index.ts";
import { measureAttributionPatching } from "../../src/measures/attribution-patching.ts";
import { measureGradientXActivation } from "../../src/measures/gradient-x-activation.ts";
import { measureTestPrompt } from "../../src/measures/test-prompt.ts";
import { readConfig, readModel, resolveModelName } from "../../src/models/families/index.ts";
import {
  ablation,
  activationPatching,
  directLogitAttribution,
  fillMask,
  getSingularVectors,
  gradientXActivation,
  HookedTransformer,
  ioi,
  logitLens,
  measureAblation,
  measureLogitLens,
  neuronTokens,
  patching,
  render,
  sweeps,
  Tokenizer,
} from "../../src/node.ts";
import type { NDArray } from "../../src/tensor/array.ts";
import { ArgumentError, ConfigError, InputError, ShapeError, WeightsError } from "../../src/tensor/errors.ts";
import { expectClose } from "../close.ts";

const folder = fileURLToPath(new URL("../goldens/hf/bert-tiny/", import.meta.url));
const arraysOf = (file: string) =>
  readSafetensors(memorySource(file, new Uint8Array(readFileSync(`${folder}${file}.safetensors`))));
const readGolden = (name: string) =>
  readSafetensors(
    memorySource(name, new Uint8Array(readFileSync(new URL(`../goldens/${name}.safetensors`, import.meta.url)))),
  );
const config = JSON.parse(readFileSync(`${folder}config.json`, "utf8"));

/** Words `w5` to `w96`, after BERT's special tokens. */
const tokenizer = Tokenizer.fromJson(
  {
    version: "1.0",
    normalizer: null,
    pre_tokenizer: { type: "WhitespaceSplit" },
    post_processor: { type: "BertProcessing", sep: ["[SEP]", 3], cls: ["[CLS]", 2] },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    added_tokens: ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].map((content, id) => ({
      ...{ id, content, special: true, single_word: false, lstrip: false, rstrip: false, normalized: false },
    })),
    model: {
      ...{ type: "WordPiece", unk_token: "[UNK]", continuing_subword_prefix: "##", max_input_chars_per_word: 100 },
      vocab: Object.fromEntries(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ...Array.from({ length: 92 }, (_, i) => `w${i + 5}`)].map(
          (word, id) => [word, id],
        ),
      ),
    },
  },
  { cls_token: "[CLS]", sep_token: "[SEP]", pad_token: "[PAD]", mask_token: "[MASK]", unk_token: "[UNK]" },
);

let expected: ReadonlyMap<string, NDArray>;
let model: HookedTransformer;
let tokens: Tensor;
let tokenTypeIds: Tensor;
beforeAll(async () => {
  expected = await arraysOf("expected");
  model = await HookedTransformer.fromPretrainedNoProcessing(folder, { tokenizer });
  tokens = Tensor.leaf(expected.get("tokens")!, ["batch", "pos"]);
  tokenTypeIds = Tensor.leaf(expected.get("token_type_ids")!, ["batch", "pos"]);
});

describe("transformers' numbers", () => {
  test("logits, the stream before and after each block, and each layer's attention", async () => {
    const [logits, cache] = await model.runWithCache(tokens, { tokenTypeIds });
    expectClose(logits, expected.get("logits")!, 1e-4);
    for (const layer of [0, 1]) {
      expectClose(cache.get(`blocks.${layer}.hook_resid_pre`), expected.get(`hidden_states.${layer}`)!, 1e-4);
      expectClose(cache.get(`blocks.${layer}.attn.hook_pattern`), expected.get(`attentions.${layer}`)!, 1e-4);
    }
    expectClose(cache.get("hook_full_embed"), expected.get("hidden_states.0")!, 1e-4);
    expectClose(cache.get("blocks.1.hook_normalized_resid_post"), expected.get("hidden_states.2")!, 1e-4);
  });

  test("of a batch that is padded on the right", async () => {
    const rows = expected.get("right_padded.attention_mask")!;
    const attentionMask = Array.from({ length: 2 }, (_, b) => [...rows.data].slice(12 * b, 12 * (b + 1)).map(Number));
    const logits = await model.forward(tokens, { tokenTypeIds, attentionMask });
    const real = await logits.at({ batch: 1, pos: [0, 1, 2, 3, 4, 5, 6, 7] }).compute();
    const value = expected.get("right_padded.logits_1_to_8")!;
    expectClose({ shape: value.shape, data: real.data }, value, 1e-4);
  });

  test("processing changes logits by a constant only, and says what it leaves out", async () => {
    const processed = await HookedTransformer.fromPretrained(folder);
    const [a, b] = [await model.forward(tokens), await processed.forward(tokens)];
    expectClose(await b.logSoftmax().compute(), await a.logSoftmax().compute(), 1e-4);
    expect(processed.notes.join(" ")).toMatch(/fold_ln is left out: embed\.ln\.w is read by more than weights/);
    expect(processed.cfg.normalizationType).toBe("LN");
  });

  test("without types every token has the first", async () => {
    const first = Array.from({ length: 2 }, () => new Array<number>(12).fill(0));
    expectClose(await model.forward(tokens), await model.forward(tokens, { tokenTypeIds: first }), 1e-6);
  });
});

test("TransformerLens' HookedEncoder has these hook points in this order, and these values at them", async () => {
  const values = await readGolden("encoder");
  const own = (key: string) => Tensor.leaf(values.get(key)!, ["batch", "pos"]);
  const [logits, cache] = await model.runWithCache(own("tokens"), { tokenTypeIds: own("token_type_ids") });
  const theirs = [...values.keys()].filter((key) => key.startsWith("cache.")).map((key) => key.slice(6));
  expect([...cache.keys()].sort()).toEqual(theirs.sort());
  for (const name of theirs) expectClose(cache.get(name), values.get(`cache.${name}`)!, 1e-4);
  expectClose(logits, values.get("logits")!, 1e-4);
});

describe("hook points", () => {
  test("have TransformerLens' names, in its order", () => {
    const block = (l: number) =>
      [
        ...["hook_resid_pre", "attn.hook_q", "attn.hook_k", "attn.hook_v", "attn.hook_attn_scores"],
        ...["attn.hook_pattern", "attn.hook_z", "hook_attn_out", "hook_resid_mid", "ln1.hook_scale"],
        ...["ln1.hook_normalized", "mlp.hook_pre", "mlp.hook_post", "hook_mlp_out", "hook_resid_post"],
        ...["ln2.hook_scale", "ln2.hook_normalized", "hook_normalized_resid_post"],
      ].map((name) => `blocks.${l}.${name}`);
    const onRequest = /hook_(attn_in|q_input|k_input|v_input|result|mlp_in)$|mlp\.hook_(in|out)$/;
    expect(model.hookNames.filter((name) => !onRequest.test(name))).toEqual([
      ...["embed.hook_embed", "embed.hook_pos_embed", "embed.hook_token_type_embed", "embed.ln.hook_scale"],
      ...["embed.ln.hook_normalized", "hook_full_embed", ...block(0), ...block(1)],
      ...["mlm_head.ln.hook_scale", "mlm_head.ln.hook_normalized"],
    ]);
  });

  test("can be changed, and what follows follows", async () => {
    const clean = await model.forward(tokens, { tokenTypeIds });
    const other = await model.runWithHooks(tokens, {
      tokenTypeIds,
      fwdHooks: [["embed.hook_token_type_embed", (x) => x.mul(0)]],
    });
    expect(Math.abs(other.get(0, 0, 0) - clean.get(0, 0, 0))).toBeGreaterThan(1e-4);
    const same = await model.runWithHooks(tokens, {
      tokenTypeIds,
      fwdHooks: [["hook_full_embed", () => Tensor.leaf(expected.get("hidden_states.0")!, ["batch", "pos", "d_model"])]],
    });
    expectClose(same, clean, 1e-4);
  });
});

describe("filling in masks", () => {
  const text = "w7 [MASK] w9 [MASK]";

  test("ranks tokens at each mask by their probability", async () => {
    const filled = await fillMask(model, [text, "w7 w8 [MASK]"], { top: 3 });
    expect(filled.map(({ row, pos }) => [row, pos])).toEqual([
      [0, 2],
      [0, 4],
      [1, 3],
    ]);
    const probabilities = await (await model.forward(text)).softmax().compute();
    for (const { pos, tokens } of filled.slice(0, 2)) {
      const row = Array.from({ length: 97 }, (_, id) => probabilities.get(0, pos, id));
      const ids = [...row.keys()].sort((a, b) => row[b] - row[a]).slice(0, 3);
      expect(tokens.map(({ id }) => id)).toEqual(ids);
      expect(tokens[0].probability).toBeCloseTo(row[ids[0]], 5);
      expect(tokens[0].text).toBe(tokenizer.decode([ids[0]]));
    }
    const alone = await fillMask(model, "w7 w8 [MASK]", { top: 3 });
    expect(filled[2].tokens.map(({ id }) => id)).toEqual(alone[0].tokens.map(({ id }) => id));
    expect(filled[2].tokens[0].probability).toBeCloseTo(alone[0].tokens[0].probability, 5);
  });

  test("works on ids, and with hooks that stay", async () => {
    const ids = [2, 7, 4, 9, 3];
    const [one] = await fillMask(model, ids, { top: 1 });
    expect(one).toEqual((await fillMask(model, "w7 [MASK] w9", { top: 1 }))[0]);
    const hooked = model.hooks({ fwdHooks: [["blocks.1.hook_normalized_resid_post", (x) => x.mul(0)]] });
    const [other] = await fillMask(hooked, ids, { top: 1 });
    expect(other.tokens[0].probability).not.toBeCloseTo(one.tokens[0].probability, 5);
    const bare = await HookedTransformer.fromPretrainedNoProcessing(folder);
    expect((await fillMask(bare, ids, { top: 1, maskTokenId: 4 }))[0].tokens[0].id).toBe(one.tokens[0].id);
    await expect(fillMask(bare, ids)).rejects.toThrow(/no tokenizer that says which token is the mask/);
  });

  test("needs a mask, and a model that fills in masks", async () => {
    await expect(fillMask(model, "w7 w8")).rejects.toThrow(InputError);
    await expect(fillMask(model, "w7 w8")).rejects.toThrow(/There is no mask \("\[MASK\]", token 4\)/);
    const gpt2 = await HookedTransformer.fromPretrained(
      fileURLToPath(new URL("../goldens/hf/gpt2-tiny/", import.meta.url)),
    );
    await expect(fillMask(gpt2, [1, 2])).rejects.toThrow(/predicts next tokens/);
  });
});

describe("what means something for an encoder runs", () => {
  const corrupted = [2, 7, 4, 11, 3];
  const clean = [2, 8, 4, 11, 3];
  const metric = (logits: Tensor) => logits.at({ batch: 0, pos: 2, d_vocab: 20 });

  test("activation patching: all of the first stream restores the clean run", async () => {
    const [, cache] = await model.runWithCache(clean);
    const effects = await patching.getActPatchResidPre(model, corrupted, cache, metric);
    expect(effects.shape).toEqual([2, 5]);
    const run = (at: number[]) => model.forward(at).then((logits) => logits.get(0, 2, 20));
    // Before the first block only the position that differs matters.
    expect(effects.get(0, 1)).toBeCloseTo(await run(clean), 4);
    expect(effects.get(0, 3)).toBeCloseTo(await run(corrupted), 4);
    for (const patch of [patching.getActPatchResidMid, patching.getActPatchMlpOut]) {
      expect((await patch(model, corrupted, cache, metric)).shape).toEqual([2, 5]);
    }
    expect((await patching.getActPatchAttnHeadByPosEvery(model, corrupted, cache, metric)).shape).toEqual([5, 2, 5, 4]);
  });

  test("sweeps: ablating a head is the same as with a hook", async () => {
    const { values } = await sweeps.sweep(model, clean, {
      ...{ site: "z", over: ["layer", "head"], edit: sweeps.zero, metric },
    });
    const logits = await model.runWithHooks(clean, {
      fwdHooks: [
        [
          "blocks.1.attn.hook_z",
          (z) => z.mul(Tensor.leaf({ dtype: "float32", shape: [4, 1], data: Float32Array.of(1, 1, 0, 1) })),
        ],
      ],
    });
    expect(values.get(1, 2)).toBeCloseTo(logits.get(0, 2, 20), 4);
  });

  test("gradients: of the tokens' embeddings, by attribution and through runs with a metric", async () => {
    const { attributions } = await measureGradientXActivation(model, { prompt: clean, metric });
    expect(attributions.shape).toEqual([1, 5, 32]);
    const [, cache] = await model.runWithCache(clean, {
      ...{ inclBwd: true, metric, namesFilter: ["blocks.0.hook_resid_pre", "embed.hook_embed"] },
    });
    const [x, g] = [cache.get("embed.hook_embed"), cache.get("embed.hook_embed_grad")];
    expectClose(attributions, await x.mul(g).compute(), 1e-5);
    const patched = await measureAttributionPatching(model, { corrupted, clean, metric, sites: ["resid_pre"] });
    expect(Number.isFinite(patched.clean)).toBe(true);
  });

  test("runs that stop at a layer and start from it", async () => {
    const resid = await model.forward(clean, { stopAtLayer: 1 });
    expectClose(await model.forward(resid, { startAtLayer: 1 }), await model.forward(clean), 1e-5);
  });
});

describe("analyses", () => {
  const contrast = { clean: "w7 w8 [MASK] w9", corrupted: "w7 w30 [MASK] w9", answer: "w40", wrong: "w41" };

  test("the logit lens reads each stream through the head for masks, and ends at the model's own output", async () => {
    const measured = await measureLogitLens(model, { prompt: "w7 w8 [MASK] w9" });
    expect(measured.labels).toEqual(["0_pre", "1_pre", "final_post"]);
    expect(measured.error).toBeLessThan(1e-4);
    const { rows: cells } = measured.where({ layer: "final_post" });
    const logProbs = await (await model.forward("w7 w8 [MASK] w9")).logSoftmax().compute();
    expect(cells.map(({ rank }) => rank === null)).toEqual([false, false, false, true, false, false]);
    expect(cells[2].log_prob).toBeCloseTo(logProbs.get(0, 2, 8), 4);
    expect((await render(await logitLens(model, { prompt: "w7 w8 [MASK] w9" }), "text")).length).toBeGreaterThan(200);
    const mask = measured.prompt.ids[3];
    await expect(measureLogitLens(model, { prompt: [mask, mask] })).rejects.toThrow(
      /All tokens of the prompt are masks/,
    );
  });

  test("activation patching, ablation and attribution read the answers at the mask", async () => {
    const found = await activationPatching(model, contrast);
    expect(found.method.text).toMatch(/logits at the mask is measured/);
    const measured = await measureAblation(model, { prompts: [contrast.clean], answer: "w40", wrong: "w41" });
    const logits = await model.forward(contrast.clean);
    expect(measured.clean).toBeCloseTo(logits.get(0, 3, 40) - logits.get(0, 3, 41), 4);
    const saliency = await gradientXActivation(model, { prompt: contrast.clean, answer: "w40", wrong: "w41" });
    expect((await render(saliency, "text")).length).toBeGreaterThan(200);
    await expect(activationPatching(model, { ...contrast, clean: "w7 [MASK] w8 w9" })).rejects.toThrow(
      /mask the same place/,
    );
    await expect(activationPatching(model, { ...contrast, clean: "w7 w8 w5 w9" })).rejects.toThrow(/There is no mask/);
  });

  test("of next tokens, and of a stream as a sum, refuse", async () => {
    await expect(measureTestPrompt(model, { prompt: "w7 w8", answers: "w9" })).rejects.toThrow(
      /is about the next token/,
    );
    await expect(ioi(model, { samples: 4, names: ["w7", "w8"] })).rejects.toThrow(/is about the next token/);
    const stands = /a head with a nonlinearity stands between/;
    await expect(neuronTokens(model, { text: "w7 w8 w9" })).rejects.toThrow(stands);
    await expect(getSingularVectors(model, "OV", 0)).rejects.toThrow(stands);
    expect(() => model.tokensToResidualDirections(7)).toThrow(stands);
    await expect(ablation(model, { prompts: ["w7 w8 w9"] })).rejects.toThrow(/is about the next token/);
    await expect(
      directLogitAttribution(model, { prompt: contrast.clean, answer: "w40", wrong: "w41" }),
    ).rejects.toThrow(stands);
  });
});

describe("what means nothing for an encoder is refused", () => {
  test.each([
    ["generate", () => model.generate("w7 w8", { maxNewTokens: 2 })],
    ["a loss", () => model.forward("w7 w8", { returnType: "loss" })],
    ["gradients of a loss", () => model.runWithCache("w7 w8", { inclBwd: true })],
  ])("%s", async (_, call) => {
    await expect(call()).rejects.toThrow(ArgumentError);
    await expect(call()).rejects.toThrow(/is about the next token.*use fillMask/);
  });

  test("a loss of a graph, and decompositions of a stream that is not a sum", async () => {
    expect(() => model.graph("w7 w8").loss()).toThrow(/is about the next token/);
    const [, cache] = await model.runWithCache("w7 w8");
    expect(() => cache.decomposeResid()).toThrow(/a norm stands after each addition/);
  });

  test("token types that do not fit, or for a model without", async () => {
    await expect(model.forward(tokens, { tokenTypeIds: [[0, 1]] })).rejects.toThrow(ShapeError);
    const wrong = Array.from({ length: 2 }, () => new Array<number>(12).fill(2));
    await expect(model.forward(tokens, { tokenTypeIds: wrong })).rejects.toThrow(/token types are 0 to 1/);
    const gpt2 = await HookedTransformer.fromPretrained(
      fileURLToPath(new URL("../goldens/hf/gpt2-tiny/", import.meta.url)),
    );
    await expect(gpt2.forward([1], { tokenTypeIds: [[0]] })).rejects.toThrow(/for models that embed token types/);
  });
});

describe("its files", () => {
  test("a checkpoint without one of its arrays, or with one too many, is refused by name", async () => {
    const arrays = await arraysOf("model");
    for (const missing of arrays.keys()) {
      const fewer = new Map([...arrays].filter(([key]) => key !== missing));
      expect(() => readModel(config, fewer, "here/mine"), missing).toThrow(WeightsError);
    }
    const [[, any]] = arrays;
    expect(() => readModel(config, new Map([...arrays, ["extra.weight", any]]), "here/mine")).toThrow(
      /does not use: extra\.weight/,
    );
  });

  test("the first checkpoints' names of norms are read, and the head for sentences is left out in a note", async () => {
    const arrays = await arraysOf("model");
    const early = new Map(
      [...arrays].map(([name, array]) => [
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"),
        array,
      ]),
    );
    const [[, any]] = arrays;
    for (const name of ["bert.pooler.dense.weight", "cls.seq_relationship.bias"]) early.set(name, any);
    early.set("bert.embeddings.position_ids", any);
    const read = readModel(config, early, "here/mine");
    expect(read.weights).toEqual(readModel(config, arrays, "here/mine").weights);
    expect(read.notes.join(" ")).toMatch(/whether one sentence follows another .* is left out/);
  });

  test("junk in any field is read, or refused in a sentence", () => {
    const junk = [null, undefined, -1, 0, 1.5, 3, 1e9, 2 ** 40, "x", "", [], [1], {}, true];
    for (const field of Object.keys(config)) {
      for (const value of junk) {
        try {
          expect(readConfig({ ...config, [field]: value }, "here/mine").nLayers, field).toBeGreaterThan(0);
        } catch (error) {
          expect(error, `${field} = ${JSON.stringify(value)}`).toBeInstanceOf(ConfigError);
        }
      }
    }
  });

  test.each([
    [{ position_embedding_type: "relative_key" }, /position_embedding_type = "relative_key" is not supported/],
    [{ is_decoder: true }, /is_decoder = true is not supported/],
    [{ model_type: "roberta" }, /RoBERTa.*needs a reader for its files/],
  ])("%j is refused", (change, message) => {
    expect(() => readConfig({ ...config, ...change }, "here/mine")).toThrow(message);
  });

  test("models open by the names that TransformerLens has for them", () => {
    expect(resolveModelName("bert-base-cased")).toBe("google-bert/bert-base-cased");
    expect(() => resolveModelName("distilbert-base-uncased")).toThrow(/a reader for its files/);
  });
});
