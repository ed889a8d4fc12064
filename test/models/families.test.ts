import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/models/config/parse.ts";
import {
  FAMILIES,
  familyOf,
  MODEL_ALIASES,
  readConfig,
  readModel,
  resolveModelName,
} from "../../src/models/families/index.ts";
import { LISTED } from "../../src/models/families/listed-models.ts";
import { recordingOf } from "../../src/models/recording.ts";
import { checkWeights, type WeightProblems } from "../../src/models/weights/check.ts";
import { type NDArray, ndarray, zeros } from "../../src/tensor/array.ts";
import { ConfigError, UnknownNameError, WeightsError } from "../../src/tensor/errors.ts";
import { json, randomWeights, smallConfig, tensors, under, type Weights } from "./stored.ts";

const NEEL = {
  n_layers: 2,
  d_model: 12,
  n_heads: 2,
  d_head: 4,
  d_mlp: 20,
  n_ctx: 6,
  d_vocab: 10,
  act_fn: "solu_ln",
  normalization: "LN",
  attn_only: false,
  tokenizer_name: "NeelNanda/gpt-neox-tokenizer-digits",
};
const neelSized = (fields: Record<string, unknown> = {}) => smallConfig({ d_mlp: 20, act_fn: "solu_ln", ...fields });

function caught<E extends Error>(type: new (...args: never[]) => E, action: () => unknown): E {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(type);
    return error as E;
  }
  throw new Error("nothing was thrown");
}

/** Swaps the last two axes, by the definition. */
function flipped(array: NDArray<"float32">): NDArray<"float32"> {
  const [rows, cols] = array.shape.slice(-2);
  const size = rows * cols;
  const data = Float32Array.from(array.data, (_, at) => {
    const inner = at % size;
    return array.data[at - inner + (inner % rows) * cols + Math.floor(inner / rows)];
  });
  return ndarray("float32", [...array.shape.slice(0, -2), cols, rows], data);
}

describe("checkWeights", () => {
  it("passes the weights of each supported golden, raw and processed", async () => {
    const { configs } = json("test/goldens/index.json") as {
      configs: Record<string, { config: Record<string, unknown> }>;
    };
    for (const name of ["solu_ln_2l", "gelu_new_2l", "attn_only_2l", "no_norm_1l", "ln_pre_2l", "shortformer_2l"]) {
      const all = await tensors(`test/goldens/${name}.safetensors`);
      const config = parseConfig(configs[name].config);
      checkWeights(config, under("weights.", all));
      const folded = config.normalizationType === "LN" ? "LNPre" : config.normalizationType;
      if (name === "shortformer_2l") continue; // nothing can be folded, so the golden has no processed weights
      checkWeights({ ...config, normalizationType: folded }, under("processed.weights.", all));
    }
  });

  it("names what is missing, unexpected, or of another shape", () => {
    const config = smallConfig();
    const weights = new Map(randomWeights(config));
    weights.delete("blocks.1.mlp.b_in");
    weights.set("blocks.1.mlp.b_into", zeros("float32", [48]));
    weights.set("unembed.W_U", zeros("float32", [10, 12]));
    const error = caught(WeightsError, () => checkWeights(config, weights));
    expect(error.message).toContain("Missing: blocks.1.mlp.b_in.");
    expect(error.message).toContain("Unexpected: blocks.1.mlp.b_into.");
    expect(error.message).toContain("unembed.W_U is [10,12] instead of [12,10]");
    expect((error.found as WeightProblems).missing).toEqual(["blocks.1.mlp.b_in"]);
  });

  it("does not need ln_final.b in a model whose last norm is an RMSNorm", () => {
    expect(recordingOf(smallConfig({ final_rms: true })).weights.has("ln_final.b")).toBe(false);
    expect(recordingOf(smallConfig({ final_rms: true })).weights.has("ln_final.w")).toBe(true);
  });
});

