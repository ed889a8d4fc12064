/**
 * What can be done with a model, done with a tiny one of every family: each gives finite numbers, or says in a sentence why it
 * cannot. A new folder in test/goldens/hf joins by itself; what its numbers should be, other tests know.
 */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { ANALYSES } from "../../src/analyses/index.ts";
import { grad } from "../../src/graph/rewrite/grad.ts";
import { Tensor } from "../../src/graph/tensor.ts";
import type { HookedRoot } from "../../src/lens/hooked-root.ts";
import { fillsMasks } from "../../src/lens/model-has.ts";
import { writeSafetensors } from "../../src/load/index.ts";
import { measureDiffuseMlp } from "../../src/measures/diffuse-mlp.ts";
import { getActPatchResidPre } from "../../src/measures/patching.ts";
import { storedConfig } from "../../src/models/families/hooked-transformer.ts";
import { recordingOf } from "../../src/models/recording.ts";
import { HookedEncoderDecoder, HookedTransformer } from "../../src/node.ts";
import type { NDArray } from "../../src/tensor/array.ts";
import { GlassformerError } from "../../src/tensor/errors.ts";
import { wordTokenizer } from "../analyses/word-tokenizer.ts";
import { expectClose } from "../close.ts";

const folders = fileURLToPath(new URL("../goldens/hf/", import.meta.url));
const FAMILIES = readdirSync(folders).filter((name) => name.endsWith("-tiny"));

const rows = (...each: readonly number[][]) =>
  Tensor.leaf({ dtype: "int32", shape: [each.length, each[0].length], data: Int32Array.from(each.flat()) }, [
    "batch",
    "pos",
  ]);
const clean = rows([3, 14, 15, 9]);
const corrupted = rows([3, 14, 26, 9]);
const metric = (logits: Tensor) => logits.at({ batch: 0, pos: -1, d_vocab: 5 });

/** The first number in a result that is not finite, with the way to it; `undefined` if there is none. */
function unsound(value: unknown, at = "it"): string | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? undefined : `${at} is ${value}`;
  if (value instanceof Tensor) return unsound(value.data, at);
  if (ArrayBuffer.isView(value)) {
    const i = Array.from(value as Float32Array).findIndex((x) => !Number.isFinite(x));
    return i < 0 ? undefined : `${at}[${i}] is ${(value as Float32Array)[i]}`;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  for (const [key, inner] of entries) {
    const found = unsound(inner, `${at}.${String(key)}`);
    if (found) return found;
  }
  return undefined;
}

/** Why a family cannot do something; `undefined` if what it did is sound. @throws anything but a sentence of ours */
async function refusal(work: () => Promise<unknown>): Promise<string | undefined> {
  let result: unknown;
  try {
    result = await work();
  } catch (error) {
    if (!(error instanceof GlassformerError)) throw error;
    expect(error.message).toMatch(/^\S.{20,}[.?]$/s);
    return error.message;
  }
  expect(unsound(result)).toBeUndefined();
  return undefined;
}

const arraysOf = ({ weights }: HookedRoot) =>
  new Map([...weights.entries()].map(([weight, { array }]) => [weight, array as NDArray<"float32">]));

/** Does something with the folder that a model is saved in. */
async function saved(model: HookedRoot, work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "glassformer-family-"));
  const config = storedConfig({ ...model.cfg, tokenizerName: null }, false);
  try {
    writeFileSync(join(folder, "config.json"), JSON.stringify(config));
    writeFileSync(join(folder, "model.safetensors"), writeSafetensors(arraysOf(model)));
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What differs from the defaults, which are made for large models. */
const PROMPT = { prompt: "Mary and", answer: "she", answers: ["she", "he"] };
const PAIR = { clean: "lady", corrupted: "gentleman", answer: "she", wrong: "he" };
const PROMPTS = ["Mary and", "she gave it"];
const MASKED = { prompt: "[MASK] and", clean: "lady [MASK]", corrupted: "gentleman [MASK]" };
const OWN: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "diffuse-mlp": { prompts: PROMPTS },
  "logit-lens": { prompt: PROMPT.prompt },
  "activation-patching": { ...PAIR, sites: ["resid_pre", "z"] },
  "attention-patterns": { prompt: PROMPT.prompt },
  "test-prompt": { prompt: PROMPT.prompt, answers: PROMPT.answers },
  "direct-logit-attribution": { prompt: PROMPT.prompt, answer: "she", samples: 4 },
  "head-detector": { prompts: PROMPTS },
  "induction-score": { length: 3, samples: 1 },
  "singular-vectors": { vectors: 2 },
  "attribution-patching": PAIR,
  "gradient-x-activation": { prompt: PROMPT.prompt },
  "integrated-gradients": { prompt: PROMPT.prompt, steps: 2 },
  "neuron-saliency": { prompt: PROMPT.prompt },
  ablation: { prompts: PROMPTS },
  "edge-attribution": PAIR,
  "attribution-graph": { prompt: PROMPT.prompt, maxFeatureNodes: 40 },
  ioi: { samples: 2, names: ["Mary", "John", "Tom", "James"] },
  "path-patching": PAIR,
};

