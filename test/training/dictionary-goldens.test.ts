/** Training dictionaries: losses, gradients and steps are SAELens' own, for every kind that it trains. */
import { afterAll, describe, expect, test } from "vitest";
import { Engine } from "../../src/engine/engine.ts";
import { nodeBackend } from "../../src/engine/ort-node.ts";
import { grad } from "../../src/graph/rewrite/grad.ts";
import { Tensor } from "../../src/graph/tensor.ts";
import type { NDArray } from "../../src/tensor/array.ts";
import { configWhileTrained } from "../../src/training/dictionaries/config.ts";
import { TRAINING_KINDS, type TrainingKindName } from "../../src/training/dictionaries/kinds.ts";
import { oneDictionary, traceDictionary } from "../../src/training/dictionaries/one-dictionary.ts";
import { coefficientAt, dictionaryRate, Firing } from "../../src/training/dictionaries/schedules.ts";
import { LOSS_DEFAULTS, type LossSettings } from "../../src/training/dictionaries/settings.ts";
import { makeDictionaryStep } from "../../src/training/dictionaries/step.ts";
import { makeOptimizer } from "../../src/training/optimizer.ts";
import { freshMemory, type StepState } from "../../src/training/step.ts";
import { arrays, index } from "../dictionaries/goldens.ts";

const engine = new Engine(nodeBackend({ threads: 1 }));
afterAll(() => engine.dispose());

const camel = (name: string) => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** The kind, configuration and settings of one of the goldens. */
function trainingOf(name: string) {
  const { config } = index.training[name];
  const kind = config.architecture as TrainingKindName;
  const cfg = configWhileTrained({
    ...{ kind, dIn: config.d_in, dSae: config.d_sae, applyBDecToInput: config.apply_b_dec_to_input },
    k: config.k,
  });
  const known = Object.entries(config).filter(([key]) => camel(key) in LOSS_DEFAULTS);
  const settings: LossSettings = { ...LOSS_DEFAULTS, ...Object.fromEntries(known.map(([k, v]) => [camel(k), v])) };
  return { kind, cfg, settings };
}

const under = (all: ReadonlyMap<string, NDArray>, prefix: string) =>
  new Map([...all].filter(([key]) => key.startsWith(prefix)).map(([key, array]) => [key.slice(prefix.length), array]));

/** The largest difference, over the largest of the expected numbers. */
function off(found: { readonly data: ArrayLike<number> }, expected: NDArray): number {
  const numbers = Float64Array.from(expected.data);
  const most = numbers.reduce((m, x) => Math.max(m, Math.abs(x)), 0) || 1;
  return numbers.reduce((worst, x, i) => Math.max(worst, Math.abs(found.data[i] - x) / most), 0);
}

const names = Object.keys(index.training).filter((name) => name !== "notes");

test("every kind that can be trained has its goldens", () => {
  const kinds = new Set(names.map((name) => index.training[name].config.architecture));
  expect([...kinds].sort()).toEqual(Object.keys(TRAINING_KINDS).sort());
});