describe("the neel family", () => {
  it("reads the bundled model's folder as it is", async () => {
    const raw = await tensors("models/solu-1l-novels/model.safetensors");
    const model = readModel(json("models/solu-1l-novels/config.json"), raw, "solu-1l-novels");
    expect(model.family).toBe("neel");
    expect(model.notes).toEqual([]);
    expect(model.config).toMatchObject({
      nLayers: 1,
      dModel: 256,
      actFn: "solu_ln",
      eps: 1e-5,
      modelName: "solu-1l-novels",
    });
    expect(model.weights.get("blocks.0.attn.W_Q")?.data).toEqual(raw.get("blocks.0.attn.W_Q")?.data);
  });

  it("keeps eps at 1e-5, whatever the training run recorded", () => {
    const { config } = readModel({ ...NEEL, ln_eps: 1e-2 }, randomWeights(neelSized()), "here/mine");
    expect(config.eps).toBe(1e-5);
  });

  it("takes a training run's own record and reads only what TransformerLens reads", () => {
    const record = {
      ...NEEL,
      lr_hidden: 0.002,
      betas: [0.9, 0.99],
      seed: 3,
      n_params: 1,
      dataset_name: "c4_code",
      version: 235,
    };
    const { config } = readModel(record, randomWeights(neelSized()), "here/mine");
    expect(config).toMatchObject({ seed: null, tokenizerName: "NeelNanda/gpt-neox-tokenizer-digits" });
  });

  it("refuses an unknown field by name, with the closest match", () => {
    const error = caught(ConfigError, () => readModel({ ...NEEL, shortformer_position: true }, new Map(), "here/mine"));
    expect(error.message).toContain('"shortformer_position"');
    expect(error.nearest).toBe("shortformer_pos");
  });

  it("ignores such a field, and says so, in a repository that TransformerLens lists", () => {
    const { notes } = readModel({ ...NEEL, cluster: "a" }, randomWeights(neelSized()), "NeelNanda/SoLU_1L512W_C4_Code");
    expect(notes.join(" ")).toContain("cluster");
  });

  it("reads shortformer positions, no norm, and an attention-only model's unused act_fn", () => {
    const { tokenizer_name: _, d_mlp: __, ...rest } = NEEL;
    const stored = { ...rest, attn_only: true, act_fn: "none", normalization: null, shortformer_pos: true };
    const config = smallConfig({ attn_only: true, act_fn: null, normalization_type: null });
    expect(readModel(stored, randomWeights(config), "here/mine").config).toMatchObject({
      positionalEmbeddingType: "shortformer",
      normalizationType: null,
      attnOnly: true,
      actFn: null,
      dMlp: null,
      tokenizerName: null,
    });
  });

  it("leaves out the saved masks and fills in absent biases and norm weights, but never a matrix", () => {
    const raw: Map<string, NDArray> = new Map(randomWeights(neelSized()));
    raw.set("blocks.0.attn.mask", zeros("bool", [6, 6]));
    raw.set("blocks.0.attn.IGNORE", zeros("float32", []));
    raw.set("blocks.0.attn.rotary_sin", zeros("float32", [3, 2]));
    raw.set("blocks.0.mlp.act_fn.beta", zeros("float32", []));
    raw.delete("unembed.b_U");
    raw.delete("blocks.0.mlp.ln.w");
    const { weights, notes } = readModel(NEEL, raw, "here/mine");
    expect([...(weights.get("unembed.b_U")?.data ?? [])]).toEqual(new Array(10).fill(0));
    expect([...(weights.get("blocks.0.mlp.ln.w")?.data ?? [])]).toEqual(new Array(20).fill(1));
    expect(notes.join(" ")).toContain("unembed.b_U");
    raw.delete("blocks.1.mlp.W_in");
    expect(caught(WeightsError, () => readModel(NEEL, raw, "here/mine")).message).toContain("blocks.1.mlp.W_in");
  });

  it("names an unexpected weight", () => {
    const raw = randomWeights(neelSized()).set("blocks.0.attn.W_X", zeros("float32", [2]));
    expect(caught(WeightsError, () => readModel(NEEL, raw, "here/mine")).message).toContain("blocks.0.attn.W_X");
  });
});

