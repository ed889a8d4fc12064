/** What a `config.json` may hold besides what is computed: passed over by rule, or refused; and values of the wrong kind. */
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { parseConfig } from "../../src/models/config/parse.ts";
import { type ConfigJson, familyOf, readModel } from "../../src/models/families/index.ts";
import { weightBytes } from "../../src/models/recording.ts";
import { type NDArray, zeros } from "../../src/tensor/array.ts";
import { ArgumentError, ConfigError, GlassformerError, WeightsError } from "../../src/tensor/errors.ts";
import { json, randomWeights, smallConfig } from "./stored.ts";

const GPT2 = json("test/goldens/hf/gpt2-tiny/config.json");
const NEEL = json("models/solu-1l-novels/config.json");
const LENS = (json("test/goldens/index.json") as { configs: Record<string, { config: ConfigJson }> }).configs.gelu_2l
  .config;
const FAMILY_FILES: readonly (readonly [string, ConfigJson])[] = [
  ["gpt2", GPT2],
  ["neel", NEEL],
  ["neel-solu-old", { ...NEEL, architecture: "neel-solu-old" }],
  ["mingpt", { ...NEEL, architecture: "mingpt", act_fn: "gelu" }],
  ["HookedTransformer", { ...LENS, architecture: "HookedTransformer" }],
  ["HookedTransformer", LENS],
];

const context = (note: (sentence: string) => void = () => {}) => ({ repoName: "here/mine", note });
const read = (file: ConfigJson) => familyOf(file, "here/mine").config(file, context());
const outcome = (action: () => unknown): unknown => {
  try {
    return action();
  } catch (error) {
    return error;
  }
};

const fields = json("test/models/fixtures/transformers-fields.json") as Record<"defaults" | "set", ConfigJson>;