/** Those of the texts that an analysis takes, for a model that fills in masks. */
const masked = (options: object) => Object.fromEntries(Object.entries(MASKED).filter(([option]) => option in options));

/** The kinds of models that have gone through the analyses: those are the same to all of them. */
const analysed = new Set<string>();

describe.each(FAMILIES)("%s", (name) => {
  let model: HookedTransformer;
  /** Why this is not a HookedTransformer: an encoder and a decoder together are another class. */
  let notThis: string | undefined;
  beforeAll(async () => {
    notThis = await refusal(async () => {
      const opened = await HookedTransformer.fromPretrained(`${folders}${name}`);
      model = new HookedTransformer(opened.cfg, arraysOf(opened), {
        tokenizer: wordTokenizer(opened.cfg.dVocab, fillsMasks(opened)),
      });
    });
    if (notThis !== undefined) expect(notThis).toContain("HookedEncoderDecoder");
  });

  const predicts = () => model.cfg.attentionDir === "causal";

  test("sweeps, gradients of every weight, edits of its graph", async () => {
    if (notThis !== undefined) return;
    const [, cache] = await model.runWithCache(clean);
    const swept = await getActPatchResidPre(model, corrupted, cache, metric);
    expect(unsound(swept)).toBeUndefined();
    expect(swept.shape).toEqual([model.cfg.nLayers, 4]);
    expect(new Set(swept.data).size).toBeGreaterThan(2);

    const graph = model.graph(corrupted);
    const wrt = [...model.weights.entries()].map(([, weight]) => weight);
    const gradients = await model.compute(grad(metric(graph.output), wrt, { unused: "zero" }));
    expect(unsound(gradients)).toBeUndefined();
    expect(gradients.every(({ data }) => data.every((x: number) => x === 0))).toBe(false);

    const edited = graph.with([[`blocks.0.hook_attn_out`, (x) => x.mul(0)]]);
    const [before, after] = await model.compute([graph.output, edited.output]);
    expect(unsound([before, after])).toBeUndefined();
    expect(after.data).not.toEqual(before.data);
  });

  test("prompts of different lengths are continued as each is alone", async () => {
    if (notThis !== undefined) return;
    const options = { maxNewTokens: 3, doSample: false, stopAtEos: false } as const;
    const attentionMask = Tensor.leaf({ dtype: "bool", shape: [2, 4], data: Uint8Array.of(1, 1, 1, 1, 0, 0, 1, 1) }, [
      "batch",
      "pos",
    ]);
    const padded = rows([3, 14, 15, 9], [0, 0, 26, 5]);
    const why = await refusal(async () => {
      const together = (await model.generate(padded, { ...options, attentionMask })) as Tensor;
      const alone = (await model.generate(rows([26, 5]), options)) as Tensor;
      expect([...together.row(1).data].slice(2)).toEqual([...alone.data]);
    });
    if (predicts()) expect(why).toBeUndefined();
  });

  test("what is saved opens as the same", async () => {
    if (notThis !== undefined) return;
    await saved(model, async (folder) => {
      const again = await HookedTransformer.fromPretrainedNoProcessing(folder);
      expectClose(await again.forward(clean), await model.forward(clean), 1e-6);
    });
  });

  test("every analysis, once for families whose passes have the same points", async () => {
    if (notThis !== undefined) return;
    const points = [...recordingOf(model.cfg).points].map(
      ([point, { axes }]) => `${point.replace(/\d+/g, "")} [${axes}]`,
    );
    const kind = [...new Set(points)].sort().join();
    if (analysed.has(kind)) return;
    analysed.add(kind);
    let sound = 0;
    for (const analysis of ANALYSES) {
      const defaults = Object.entries(analysis.options).map(([option, record]) => [
        option,
        record.type === "flag" ? false : "default" in record ? record.default : undefined,
      ]);
      const few = "top" in analysis.options ? { top: 2 } : {};
      const options = {
        ...Object.fromEntries(defaults),
        ...few,
        ...OWN[analysis.name],
        ...(fillsMasks(model) ? masked(analysis.options) : {}),
      };
      const why = await refusal(() => analysis.run(model, options));
      if (why === undefined) sound++;
    }
    expect(sound).toBeGreaterThan(predicts() ? 9 : 5);
  });
});