describe("the neel-solu-old family", () => {
  /** The weights as such a checkpoint stores them. */
  function asStored(weights: Weights, nLayers: number): Weights {
    const stored: Weights = new Map();
    for (const [name, array] of weights) {
      const old = name.replace("ln_final", "norm").replace(/\bln/, "norm");
      const flip = name.includes("W_pos") ? nLayers <= 8 : name.includes("W_") && nLayers <= 6;
      stored.set(old, flip ? flipped(array) : array);
    }
    return stored;
  }

  it.each([1, 2, 4, 6, 8, 10])("transposes the matrices of a model of %i layers where needed", (nLayers) => {
    const weights = randomWeights(neelSized({ n_layers: nLayers }));
    const stored = asStored(weights, nLayers);
    expect(stored.has("blocks.0.norm1.w") && stored.has("norm.b") && stored.has("blocks.0.mlp.norm.w")).toBe(true);
    const model = readModel({ ...NEEL, n_layers: nLayers }, stored, `here/SoLU_${nLayers}L_v9_old`);
    expect(model.family).toBe("neel-solu-old");
    expect(new Map(model.weights)).toEqual(weights);
  });

  it("uses the norm weights of a checkpoint that calls itself LNPre, and leaves out an RMSNorm's bias", () => {
    const stored = asStored(randomWeights(neelSized()), 2);
    const { config, weights, notes } = readModel(
      { ...NEEL, normalization: "LNPre", final_rms: true },
      stored,
      "NeelNanda/SoLU_2L_v10_old",
    );
    expect(config).toMatchObject({ normalizationType: "LN", finalRms: true });
    expect(weights.has("ln_final.b")).toBe(false);
    expect(notes).toHaveLength(2);
  });

  it("keeps LNPre if there are no norm weights", () => {
    const stored = asStored(randomWeights(neelSized({ normalization_type: "LNPre" })), 2);
    const { config } = readModel({ ...NEEL, normalization: "LNPre" }, stored, "here/SoLU_2L_v10_old");
    expect(config.normalizationType).toBe("LNPre");
  });
});

