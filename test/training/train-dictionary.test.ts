/** Dictionaries trained on a model's activations: they learn, resume to the same bytes, and are saved as SAELens saves them. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { Dictionary, HookedTransformer, initWeights, parseConfig, trainDictionary } from "../../src/node.ts";
import { ndarray } from "../../src/tensor/array.ts";
import { TRAINING_KINDS, type TrainingKindName } from "../../src/training/dictionaries/kinds.ts";
import type { TrainDictionaryOptions } from "../../src/training/dictionaries/train-dictionary.ts";

const folder = mkdtempSync(join(tmpdir(), "glassformer-dictionary-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const cfg = parseConfig({
  n_layers: 1,
  d_model: 16,
  n_heads: 2,
  d_head: 8,
  n_ctx: 32,
  d_vocab: 50,
  act_fn: "gelu",
  seed: 3,
});
const model = new HookedTransformer(cfg, initWeights(cfg));
const rows = ndarray(
  "int32",
  [40, 16],
  Int32Array.from({ length: 640 }, (_, i) => (i * i * 7 + (i >> 3)) % 50),
);
const AT = "blocks.0.hook_mlp_out";

const small = (more: Partial<TrainDictionaryOptions> = {}): TrainDictionaryOptions => ({
  ...{ data: rows, at: AT, dSae: 48, steps: 60, batchSize: 128, mixedBatches: 4, lr: 3e-3, l1Coefficient: 0.01 },
  ...more,
});

const bytesOf = (path: string) =>
  new Map(readdirSync(path).map((name) => [name, readFileSync(join(path, name)).toString("base64")]));

describe.each(Object.keys(TRAINING_KINDS) as TrainingKindName[])("a %s dictionary", (kind) => {
  const own = TRAINING_KINDS[kind].trains === "topk" ? { k: 6 } : {};
  const sparsity = {
    l1Coefficient: undefined,
    ...(TRAINING_KINDS[kind].coefficient === "l1" ? { l1Coefficient: 0.01 } : {}),
  };
  const l0 = TRAINING_KINDS[kind].coefficient === "l0" ? { l0Coefficient: 0.001 } : {};

  test("reconstructs better the longer it is trained, and what it gives is what it has been trained to", async () => {
    const { dictionary, history } = await trainDictionary(model, small({ kind, ...own, ...sparsity, ...l0 }));
    expect(history).toHaveLength(60);
    expect(history.at(-1)!.mse_loss).toBeLessThan(0.5 * history[0].mse_loss);
    const [, cache] = await model.runWithCache([...rows.data.slice(0, 16)], { namesFilter: AT });
    const x = cache.get(AT);
    const made = await dictionary.forward(x).compute();
    const error = [...x.data].reduce((sum, v, i) => sum + (v - made.data[i]) ** 2, 0) / 16;
    expect(error).toBeLessThan(4 * history.at(-1)!.mse_loss);
    expect(dictionary.cfg).toMatchObject({ hookName: AT, dIn: 16, dSae: 48, rescaleActsByDecoderNorm: false });
  });
});

describe("a run", () => {
  test("that is resumed ends with the same bytes as one that was not interrupted, and opens as a dictionary", async () => {
    const [whole, parts] = ["whole", "parts"].map((name) => join(folder, name));
    const options = small({ kind: "batchtopk", k: 6, steps: 10, l1Coefficient: undefined });
    await trainDictionary(model, { ...options, saveDir: whole });
    const stop = new AbortController();
    const stopped = trainDictionary(
      model,
      { ...options, saveDir: parts },
      { signal: stop.signal, onProgress: ({ step }) => step === 6 && stop.abort(new Error("enough")) },
    );
    await expect(stopped).rejects.toThrow("enough");
    const { checkpoint } = await trainDictionary(model, { ...options, saveDir: parts, resume: parts });
    expect(readdirSync(parts)).toEqual(["step-0000006", "step-0000010"]);
    expect(bytesOf(checkpoint!)).toEqual(bytesOf(join(whole, "step-0000010")));
    const opened = await Dictionary.fromPretrained(checkpoint!);
    expect(opened.cfg).toMatchObject({ architecture: "jumprelu", hookName: AT });
  });

  test("with other settings than its checkpoint is refused, and the setting named", async () => {
    const at = join(folder, "other");
    const options = small({ kind: "topk", k: 6, steps: 2, l1Coefficient: undefined, saveDir: at });
    await trainDictionary(model, options);
    await expect(trainDictionary(model, { ...options, steps: 4, k: 5, resume: at })).rejects.toThrow(
      /was trained with k 6, not 5/,
    );
    const other = ndarray(
      "int32",
      rows.shape,
      rows.data.map((id) => (id + 1) % 50),
    );
    await expect(trainDictionary(model, { ...options, steps: 4, data: other, resume: at })).rejects.toThrow(
      /was trained with data /,
    );
    await expect(trainDictionary(model, { ...options, steps: 1, resume: at })).rejects.toThrow(/at step 2, beyond/);
  });

  test("trains a transcoder from the MLP's input to its output, with a skip connection", async () => {
    const { dictionary, history } = await trainDictionary(
      model,
      small({ at: "blocks.0.ln2.hook_normalized", makes: AT, skip: true, lr: 1e-2 }),
    );
    expect(history.at(-1)!.mse_loss).toBeLessThan(0.6 * history[0].mse_loss);
    expect(dictionary.cfg).toMatchObject({ architecture: "skip_transcoder", hookNameOut: AT });
    const view = model.withDictionaries([dictionary], { useErrorTerm: true });
    const tokens = [...rows.data.slice(0, 16)];
    const [with_, without] = [await view.forward(tokens), await model.forward(tokens)];
    for (const [i, v] of with_.data.entries()) expect(Math.abs(v - without.data[i])).toBeLessThan(1e-4);
  });

  test("on a scaled input ends with a dictionary of the input as it is", async () => {
    const { dictionary, history } = await trainDictionary(
      model,
      small({ normalizeActivations: "expected_average_only_in" }),
    );
    expect(dictionary.cfg.normalizeActivations).toBe("none");
    expect(history[0].mse_loss).toBeGreaterThan(1);
  });

  test("refuses what it cannot do in a sentence", async () => {
    const refused = (more: object) => expect(trainDictionary(model, small(more as never))).rejects;
    await refused({ at: "blocks.0.hook_mlp_ot" }).toThrow(/hook_mlp_out/);
    await refused({ at: "blocks.0.attn.hook_pattern" }).toThrow(/numbers for each token/);
    await refused({ k: 5 }).toThrow(/k .*kind/);
    await refused({ fromPosition: 16 }).toThrow(/nothing would be left/);
    await refused({ kind: "topk", k: 60, l1Coefficient: undefined }).toThrow(/only 48 features/);
    await refused({ kind: "topk", k: 4.5, l1Coefficient: undefined }).toThrow(/whole number of features.*batchtopk/);
    await refused({ skip: true }).toThrow(/transcoder's/);
    await refused({ matryoshkaWidths: [8, 16] }).toThrow(/only applies with kind: "matryoshka_batchtopk"/);
    const widths = { kind: "matryoshka_batchtopk", k: 4, l1Coefficient: undefined, matryoshkaWidths: [16, 8] };
    await refused(widths).toThrow(/must rise, up to the 48 features/);
    await refused({ colour: 1 }).toThrow(/colour/);
  });
});