describe.each(names)("%s", (name) => {
  const training = trainingOf(name);
  const expected = index.training[name];

  test("has the losses, features and gradients of a batch with dead features", async () => {
    const all = await arrays(`training/${name}.safetensors`);
    const weights = [...under(all, "init.")].filter(([key]) => key !== "topk_threshold");
    const leaves = new Map(weights.map(([key, array]) => [key, Tensor.leaf(array, [], "weight", key)]));
    const batches = all.get("batches")!;
    const [, token, d_in] = batches.shape;
    const x = Tensor.leaf(
      { dtype: "float32", shape: [token, d_in], data: (batches.data as Float32Array).slice(0, token * d_in) },
      ["token", "d_in"],
    );
    const dead = Tensor.leaf(all.get("dead_mask")!).cast("float32");
    const { settings } = training;
    const coefficient =
      TRAINING_KINDS[training.kind].coefficient === "l1" ? settings.l1Coefficient : settings.l0Coefficient;
    const traced = traceDictionary(training, leaves, { x, target: x, dead, coefficient: x.constant(coefficient) });
    const keys = [...leaves.keys()];
    const gradients = grad(traced.loss, [...leaves.values()]);
    const parts = Object.keys(traced.losses);
    const values = await engine.run([
      ...[
        traced.loss,
        ...Object.values(traced.losses),
        traced.encoded.pre,
        traced.of.norms,
        traced.encoded.acts,
        traced.made,
      ],
      ...gradients,
    ]);
    const found = { loss: values[0].item(), ...Object.fromEntries(parts.map((p, i) => [p, values[i + 1].item()])) };
    for (const [key, value] of Object.entries(expected.first_with_dead_mask as Record<string, number>)) {
      expect(Math.abs(found[key as "loss"] - value) / value, key).toBeLessThan(2e-5);
    }
    const [pre, norms, acts, made, ...grads] = values.slice(parts.length + 1);
    // SAELens' pre-activations are those that it compares.
    const { dSae, rescaleActsByDecoderNorm } = training.cfg;
    const compared = pre.data.map((x: number, i: number) => (rescaleActsByDecoderNorm ? x * norms.data[i % dSae] : x));
    expect(off({ data: compared }, all.get("hidden_pre")!)).toBeLessThan(2e-5);
    expect(off(acts, all.get("feature_acts")!)).toBeLessThan(2e-5);
    expect(off(made, all.get("sae_out")!)).toBeLessThan(2e-5);
    for (const [i, key] of keys.entries()) expect(off(grads[i], all.get(`grad.${key}`)!), key).toBeLessThan(1e-4);
  });

  test("goes through five steps as SAELens' trainer does", async () => {
    const all = await arrays(`training/${name}.safetensors`);
    const batches = all.get("batches")!;
    const [steps, token, d_in] = batches.shape;
    const optimizer = makeOptimizer("adam", { betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, momentum: 0 });
    const step = await makeDictionaryStep(
      { trainee: oneDictionary(training), optimizer, maxGradNorm: 1 },
      engine,
      token,
    );
    const weights = new Map([...under(all, "init.")].filter(([key]) => key !== "topk_threshold"));
    let state: StepState = { weights, memory: freshMemory(optimizer, weights) };
    const firing = new Firing(training.cfg.dSae, 1);
    let threshold = all.get("init.topk_threshold")?.data[0] ?? 0;
    for (let i = 0; i < steps; i++) {
      const data = (batches.data as Float32Array).slice(i * token * d_in, (i + 1) * token * d_in);
      const x: NDArray<"float32"> = { dtype: "float32", shape: [token, d_in], data };
      const dead: NDArray<"float32"> = { dtype: "float32", shape: [training.cfg.dSae], data: firing.dead() };
      const said = expected.steps[i];
      const rate = { lr: 0.01, schedule: "constant", warmUpSteps: 2, decaySteps: 2, steps } as const;
      const lr = dictionaryRate(i, rate);
      const coefficient = coefficientAt(i, training.kind, training.settings);
      expect(lr).toBeCloseTo(said.lr, 9);
      for (const value of Object.values(said.coefficients as Record<string, number>))
        expect(coefficient).toBeCloseTo(value, 9);
      expect(firing.deadCount).toBe(said.dead);
      const result = await step(state, {
        x,
        target: x,
        dead: said.dead > 0 ? dead : null,
        coefficient,
        lr,
        number: i + 1,
      });
      for (const [key, value] of Object.entries(said as Record<string, number>)) {
        if (!key.endsWith("loss") && !/_loss_\d+$/.test(key)) continue;
        expect(Math.abs(result.losses[key] - value), `${key} of step ${i}`).toBeLessThan(1e-4 * Math.max(1, value));
      }
      expect(firing.add(result.fired, token)).toBeCloseTo(said.l0, 5);
      threshold = 0.99 * threshold + 0.01 * result.least;
      state = result.state;
    }
    for (const [key, array] of state.weights) expect(off(array, all.get(`final.${key}`)!), key).toBeLessThan(1e-4);
    expect([...firing.stepsSince]).toEqual([...all.get("n_forward_passes_since_fired")!.data]);
    expect([...firing.counts]).toEqual([...all.get("act_freq_scores")!.data]);
    const last = all.get("final.topk_threshold");
    if (last) expect(Math.abs(threshold - last.data[0])).toBeLessThan(1e-6);
  });
});

describe.each(Object.keys(index.saes).filter((name) => name.includes("batchtopk")))(
  "the weights of %s before they were saved",
  (name) => {
    test("give a batch's features and what they decode to, compared over all its tokens", async () => {
      const { model, hook_name } = index.saes[name];
      const raw = await arrays(`saes/${name}/training_weights.safetensors`);
      const kind: TrainingKindName = name.includes("matryoshka") ? "matryoshka_batchtopk" : "batchtopk";
      const [dIn, dSae] = raw.get("W_enc")!.shape;
      const tokens = raw.get("encoded")!.shape[0];
      const cfg = configWhileTrained({ kind, dIn, dSae, k: 6 });
      const cache = (await arrays(`${model}.safetensors`)).get(`cache.${hook_name}`)!;
      const x = Tensor.leaf({ ...cache, shape: [tokens, dIn] } as NDArray, ["token", "d_in"]);
      const leaves = new Map([...raw].map(([key, array]) => [key, Tensor.leaf(array, [], "weight", key)]));
      const fed = { x, target: x, dead: null, coefficient: x.constant(0) };
      const { encoded, made } = traceDictionary({ kind, cfg, settings: LOSS_DEFAULTS }, leaves, fed);
      const [acts, decoded] = await engine.run([encoded.acts, made]);
      expect(off(acts, raw.get("encoded")!)).toBeLessThan(2e-5);
      expect(off(decoded, raw.get("decoded")!)).toBeLessThan(2e-5);
    });
  },
);
