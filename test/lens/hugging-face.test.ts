/** Hugging Face's families against what `transformers` gives for tiny random models of them. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { Tensor } from "../../src/graph/tensor.ts";
import { memorySource, readSafetensors } from "../../src/load/index.ts";
import { compose } from "../../src/models/compose.ts";
import { FAMILIES as ALL_FAMILIES, readConfig, readModel } from "../../src/models/families/index.ts";
import { type ActivationCache, Engine, HookedTransformer, KeyValueCache, nodeBackend } from "../../src/node.ts";
import type { NDArray } from "../../src/tensor/array.ts";
import { ConfigError, WeightsError } from "../../src/tensor/errors.ts";
import { expectClose } from "../close.ts";

const FAMILIES = [
  "gpt_neo",
  "gptj",
  "codegen",
  "gpt_neox",
  "gpt_neox_sequential",
  "gpt_bigcode",
  "llama",
  "llama3_rope",
  "llama_linear_rope",
  "llama_yarn",
  "mistral",
  "qwen2",
  "qwen2_window",
  "qwen3",
  "mixtral",
  "qwen2_moe",
  "qwen3_moe",
  "olmoe",
  "olmoe_clip",
  "gpt_oss",
  "gpt_oss_mxfp4",
  "gemma",
  "gemma2",
  "gemma3_text",
  "olmo",
  "olmo_clip",
  "olmo2",
  "olmo3",
  "cohere",
  "cohere2",
  "granite",
  "llama_bias_tied",
  "apertus",
  "phi",
  "phi_qk",
  "stablelm",
  "starcoder2",
  "bloom",
  "falcon",
  "falcon_rw",
  "falcon_grouped",
  "falcon_grouped_1ln",
  "mpt",
  "mpt_clip",
  "opt",
  "opt_post",
  "opt_projected",
  "phi3",
  "phi3_longrope",
  "smollm3",
  "smollm3_window",
  "stablelm_parallel",
  "stablelm_qk",
  "xglm",
];

/** What models save that is the same in all of them. */
const BUFFERS = /\.act_fn\.(beta|eps)$/;

const folderOf = (name: string) => fileURLToPath(new URL(`../goldens/hf/${name}-tiny/`, import.meta.url));
const arraysOf = (name: string, file: string) =>
  readSafetensors(memorySource(file, new Uint8Array(readFileSync(`${folderOf(name)}${file}.safetensors`))));
const configOf = (name: string) => JSON.parse(readFileSync(`${folderOf(name)}config.json`, "utf8"));

test("every family has a tiny model here, or tests of its own", () => {
  const elsewhere = ["neel", "HookedTransformer", "neel-solu-old", "mingpt", "gpt2", "bert", "t5"];
  const here = FAMILIES.map((name) => configOf(name).model_type);
  expect(new Set([...elsewhere, ...here])).toEqual(new Set(ALL_FAMILIES.map(({ name }) => name)));
});

/** The same as transformers' unembedding reads it: projected, where that is narrower than the stream. */
async function beforeUnembedding(x: Tensor, name: string): Promise<Tensor> {
  const projection = (await arraysOf(name, "model")).get("model.decoder.project_out.weight");
  return projection ? x.einsum("m,nm->n", Tensor.leaf(projection)).compute() : x;
}

/** What transformers' last hidden state is: what the unembedding reads. */
async function afterLastNorm(model: HookedTransformer, cache: ActivationCache): Promise<Tensor> {
  if (!cache.has("ln_final.hook_normalized")) {
    return cache.get(`blocks.${model.cfg.nLayers - 1}.hook_normalized_resid_post`);
  }
  const w = model.weights.find("ln_final.w");
  const normalized = cache.get("ln_final.hook_normalized"); // an RMSNorm's stands before its weight
  const isRms = !compose(model.cfg).finalNorm!.subtractsMean;
  return w && isRms ? (await model.compute([normalized.mul(w)]))[0] : normalized;
}