describe.each(FAMILY_FILES)("a config.json of the %s family", (family, file) => {
  it("is recognised", () => expect(familyOf(file, "here/mine").name).toBe(family));

  it("may have every field of transformers 2 to 5 that does not change logits", () => {
    const plain = read(file);
    for (const [name, value] of [...Object.entries(fields.defaults), ...Object.entries(fields.set)]) {
      if (Object.hasOwn(file, name) || (family === "HookedTransformer" && name in LENS)) continue;
      if (family !== "gpt2" && (name === "dtype" || name === "decoder_start_token_id")) continue; // a field of their own
      expect([name, outcome(() => read({ ...file, [name]: value }))]).toEqual([name, plain]);
    }
  });

  it.each([
    ["rope_theta", 10000],
    ["rope_scaling", { type: "linear", factor: 2 }],
    ["sliding_window", 128],
    ["layer_types", ["full_attention"]],
    ["logit_scale", 0.5],
    ["final_logit_softcapping", 30],
    ["attn_logit_softcapping", 50],
    ["rms_norm_eps", 1e-6],
    ["layer_norm_type", "rms"],
    ["use_bias", false],
    ["attention_bias", false],
    ["scale_embedding", true],
    ["embedding_multiplier", 12],
    ["residual_multiplier", 0.2],
    ["token_dropout", true],
    ["alibi", true],
    ["parallel_attn", true],
    ["multi_query", true],
    ["num_key_value_heads", 1],
    ["_remove_final_layer_norm", true],
    ["causal", false],
    ["do_layer_norm_before", false],
    ["pruned_heads", { "0": [1] }],
    ["quantization_config", { bits: 4 }],
    ["per_layer_config", { "0": { n_head: 1 } }],
    ["attention_temperature", 2],
    ["softmax_scale", 0.1],
    ["is_encoder_decoder", true],
    ["add_cross_attention", true],
    ["tie_encoder_decoder", true],
    ["cross_attention_hidden_size", 64],
    ["num_experts_per_tok", 2],
    ["constructor", 5],
  ])("is refused with %s = %j, which may change the numbers", (name, value) => {
    const found = outcome(() => read({ ...file, [name]: value }));
    expect(found).toBeInstanceOf(ConfigError);
    expect((found as Error).message).toContain(name);
  });

  it("is refused with a value of the wrong kind, or read as if the field were missing", () => {
    const deep = JSON.parse(`${"[".repeat(20_000)}${"]".repeat(20_000)}`);
    const strange = JSON.parse('{"toString": 1, "valueOf": 1, "toJSON": 1, "__proto__": {"n_layers": 3}}');
    const wrong = ["false", "true", "5", "", "swish\u001b[2J", [], [1], {}, strange, deep, Number.NaN, 1e308, -1, 0.5];
    const plain = read(file);
    const numbers = ["eps", "layer_norm_epsilon", "attn_scale", "initializer_range"];
    for (const name of Object.keys(file)) {
      for (const value of [...wrong, 2 ** 63, 2 ** 31, 1e9 + 0.5, -0, true, false, null]) {
        if (typeof value === typeof file[name] && (typeof value === "boolean" || typeof value === "string")) continue;
        if (numbers.includes(name) && typeof value === "number") continue;
        const found = outcome(() => read({ ...file, [name]: value }));
        if (found instanceof GlassformerError) {
          expect(found.message.length).toBeLessThanOrEqual(2000);
          expect(found.message).not.toContain("\u001b");
          continue;
        }
        expect([name, value, found instanceof Error]).toEqual([name, value, false]);
        // What was accepted has fields of the kinds that they had: nothing was taken for something else.
        for (const [key, was] of Object.entries(plain)) {
          const is = (found as Record<string, unknown>)[key];
          if (is !== null && was !== null) expect([name, key, typeof is]).toEqual([name, key, typeof was]);
        }
      }
    }
  });

  it("gives a typed error or a configuration, whatever a field holds", () => {
    const names = [...Object.keys(file), "architecture", "model_type", "__proto__", "toString", "unknown"];
    const change = fc.tuple(fc.constantFrom(...names), fc.jsonValue({ maxDepth: 3 }));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        const text = JSON.stringify({ ...file }).slice(0, -1);
        const more = changes.map(([name, value]) => `,${JSON.stringify(name)}:${JSON.stringify(value)}`).join("");
        const found = outcome(() => read(JSON.parse(`${text}${more}}`)));
        if (found instanceof Error) expect(found).toBeInstanceOf(GlassformerError);
        else expect(Number.isSafeInteger((found as { nParams: number }).nParams)).toBe(true);
      }),
      { numRuns: 300, seed: 1 },
    );
  });
});

test("a config.json with very many fields is refused, and null is allowed only where a field may be empty", () => {
  const many = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`field${i}`, 1]));
  expect(outcome(() => read({ ...GPT2, ...many }))).toMatchObject({
    name: "ConfigError",
    found: 100_000 + Object.keys(GPT2).length,
  });
  for (const name of ["activation_function", "layer_norm_epsilon", "scale_attn_weights", "n_embd"]) {
    expect([name, outcome(() => read({ ...GPT2, [name]: null }))]).toMatchObject([name, { name: "ConfigError" }]);
  }
  expect(read({ ...GPT2, n_inner: null }).dMlp).toBe(4 * (GPT2.n_embd as number));
});

describe("a GPT-2 config.json", () => {
  it("of 2019 has no model_type, and is recognised by its fields; the first GPT's is not mistaken for it", () => {
    const { model_type, architectures, ...early } = GPT2;
    expect(read(early)).toEqual(read(GPT2));
    expect(outcome(() => read({ ...early, afn: "gelu" }))).toMatchObject({ name: "ConfigError" });
    expect(outcome(() => read({ ...early, model_type: "openai-gpt" }))).toMatchObject({ name: "ConfigError" });
  });

  it("may use the names that transformers has in every family, but not two with different values", () => {
    const { n_embd, n_layer, n_head, n_positions, ...rest } = GPT2;
    const other = {
      ...rest,
      hidden_size: n_embd,
      num_hidden_layers: n_layer,
      num_attention_heads: n_head,
      max_position_embeddings: n_positions,
    };
    expect(read(other)).toEqual(read(GPT2));
    expect(outcome(() => read({ ...GPT2, hidden_size: 64 }))).toMatchObject({ name: "ConfigError", asked: 64 });
  });

  it.each([
    ["swish", "silu"],
    ["gelu_python", "gelu"],
    ["gelu_accurate", "gelu_new"],
    ["gelu_python_tanh", "gelu_pytorch_tanh"],
    ["quick_gelu", "quick_gelu"],
  ])("computes %s as %s", (theirs, ours) => {
    expect(read({ ...GPT2, activation_function: theirs }).actFn).toBe(ours);
  });
});

