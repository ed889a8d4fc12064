/** Steering with a feature: each run is one with a hook on the feature, and random features are ones that write as much. */
import { beforeAll, describe, expect, test } from "vitest";
import {
  Dictionary,
  type FeatureSteeringMeasurement,
  featureSteering,
  type Hook,
  HookedTransformer,
  measureFeatureSteering,
} from "../../src/node.ts";
import { randomDictionary } from "../dictionaries/random-dictionary.ts";
import { smallModel } from "../lens/small-model.ts";

const POINT = "blocks.0.hook_mlp_out";
const PROMPT = "The old sailor told us that";
const OPTIONS = { prompt: PROMPT, feature: 442, value: 8, values: 3, tokens: 6, random: 4 };
let model: HookedTransformer;
let view: HookedTransformer;
let found: FeatureSteeringMeasurement;
beforeAll(async () => {
  model = await HookedTransformer.fromPretrained("solu-1l-novels");
  const sae = await Dictionary.fromPretrained("solu-1l-novels", { id: "sae" });
  view = model.withDictionaries(sae, { useErrorTerm: true });
  found = await measureFeatureSteering(model, OPTIONS);
});

/** Holds a feature at every token but BOS, which is the first of the whole text. */
const held = (feature: number, value: number): Hook[] => [
  [`${POINT}.hook_sae_acts_post`, (acts) => acts.set({ pos: { start: 1 }, d_sae: feature }, value)],
];

async function logProbs(text: string | readonly number[], fwdHooks: Hook[]): Promise<Float32Array> {
  const logits = await view.runWithHooks(text as string, { fwdHooks });
  return (await logits.at({ batch: 0, pos: -1 }).logSoftmax(-1).compute()).data as Float32Array;
}
const divergence = (p: Float32Array, q: Float32Array) =>
  p.reduce((sum, log, id) => sum + Math.exp(log) * (log - q[id]), 0);

describe("a feature held at values", () => {
  test("predicts what a run with a hook on it predicts", async () => {
    const clean = await logProbs(PROMPT, []);
    expect(found.rows.map((row) => row.held)).toEqual([null, 0, 4, 8]);
    for (const row of found) {
      const q = row.held === null ? clean : await logProbs(PROMPT, held(442, row.held));
      expect(row.divergence).toBeCloseTo(divergence(clean, q), 4);
      expect(row.probability).toBeCloseTo(Math.exp(Math.max(...q)), 4);
    }
    const steered = await logProbs(PROMPT, held(442, 8));
    for (const id of [0, 100, 4000]) {
      expect(found.tokens.rows[id].before).toBeCloseTo(Math.exp(clean[id]), 5);
      expect(found.tokens.rows[id].after).toBeCloseTo(Math.exp(steered[id]), 5);
    }
  });

  test("writes what whole runs with that hook write, one token after another", async () => {
    for (const row of found.rows) {
      const ids = [...(await model.toTokens(PROMPT)).data];
      const start = ids.length;
      for (let i = 0; i < 6; i++) {
        const next = await logProbs(ids, row.held === null ? [] : held(442, row.held));
        ids.push(next.indexOf(Math.max(...next)));
      }
      expect(row.text).toBe(model.text!.decode(ids.slice(start)));
      const losses = await model.forward(ids, { returnType: "loss", lossPerToken: true });
      const own = [...losses.data].slice(start - 1);
      expect(row.surprise).toBeCloseTo(own.reduce((a, b) => a + b) / own.length, 4);
    }
  });

  test("at its own activations changes nothing where it has one value: silent features held at 0", async () => {
    const silent = await measureFeatureSteering(model, { ...OPTIONS, feature: 3 });
    expect(silent.largest).toBe(0);
    expect(silent.rows[1].divergence).toBeCloseTo(0, 5);
    expect(silent.rows[1].text).toBe(silent.rows[0].text);
  });

  test("is compared with random features that write as much", async () => {
    expect(found.controls).toHaveLength(4);
    const W_dec = (await Dictionary.fromPretrained("solu-1l-novels", { id: "sae" })).weights.get("W_dec")!;
    const norm = (f: number) => Math.hypot(...Array.from({ length: W_dec.shape[1] }, (_, i) => W_dec.get(f, i)));
    const clean = await logProbs(PROMPT, []);
    for (const { d_sae, held: value, divergence: moves } of found.controls) {
      expect(value * norm(d_sae)).toBeCloseTo(8 * norm(442), 3);
      expect(moves).toBeCloseTo(divergence(clean, await logProbs(PROMPT, held(d_sae, value))), 4);
    }
    const again = await measureFeatureSteering(model, OPTIONS);
    expect(again.controls.rows).toEqual(found.controls.rows);
    const other = await measureFeatureSteering(model, { ...OPTIONS, seed: 1 });
    expect(other.controls.rows).not.toEqual(found.controls.rows);
    expect(other.rows.map((row) => row.divergence)).toEqual(found.rows.map((row) => row.divergence));
  });

  test("is by default the one that adds most to what comes next, up to 4 times its own largest activation", async () => {
    const own = await measureFeatureSteering(model, { prompt: "The lady was so tired that", tokens: 1 });
    expect(own.feature).toBe(442);
    expect(own.rows.at(-1)!.held).toBeCloseTo(4 * own.largest, 4);
  });
});

describe("steering", () => {
  test("works with a random dictionary, of any model", async () => {
    const small = smallModel();
    const dictionary = randomDictionary("blocks.1.hook_mlp_out", small.cfg.dModel);
    const one = await measureFeatureSteering(small, { prompt: [1, 2, 3], dictionary, tokens: 2, random: 2, values: 2 });
    expect(one.rows).toHaveLength(3);
    expect(one.rows.every(({ text, surprise }) => text.length > 0 && surprise > 0)).toBe(true);
  });

  test("refuses what it cannot do in a sentence", async () => {
    const refused = (more: object) => expect(measureFeatureSteering(model, { ...OPTIONS, ...more })).rejects;
    await refused({ feature: 2048 }).toThrow(/feature/);
    await refused({ value: 0 }).toThrow(/value/);
    await refused({ tokens: 5000 }).toThrow(/context holds only/);
    await refused({ feature: 1, dictionary: randomDictionary("blocks.0.hook_mlp_out", 7) }).toThrow(/7/);
  });

  test("says what comes next and what is written, with what to compare it with", async () => {
    const { summary, tables } = await featureSteering(model, OPTIONS);
    expect(summary[0].text).toMatch(
      /^With feature 442 held at 8\.00, where it reaches 0\.92 by itself, it expects “ she” next \(45\.4 %; without, “ he” at 13\.7 %\)/,
    );
    expect(summary[0].figure!.comparedWith).toEqual(["the unchanged run", "random features"]);
    expect(tables.map(({ name }) => name)).toEqual(["values", "tokens"]);
  });
});
