/** T5 against what transformers gives for tiny random ones: an encoder, and a decoder that reads it. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { Tensor } from "../../src/graph/tensor.ts";
import { memorySource, readSafetensors } from "../../src/load/index.ts";
import { parseConfig } from "../../src/models/config/parse.ts";
import { readConfig, readModel, resolveModelName } from "../../src/models/families/index.ts";
import { bucketOf } from "../../src/models/parts/relative-positions.ts";
import {
  HookedEncoderDecoder,
  HookedTransformer,
  initWeights,
  KeyValueCache,
  sweeps,
  Tokenizer,
  tensor,
} from "../../src/node.ts";
import type { NDArray } from "../../src/tensor/array.ts";
import { ArgumentError, ConfigError, InputError, ShapeError, WeightsError } from "../../src/tensor/errors.ts";
import { expectClose } from "../close.ts";

const folderOf = (name: string) => fileURLToPath(new URL(`../goldens/hf/${name}-tiny/`, import.meta.url));
const arraysOf = (name: string, file: string) =>
  readSafetensors(memorySource(file, new Uint8Array(readFileSync(`${folderOf(name)}${file}.safetensors`))));
const configOf = (name: string) => JSON.parse(readFileSync(`${folderOf(name)}config.json`, "utf8"));

describe.each(["t5", "t5_gated"])("%s", (name) => {
  let expected: ReadonlyMap<string, NDArray>;
  let model: HookedEncoderDecoder;
  let tokens: Tensor;
  let decoderInput: Tensor;
  beforeAll(async () => {
    expected = await arraysOf(name, "expected");
    model = await HookedEncoderDecoder.fromPretrained(folderOf(name));
    tokens = Tensor.leaf(expected.get("tokens")!, ["batch", "pos"]);
    decoderInput = Tensor.leaf(expected.get("decoder_tokens")!, ["batch", "pos"]);
  });

  test("logits, both streams before each block and after the last norm, and all three kinds of attention", async () => {
    const [logits, cache] = await model.runWithCache(tokens, { decoderInput });
    expectClose(logits, expected.get("logits")!, 1e-4);
    const { nLayers, nDecoderLayers } = model.cfg;
    let compared = 0;
    for (const [key, value] of expected) {
      const [, decoder, kind, layer] =
        /^(decoder_)?(hidden_states|attentions|cross_attentions)\.(\d+)$/.exec(key) ?? [];
      if (kind === undefined) continue;
      const stack = decoder !== undefined || kind === "cross_attentions" ? "decoder" : "encoder";
      const isLast = kind === "hidden_states" && Number(layer) === (stack === "decoder" ? nDecoderLayers : nLayers);
      const at = {
        hidden_states: "hook_resid_pre",
        attentions: "attn.hook_pattern",
        cross_attentions: "cross_attn.hook_pattern",
      };
      const found = isLast
        ? await cache
            .get(`${stack}_final_ln.hook_normalized`)
            .mul(model.weights.get(`${stack}_final_ln.w`))
            .compute()
        : cache.get(`${stack}.${layer}.${at[kind as keyof typeof at]}`);
      expectClose(found, value, 1e-4);
      compared++;
    }
    expect(compared).toBe(2 * nLayers + 1 + 3 * nDecoderLayers! + 1);
  });

  test("of an input that is padded on the right", async () => {
    const { shape, data } = expected.get("right_padded.attention_mask")!;
    const attentionMask = Array.from({ length: 2 }, (_, b) =>
      [...data].slice(shape[1] * b, shape[1] * (b + 1)).map(Number),
    );
    const logits = await model.forward(tokens, { decoderInput, attentionMask });
    expectClose(logits.row(1), expected.get("right_padded.logits_1")!, 1e-4);
  });

  test("eight greedy tokens, with kept keys and values, without, and with a hook", async () => {
    const first = await tokens.at({ batch: [0] }).compute();
    const options = { maxNewTokens: 8, doSample: false, stopAtEos: false };
    const answers = [
      {},
      { usePastKvCache: false },
      { fwdHooks: [["encoder.0.attn.hook_z", (x: Tensor) => x.mul(1)]] as const },
    ];
    for (const more of answers) {
      const made = (await model.generate(first, { ...options, ...more })) as Tensor;
      expect([...made.data]).toEqual([...expected.get("greedy_8")!.data]);
    }
  });

  test("processing changes logits by a constant only", async () => {
    const flags = { foldLn: true, centerWritingWeights: true, centerUnembed: true, foldValueBiases: true };
    const processed = await HookedEncoderDecoder.fromPretrained(folderOf(name), flags);
    expect(processed.cfg.normalizationType).toBe("RMSPre");
    const [a, b] = [await model.forward(tokens, { decoderInput }), await processed.forward(tokens, { decoderInput })];
    expectClose(await b.logSoftmax().compute(), await a.logSoftmax().compute(), 1e-4);
  });

  test("a checkpoint without one of its arrays, or with one too many, is refused by name", async () => {
    const arrays = await arraysOf(name, "model");
    for (const missing of arrays.keys()) {
      if (missing === "lm_head.weight") continue; // without it the unembedding is the embedding, as in transformers
      const fewer = new Map([...arrays].filter(([key]) => key !== missing));
      expect(() => readModel(configOf(name), fewer, "here/mine"), missing).toThrow(WeightsError);
    }
    const [[, any]] = arrays;
    expect(() => readModel(configOf(name), new Map([...arrays, ["extra.weight", any]]), "here/mine")).toThrow(
      /does not use: extra\.weight/,
    );
    const copies = new Map([...arrays, ["encoder.embed_tokens.weight", any], ["decoder.embed_tokens.weight", any]]);
    expect(readModel(configOf(name), copies, "here/mine").weights.size).toBeGreaterThan(10);
  });

  test("junk in any field of its config.json is read, or refused in a sentence", () => {
    const junk = [null, undefined, -1, 0, 1.5, 3, 1e9, 2 ** 40, "x", "", [], [1], {}, true, false];
    for (const field of Object.keys(configOf(name))) {
      for (const value of junk) {
        try {
          expect(readConfig({ ...configOf(name), [field]: value }, "here/mine").nLayers, field).toBeGreaterThan(0);
        } catch (error) {
          expect(error, `${field} = ${JSON.stringify(value)}`).toBeInstanceOf(ConfigError);
        }
      }
    }
  });
});

test("TransformerLens' HookedEncoderDecoder has these hook points, and these values at them where its decoder is causal", async () => {
  const file = new URL("../goldens/encoder_decoder.safetensors", import.meta.url);
  const values = await readSafetensors(memorySource("encoder_decoder", new Uint8Array(readFileSync(file))));
  const own = (key: string) => Tensor.leaf(values.get(key)!, ["batch", "pos"]);
  const model = await HookedEncoderDecoder.fromPretrained(folderOf("t5"));
  const [logits, cache] = await model.runWithCache(own("tokens"), { decoderInput: own("decoder_tokens") });
  const theirs = [...values.keys()].filter((key) => key.startsWith("cache.")).map((key) => key.slice(6));
  // Its point for relative positions is never called.
  const called = cache.keys().filter((name) => !name.endsWith("rel_pos_hook"));
  expect(called.sort()).toEqual(theirs.sort());
  for (const name of theirs) expectClose(cache.get(name), values.get(`cache.${name}`)!, 1e-4);
  expectClose(logits, values.get("logits")!, 1e-4);
});

describe("relative positions", () => {
  test("have one bucket for each near distance and wider ones further away, of two directions or one", () => {
    const both = { buckets: 32, maxDistance: 128, bothWays: true };
    expect([-3, 0, 3, 7, 8, 11, 12, 15, 16, 127, 5000].map((distance) => bucketOf(both, distance))).toEqual([
      ...[3, 0, 19, 23, 24, 24, 25, 25, 26, 31, 31],
    ]);
    const earlier = { ...both, bothWays: false };
    expect([5, 0, -1, -15, -16, -18, -19, -127, -5000].map((distance) => bucketOf(earlier, distance))).toEqual([
      ...[0, 0, 1, 15, 16, 16, 17, 31, 31],
    ]);
  });
});

describe("an encoder-decoder", () => {
  const cfg = parseConfig({
    ...{ n_layers: 2, n_decoder_layers: 3, d_model: 16, n_heads: 2, d_head: 8, d_mlp: 24, n_ctx: 1000, d_vocab: 8 },
    ...{ act_fn: "relu", normalization_type: "RMS", use_attn_scale: false, attention_dir: "bidirectional" },
    ...{ positional_embedding_type: "relative_positional_bias", seed: 3, model_name: "small" },
    ...{ relative_attention_num_buckets: 4, relative_attention_max_distance: 8, decoder_start_token_id: 0 },
  });
  const pieces = ["<pad>", "</s>", "a", "b", "c", "d", "e", "f"];
  const tokenizer = Tokenizer.fromJson(
    {
      version: "1.0",
      normalizer: null,
      pre_tokenizer: null,
      post_processor: {
        type: "TemplateProcessing",
        single: [{ Sequence: { id: "A", type_id: 0 } }, { SpecialToken: { id: "</s>", type_id: 0 } }],
        pair: [],
        special_tokens: { "</s>": { id: "</s>", ids: [1], tokens: ["</s>"] } },
      },
      decoder: { type: "Fuse" },
      added_tokens: ["<pad>", "</s>"].map((content, id) => ({
        ...{ id, content, special: true, single_word: false, lstrip: false, rstrip: false, normalized: false },
      })),
      model: { type: "BPE", vocab: Object.fromEntries(pieces.map((piece, i) => [piece, i])), merges: [] },
    },
    { eos_token: "</s>", pad_token: "<pad>" },
  );
  const weights = initWeights(cfg);
  for (const { data } of weights.values()) for (let i = 0; i < data.length; i++) data[i] *= 3;
  const model = new HookedEncoderDecoder(cfg, weights, { tokenizer });

  test("reads texts, of different lengths too, and writes them", async () => {
    expect([...model.toTokens("abc").data]).toEqual([2, 3, 4, 1]);
    const one = await model.generate("abc", { doSample: false, stopAtEos: false, maxNewTokens: 4 });
    const two = await model.generate(["abc", "fedcba"], { doSample: false, stopAtEos: false, maxNewTokens: 4 });
    expect(two[0]).toBe(one);
    const steps: number[] = [];
    for await (const { step } of model.generateStream("abc", { doSample: false, maxNewTokens: 2, stopAtEos: false })) {
      steps.push(step);
    }
    expect(steps).toEqual([0, 1]);
    const tokens = (await model.generate("abc", {
      doSample: false,
      maxNewTokens: 2,
      returnType: "tokens" as never,
    })) as unknown;
    expect((tokens as Tensor).data[0]).toBe(0);
  });

  test("begins with the decoder's first token, or continues a text", async () => {
    expectClose(await model.forward("abc"), await model.forward("abc", { decoderInput: [[0]] }), 1e-6);
    expectClose(
      await model.forward("abc", { decoderInput: "de" }),
      await model.forward("abc", { decoderInput: [[0, 5, 6]] }),
      1e-6,
    );
    const written = await model.generate([2, 3, 4, 1], {
      ...{ decoderInput: [0, 5], doSample: false, stopAtEos: false, maxNewTokens: 3 },
    });
    expect([...written.data].slice(0, 2)).toEqual([0, 5]);
    const logits = await model.forward([2, 3, 4, 1], { decoderInput: [0, 5], logitsPos: -1 });
    expect(written.data[2]).toBe([...logits.data].indexOf(Math.max(...(logits.data as Float32Array))));
  });

  test("the decoder sees no later tokens, and the loss is of its own", async () => {
    const [long, short] = [
      await model.forward("abc", { decoderInput: "def" }),
      await model.forward("abc", { decoderInput: "d" }),
    ];
    expectClose(await long.at({ pos: [0, 1] }).compute(), short, 1e-5);
    const loss = await model.forward("abc", { decoderInput: "def", returnType: "loss" });
    const logProbs = await long.logSoftmax().compute();
    const sum = [5, 6, 7].reduce((total, id, pos) => total - logProbs.get(0, pos, id), 0);
    expect(loss.item()).toBeCloseTo(sum / 3, 5);
    const padded = await model.forward(["abc", "abc"], {
      decoderInput: ["def", "d"],
      returnType: "loss",
      lossPerToken: true,
    });
    expect([padded.get(1, 1), padded.get(1, 2)]).toEqual([0, 0]);
  });

  test("hooks, caches, gradients, splices and views reach every point of both stacks", async () => {
    const [, cache] = await model.runWithCache("abc", {
      ...{
        decoderInput: "de",
        inclBwd: true,
        metric: (logits: Tensor) => logits.at({ batch: 0, pos: -1, d_vocab: 3 }),
      },
      namesFilter: ["encoder.0.hook_resid_pre", "decoder.2.cross_attn.hook_pattern", "decoder.0.attn.rel_pos_hook"],
    });
    expect(cache.get("encoder.0.hook_resid_pre_grad").shape).toEqual([1, 4, 16]);
    expect(cache.get("decoder.2.cross_attn.hook_pattern_grad").shape).toEqual([1, 2, 3, 4]);
    expect(cache.get("decoder.0.attn.rel_pos_hook_grad").shape).toEqual([1, 2, 3, 3]);
    const clean = await model.forward("abc", { decoderInput: "de" });
    const blind = await model.runWithHooks("abc", {
      ...{ decoderInput: "de", fwdHooks: [["encoder_final_ln.hook_normalized", (x) => x.mul(0)]] },
    });
    const view = model.hooks({ fwdHooks: [[(name) => name.endsWith("cross_attn.hook_z"), (z) => z.mul(0)]] });
    expect(view).toBeInstanceOf(HookedEncoderDecoder);
    expectClose(await view.forward("abc", { decoderInput: "de" }), blind, 1e-5);
    expect(Math.abs(blind.get(0, 0, 3) - clean.get(0, 0, 3))).toBeGreaterThan(1e-4);
    const spliced = model.splice("decoder.1.mlp.hook_post", (x, scope) => scope.point("double.hook_out", x.mul(2)));
    expect(spliced.hookNames).toContain("decoder.1.mlp.hook_post.double.hook_out");
    const doubled = await model.runWithHooks("abc", { fwdHooks: [["decoder.1.mlp.hook_post", (x) => x.mul(2)]] });
    expectClose(await spliced.forward("abc"), doubled, 1e-6);
    const flagged = await model.runWithHooks("abc", {
      fwdHooks: [
        ["decoder.0.hook_cross_attn_in", (x) => x.mul(0)],
        ["encoder.1.hook_q_input", (x) => x.mul(0)],
      ],
    });
    expect(Number.isFinite(flagged.get(0, 0, 0))).toBe(true);
  });

  test("sweeps and patches over heads and positions of either stack", async () => {
    const metric = (logits: Tensor) => logits.at({ batch: 0, pos: -1, d_vocab: 3 });
    const { values, baseline } = await sweeps.sweep(model, "abc", {
      ...{ site: "decoder.cross_attn.hook_z", over: ["layer", "head"], edit: sweeps.zero, metric, decoderInput: "de" },
    });
    expect(values.shape).toEqual([3, 2]);
    const hooked = await model.runWithHooks("abc", {
      decoderInput: "de",
      fwdHooks: [["decoder.1.cross_attn.hook_z", (z) => z.mul(tensor([[1], [0]]))]],
    });
    expect(values.get(1, 1)).toBeCloseTo(hooked.get(0, 2, 3), 4);
    expect(baseline).toBeCloseTo((await model.forward("abc", { decoderInput: "de" })).get(0, 2, 3), 4);
    const [, cache] = await model.runWithCache("afc", { decoderInput: "de" });
    const patched = await sweeps.sweep(model, "abc", {
      ...{
        site: "encoder.hook_resid_pre",
        over: ["layer", "pos"],
        edit: sweeps.patchFrom(cache),
        metric,
        decoderInput: "de",
      },
    });
    // Before the first block only the position that differs matters, and it alone makes the other run.
    expect(patched.values.get(0, 1)).toBeCloseTo((await model.forward("afc", { decoderInput: "de" })).get(0, 2, 3), 4);
    expect(patched.values.get(0, 0)).toBeCloseTo(baseline, 4);
  });

  test("weights by name are stacked over the encoder's blocks and then the decoder's, as in TransformerLens", () => {
    expect(model.W_Q.shape).toEqual([5, 2, 16, 8]);
    expect(model.W_U.shape).toEqual([16, 8]);
    expect(model.weights.get("decoder.2.cross_attn.W_K").shape).toEqual([2, 16, 8]);
  });

  test("what means nothing for two stacks is refused in a sentence", async () => {
    await expect(model.forward("abc", { stopAtLayer: 1 })).rejects.toThrow(/has an encoder and a decoder/);
    await expect(model.forward("abc", { pastKvCache: new KeyValueCache() })).rejects.toThrow(
      /pastKvCache is for models with one stack/,
    );
    const [, cache] = await model.runWithCache("abc");
    expect(() => cache.decomposeResid()).toThrow(ArgumentError);
    expect(() => cache.accumulatedResid()).toThrow(/has an encoder and a decoder/);
    expect(() => cache.at({ pos: 0 })).toThrow(/has an encoder and a decoder/);
    await expect(model.forward(["abc", "de"], { decoderInput: [[0]] })).rejects.toThrow(ShapeError);
    const bare = new HookedEncoderDecoder(parseConfig({ ...cfg, decoderStartTokenId: null } as never), weights);
    await expect(bare.forward([2, 3])).rejects.toThrow(InputError);
    await expect(bare.forward([2, 3])).rejects.toThrow(/pass decoderInput/);
  });
});

describe("its files", () => {
  test("HookedTransformer and HookedEncoderDecoder each say which of them opens a model", async () => {
    await expect(HookedTransformer.fromPretrained(folderOf("t5"))).rejects.toThrow(
      /is an encoder-decoder: open it with HookedEncoderDecoder\.fromPretrained/,
    );
    await expect(HookedEncoderDecoder.fromPretrained(folderOf("gpt2"))).rejects.toThrow(
      /is not an encoder-decoder: open it with HookedTransformer\.fromPretrained/,
    );
    const cut = { firstNLayers: 1 } as object;
    await expect(HookedEncoderDecoder.fromPretrained(folderOf("t5"), cut)).rejects.toThrow(
      /firstNLayers is for models/,
    );
    expect(resolveModelName("t5-small")).toBe("google-t5/t5-small");
  });

  test("the last stream is scaled for tied models, and where the file says so", async () => {
    const arrays = await arraysOf("t5_gated", "model");
    const W_U = (change: Record<string, unknown>) =>
      readModel({ ...configOf("t5_gated"), ...change }, arrays, "x/y").weights.get("unembed.W_U")!.data[0];
    const plain = W_U({});
    expect(W_U({ tie_word_embeddings: true })).toBeCloseTo(plain / Math.sqrt(32), 6);
    expect(W_U({ tie_word_embeddings: true, scale_decoder_outputs: false })).toBe(plain);
    const { "lm_head.weight": _, ...rest } = Object.fromEntries(arrays);
    const tied = readModel(configOf("t5_gated"), new Map(Object.entries(rest)), "x/y");
    expect(tied.weights.get("unembed.W_U")!.data[0]).toBe(tied.weights.get("embed.W_E")!.data[0]);
  });

  test.each([
    [{ feed_forward_proj: "open-gelu" }, /feed_forward_proj = "open-gelu" is not supported/],
    [{ dense_act_fn: "silu" }, /dense_act_fn = "silu" is not supported.*"relu"/],
    [{ is_encoder_decoder: false }, /is_encoder_decoder = false is not supported/],
    [{ relative_attention_num_buckets: 5 }, /relative_attention_num_buckets is 5/],
    [{ relative_attention_max_distance: 2 }, /relative_attention_max_distance 2/],
    [{ model_type: "mt5" }, /mT5 or UMT5 architecture.*needs a reader for its files/],
  ])("%j is refused", (change, message) => {
    expect(() => readConfig({ ...configOf("t5"), ...change }, "here/mine")).toThrow(ConfigError);
    expect(() => readConfig({ ...configOf("t5"), ...change }, "here/mine")).toThrow(message);
  });
});