describe("the sizes of a configuration", () => {
  const small = { n_layers: 2, d_model: 32, n_ctx: 16, d_head: 8, d_vocab: 50, act_fn: "gelu" };
  it.each([
    ["n_layers", 1e9],
    ["n_layers", 10_001],
    ["n_layers", 2 ** 63],
    ["d_model", 2 ** 31],
    ["d_model", 1e308],
    ["n_ctx", Number.POSITIVE_INFINITY],
    ["d_vocab", -0],
    ["n_heads", 2 ** 31],
    ["d_mlp", 1e15],
    ["eps", 1e308],
    ["attn_scale", 1e-300],
  ])("do not have %s = %j", (name, value) => {
    expect(outcome(() => parseConfig({ ...small, [name]: value }))).toMatchObject({ name: "ConfigError", asked: name });
  });

  it.each([
    ["W_E", { d_vocab: 2 ** 27 }],
    ["W_pos", { n_ctx: 2 ** 27 }],
    ["W_Q", { n_heads: 2 ** 24 }],
    ["W_in", { d_mlp: 2 ** 27 }],
    ["W_U", { d_vocab_out: 2 ** 27 }],
  ])("leave %s below 2^31 numbers", (weight, change) => {
    const found = outcome(() => parseConfig({ ...small, ...change }));
    expect(found).toBeInstanceOf(ConfigError);
    expect((found as Error).message).toContain(`${weight} would have`);
  });

  it("give the bytes of the weights without building any", () => {
    for (const change of [{}, { attn_only: true, act_fn: null }, { act_fn: "solu_ln" }, { final_rms: true }]) {
      const config = smallConfig(change);
      const numbers = [...randomWeights(config).values()].reduce((sum, { data }) => sum + data.length, 0);
      expect(weightBytes(config)).toBe(4 * numbers);
    }
    expect(weightBytes(parseConfig({ ...small, n_layers: 10_000, d_model: 8192 }))).toBeGreaterThan(2 ** 40);
  });

  it("belong to an object", () => {
    for (const wrong of [null, undefined, 5, "x", []]) {
      expect(outcome(() => parseConfig(wrong as never))).toBeInstanceOf(ArgumentError);
    }
  });
});

test("more layers than the weights have are refused before anything is built, with both numbers", () => {
  const raw: Map<string, NDArray> = new Map(randomWeights(smallConfig()));
  const file = {
    ...{ n_layers: 10_000, d_model: 12, n_heads: 2, d_head: 4, n_ctx: 6, d_vocab: 10 },
    ...{ act_fn: "gelu", normalization: "LN" },
  };
  const found = outcome(() => readModel(file, raw, "here/mine"));
  expect(found).toBeInstanceOf(WeightsError);
  expect(found).toMatchObject({ asked: 10_000, found: 2 });
});

