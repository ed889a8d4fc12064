/** Experts in MXFP4; the tiny gpt-oss whose experts are stored so is compared with transformers in test/lens/hugging-face.test.ts. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { readWeights } from "../../src/lens/read-weights.ts";
import { memorySource, readSafetensors } from "../../src/load/index.ts";
import { openSafetensors } from "../../src/load/safetensors.ts";
import { inMemory } from "../../src/load/stored.ts";
import * as readers from "../../src/models/families/index.ts";
import { mxfp4 } from "../../src/models/families/mxfp4.ts";
import { NO_PROCESSING } from "../../src/models/processing/process-weights.ts";
import type { WeightSpec } from "../../src/models/weights/spec.ts";
import type { NDArray } from "../../src/tensor/array.ts";
import { WeightsError } from "../../src/tensor/errors.ts";

const folder = fileURLToPath(new URL("../goldens/hf/gpt_oss_mxfp4-tiny/", import.meta.url));
const bytes = new Uint8Array(readFileSync(`${folder}model.safetensors`));
const config = JSON.parse(readFileSync(`${folder}config.json`, "utf8"));
const stored = () => readSafetensors(memorySource("m", bytes));
const spec = (shape: readonly number[]) => ({ name: "W", axes: ["d_model", "d_mlp"], shape }) as unknown as WeightSpec;
const never = () => {
  throw new Error("nothing is multiplied");
};

/** What a 4-bit float is by its definition: a sign, two bits of exponent, whose bias is 1, and one of fraction. */
function e2m1(bits: number): number {
  const [sign, exponent, fraction] = [bits >> 3, (bits >> 1) & 3, bits & 1];
  const magnitude = exponent === 0 ? fraction / 2 : (1 + fraction / 2) * 2 ** (exponent - 1);
  return sign === 1 && magnitude > 0 ? -magnitude : magnitude;
}

describe("a matrix in MXFP4", () => {
  test("has every number that a byte can stand for, with every scale, each from the right row and place", () => {
    const [into, out] = [64, 40]; // two blocks in a row; the second row of each pair
    const blocks = Int32Array.from({ length: 2 * out * into * 0.5 }, (_, i) => (i % 32) + 32 * ((i >> 6) % 8));
    const scales = Int32Array.from({ length: (2 * out * into) / 32 }, (_, i) => (i * 11) % 250);
    const source = mxfp4("x", { count: 1, expert: 0, every: 2, from: 1 });
    const [first, second] = source.arrays;
    expect(first.shape(spec([into, out]))).toEqual([1, 2 * out, 2, 16]);
    expect(second.shape(spec([into, out]))).toEqual([1, 2 * out, 2]);
    const packed: NDArray[] = [
      { dtype: "int32", shape: [2 * out, 2, 16], data: blocks },
      { dtype: "int32", shape: [2 * out, 2], data: scales },
    ];
    const { data } = source.read(packed, spec([into, out]), never);
    const seen = new Set<number>();
    for (let i = 0; i < into; i++) {
      for (let o = 0; o < out; o++) {
        const row = 2 * o + 1;
        const byte = blocks[(row * into + i) >> 1];
        const scale = scales[row * 2 + (i >> 5)];
        const value = e2m1(i % 2 === 0 ? byte & 15 : byte >> 4) * 2 ** (scale - 127);
        expect(data[i * out + o]).toBe(Math.fround(value));
        seen.add(byte);
      }
    }
    expect(seen.size).toBe(256);
  });

  test("whose scale is not a number has no numbers, and one of anything but bytes is refused", () => {
    const source = mxfp4("x", { count: 1, expert: 0, every: 1, from: 0 });
    const read = (byte: number, scale: number) =>
      source.read(
        [
          { dtype: "int32", shape: [1, 1, 16], data: new Int32Array(16).fill(byte) },
          { dtype: "int32", shape: [1, 1], data: Int32Array.of(scale) },
        ],
        spec([32, 1]),
        never,
      ).data[1];
    expect([read(0x20, 127), read(0x20, 255)]).toEqual([1, Number.NaN]);
    expect(() => read(0x120, 127)).toThrow(/"x_blocks" holds numbers beyond 0 to 255/);
    for (const scale of [256, -1]) expect(() => read(0x20, scale)).toThrow(/"x_scales" holds numbers beyond 0 to 255/);
  });
});

describe("a gpt-oss in MXFP4", () => {
  const reading = (json: object) => ({
    readers,
    ...{ name: "here/mine", repoName: "here/mine", configJson: { ...json }, flags: {}, firstNLayers: undefined },
    ...{ dtype: "float32" as const, signal: undefined, engine: undefined },
  });

  test("has the same weights expert by expert from its file, from memory, and read as a whole", async () => {
    const { weights } = readers.readModel(config, await stored(), "here/mine");
    const parts = await openSafetensors(memorySource("m", bytes));
    const read: string[] = [];
    const counted = { ...parts, read: (name: string) => parts.read(read[read.push(name) - 1]) };
    for (const source of [counted, inMemory(await stored())]) {
      const opened = await readWeights(source, { ...reading(config), flags: NO_PROCESSING });
      for (const [name, { data }] of weights) expect(opened.weights.get(name)!.data, name).toEqual(data);
    }
    expect(read.filter((name) => /experts/.test(name))).toEqual([]);
  });

  test("is refused for scales that are floats, for rows that are not whole blocks, and for a scale that is missing", async () => {
    const arrays = await stored();
    const [blocks, scales] = ["blocks", "scales"].map((kind) => `model.layers.1.mlp.experts.down_proj_${kind}`);
    const { shape, data } = arrays.get(scales)!;
    const floats = new Map([
      ...arrays,
      [scales, { dtype: "float32", shape, data: Float32Array.from(data) } as NDArray],
    ]);
    expect(() => readers.readModel(config, floats, "here/mine")).toThrow(WeightsError);
    expect(() => readers.readModel(config, floats, "here/mine")).toThrow(
      /down_proj_scales" holds float32, but .*bytes \(uint8\)/,
    );
    const [ragged] = mxfp4("x", { count: 4, expert: 0, every: 1, from: 0 }).arrays;
    expect(() => ragged.shape(spec([80, 64]))).toThrow(/"x" is stored in MXFP4, in blocks of 32 numbers.*rows of 80/);
    const fewer = new Map([...arrays].filter(([name]) => name !== blocks));
    expect(() => readers.readModel(config, fewer, "here/mine")).toThrow(
      /no "model.layers.1.mlp.experts.down_proj_blocks"/,
    );
  });

  test("with a scale of 255 is refused as damaged, with the weight's name", async () => {
    const arrays = await stored();
    const name = "model.layers.0.mlp.experts.gate_up_proj_scales";
    const { shape, data } = arrays.get(name)!;
    const broken = new Map([...arrays, [name, { dtype: "int32", shape, data: data.map(() => 255) } as NDArray]]);
    await expect(readWeights(inMemory(broken), reading(config))).rejects.toThrow(
      /"blocks\.0\.mlp\.experts\.0\.W_\w+" of here\/mine holds NaN/,
    );
  });
});