describe("the gpt2 family", () => {
  const folder = "test/goldens/hf/gpt2-tiny";

  it("converts a Hugging Face folder", async () => {
    const raw = await tensors(`${folder}/model.safetensors`);
    const { config, weights, family, notes } = readModel(json(`${folder}/config.json`), raw, "here/gpt2-tiny");
    expect(family).toBe("gpt2");
    expect(notes).toEqual([]);
    expect(config).toMatchObject({
      nLayers: 2,
      nHeads: 4,
      dHead: 8,
      dMlp: 128,
      nCtx: 32,
      dVocab: 97,
      actFn: "gelu_new",
      eps: 1e-5,
      originalArchitecture: "GPT2LMHeadModel",
      tokenizerName: "here/gpt2-tiny",
    });
    // Query, key and value of head h are columns part * d_model + h * d_head + e of c_attn.
    const qkv = raw.get("transformer.h.1.attn.c_attn.weight") as NDArray<"float32">;
    const bias = raw.get("transformer.h.1.attn.c_attn.bias") as NDArray<"float32">;
    ["Q", "K", "V"].forEach((part, p) => {
      const W = weights.get(`blocks.1.attn.W_${part}`)!.data;
      const b = weights.get(`blocks.1.attn.b_${part}`)!.data;
      for (let h = 0; h < 4; h++) {
        for (let e = 0; e < 8; e++) {
          expect(b[h * 8 + e]).toBe(bias.data[p * 32 + h * 8 + e]);
          for (let m = 0; m < 32; m++) expect(W[(h * 32 + m) * 8 + e]).toBe(qkv.data[m * 96 + p * 32 + h * 8 + e]);
        }
      }
    });
    const W_E = weights.get("embed.W_E")!;
    expect(flipped(weights.get("unembed.W_U")!)).toEqual(W_E);
    expect(weights.get("unembed.b_U")!.data.every((x) => x === 0)).toBe(true);
  });

  it("reads a checkpoint of the bare model with its old mask buffers and a separate unembedding", async () => {
    const raw = new Map<string, NDArray>();
    for (const [name, array] of await tensors(`${folder}/model.safetensors`))
      raw.set(name.replace("transformer.", ""), array);
    raw.set("h.0.attn.bias", zeros("bool", [1, 1, 32, 32]));
    raw.set("h.0.attn.masked_bias", zeros("float32", []));
    const head = ndarray(
      "float32",
      [97, 32],
      Float32Array.from({ length: 97 * 32 }, (_, i) => i),
    );
    raw.set("lm_head.weight", head);
    const config = { ...json(`${folder}/config.json`), tie_word_embeddings: false };
    expect(flipped(readModel(config, raw, "x/y").weights.get("unembed.W_U")!)).toEqual(head);
    raw.delete("lm_head.weight");
    expect(caught(ConfigError, () => readModel(config, raw, "x/y")).message).toContain("lm_head.weight");
  });

  it("names a tensor that is missing, unexpected, or of another shape", async () => {
    const config = json(`${folder}/config.json`);
    const raw = await tensors(`${folder}/model.safetensors`);
    const without = new Map(raw);
    without.delete("transformer.h.1.ln_2.bias");
    expect(caught(WeightsError, () => readModel(config, without, "x/y")).message).toContain('"h.1.ln_2.bias"');
    const more = new Map(raw).set("score.weight", zeros("float32", [2, 32]));
    expect(caught(WeightsError, () => readModel(config, more, "x/y")).message).toContain("score.weight");
    const wider = { ...config, n_inner: 64 };
    expect(caught(WeightsError, () => readModel(wider, raw, "x/y")).message).toContain("[32,128]");
  });

  it("refuses an unknown field and an activation that it cannot compute", () => {
    const config = json(`${folder}/config.json`);
    const gpt2 = familyOf(config, "x/y");
    const context = { repoName: "x/y", note: () => {} };
    const unknown = caught(ConfigError, () => gpt2.config({ ...config, quantization_config: { bits: 4 } }, context));
    expect(unknown.message).toContain("quantization_config");
    const activation = (name: string) =>
      caught(ConfigError, () => gpt2.config({ ...config, activation_function: name }, context));
    expect(activation("mish").message).toMatch(
      /^activation_function = "mish" is not supported\. Supported: relu, silu, /,
    );
    expect(activation("gelu_nwe")).toMatchObject({ asked: "activation_function", nearest: "gelu_new" });
    expect(activation("gelu_nwe").message).toContain('Did you mean "gelu_new"?');
    expect(caught(ConfigError, () => gpt2.config({ ...config, add_cross_attention: true }, context)).found).toBe(true);
    expect(caught(ConfigError, () => gpt2.config({ ...config, n_head: 5 }, context)).message).toContain(
      "not a multiple",
    );
  });

  it("keeps how scores are scaled", () => {
    const config = {
      ...json(`${folder}/config.json`),
      scale_attn_weights: false,
      scale_attn_by_inverse_layer_idx: true,
    };
    const read = familyOf(config, "x/y").config(config, { repoName: "x/y", note: () => {} });
    expect(read).toMatchObject({ useAttnScale: false, scaleAttnByInverseLayerIdx: true });
  });
});

