/** Scaled rotary positions of a Hugging Face config.json against what transformers makes of them (fixtures/rope-golden.py). */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { interpret } from "../../src/engine/reference.ts";
import { Tensor } from "../../src/graph/tensor.ts";
import { compose } from "../../src/models/compose.ts";
import { readConfig } from "../../src/models/families/index.ts";
import { rotate } from "../../src/models/parts/rotary.ts";
import { ndarray } from "../../src/tensor/array.ts";
import { smallConfig } from "./stored.ts";

interface Case {
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly short: { readonly frequencies: readonly number[]; readonly magnitude: number };
  readonly long: { readonly frequencies: readonly number[]; readonly magnitude: number };
}

const cases: readonly Case[] = JSON.parse(readFileSync(new URL("fixtures/rope.json", import.meta.url), "utf8"));

const llama = {
  model_type: "llama",
  hidden_size: 64,
  num_attention_heads: 4,
  num_hidden_layers: 1,
  intermediate_size: 8,
  vocab_size: 8,
  max_position_embeddings: 256,
  rope_theta: 5000,
};

const int32 = (...numbers: number[]) =>
  Tensor.leaf(ndarray("int32", [1, numbers.length], Int32Array.from(numbers)), ["batch", "pos"]);

/** The angle and the magnitude that each pair of dimensions is turned by at position 1 of a text whose last position is `last`. */
function turnOf(config: object, last: number): { readonly angles: number[]; readonly magnitude: number } {
  const { rotary } = compose(readConfig({ ...llama, ...config }, "here/mine")).blocks[0].attention;
  const half = rotary!.dim / 2;
  const first = Tensor.leaf(
    ndarray(
      "float32",
      [1, 1, 1, 2 * half],
      Float32Array.from({ length: 2 * half }, (_, d) => +(d < half)),
    ),
    ["batch", "pos", "head", "d_head"],
  );
  const [turned] = interpret([rotate(first, int32(1), rotary!, int32(0, 1, last))]);
  const pair = (i: number) => [turned.get(0, 0, 0, i), turned.get(0, 0, 0, i + half)] as const;
  return {
    angles: Array.from({ length: half }, (_, i) => Math.atan2(pair(i)[1], pair(i)[0])),
    magnitude: Math.hypot(...pair(0)),
  };
}

describe.each(cases)("rotary positions scaled by $parameters", ({ parameters, short, long }) => {
  it.each([
    ["rope_scaling", "type"],
    ["rope_parameters", "rope_type"],
  ])("turn as in transformers, in %s.%s", (field, type) => {
    const { rope_type, ...rest } = parameters;
    for (const [of, last] of [
      [short, 63],
      [long, 64],
    ] as const) {
      const { angles, magnitude } = turnOf({ [field]: { [type]: rope_type, ...rest } }, last);
      expect(magnitude).toBeCloseTo(of.magnitude, 5);
      for (const [i, frequency] of of.frequencies.entries()) expect(angles[i]).toBeCloseTo(frequency, 5);
    }
  });
});

describe("rotary positions of some layers", () => {
  it("have a base of their own and no scaling in local layers", () => {
    const config = smallConfig({
      positional_embedding_type: "rotary",
      rotary_stretch: [2, 2],
      rotary_magnitude: 1.5,
      rotary_base_local: 100,
      d_head: 4,
      use_local_attn: true,
      window_size: 3,
      attn_types: ["local", "global"],
    });
    const [local, global] = compose(config).blocks.map(({ attention }) => attention.rotary!);
    expect([local.base, local.stretch, local.magnitude]).toEqual([100, null, 1]);
    expect([global.base, global.stretch?.(1), global.magnitude]).toEqual([10_000, 2, 1.5]);
  });

  it("are missing in layers that the configuration says", () => {
    const config = smallConfig({ positional_embedding_type: "rotary", rotary_layers: [true, false] });
    expect(compose(config).blocks.map(({ attention }) => attention.rotary !== null)).toEqual([true, false]);
    expect(() => smallConfig({ positional_embedding_type: "rotary", rotary_layers: [true] })).toThrow(
      /rotary_layers must have 2/,
    );
  });

  it("of a file with parameters for each type of layer are those of its types", () => {
    const types = { full_attention: { rope_type: "linear", factor: 2 }, sliding_attention: { rope_theta: 77 } };
    const config = readConfig({ ...llama, rope_parameters: types }, "here/mine");
    expect(config).toMatchObject({ rotaryBase: 5000, rotaryBaseLocal: 77 });
    expect(config.rotaryStretch).toEqual(new Array(8).fill(2));
    const both = { full_attention: {}, sliding_attention: { rope_type: "linear", factor: 2 } };
    expect(() => readConfig({ ...llama, rope_parameters: both }, "here/mine")).toThrow(/local layers are scaled/);
  });
});