describe("names around a checkpoint's own", () => {
  const file = { n_layers: 2, d_model: 12, n_heads: 2, d_head: 4, n_ctx: 6, d_vocab: 10, act_fn: "gelu" };
  const neel = { ...file, normalization: "LN" };
  const weights = randomWeights(smallConfig());
  const wrapped = (prefix: string) => new Map<string, NDArray>([...weights].map(([k, v]) => [prefix + k, v]));

  it.each([
    "_orig_mod.",
    "module.",
    "model.",
    "module._orig_mod.",
    "state_dict.",
    "model_state_dict.module.",
    "a.b.c.",
  ])("%s is taken off, and a note says so", (prefix) => {
    const model = readModel(neel, wrapped(prefix), "here/mine");
    expect(new Map(model.weights)).toEqual(weights);
    for (const part of prefix.split(/(?=_orig_mod\.)/)) expect(model.notes.join(" ")).toContain(`"${part}"`);
  });

  it("and parts that wrappers put into the middle of names are removed, with a note", () => {
    const into = (name: string) =>
      `module.${name.replace(/^blocks\.\d+\./, "$&_fsdp_wrapped_module._checkpoint_wrapped_module.").replace("embed.", "embed._orig_mod.")}`;
    const raw = new Map<string, NDArray>([...weights].map(([name, array]) => [into(name), array]));
    const model = readModel(neel, raw, "here/mine");
    expect(new Map(model.weights)).toEqual(weights);
    for (const part of ["module.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module.", "_orig_mod."]) {
      expect(model.notes.join(" ")).toContain(`"${part}"`);
    }
  });

  it("that differ only in such a part are refused", () => {
    const raw = new Map<string, NDArray>([...weights, ["embed._orig_mod.W_E", weights.get("embed.W_E")!]]);
    expect(outcome(() => readModel(neel, raw, "here/mine"))).toMatchObject({
      message: expect.stringMatching(/holds "embed\.W_E" twice, plain and wrapped \(_orig_mod\)/),
    });
  });

  it("leave out what is not part of the model, by name", () => {
    const raw = wrapped("model.").set("optimizer.state.0.exp_avg", zeros("float32", [3]));
    const { weights: found, notes } = readModel(neel, raw, "here/mine");
    expect(new Map(found)).toEqual(weights);
    expect(notes.join(" ")).toContain("optimizer.state.0.exp_avg");
  });

  it("do not hide a weight that is unexpected or missing", () => {
    const more = wrapped("model.").set("model.blocks.0.attn.lora_A", zeros("float32", [3]));
    expect(outcome(() => readModel(neel, more, "here/mine"))).toBeInstanceOf(WeightsError);
    const less = wrapped("model.");
    less.delete("model.unembed.W_U");
    expect(outcome(() => readModel(neel, less, "here/mine"))).toMatchObject({ name: "WeightsError" });
  });

  it("are refused if they lead to two models", () => {
    const raw = new Map([...wrapped("model."), ...wrapped("ema.")]);
    const found = outcome(() => readModel(neel, raw, "here/mine")) as Error;
    expect(found).toBeInstanceOf(WeightsError);
    expect(found.message).toMatch(/"model\.".*"ema\."/);
  });

  it("are shown when nothing fits", () => {
    const found = outcome(() => readModel(GPT2, wrapped(""), "here/mine")) as Error;
    expect(found).toBeInstanceOf(WeightsError);
    expect(found.message).toContain("It has: embed.W_E");
  });
});

describe("an architecture that is known but not supported", () => {
  it.each([
    ["mamba", "Mamba"],
    ["gemma3n", "Gemma"],
    ["wav2vec2", "wav2vec"],
  ])("is refused by its model_type %s, saying what is missing", (model_type, called) => {
    const found = outcome(() => familyOf({ model_type }, "x/y")) as Error;
    expect(found).toBeInstanceOf(ConfigError);
    expect(found.message).toContain(`${called}`);
    expect(found.message).toMatch(/known but cannot be opened yet: it needs /);
  });

  it("may have no kind at all", () => {
    for (const value of [{ toString: 1 }, [], 5, { valueOf: 1 }]) {
      expect(outcome(() => familyOf({ model_type: value }, "x/y"))).toBeInstanceOf(ConfigError);
      expect(outcome(() => familyOf({ architecture: value }, "x/y"))).toBeInstanceOf(ConfigError);
    }
  });
});