describe("the mingpt family", () => {
  /** Weights as minGPT stores them: PyTorch Linear layers, [out, in], a row block per head. */
  function asStored(weights: Weights, nLayers: number): Map<string, NDArray> {
    const stored = new Map<string, NDArray>();
    const get = (name: string) => weights.get(name)!;
    stored.set("tok_emb.weight", get("embed.W_E"));
    stored.set("pos_emb", ndarray("float32", [1, 6, 12], get("pos_embed.W_pos").data));
    stored.set("head.weight", flipped(get("unembed.W_U")));
    for (const [norm, theirs] of [["ln_final", "ln_f"], ...blockNorms(nLayers)]) {
      stored.set(`${theirs}.weight`, get(`${norm}.w`));
      stored.set(`${theirs}.bias`, get(`${norm}.b`));
    }
    for (let l = 0; l < nLayers; l++) {
      const block = `blocks.${l}`;
      for (const [part, theirs] of [
        ["Q", "query"],
        ["K", "key"],
        ["V", "value"],
      ]) {
        stored.set(
          `${block}.attn.${theirs}.weight`,
          ndarray("float32", [8, 12], flipped(get(`${block}.attn.W_${part}`)).data),
        );
        stored.set(`${block}.attn.${theirs}.bias`, ndarray("float32", [8], get(`${block}.attn.b_${part}`).data));
      }
      stored.set(`${block}.attn.proj.weight`, flipped(ndarray("float32", [8, 12], get(`${block}.attn.W_O`).data)));
      stored.set(`${block}.attn.proj.bias`, get(`${block}.attn.b_O`));
      stored.set(`${block}.attn.mask`, zeros("float32", [1, 1, 6, 6]));
      stored.set(`${block}.mlp.0.weight`, flipped(get(`${block}.mlp.W_in`)));
      stored.set(`${block}.mlp.0.bias`, get(`${block}.mlp.b_in`));
      stored.set(`${block}.mlp.2.weight`, flipped(get(`${block}.mlp.W_out`)));
      stored.set(`${block}.mlp.2.bias`, get(`${block}.mlp.b_out`));
    }
    return stored;
  }
  function blockNorms(nLayers: number): string[][] {
    return Array.from({ length: nLayers }, (_, l) => [`blocks.${l}.ln1`, `blocks.${l}.ln2`])
      .flat()
      .map((n) => [n, n]);
  }

  it("converts Othello-GPT's layout, whose unembedding has no bias", () => {
    const weights = randomWeights(smallConfig({ d_mlp: 20 }));
    weights.set("unembed.b_U", zeros("float32", [10]));
    const stored = { ...NEEL, act_fn: "gelu", architecture: "mingpt" };
    const model = readModel(stored, asStored(weights, 2), "here/othello");
    expect(model.family).toBe("mingpt");
    expect(new Map(model.weights)).toEqual(weights);
  });
});

describe("familyOf", () => {
  it("says what a file of an unknown family calls itself, and in alphabetical order which model_type is supported", () => {
    const error = caught(ConfigError, () => familyOf({ model_type: "reformer", hidden_size: 8 }, "x/y"));
    const [, supported] = /"reformer", which is not supported\. Supported: (.*)\.$/.exec(error.message)!;
    const names = supported.split(", ");
    expect(names).toEqual([...names].sort());
    for (const name of names) expect(familyOf({ model_type: name }, "x/y").name).toBe(name);
    for (const { name } of FAMILIES) {
      const isType = FAMILIES.some((family) => family.matches({ model_type: name }, ""));
      expect(names.includes(name), name).toBe(isType);
    }
    const near = caught(ConfigError, () => familyOf({ model_type: "lama" }, "x/y")).message;
    expect(near).toBe('x/y is a model of the architecture "lama", which is not supported. Did you mean "llama"?');
    expect(caught(ConfigError, () => familyOf({ title: "notes" }, "x/y")).message).toContain("neither a model_type");
  });

  it("finds exactly one family for a file", () => {
    for (const file of [NEEL, { ...NEEL, architecture: "mingpt" }, { model_type: "gpt2" }]) {
      expect(FAMILIES.filter((f) => f.matches(file, "x/y"))).toHaveLength(1);
    }
  });
});