describe.each(FAMILIES)("%s", (name) => {
  let expected: ReadonlyMap<string, NDArray>;
  let model: HookedTransformer;
  let tokens: Tensor;
  beforeAll(async () => {
    expected = await arraysOf(name, "expected");
    model = await HookedTransformer.fromPretrainedNoProcessing(folderOf(name));
    tokens = Tensor.leaf(expected.get("tokens")!, ["batch", "pos"]);
  });

  test("logits, the residual stream before each block, and each layer's attention", async () => {
    const [logits, cache] = await model.runWithCache(tokens);
    expectClose(logits, expected.get("logits")!, 1e-4);
    let compared = 0;
    for (const [key, value] of expected) {
      const [, kind, layer] = /^(hidden_states|attentions)\.(\d+)$/.exec(key) ?? [];
      if (!kind) continue;
      compared++;
      if (kind === "hidden_states" && Number(layer) === model.cfg.nLayers) {
        expectClose(await beforeUnembedding(await afterLastNorm(model, cache), name), value, 1e-4);
        continue;
      }
      const at = kind === "attentions" ? "attn.hook_pattern" : "hook_resid_pre";
      expectClose(cache.get(`blocks.${layer}.${at}`), value, 1e-4);
    }
    expect(compared).toBe(2 * model.cfg.nLayers + 1);
  });

  test("logits of a prompt that is padded on the left", async () => {
    const padding = expected.get("left_padded.attention_mask")!;
    const attentionMask = Tensor.leaf({ ...padding, dtype: "bool", data: Uint8Array.from(padding.data) }, [
      "batch",
      "pos",
    ]);
    const logits = await model.forward(tokens, { attentionMask });
    const real = await logits.at({ batch: 1, pos: [4, 5, 6, 7, 8, 9, 10, 11] }).compute();
    const value = expected.get("left_padded.logits_1_from_4")!;
    expectClose({ shape: value.shape, data: real.data }, value, 1e-4);
  });

  test("eight greedy tokens, with kept keys and values and without", async () => {
    const six = await tokens.at({ batch: [0], pos: [0, 1, 2, 3, 4, 5] }).compute();
    for (const usePastKvCache of [true, false]) {
      const options = { maxNewTokens: 8, doSample: false, stopAtEos: false, usePastKvCache };
      const continued = (await model.generate(six, options)) as Tensor;
      expect([...continued.data]).toEqual([...expected.get("greedy_8_from_6")!.data]);
    }
  });

  test("processing changes logits by a constant only", async () => {
    const processed = await HookedTransformer.fromPretrained(folderOf(name));
    const [a, b] = [await model.forward(tokens), await processed.forward(tokens)];
    expectClose(await b.logSoftmax().compute(), await a.logSoftmax().compute(), 1e-4);
  });

  test("a checkpoint without one of its arrays, or with one too many, is refused by name", async () => {
    const arrays = await arraysOf(name, "model");
    for (const missing of arrays.keys()) {
      if (BUFFERS.test(missing)) continue;
      const fewer = new Map([...arrays].filter(([key]) => key !== missing));
      expect(() => readModel(configOf(name), fewer, "here/mine"), missing).toThrow(WeightsError);
    }
    const [[, any]] = arrays;
    expect(() => readModel(configOf(name), new Map([...arrays, ["extra.weight", any]]), "here/mine")).toThrow(
      /does not use: extra\.weight/,
    );
  });
});

describe("a model whose long texts have other positions than short ones", () => {
  test("continues prompts of a batch as it would each alone, on both sides of the length", async () => {
    const model = await HookedTransformer.fromPretrainedNoProcessing(folderOf("phi3_longrope"));
    const options = { maxNewTokens: 5, doSample: false, stopAtEos: false };
    const prompts = [
      [93, 51, 32, 50, 77, 29],
      [5, 9, 13, 21, 34, 55, 89, 8, 2, 3],
      [41, 11, 4],
    ];
    const width = 10;
    const rows = prompts.map((ids) => [...new Array<number>(width - ids.length).fill(0), ...ids]);
    const attentionMask = Tensor.leaf(
      {
        dtype: "bool",
        shape: [3, width],
        data: Uint8Array.from(prompts.flatMap((ids) => rows[0].map((_, p) => +(p >= width - ids.length)))),
      },
      ["batch", "pos"],
    );
    const tokens = Tensor.leaf({ dtype: "int32", shape: [3, width], data: Int32Array.from(rows.flat()) }, [
      "batch",
      "pos",
    ]);
    const together = (await model.generate(tokens, { ...options, attentionMask })) as Tensor;
    for (const [b, ids] of prompts.entries()) {
      const one = Tensor.leaf({ dtype: "int32", shape: [1, ids.length], data: Int32Array.from(ids) }, ["batch", "pos"]);
      const alone = (await model.generate(one, { ...options, usePastKvCache: false })) as Tensor;
      expect([...together.row(b).data].slice(width - ids.length), `prompt ${b}`).toEqual([...alone.data]);
    }
  });

  test("refuses to add to keys and values of a short text what makes it long", async () => {
    const model = await HookedTransformer.fromPretrainedNoProcessing(folderOf("phi3_longrope"));
    const tokens = Tensor.leaf({ dtype: "int32", shape: [1, 4], data: Int32Array.of(5, 6, 7, 8) }, ["batch", "pos"]);
    const pastKvCache = new KeyValueCache();
    await model.forward(tokens, { pastKvCache });
    await model.forward(tokens, { pastKvCache });
    await expect(model.forward(tokens, { pastKvCache })).rejects.toThrow(
      /a text of 8 tokens, but 12 are more than 8.*new cache/,
    );
    expect(pastKvCache.length).toBe(8);
  });
});

