/** Checkpoints: complete or absent, opened as models, resumed to the same numbers. */
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { EvaluateOptions } from "../../src/graph/runner.ts";
import { initWeights } from "../../src/models/weights/init.ts";
import {
  Engine,
  evaluateLoss,
  getCheckpointLabels,
  HookedTransformer,
  nodeBackend,
  parseConfig,
  type Tensor,
  Tokenizer,
} from "../../src/node.ts";
import { ArgumentError, ConfigError, FileFormatError, WeightsError } from "../../src/tensor/errors.ts";
import { trainBpe } from "../../src/training/data/train-bpe.ts";
import { folderCheckpoints } from "../../src/training/node-checkpoints.ts";
import { train } from "../../src/training/train.ts";
import { TrainingError } from "../../src/training/training-error.ts";
import { golden, goldenModel, goldenNames } from "../goldens.ts";

const fields = { n_layers: 1, d_model: 8, d_head: 4, n_ctx: 8, d_vocab: 12, act_fn: "relu" };
const cfg = parseConfig(fields);
const model = () => new HookedTransformer(cfg, initWeights(cfg));
const data = { dtype: "int32" as const, shape: [6, 5], data: Int32Array.from({ length: 30 }, (_, i) => (i * 5) % 12) };
const options = { data, batchSize: 4, lr: 0.01, maxGradNorm: 1 };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "glassformer-training-"));
});
afterEach(async () => {
  await chmod(folder, 0o700);
  await rm(folder, { recursive: true });
});

describe("a resumed training run", () => {
  test.each(["adamw", "adam", "sgd"] as const)(
    "gives the numbers of one that was not interrupted, with %s",
    async (optimizer) => {
      const all = {
        ...options,
        optimizer,
        ...(optimizer === "sgd" ? { momentum: 0.9 } : {}),
        schedule: "cosine" as const,
        warmupSteps: 1,
      };
      const whole = await train(model(), { ...all, steps: 6 });
      const control = new AbortController();
      const half = train(
        model(),
        { ...all, steps: 6, saveDir: folder },
        { signal: control.signal, onProgress: ({ step }) => step === 3 && control.abort(new Error("stopped")) },
      );
      await expect(half).rejects.toThrow("stopped");
      const rest = await train(model(), { ...all, steps: 6, resume: folder });
      expect(rest.losses).toEqual(whole.losses);
      for (const [name, weight] of whole.model.weights.entries()) {
        expect(rest.model.weights.get(name).data).toEqual(weight.data);
      }
    },
  );

  test("takes the last checkpoint in a folder, or the one that is named", async () => {
    const { checkpoint } = await train(model(), { ...options, steps: 12, saveEvery: 5, saveDir: folder });
    expect((await readdir(folder)).sort()).toEqual(["step-0000005", "step-0000010", "step-0000012"]);
    expect(checkpoint).toBe(join(folder, "step-0000012"));
    const last = await train(model(), { ...options, steps: 13, resume: folder });
    const fifth = await train(model(), { ...options, steps: 13, resume: join(folder, "step-0000005") });
    expect(last.losses).toEqual(fifth.losses);
  });

  test("with nothing left to do leaves the checkpoint as it is", async () => {
    const all = { ...options, steps: 3, saveDir: folder, about: { what: "first" } };
    const { checkpoint, losses } = await train(model(), all);
    const before = await readFile(join(checkpoint!, "training.json"));
    const again = await train(model(), { ...all, lr: 0.5, about: { what: "second" }, resume: folder });
    expect([again.checkpoint, again.losses]).toEqual([checkpoint, losses]);
    expect((await readFile(join(checkpoint!, "training.json"))).equals(before)).toBe(true);
  });

  test("is refused if it does not match, with the reason", async () => {
    await train(model(), { ...options, steps: 2, saveDir: folder });
    const other = parseConfig({ ...fields, n_ctx: 9 });
    const elsewhere = new HookedTransformer(other, initWeights(other));
    await expect(train(elsewhere, { ...options, steps: 4, resume: folder })).rejects.toThrow(
      /a different configuration: its n_ctx is 8, the model's is 9/,
    );
    await expect(train(elsewhere, { ...options, steps: 4, resume: folder })).rejects.toThrow(ConfigError);
    await expect(train(model(), { ...options, optimizer: "sgd", steps: 4, resume: folder })).rejects.toThrow(
      /made with adamw/,
    );
    await expect(train(model(), { ...options, steps: 1, resume: folder })).rejects.toThrow(
      /at step 2, beyond the total/,
    );
    await mkdir(join(folder, "empty"));
    await expect(train(model(), { ...options, steps: 4, resume: join(folder, "empty") })).rejects.toThrow(
      /no training.json/,
    );
    const place = join(folder, "step-0000002");
    const whole = await readFile(join(place, "optimizer.safetensors"));
    await writeFile(join(place, "optimizer.safetensors"), whole.subarray(0, 400));
    await expect(train(model(), { ...options, steps: 4, resume: folder })).rejects.toThrow(FileFormatError);
    await writeFile(join(place, "optimizer.safetensors"), await readFile(join(place, "model.safetensors")));
    await expect(train(model(), { ...options, steps: 4, resume: folder })).rejects.toThrow(WeightsError);
  });
});

