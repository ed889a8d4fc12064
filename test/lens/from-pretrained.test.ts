import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { toTransformerLens } from "../../src/models/config/parse.ts";
import { getCheckpointLabels, HookedTransformer, memoryFiles, Tokenizer, writeSafetensors } from "../../src/node.ts";
import type { NDArray } from "../../src/tensor/array.ts";
import { expectClose } from "../close.ts";
import { type Golden, golden, goldenModel } from "../goldens.ts";

let g: Golden;
let raw: HookedTransformer;
beforeAll(async () => {
  g = await golden("gelu_2l");
  raw = goldenModel(g);
});

/** The golden model as a folder of files. */
function folder(more: Record<string, Uint8Array> = {}) {
  const config = JSON.stringify({ ...toTransformerLens(raw.cfg), architecture: "HookedTransformer" });
  const weights = writeSafetensors(g.under("weights.") as ReadonlyMap<string, NDArray>);
  return memoryFiles("gelu_2l", { "config.json": config, "model.safetensors": weights, ...more });
}

describe("firstNLayers", () => {
  test("leaves out the later layers, and the first ones unchanged", async () => {
    const options = { files: folder(), firstNLayers: 1 };
    const short = await HookedTransformer.fromPretrainedNoProcessing("gelu_2l", options);
    expect(short.cfg.nLayers).toBe(1);
    expect(short.hookNames.some((name) => name.startsWith("blocks.1."))).toBe(false);
    const [, cache] = await short.runWithCache(g.tokens);
    expectClose(cache.get("blocks.0.hook_resid_post"), g.get("cache.blocks.0.hook_resid_post"), 1e-4);
  });

  test("with a number that the model does not have is refused", async () => {
    for (const firstNLayers of [0, 3, 1.5]) {
      const made = HookedTransformer.fromPretrained("gelu_2l", { files: folder(), firstNLayers });
      await expect(made).rejects.toThrow("from 1 to 2, as the model has 2 layers.");
    }
  });
});

test("the labels of checkpoints are in order, and an empty list if there are none", async () => {
  const nothing = new Uint8Array();
  const files = folder({
    "checkpoints/gelu_2000.pth": nothing,
    "checkpoints/gelu_500.pth": nothing,
    "checkpoints/readme.txt": nothing,
  });
  expect(await getCheckpointLabels("gelu_2l", { files })).toEqual([500, 2000]);
  expect(await getCheckpointLabels("gelu_2l", { files: folder() })).toEqual([]);
});

test("a checkpoint is chosen by its place or label; the error for a missing one names those that exist", async () => {
  const broken = new Uint8Array(4);
  const files = folder({ "checkpoints/gelu_2000.pth": broken, "checkpoints/gelu_500.pth": broken });
  const load = (options: object) => HookedTransformer.fromPretrained("gelu_2l", { files, ...options });
  await expect(load({ checkpointIndex: -1 })).rejects.toThrow("gelu_2000.pth");
  await expect(load({ checkpointIndex: 0 })).rejects.toThrow("gelu_500.pth");
  await expect(load({ checkpointValue: 500 })).rejects.toThrow("gelu_500.pth");
  await expect(load({ checkpointValue: 501 })).rejects.toThrow(/501.*500/);
});

test("a tokenizer passed as an option replaces the model's", async () => {
  const json = JSON.parse(readFileSync(new URL("../../models/solu-1l-novels/tokenizer.json", import.meta.url), "utf8"));
  const tokenizer = Tokenizer.fromJson(json);
  const options = { files: folder(), tokenizer, defaultPrependBos: false };
  const model = await HookedTransformer.fromPretrained("gelu_2l", options);
  expect(model.toStrTokens("It was")).toEqual(["It", " was"]);
});

test("processing a loaded model returns another one, with TransformerLens' processed numbers", async () => {
  const processed = raw.processWeights();
  expectClose(await processed.forward(g.tokens), g.get("processed.logits"), 1e-4);
  expectClose(await raw.forward(g.tokens), g.get("logits"), 1e-4);
  expect(processed.cfg.normalizationType).toBe("LNPre");
});