describe.each(["t5-tiny", "t5_gated-tiny"])("%s, an encoder and a decoder", (name) => {
  let model: HookedEncoderDecoder;
  beforeAll(async () => {
    model = await HookedEncoderDecoder.fromPretrained(`${folders}${name}`, { tokenizer: wordTokenizer(97) });
  });

  test("gradients of every weight, edits of its graph, generation", async () => {
    const graph = model.graph(clean, { decoderInput: corrupted });
    const wrt = [...model.weights.entries()].map(([, weight]) => weight);
    const gradients = await model.compute(grad(metric(graph.output), wrt, { unused: "zero" }));
    expect(unsound(gradients)).toBeUndefined();
    expect(gradients.filter(({ data }) => data.some((x: number) => x !== 0)).length).toBeGreaterThan(wrt.length / 2);
    for (const point of ["encoder.0.hook_attn_out", "decoder.0.hook_cross_attn_out"]) {
      const edited = graph.with([[point, (x) => x.mul(0)]]);
      const [before, after] = await model.compute([graph.output, edited.output]);
      expect(unsound([before, after])).toBeUndefined();
      expect(after.data).not.toEqual(before.data);
    }
    const made = (await model.generate(clean, { maxNewTokens: 2, doSample: false, stopAtEos: false })) as Tensor;
    expect(made.shape).toEqual([1, 3]);
  });

  test("what is saved opens as the same, and so does what the constructor is given", async () => {
    const pass = (of: HookedEncoderDecoder) => of.forward(clean, { decoderInput: corrupted });
    const expected = await pass(model);
    await saved(model, async (folder) => {
      const again = await HookedEncoderDecoder.fromPretrained(folder);
      expect({ ...again.cfg, modelName: "", originalArchitecture: "" }).toEqual({
        ...model.cfg,
        ...{ modelName: "", originalArchitecture: "", tokenizerName: null },
      });
      expectClose(await pass(again), expected, 1e-6);
      expect((await refusal(() => HookedTransformer.fromPretrained(folder))) ?? "").toContain("HookedEncoderDecoder");
    });
    expectClose(await pass(new HookedEncoderDecoder(model.cfg, arraysOf(model))), expected, 1e-6);
  });

  test("each analysis says that it is for one stack of blocks", async () => {
    for (const analysis of ANALYSES) {
      const defaults = Object.entries(analysis.options).flatMap(([option, record]) =>
        "default" in record ? [[option, record.default]] : [],
      );
      const options = { ...Object.fromEntries(defaults), ...OWN[analysis.name] };
      const why = await refusal(async () => analysis.run(model as never, options));
      expect(why, analysis.name).toMatch(/is for models with one stack of blocks, but t5/);
    }
  });
});

test("an analysis that needs folded norms says why a family's cannot be", async () => {
  const opened = await HookedTransformer.fromPretrained(`${folders}stablelm_parallel-tiny`);
  await expect(measureDiffuseMlp(opened, { prompts: [[1, 2, 3]] })).rejects.toThrow(
    /which stablelm_parallel-tiny does not allow \(fold_ln is left out: blocks\.0\.mlp\.W_gate has no bias/,
  );
});
