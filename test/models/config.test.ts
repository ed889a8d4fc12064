import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseConfig, toTransformerLens } from "../../src/models/config/parse.ts";
import { ConfigError } from "../../src/tensor/errors.ts";

type Raw = Record<string, unknown>;
const goldens = JSON.parse(readFileSync(new URL("../goldens/index.json", import.meta.url), "utf8")).configs as Record<
  string,
  { config: Raw }
>;
const SMALL: Raw = { n_layers: 2, d_model: 32, n_ctx: 16, d_head: 8, d_vocab: 50, act_fn: "gelu" };

function refusal(raw: Raw): ConfigError {
  try {
    parseConfig(raw);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return error as ConfigError;
  }
  throw new Error("parseConfig accepted it");
}

describe("parseConfig", () => {
  for (const [name, { config }] of Object.entries(goldens)) {
    it(`reads TransformerLens' configuration of ${name}, and toTransformerLens writes it back`, () => {
      expect(toTransformerLens(parseConfig(config))).toMatchObject(config);
    });
    it(`works out what ${name} leaves out as TransformerLens does`, () => {
      const derived = ["attn_scale", "initializer_range", "d_vocab_out", "n_params", "n_heads"];
      const bare = Object.fromEntries(Object.entries(config).filter(([k]) => !derived.includes(k)));
      expect(toTransformerLens(parseConfig(bare))).toMatchObject(config);
    });
  }

  it("accepts our own camelCase names, so it is the identity on a configuration", () => {
    const config = parseConfig(SMALL);
    expect(parseConfig({ ...config })).toEqual(config);
  });

  it("fills in the defaults by TransformerLens' formulas", () => {
    const config = parseConfig(SMALL);
    expect(config).toMatchObject({ nHeads: 4, dMlp: 128, dVocabOut: 50, eps: 1e-5, normalizationType: "LN" });
    expect(config.attnScale).toBeCloseTo(Math.sqrt(8), 12);
    expect(config.initializerRange).toBeCloseTo(0.8 / Math.sqrt(32), 12);
    expect(config.nParams).toBe(2 * (4 * 32 * 32 + 2 * 32 * 128));
    expect(config).toMatchObject({ defaultPrependBos: true, dtype: "float32", positionalEmbeddingType: "standard" });
  });

  it("counts n_params again when a dictionary is changed, whatever it says", () => {
    const two = toTransformerLens(parseConfig(SMALL));
    expect(parseConfig({ ...two, n_layers: 1 }).nParams).toBe((two.n_params as number) / 2);
  });

  it("does not need d_head times n_heads to be d_model", () => {
    expect(parseConfig({ ...SMALL, d_model: 736, d_head: 64, n_heads: 11 }).nHeads).toBe(11);
  });

  it("names the closest field when it meets an unknown one", () => {
    const error = refusal({ ...SMALL, normalisation_type: "LN" });
    expect(error.message).toContain('"normalisation_type"');
    expect(error.nearest).toBe("normalization_type");
  });

  it.each([
    ["load_in_4bit", true],
    ["n_key_value_heads", 3],
    ["relative_attention_num_buckets", 32],
    ["dtype", "torch.bfloat16"],
  ])("refuses %s = %j as known but not supported, and says what is", (field, value) => {
    const error = refusal({ ...SMALL, [field]: value });
    expect(error.asked).toBe(field);
    expect(error.message).toMatch(new RegExp(`^${field} = .* is not supported\\. Supported: `));
  });

  it.each([
    ["rotary_dim", { positional_embedding_type: "rotary", rotary_dim: 5 }],
    ["rotary_dim", { positional_embedding_type: "rotary", rotary_dim: 16 }],
    ["n_decoder_layers", { positional_embedding_type: "relative_positional_bias" }],
    ["positional_embedding_type", { n_decoder_layers: 2 }],
    [
      "relative_attention_num_buckets",
      {
        n_decoder_layers: 2,
        positional_embedding_type: "relative_positional_bias",
        relative_attention_num_buckets: 32,
      },
    ],
    ["window_size", { use_local_attn: true, attn_types: ["local", "local"] }],
    ["attn_types", { use_local_attn: true, window_size: 4 }],
    ["attn_types", { use_local_attn: true, window_size: 4, attn_types: ["local"] }],
  ])("refuses parts that lack what they need: %s of %j", (field, change) => {
    expect(refusal({ ...SMALL, ...change }).message).toContain(field);
  });

  it.each([["ungroup_grouped_query_attention", { n_key_value_heads: 2, ungroup_grouped_query_attention: true }]])(
    "refuses what would change a part and is not computed: %s of %j",
    (field, change) => {
      expect(refusal({ ...SMALL, ...change }).asked).toBe(field);
    },
  );

  it("accepts as many key and value heads as heads, which is ordinary attention", () => {
    expect(parseConfig({ ...SMALL, n_key_value_heads: 4 }).nKeyValueHeads).toBe(4);
  });

  it.each([
    ["n_layers", 0],
    ["n_heads", 0],
    ["n_heads", -2],
    ["d_model", 32.5],
    ["d_vocab", "50"],
    ["attn_only", 1],
    ["act_fn", "mish"],
    ["normalization_type", "BN"],
    ["eps", Number.NaN],
  ])("refuses %s = %j as a value of the wrong kind", (field, value) => {
    const error = refusal({ ...SMALL, [field]: value });
    expect(error.asked).toBe(field);
    expect(error.message).toContain("must be");
  });

  it("asks for the fields that nothing can be derived from", () => {
    const { d_model: _, ...rest } = SMALL;
    expect(refusal(rest).message).toContain("no d_model");
  });

  it("names what contradicts itself", () => {
    expect(refusal({ ...SMALL, act_fn: null }).message).toContain("attn_only");
    expect(refusal({ ...SMALL, final_rms: true, normalization_type: null }).message).toContain("final_rms");
    expect(refusal({ ...SMALL, d_model: 36 }).message).toContain("Set n_heads");
    expect(refusal({ ...SMALL, nLayers: 3 }).message).toContain("same field");
  });

  it("accepts an RMSNorm at the end of a LayerNorm model", () => {
    expect(parseConfig({ ...SMALL, final_rms: true, normalization_type: "LNPre" }).finalRms).toBe(true);
  });
});
