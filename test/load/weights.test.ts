import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { loadWeights, memoryFiles, writeSafetensors } from "../../src/load/index.ts";
import { openModelFiles } from "../../src/load/node.ts";
import { ndarray } from "../../src/tensor/array.ts";
import { UnknownNameError, WeightsError } from "../../src/tensor/errors.ts";

const fixture = (name: string) => new Uint8Array(readFileSync(new URL(`fixtures/${name}`, import.meta.url)));
const safetensors = (name: string) => writeSafetensors(new Map([[name, ndarray("float32", [1], Float32Array.of(1))]]));
const index = (tensor: string, shard: string) => JSON.stringify({ weight_map: { [tensor]: shard } });
const names = async (contents: Record<string, Uint8Array | string>, options = {}) => [
  ...(await loadWeights(memoryFiles("m", contents), options)).keys(),
];

describe("the weights are read from the first that exists of", () => {
  const everything: [string, string, Record<string, Uint8Array | string>][] = [
    ["model.safetensors", "single", { "model.safetensors": safetensors("single") }],
    [
      "model.safetensors.index.json",
      "sharded",
      { "model.safetensors.index.json": index("sharded", "s.safetensors"), "s.safetensors": safetensors("sharded") },
    ],
    ["a name ending with final.pth", "W", { "SoLU_1L_final.pth": fixture("cuda.pth") }],
    ["pytorch_model.bin", "first.weight", { "pytorch_model.bin": fixture("state_dict.pth") }],
    [
      "pytorch_model.bin.index.json",
      "whole",
      { "pytorch_model.bin.index.json": index("whole", "p.bin"), "p.bin": fixture("views.pth") },
    ],
  ];
  test.each(everything.map(([what, tensor], i) => [what, tensor, i] as const))("%s", async (_, tensor, i) => {
    const contents = Object.assign({ "config.json": "{}" }, ...everything.slice(i).map(([, , files]) => files));
    expect((await names(contents))[0]).toBe(tensor);
  });
});

test("a checkpoint can be chosen by its path instead", async () => {
  const contents = { "model.safetensors": safetensors("last"), "checkpoints/7.pth": fixture("cuda.pth") };
  expect(await names(contents, { checkpoint: "checkpoints/7.pth" })).toEqual(["W"]);
  const error = await names(contents, { checkpoint: "checkpoints/8.pth" }).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(UnknownNameError);
  expect(error).toMatchObject({ nearest: "checkpoints/7.pth" });
});

test("without any, the error lists what was found", async () => {
  const error = await names({ "config.json": "{}", "flax_model.msgpack": "" }).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(WeightsError);
  expect((error as Error).message).toMatch(/found config\.json, flax_model\.msgpack\./);
});

test("the bundled model's weights load by its name", async () => {
  const weights = await loadWeights(await openModelFiles("bundled"));
  expect(weights.get("embed.W_E")!.shape).toEqual([4096, 256]);
  expect([...weights.values()].reduce((sum, { data }) => sum + data.length, 0)).toBeGreaterThan(2_900_000);
});
