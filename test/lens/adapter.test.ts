/** LoRA adapters against what PEFT gives for them: test/goldens/lora/make.py. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Tensor } from "../../src/graph/tensor.ts";
import { memoryFiles, memorySource, readSafetensors, writeSafetensors } from "../../src/load/index.ts";
import { folderFiles } from "../../src/load/node.ts";
import { HookedTransformer } from "../../src/node.ts";
import type { NDArray } from "../../src/tensor/array.ts";
import { ArgumentError, ConfigError, FileFormatError, WeightsError } from "../../src/tensor/errors.ts";
import { expectClose } from "../close.ts";

const goldens = fileURLToPath(new URL("../goldens/", import.meta.url));
const baseOf = (name: string) => join(goldens, "hf", `${name.split("-")[0]}-tiny`);
const adapterOf = (name: string) => join(goldens, "lora", name);
const arraysOf = (path: string) => readSafetensors(memorySource(path, new Uint8Array(readFileSync(path))));
const NAMES = readdirSync(join(goldens, "lora")).filter((name) => !name.includes("."));
const open = HookedTransformer.fromPretrainedNoProcessing;

test.each(NAMES)("%s gives the logits of PEFT's merged model", async (name) => {
  const expected = await arraysOf(join(goldens, "lora", `${name}.safetensors`));
  const tokens = Tensor.leaf(expected.get("tokens")!, ["batch", "pos"]);
  const model = await open(baseOf(name), { adapter: adapterOf(name) });
  expectClose(await model.forward(tokens), expected.get("logits")!, 1e-5);
  expect(model.notes.join(" ")).toContain(`The adapter ${adapterOf(name)} is added to the weights of ${baseOf(name)}.`);
  const files = await open(baseOf(name), { adapter: folderFiles(adapterOf(name)) });
  expectClose(await files.forward(tokens), expected.get("logits")!, 1e-5);
});

describe("an adapter's own folder", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "glassformer-adapter-"));
    cpSync(adapterOf("llama-plain"), join(folder, "adapter"), { recursive: true });
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const change = (fields: Record<string, unknown>) => {
    const path = join(folder, "adapter/adapter_config.json");
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), ...fields }));
  };

  test("opens the model that it names, with the adapter", async () => {
    change({ base_model_name_or_path: baseOf("llama") });
    const expected = await arraysOf(join(goldens, "lora/llama-plain.safetensors"));
    const model = await open(join(folder, "adapter"));
    expectClose(
      await model.forward(Tensor.leaf(expected.get("tokens")!, ["batch", "pos"])),
      expected.get("logits")!,
      1e-5,
    );
    expect(model.cfg.modelName).toBe("llama-tiny");
  });

  test("is refused if it names none, if that is an adapter too, and beside the option adapter", async () => {
    change({ base_model_name_or_path: null });
    await expect(open(join(folder, "adapter"))).rejects.toThrow(/does not say what model it is for: name that model/);
    change({ base_model_name_or_path: adapterOf("llama-dora") });
    await expect(open(join(folder, "adapter"))).rejects.toThrow(/which is an adapter itself/);
    change({ base_model_name_or_path: "llama-tiny" });
    await expect(open(join(folder, "adapter"))).rejects.toThrow(
      /The adapter .* names "llama-tiny" as its model, which does not open by that name: name the model, and the adapter with/,
    );
    const twice = open(join(folder, "adapter"), { adapter: adapterOf("llama-dora") });
    await expect(twice).rejects.toBeInstanceOf(ArgumentError);
  });

  test.each<[string, Record<string, unknown>, RegExp]>([
    ["another method", { peft_type: "IA3" }, /peft_type in .* is "IA3", which is not supported: only "LORA"/],
    ["an alpha that is a text", { lora_alpha: "8" }, /lora_alpha .* is "8", but it must be/],
    ["layers that are repeated", { layer_replication: [[0, 2]] }, /layer_replication .* which is not supported/],
    ["a beginning that changed the model", { init_lora_weights: "pissa" }, /init_lora_weights .* is "pissa"/],
    ["a field of the future", { use_xlora: true }, /use_xlora .* is true, which is not supported/],
    ["a pattern that is not one", { alpha_pattern: { "(": 3 } }, /alpha_pattern of the adapter has "\("/],
    ["a pattern for a text", { alpha_pattern: { q_proj: "3" } }, /alpha_pattern of the adapter has "3" for "q_proj"/],
  ])("is refused with %s", async (_, fields, message) => {
    change(fields);
    const error = await open(baseOf("llama"), { adapter: join(folder, "adapter") }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as Error).message).toMatch(message);
  });

  test.each<[string, (arrays: Map<string, NDArray>) => void, RegExp]>([
    [
      "a matrix of another size",
      (a) => a.set(A, zeros([4, 31])),
      /change a matrix \[32,31\], but "model.*q_proj.weight" is \[32,32\]/,
    ],
    ["two ranks", (a) => a.set(A, zeros([3, 32])), /its matrices \[32,4\] and \[3,32\] change/],
    ["half a product", (a) => a.delete(A), /"model.layers.0.self_attn.q_proj" has only one of the two/],
    [
      "a module that the model lacks",
      (a) =>
        a
          .set(A.replace("layers.0", "layers.7"), zeros([4, 32]))
          .set(A.replace("layers.0", "layers.7").replace("_A", "_B"), zeros([32, 4])),
      /changes "model.layers.7.self_attn.q_proj.weight", which the model does not have/,
    ],
    [
      "a bias of its product",
      (a) => a.set(A.replace("_A.weight", "_B.bias"), zeros([32])),
      /lora_B.bias", which is not supported/,
    ],
    [
      "a whole matrix of another size",
      (a) => a.set("base_model.model.lm_head.weight", zeros([98, 32])),
      /lm_head.weight" is \[98,32\], but "lm_head.weight" of the model \[97,32\]/,
    ],
    ["nothing", (a) => a.clear(), /it has no tensors/],
  ])("is refused with %s", async (_, edit, message) => {
    const path = join(folder, "adapter/adapter_model.safetensors");
    const arrays = await arraysOf(path);
    expect(arrays.has(A)).toBe(true);
    edit(arrays);
    writeFileSync(path, writeSafetensors(arrays));
    const error = await open(baseOf("llama"), { adapter: join(folder, "adapter") }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(WeightsError);
    expect((error as Error).message).toMatch(/^The adapter .* does not fit .*/);
    expect((error as Error).message).toMatch(message);
  });

  test("is refused for another model, and without its weights", async () => {
    const other = open(baseOf("gpt2"), { adapter: adapterOf("llama-plain") });
    await expect(other).rejects.toThrow(
      /does not fit .*gpt2-tiny: it changes "model.layers.0.self_attn.q_proj.weight"/,
    );
    rmSync(join(folder, "adapter/adapter_model.safetensors"));
    const without = open(baseOf("llama"), { adapter: join(folder, "adapter") });
    await expect(without).rejects.toBeInstanceOf(FileFormatError);
  });

  test("is refused with an embedding of its own for a model whose embedding is the unembedding too", async () => {
    const arrays = new Map([["base_model.model.transformer.wte.weight", zeros([97, 32])]]);
    writeFileSync(join(folder, "adapter/adapter_model.safetensors"), writeSafetensors(arrays));
    const error = await open(baseOf("gpt2"), { adapter: join(folder, "adapter") }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(WeightsError);
    expect((error as Error).message).toMatch(/which in the model is the unembedding too/);
  });

  test("goes with a GGUF file of its model too", async () => {
    mkdirSync(join(folder, "gguf"));
    cpSync(join(goldens, "gguf/llama.gguf"), join(folder, "gguf/llama.gguf"));
    const expected = await arraysOf(join(goldens, "lora/llama-plain.safetensors"));
    const model = await open(join(folder, "gguf"), { adapter: join(folder, "adapter") });
    const logits = await model.forward(Tensor.leaf(expected.get("tokens")!, ["batch", "pos"]));
    expectClose(logits, expected.get("logits")!, 1e-2); // the file is in float16
  });

  test("goes with a model in memory", async () => {
    const contents: Record<string, Uint8Array> = {};
    for (const file of ["config.json", "model.safetensors"])
      contents[file] = new Uint8Array(readFileSync(join(baseOf("llama"), file)));
    const model = await open("mine", { files: memoryFiles("mine", contents), adapter: adapterOf("llama-plain") });
    expect(model.notes.join(" ")).toContain("is added to the weights of mine.");
  });
});

const A = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight";
const zeros = (shape: number[]): NDArray => ({
  dtype: "float32",
  shape,
  data: new Float32Array(shape.reduce((n, s) => n * s, 1)),
});