describe("a checkpoint", () => {
  test("is a model that fromPretrained opens, with its tokenizer", async () => {
    const names = { bos_token: "<|PAD|>", eos_token: "<|EOS|>" };
    const tokenizer = Tokenizer.fromJson(trainBpe("to be or not to be", { vocabSize: 260 }), names);
    const sized = parseConfig({ ...fields, d_vocab: 260 });
    const fresh = new HookedTransformer(sized, initWeights(sized), { tokenizer });
    const { model: trained, checkpoint } = await train(fresh, { ...options, steps: 3, saveDir: folder });
    const opened = await HookedTransformer.fromPretrainedNoProcessing(checkpoint!);
    expect(JSON.parse(await readFile(join(checkpoint!, "config.json"), "utf8")).architecture).toBe("neel");
    for (const [name, weight] of trained.weights.entries()) expect(opened.weights.get(name).data).toEqual(weight.data);
    const loss = await opened.forward("to be", { returnType: "loss" });
    expect(loss.item()).toBeGreaterThan(0);
    expect(opened.toStrTokens("or")[0]).toBe("<|PAD|>");
    expect(opened.text!.tokenizer.files).toEqual(tokenizer.files);
  });

  test("is also found by the folder of the training run, the last one by default", async () => {
    const { model: trained } = await train(model(), { ...options, steps: 4, saveEvery: 2, saveDir: folder });
    const load = (more: object = {}) => HookedTransformer.fromPretrainedNoProcessing(folder, more);
    expect(await getCheckpointLabels(folder)).toEqual([2, 4]);
    expect((await load()).W_E.data).toEqual(trained.W_E.data);
    const second = await load({ checkpointValue: 2 });
    expect(second.W_E.data).not.toEqual(trained.W_E.data);
    expect(second.W_E.data).toEqual((await load({ checkpointIndex: 0 })).W_E.data);
    expect(second.cfg.modelName).toBe(basename(folder));
    await expect(load({ checkpointValue: 3 })).rejects.toThrow(/no checkpoint "3".*has 2/);
  });

  test.each(goldenNames)("stores the whole configuration of %s", async (name) => {
    const g = await golden(name);
    const first = goldenModel(g);
    const { model: trained, checkpoint } = await train(first, { data: g.tokens, steps: 1, saveDir: folder });
    const opened = await HookedTransformer.fromPretrainedNoProcessing(checkpoint!);
    const [a, b] = [await trained.forward(g.tokens), await opened.forward(g.tokens)];
    expect([...b.data]).toEqual([...a.data]);
    const incidental = {
      modelName: "",
      originalArchitecture: "",
      tokenizerName: "",
      device: "",
      seed: 0,
      initMode: "",
    };
    const same = { ...incidental, initializerRange: 0, useAttnResult: false };
    const flags = { useSplitQkvInput: false, useHookMlpIn: false, useAttnIn: false, useHookTokens: false };
    expect({ ...opened.cfg, ...same, ...flags }).toEqual({ ...trained.cfg, ...same, ...flags });
  });

  test("replaces one of the same step, and removes what a crash left unfinished", async () => {
    await mkdir(join(folder, ".step-0000001.unfinished"));
    await writeFile(join(folder, ".step-0000001.unfinished/config.json"), "{");
    await train(model(), { ...options, steps: 2, saveDir: folder });
    const { checkpoint } = await train(model(), { ...options, steps: 2, lr: 0.02, saveDir: folder });
    expect(await readdir(folder)).toEqual(["step-0000002"]);
    const again = await train(model(), { ...options, steps: 2, lr: 0.02 });
    const opened = await HookedTransformer.fromPretrainedNoProcessing(checkpoint!);
    expect(opened.W_E.data).toEqual(again.model.W_E.data);
  });

  test("that a crash left between two names is restored; nothing but a checkpoint is ever replaced", async () => {
    await train(model(), { ...options, steps: 2, saveDir: folder });
    await rename(join(folder, "step-0000002"), join(folder, ".step-0000002.replaced"));
    await mkdir(join(folder, ".step-0000002.unfinished"));
    const { losses } = await train(model(), { ...options, steps: 3, saveDir: folder, resume: folder });
    expect(losses).toHaveLength(3);
    expect((await readdir(folder)).sort()).toEqual(["step-0000002", "step-0000003"]);
    await writeFile(join(folder, "step-0000004"), "mine");
    const run = train(model(), { ...options, steps: 4, saveDir: folder });
    await expect(run).rejects.toThrow(/step-0000004: something else with that name is in the way/);
    expect(await readFile(join(folder, "step-0000004"), "utf8")).toBe("mine");
  });

  test("keeps nothing of a training run that ends before its first step, not even the folder", async () => {
    const place = join(folder, "deep", "er");
    const control = new AbortController();
    const store = folderCheckpoints(place);
    const checked = { ...store, check: () => store.check().then(() => control.abort(new Error("too early"))) };
    const run = train(model(), { ...options, steps: 2, saveDir: checked }, { signal: control.signal });
    await expect(run).rejects.toThrow("too early");
    expect(await readdir(folder)).toEqual([]);
    const { checkpoint } = await train(model(), { ...options, steps: 2, saveDir: place });
    expect(checkpoint).toBe(join(place, "step-0000002"));
  });

  test("refuses a place for checkpoints that cannot be a folder, before its first step", async () => {
    await writeFile(join(folder, "file"), "mine");
    let steps = 0;
    const onProgress = () => void steps++;
    for (const saveDir of [join(folder, "file"), join(folder, "file", "in", "it")]) {
      const run = train(model(), { ...options, steps: 1, saveDir }, { onProgress });
      await expect(run).rejects.toThrow(/cannot be saved in .*file.*: something else with that name is in the way/);
    }
    expect(steps).toBe(0);
    expect(await readFile(join(folder, "file"), "utf8")).toBe("mine");
  });

  test("has all held-out losses from the first on, even if training was resumed", async () => {
    const heldOut = { ...data, data: data.data.map((id) => (id * 7) % 12) };
    const all = { ...options, heldOut, evalEvery: 2 };
    const whole = await train(model(), { ...all, steps: 5 });
    expect(whole.heldOut.map(({ step }) => step)).toEqual([2, 4, 5]);
    await train(model(), { ...all, steps: 4, saveDir: folder });
    const rest = await train(model(), { ...all, steps: 5, resume: folder });
    expect(rest.heldOut).toEqual(whole.heldOut);
    expect(whole.heldOut[2].loss).toBeCloseTo(await evaluateLoss(whole.model, heldOut), 6);
  });

  test("measures the held-out loss again if it was stopped while measuring it", async () => {
    const heldOut = { ...data, data: data.data.map((id) => (id * 7) % 12) };
    const all = { ...options, heldOut, evalEvery: 2 };
    const whole = await train(model(), { ...all, steps: 5 });
    const stop = new AbortController();
    let looks = 0;
    class Slow extends Engine {
      override run(outputs: readonly Tensor[], given?: EvaluateOptions): Promise<Tensor[]> {
        if (++looks === 2) queueMicrotask(() => stop.abort(new Error("enough")));
        return super.run(outputs, given);
      }
    }
    const slow = new HookedTransformer(cfg, initWeights(cfg), { engine: new Slow(nodeBackend()) });
    const half = train(slow, { ...all, steps: 5, saveDir: folder }, { signal: stop.signal });
    await expect(half).rejects.toThrow("enough");
    expect(await readdir(folder)).toEqual(["step-0000003"]);
    const rest = await train(model(), { ...all, steps: 5, resume: folder });
    expect(rest.heldOut).toEqual(whole.heldOut);
    expect(rest.losses).toEqual(whole.losses);
  });

  test("with a different momentum is refused", async () => {
    const sgd = { ...options, optimizer: "sgd" as const };
    await train(model(), { ...sgd, steps: 2, momentum: 0.9, saveDir: folder });
    const without = train(model(), { ...sgd, steps: 3, resume: folder });
    await expect(without).rejects.toThrow(/has momentum_buffer for each weight, but sgd.*needs nothing/);
  });

  test("that was good is kept when the loss becomes NaN, and the error names it", async () => {
    const kept = { saveEvery: 1, saveDir: folder };
    const run = train(model(), {
      ...options,
      steps: 50,
      lr: 1e8,
      maxGradNorm: 1e30,
      optimizer: "sgd" as const,
      ...kept,
    });
    const error = await run.then(
      () => undefined,
      (e) => e,
    );
    expect(error).toBeInstanceOf(TrainingError);
    expect(error.step).toBeGreaterThan(0);
    expect(error.checkpoint).toBe(join(folder, `step-${String(error.step).padStart(7, "0")}`));
    expect(error.message).toContain(error.checkpoint);
    const opened = await HookedTransformer.fromPretrainedNoProcessing(error.checkpoint);
    expect(opened.W_E.data.every(Number.isFinite)).toBe(true);
  });

  test("folder that cannot exist is an error before the first step", async () => {
    await writeFile(join(folder, "file"), "");
    let steps = 0;
    const onProgress = () => {
      steps++;
    };
    const there = train(model(), { ...options, steps: 2, saveDir: join(folder, "file") }, { onProgress });
    await expect(there).rejects.toThrow(/something else with that name is in the way.*another saveDir/);
    await expect(there).rejects.toThrow(ArgumentError);
    const below = train(model(), { ...options, steps: 2, saveDir: join(folder, "file", "x") }, { onProgress });
    await expect(below).rejects.toThrow(/in the way/);
    expect(steps).toBe(0);
  });
});