test("an embedding that is a product of two arrays is multiplied by the engine that was passed", async () => {
  const engine = new Engine(nodeBackend());
  const { weights } = await HookedTransformer.fromPretrainedNoProcessing(folderOf("opt_projected"), { engine });
  expect(engine.runs).toBe(2);
  const read = readModel(configOf("opt_projected"), await arraysOf("opt_projected", "model"), "here/mine");
  for (const name of ["embed.W_E", "unembed.W_U"]) expectClose(weights.get(name), read.weights.get(name)!, 1e-6);
});

describe("a config.json", () => {
  const llama = configOf("llama");

  test("of an older transformers says the same in other fields", async () => {
    const { rope_parameters: _new, head_dim: _derived, ...rest } = llama;
    const arrays = await arraysOf("llama", "model");
    const older = readModel({ ...rest, rope_theta: 10000, rope_scaling: null }, arrays, "here/mine");
    expect(older.config).toEqual(readModel(llama, arrays, "here/mine").config);
    const neox = configOf("gpt_neox");
    const { rope_parameters: _rope, partial_rotary_factor: _factor, ...early } = neox;
    const again = readModel(
      { ...early, rotary_pct: 0.5, rotary_emb_base: 10000 },
      await arraysOf("gpt_neox", "model"),
      "x/y",
    );
    expect(again.config).toMatchObject({ rotaryDim: 4, rotaryBase: 10000 });
  });

  test("with more layers than the weights have is refused with both numbers", async () => {
    const arrays = await arraysOf("llama", "model");
    const read = () => readModel({ ...configOf("llama"), num_hidden_layers: 9 }, arrays, "here/mine");
    expect(read).toThrow("The configuration says 9 layers, but the weights have 2. Correct one of them.");
  });

  test.each(["llama", "gpt2", "bert", "t5", "mixtral"])(
    "that says fewer layers than the weights of a %s have is refused in a sentence, not with a list of weights",
    async (name) => {
      const config = configOf(name);
      const field = ["num_hidden_layers", "n_layer", "num_layers"].find((each) => each in config)!;
      const layers = config[field] as number;
      const arrays = await arraysOf(name, "model");
      const read = () => readModel({ ...config, [field]: layers - 1 }, arrays, "here/mine");
      const few = layers === 2 ? "1 layer" : `${layers - 1} layers`;
      const said = new RegExp(
        `^The configuration says ${few}, but the weights have ${layers}\\. Correct one of them\\.$`,
      );
      expect(read).toThrow(said);
      const [another] = [...arrays.values()];
      const more = new Map([...arrays, ["adapter.weight", another] as const]);
      const both = () => readModel({ ...config, [field]: layers - 1 }, more, "here/mine");
      expect(both).toThrow(new RegExp(`${layers}\\. Correct one of them\\. .*does not use: adapter\\.weight\\.$`));
    },
  );

  test("of a model of several kinds of input is refused with what to do if no weight is named as its language model's", async () => {
    const whole = { model_type: "seer", text_config: configOf("llama") };
    const arrays = await arraysOf("llama", "model");
    const read = () => readModel(whole, arrays, "here/mine");
    expect(read).toThrow(
      /^here\/mine is a model of the architecture "seer", which is not supported: its language model would be a llama .*"language_model\.".*save_pretrained\(folder\)/,
    );
    const inside = { model_type: "seer", text_config: { model_type: "lama" } };
    expect(() => readConfig(inside, "here/mine")).toThrow(
      'here/mine, of the type "seer", has a language model of the architecture "lama", which is not supported. Did you mean "llama"?',
    );
    const known = { model_type: "seer", text_config: { model_type: "mamba" } };
    expect(() => readConfig(known, "here/mine")).toThrow(/here\/mine \("mamba"\) is a model of the Mamba architecture/);
  });

  test("that leaves something out means what transformers takes it to be", async () => {
    const { sliding_window: _window, ...rest } = configOf("mistral");
    const arrays = await arraysOf("mistral", "model");
    expect(readModel(rest, arrays, "here/mine").config).toMatchObject({ useLocalAttn: true, windowSize: 4096 });
    const whole = readModel({ ...rest, sliding_window: null }, arrays, "here/mine").config;
    expect(whole.useLocalAttn).toBe(false);
    const { tie_word_embeddings: _tied, ...neo } = configOf("gpt_neo");
    const tied = readModel(neo, await arraysOf("gpt_neo", "model"), "here/mine");
    expect(tied.weights.get("unembed.W_U")!.shape).toEqual([32, 97]);
  });

  test("of a model of several kinds of input opens its language model, by older and newer names", async () => {
    const text = configOf("gemma3_text");
    const whole = { model_type: "gemma3", text_config: text, vision_config: { model_type: "siglip_vision_model" } };
    const arrays = await arraysOf("gemma3_text", "model");
    const own = readModel(text, arrays, "here/mine");
    const picture: [string, NDArray] = ["vision_tower.patch.weight", arrays.get("model.norm.weight")!];
    for (const renamed of [
      (name: string) => `language_model.${name}`,
      (name: string) => name.replace(/^model\./, "model.language_model."),
    ]) {
      const stored = new Map([...[...arrays].map(([name, x]) => [renamed(name), x] as const), picture]);
      const { config, weights, notes } = readModel(whole, stored, "here/mine");
      expect(config).toEqual(own.config);
      expect(weights).toEqual(own.weights);
      expect(notes.join(" ")).toMatch(
        /left out: vision_tower\.patch\.weight.*of a "gemma3" model; its language model is opened/,
      );
    }
  });

  test.each([
    ["gemma", { hidden_act: "gelu", hidden_activation: "gelu_pytorch_tanh" }, { actFn: "gelu_pytorch_tanh" }],
    ["gemma2", { layer_types: undefined, sliding_window_size: 5 }, { attnTypes: ["local", "global"], windowSize: 5 }],
    ["gemma2", { final_logit_softcapping: null }, { outputLogitsSoftCap: -1, attnScoresSoftCap: 50 }],
    ["cohere", { model_max_length: 131072, use_qk_norm: undefined }, { useQkNorm: false, normBias: false }],
    ["apertus", { mlp_bias: false, post_norm: false, qk_norm: true }, { useQkNorm: true, gatedMlp: false }],
    [
      "olmo3",
      { rope_parameters: undefined, rope_theta: 5e5, rope_scaling: { rope_type: "yarn", factor: 8 } },
      { rotaryBase: 5e5, rotaryBaseLocal: 5e5, normPlacement: "output" },
    ],
    ["olmo3", { layer_types: undefined, num_hidden_layers: 4 }, { attnTypes: ["local", "local", "local", "global"] }],
  ])("of %s with %j, as published files have it, is read", (name, change, expected) => {
    expect(readConfig({ ...configOf(name), ...change }, "here/mine")).toMatchObject(expected);
  });

  test("of a Gemma 3 leaves out what transformers takes it to be", () => {
    const {
      head_dim: _head,
      vocab_size: _vocab,
      num_attention_heads: _heads,
      layer_types: _types,
      ...rest
    } = {
      ...configOf("gemma3_text"),
      rope_parameters: undefined,
      rope_scaling: { factor: 8, rope_type: "linear" },
      num_hidden_layers: 7,
    };
    const { attnTypes, ...config } = readConfig(rest, "here/mine");
    expect(config).toMatchObject({ nHeads: 8, dHead: 256, dVocab: 262208, rotaryBase: 1e6, rotaryBaseLocal: 1e4 });
    expect(config.rotaryStretch).toEqual(Array.from({ length: 128 }, () => 8));
    expect(attnTypes).toEqual(["local", "local", "local", "local", "local", "global", "local"]);
  });

  test.each([
    [
      "bigscience/bloom-560m",
      { seq_length: 2048, n_embed: 1024, n_inner: null, n_layer: 24, num_attention_heads: 16, vocab_size: 250880 },
      {
        ...{ model_type: "bloom", attention_softmax_in_fp32: true, bias_dropout_fusion: true, offset_alibi: 100 },
        ...{ masked_softmax_fusion: true, skip_bias_add: true, skip_bias_add_qkv: false, unk_token_id: 0 },
        ...{ apply_residual_connection_post_layernorm: false, layer_norm_epsilon: 1e-5, pretraining_tp: 1 },
      },
      { nLayers: 24, dHead: 64, nCtx: 2048, positionalEmbeddingType: "alibi", defaultPrependBos: false },
    ],
    [
      "tiiuae/falcon-11B",
      { hidden_size: 4096, num_attention_heads: 32, num_hidden_layers: 60, num_kv_heads: 8, vocab_size: 65024 },
      {
        ...{
          model_type: "falcon",
          alibi: false,
          bias: false,
          ff_factor: 4,
          ffn_hidden_size: 16384,
          activation: "gelu",
        },
        ...{ multi_query: true, new_decoder_architecture: true, num_ln_in_parallel_attn: 1, parallel_attn: true },
        ...{ rope_scaling: null, rope_theta: 500042, max_position_embeddings: 8192, layer_norm_epsilon: 1e-5 },
      },
      { nKeyValueHeads: 8, rotaryBase: 500042, rotaryDim: 128, parallelAttnMlp: true, nCtx: 8192 },
    ],
    [
      "facebook/opt-125m",
      { hidden_size: 768, num_attention_heads: 12, num_hidden_layers: 12, ffn_dim: 3072, vocab_size: 50272 },
      {
        ...{ model_type: "opt", _remove_final_layer_norm: false, activation_dropout: 0, do_layer_norm_before: true },
        ...{ dropout: 0.1, init_std: 0.02, layerdrop: 0, prefix: "</s>", word_embed_proj_dim: 768 },
        ...{ activation_function: "relu", max_position_embeddings: 2048, pad_token_id: 1 },
      },
      { actFn: "relu", nCtx: 2048, normPlacement: "before", normalizationType: "LN" },
    ],
    [
      "microsoft/Phi-3-mini-128k-instruct",
      { hidden_size: 3072, num_attention_heads: 32, num_hidden_layers: 32, intermediate_size: 8192, vocab_size: 32064 },
      {
        ...{ model_type: "phi3", attention_bias: false, embd_pdrop: 0, resid_pdrop: 0, num_key_value_heads: 32 },
        ...{ hidden_act: "silu", rms_norm_eps: 1e-5, sliding_window: 262144, rope_theta: 10000 },
        ...{ max_position_embeddings: 131072, original_max_position_embeddings: 4096 },
        rope_scaling: { type: "su", long_factor: new Array(48).fill(2), short_factor: new Array(48).fill(1) },
      },
      { nCtx: 131072, ntkOriginalCtxLen: 4096, rotaryMagnitude: Math.sqrt(1 + Math.log(32) / Math.log(4096)) },
    ],
    [
      "HuggingFaceTB/SmolLM3-3B",
      {
        hidden_size: 2048,
        num_attention_heads: 16,
        num_hidden_layers: 4,
        intermediate_size: 11008,
        vocab_size: 128256,
      },
      {
        ...{ model_type: "smollm3", attention_bias: false, max_window_layers: 28, no_rope_layer_interval: 4 },
        ...{ pretraining_tp: 2, rope_scaling: null, rope_theta: 5000000, sliding_window: null, mlp_bias: false },
        ...{ use_sliding_window: false, max_position_embeddings: 65536, rms_norm_eps: 1e-6, num_key_value_heads: 4 },
      },
      { rotaryBase: 5000000, rotaryLayers: [true, true, true, false], useLocalAttn: false, nKeyValueHeads: 4 },
    ],
    [
      "mosaicml/mpt-7b",
      { d_model: 4096, n_heads: 32, n_layers: 32, max_seq_len: 2048, vocab_size: 50432 },
      {
        ...{ model_type: "mpt", emb_pdrop: 0, embedding_fraction: 1, expansion_ratio: 4, init_device: "cpu" },
        ...{ init_config: { name: "kaiming_normal_" }, learned_pos_emb: true, logit_scale: null, no_bias: true },
        ...{ norm_type: "low_precision_layernorm", resid_pdrop: 0, verbose: 0 },
        ...{ tokenizer_name: "EleutherAI/gpt-neox-20b", use_cache: false },
        attn_config: {
          ...{ alibi: true, alibi_bias_max: 8, attn_impl: "torch", attn_pdrop: 0, attn_type: "multihead_attention" },
          ...{ attn_uses_sequence_id: false, clip_qkv: null, prefix_lm: false, qk_ln: false, softmax_scale: null },
        },
      },
      { nCtx: 2048, dMlp: 16384, positionalEmbeddingType: "alibi", actFn: "gelu" },
    ],
    [
      "openai/gpt-oss-20b",
      {
        hidden_size: 2880,
        num_attention_heads: 64,
        num_hidden_layers: 24,
        intermediate_size: 2880,
        vocab_size: 201088,
      },
      {
        ...{ model_type: "gpt_oss", attention_bias: true, attention_dropout: 0, experts_per_token: 4, head_dim: 64 },
        ...{ hidden_act: "silu", initial_context_length: 4096, initializer_range: 0.02, num_local_experts: 32 },
        ...{ max_position_embeddings: 131072, num_experts_per_tok: 4, num_key_value_heads: 8, rms_norm_eps: 1e-5 },
        ...{ output_router_logits: false, router_aux_loss_coef: 0.9, sliding_window: 128, swiglu_limit: 7 },
        ...{ rope_theta: 150000, tie_word_embeddings: false },
        rope_scaling: {
          ...{ beta_fast: 32, beta_slow: 1, factor: 32, rope_type: "yarn", truncate: false },
          original_max_position_embeddings: 4096,
        },
        quantization_config: {
          modules_to_not_convert: ["model.layers.*.self_attn", "model.layers.*.mlp.router", "lm_head"],
          quant_method: "mxfp4",
        },
      },
      { numExperts: 32, expertsPerToken: 4, rotaryBase: 150000, windowSize: 128, attentionSinks: true },
    ],
  ])("as published with %s is read", (id, sizes, others, expected) => {
    expect(readConfig({ ...sizes, ...others }, id)).toMatchObject(expected);
  });

  test("of BLOOM, Falcon or OPT may come with the bare model's names", async () => {
    for (const [name, prefix] of [
      ["bloom", "transformer."],
      ["falcon", "transformer."],
      ["opt", "model."],
    ] as const) {
      const arrays = await arraysOf(name, "model");
      const bare = new Map([...arrays].map(([key, array]) => [key.replace(prefix, ""), array]));
      const read = (of: ReadonlyMap<string, NDArray>) => new Map(readModel(configOf(name), of, "here/mine").weights);
      expect(read(bare)).toEqual(read(arrays));
    }
  });

  test.each(FAMILIES)("of %s with junk in any field is read, or refused in a sentence", (name) => {
    const config = configOf(name);
    const junk = [
      null,
      undefined,
      -1,
      0,
      1.5,
      3,
      1e9,
      2 ** 40,
      "x",
      "",
      [],
      [1],
      [["global"]],
      {},
      { rope_type: 1 },
      true,
    ];
    for (const field of Object.keys(config)) {
      for (const value of junk) {
        const read = () => readConfig({ ...config, [field]: value }, "here/mine");
        try {
          expect(read().nLayers, field).toBeGreaterThan(0);
        } catch (error) {
          expect(error, `${field} = ${JSON.stringify(value)}`).toBeInstanceOf(ConfigError);
        }
      }
    }
  });

  test.each([
    [
      "llama",
      { rope_parameters: { rope_type: "proportional", factor: 4 } },
      /rope_type = "proportional" is not supported.*"yarn"/,
    ],
    ["llama", { rope_parameters: { rope_type: "yarm", factor: 4 } }, /rope_type = "yarm" .*Did you mean "yarn"/],
    ["llama", { rope_parameters: { rope_type: "linear" } }, /scaled by "linear", but have no factor/],
    ["llama", { rope_scaling: { type: "yarn" } }, /scaled by "yarn", but have no factor: write it next to that type/],
    [
      "llama",
      { rope_scaling: { type: "yarn", original_max_position_embeddings: 8 } },
      /scaled by "yarn", but have no factor/,
    ],
    ["llama", { rope_scaling: { type: "yarn", factor: null } }, /scaled by "yarn", but have no factor/],
    ["llama", { hidden_act: "sliu" }, /^hidden_act = "sliu" is not supported\. Did you mean "silu"\?/],
    ["gemma2", { hidden_activation: "tanh" }, /^hidden_activation = "tanh" is not supported\. Supported: /],
    [
      "t5",
      { feed_forward_proj: "gated-sliu", dense_act_fn: "sliu", is_gated_act: true },
      /^feed_forward_proj = "sliu" is not supported\. Did you mean "silu"\?/,
    ],
    ["llama", { rope_parameters: { rope_type: "yarn", factor: "4" } }, /factor .* must be a number/],
    ["llama", { rope_parameters: { mrope_section: [1, 2] } }, /not supported: "mrope_section"/],
    [
      "llama",
      { rope_parameters: { rope_type: "longrope", short_factor: [1], long_factor: [1, 1, 1, 1] } },
      /rotary_stretch must have 4/,
    ],
    ["gemma2", { use_bidirectional_attention: true }, /use_bidirectional_attention = true is not supported/],
    ["mpt", { attn_config: { qk_ln: true } }, /qk_ln = true is not supported in an MPT model's attn_config/],
    ["mpt", { attn_config: { alibi_bias: 6 } }, /"alibi_bias".*closest one that it has is "alibi_bias_max"/],
    ["xglm", { pad_token_id: 7 }, /pad_token_id = 7 is not supported/],
    ["smollm3", { no_rope_layers: [1] }, /no_rope_layers is a list of 1, but the model has 2 layers/],
    ["codegen", { n_head: 2 }, /4 groups/],
    ["bloom", { apply_residual_connection_post_layernorm: true }, /apply_residual_.* = true is not supported/],
    ["bloom", { n_head: 2 ** 20 }, /at most 65536/],
    ["falcon_grouped", { parallel_attn: false }, /parallel_attn = false is not supported/],
    ["qwen2", { num_experts: 4 }, /"num_experts"/],
    [
      "gpt_oss",
      { quantization_config: { quant_method: "gptq", bits: 4 } },
      /a gpt-oss model are quantised as "gptq".*not read \("mxfp4" is\): open the repository .* or a GGUF file/,
    ],
    ["gpt_oss", { quantization_config: { bits: 4 } }, /quantised in a way that it does not name/],
    ["llama", { quantization_config: { quant_method: "awq" } }, /a LLaMA model are quantised as "awq".*GGUF/i],
    ["qwen3", { quantization_config: { quant_method: "fp8", weight_block_size: [128, 128] } }, /quantised as "fp8"/],
    ["mistral", { quantization_config: { quant_method: "bitsandbytes" } }, /quantised as "bitsandbytes"/],
    ["gemma2", { quantization_config: { quant_method: "compressed-tensors" } }, /quantised as "compressed-tensors"/],
    ["phi3", { quantization_config: { quant_method: "mxfp4" } }, /quantised as "mxfp4".*not read: open/],
    ["gpt_oss", { swiglu_limit: 5 }, /swiglu_limit = 5 is not supported/],
    ["olmoe", { clip_qkv: -8 }, /clip_qkv .*is -8, but it must be/],
    ["mixtral", { num_experts_per_tok: 5 }, /only 4 experts/],
    ["qwen2_window", { layer_types: ["full_attention", "chunked_attention"] }, /layer_types .*must be/],
    ["qwen2_window", { layer_types: ["full_attention"] }, /layer_types is a list of 1, but the model has 2 layers/],
    ["gpt_neo", { attention_layers: null, attention_types: [[["global", "local"], 1e9]] }, /attention_types .*must be/],
    ["gpt_neo", { attention_layers: null, attention_types: "local" }, /attention_types .*must be/],
    [
      "gpt_neo",
      { attention_layers: undefined, attention_types: undefined },
      /attention_layers is a list of 24, but the model has 2 layers/,
    ],
    ["llama", { rope_parameters: { rope_type: "llama3", factor: 8 } }, /have no low_freq_factor/],
  ])("of %s with %j is refused", async (name, change, message) => {
    const arrays = await arraysOf(name, "model");
    const read = () => readModel({ ...configOf(name), ...change }, arrays, "here/mine");
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(message);
  });
});