test("a record of the training run that differs from what is computed gets a note", () => {
  const notes: string[] = [];
  familyOf(NEEL, "x/y").config(
    { ...NEEL, ln_eps: 1e-2 },
    context((sentence) => notes.push(sentence)),
  );
  expect(notes.join(" ")).toContain("ln_eps 0.01");
});

test("the goldens' configurations are recognised as TransformerLens' own", () => {
  const { configs } = json("test/goldens/index.json") as { configs: Record<string, { config: ConfigJson }> };
  for (const { config } of Object.values(configs)) expect(familyOf(config, "x/y").name).toBe("HookedTransformer");
});

describe("a checkpoint of arrays of any shape", () => {
  const sizes = { n_layers: 2, d_model: 12, n_heads: 3, d_head: 4, d_mlp: 20, n_ctx: 6, d_vocab: 10, act_fn: "gelu" };
  const weights = randomWeights(smallConfig({ n_heads: 3, d_mlp: 20 }));
  const old = new Map(
    [...weights].map(([name, array]) => [name.replace("ln_final", "norm").replace(/\bln/, "norm"), array]),
  );
  const theirs = (names: readonly (readonly [string, readonly number[]])[]) =>
    new Map<string, NDArray>(names.map(([name, shape]) => [name, zeros("float32", shape)]));
  const block = (layer: number): [string, readonly number[]][] => [
    [`h.${layer}.ln_1.weight`, [12]],
    [`h.${layer}.ln_1.bias`, [12]],
    [`h.${layer}.ln_2.weight`, [12]],
    [`h.${layer}.ln_2.bias`, [12]],
    [`h.${layer}.attn.c_attn.weight`, [12, 36]],
    [`h.${layer}.attn.c_attn.bias`, [36]],
    [`h.${layer}.attn.c_proj.weight`, [12, 12]],
    [`h.${layer}.attn.c_proj.bias`, [12]],
    [`h.${layer}.mlp.c_fc.weight`, [12, 20]],
    [`h.${layer}.mlp.c_fc.bias`, [20]],
    [`h.${layer}.mlp.c_proj.weight`, [20, 12]],
    [`h.${layer}.mlp.c_proj.bias`, [12]],
  ];
  const gpt2 = theirs([
    ["wte.weight", [10, 12]],
    ["wpe.weight", [6, 12]],
    ["ln_f.weight", [12]],
    ["ln_f.bias", [12]],
    ...block(0),
    ...block(1),
  ]);
  const cases: readonly (readonly [string, ConfigJson, ReadonlyMap<string, NDArray>])[] = [
    ["neel", { ...sizes, normalization: "LN" }, weights],
    ["neel-solu-old", { ...sizes, normalization: "LN", architecture: "neel-solu-old" }, old],
    [
      "gpt2",
      { model_type: "gpt2", n_layer: 2, n_embd: 12, n_head: 3, n_inner: 20, n_positions: 6, vocab_size: 10 },
      gpt2,
    ],
  ];

  it.each(cases)("of the %s family is read completely, or refused with a reason", (_family, file, stored) => {
    const array = fc
      .tuple(fc.constantFrom("float32", "int32", "bool"), fc.array(fc.integer({ min: 0, max: 13 }), { maxLength: 4 }))
      .map(([dtype, shape]) => zeros(dtype as "float32", shape) as NDArray);
    const name = fc.oneof(fc.constantFrom(...stored.keys()), fc.string(), fc.constantFrom("h.7.x", "blocks.9.y", "a."));
    const change = fc.tuple(name, fc.option(array));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const raw = new Map(stored);
        for (const [at, put] of changes) {
          if (put === null) raw.delete(at);
          else raw.set(at, put);
        }
        const found = outcome(() => readModel(file, raw, "here/mine"));
        if (found instanceof Error) expect(found).toBeInstanceOf(GlassformerError);
        else expect((found as { weights: Map<string, unknown> }).weights.size).toBe(weights.size);
      }),
      { numRuns: 300, seed: 1 },
    );
  });
});