/** TransformerLens' OFFICIAL_MODEL_NAMES with their MODEL_ALIASES. */
const TRANSFORMERLENS: Record<string, string[]> = JSON.parse(
  readFileSync(new URL("fixtures/transformerlens-names.json", import.meta.url), "utf8"),
);

describe("resolveModelName", () => {
  it.each([
    ["solu-1l", "NeelNanda/SoLU_1L512W_C4_Code"],
    ["SoLU-8L-Old", "NeelNanda/SoLU_8L_v21_old"],
    ["attn-only-demo", "NeelNanda/Attn-Only-2L512W-Shortformer-6B-big-lr"],
    ["solu-4l-finetune", "NeelNanda/SoLU_4L512W_Wiki_Finetune"],
    ["gpt2-small", "gpt2"],
    ["GPT2", "gpt2"],
    ["stanford-gpt2-medium-e", "stanford-crfm/eowyn-gpt2-medium-x777"],
    ["neelnanda/gelu_2l512w_c4_code", "NeelNanda/GELU_2L512W_C4_Code"],
    ["someone/their-model.v2", "someone/their-model.v2"],
  ])("takes %s to %s", (name, id) => {
    expect(resolveModelName(name)).toBe(id);
  });

  it.each(Object.entries(TRANSFORMERLENS))(
    "knows %s and its short names as TransformerLens does, or says why it cannot be opened",
    (official, names) => {
      for (const name of [official, ...names, official.toUpperCase()]) {
        try {
          const id = resolveModelName(name);
          expect(id).toBe(official === "bigcode/santacoder" ? "bigcode/gpt_bigcode-santacoder" : official);
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError);
          expect((error as Error).message).toMatch(/known but cannot be opened yet: it needs|not on the hub/);
        }
      }
    },
  );

  it("knows no other names than TransformerLens and the hub", () => {
    const known = new Set(Object.entries(TRANSFORMERLENS).flatMap(([id, names]) => [id, ...names]));
    const ours = [...MODEL_ALIASES].flatMap(([id, names]) => [id, ...names]);
    expect(ours.filter((name) => !known.has(name))).toEqual(["bigcode/gpt_bigcode-santacoder"]);
  });

  it.each(LISTED.filter(({ modelType }) => modelType !== undefined))(
    "$called has a family, or a sentence that says why not",
    ({ modelType }) => {
      if (FAMILIES.some(({ name }) => name === modelType)) return;
      expect(caught(ConfigError, () => familyOf({ model_type: modelType as string }, "x/y")).message).toMatch(
        /known but cannot be opened yet: it needs/,
      );
    },
  );

  it.each(["solu-1", "./models/x", "../x", "a/b/c", ""])('does not know "%s"', (name) => {
    expect(() => resolveModelName(name)).toThrow(UnknownNameError);
  });

  it("names the closest match", () => {
    expect(caught(UnknownNameError, () => resolveModelName("gpt2-smal")).nearest).toBe("gpt2-small");
  });
});

describe("BOS before a text", () => {
  it("is put there by default, but not for BLOOM and Qwen, as in TransformerLens", async () => {
    const names = ["bloom", "falcon-rw", "gpt2", "llama", "mistral", "qwen2", "qwen3"].map((name) => `${name}-tiny`);
    const found = names.filter((name) => existsSync(new URL(`../goldens/hf/${name}`, import.meta.url)));
    expect(found.length).toBeGreaterThan(4);
    for (const name of found) {
      const path = new URL(`../goldens/hf/${name}/config.json`, import.meta.url);
      const config = readConfig(JSON.parse(readFileSync(path, "utf8")), name);
      expect([name, config.defaultPrependBos]).toEqual([name, !/^(bloom|qwen)/.test(name)]);
    }
  });
});
