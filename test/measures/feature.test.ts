/** A feature on a text: its activations, what is near it, and the neurons behind it. */
import { beforeAll, describe, expect, test } from "vitest";
import { Dictionary, type FeatureMeasurement, HookedTransformer, measureFeature } from "../../src/node.ts";
import { randomDictionary } from "../dictionaries/random-dictionary.ts";

const TEXT = {
  name: "two sentences",
  text: "My sister was angry, because she was tired. He went out, and the old man smiled.",
};
const FEATURE = 442;
let model: HookedTransformer;
let sae: Dictionary;
let found: FeatureMeasurement;
beforeAll(async () => {
  model = await HookedTransformer.fromPretrained("solu-1l-novels");
  sae = await Dictionary.fromPretrained("solu-1l-novels", { id: "sae" });
  found = await measureFeature(model, { feature: FEATURE, text: TEXT, top: 5 });
});

describe("a feature on a text", () => {
  test("has the activations of a run with the dictionary, and a density", async () => {
    const [, cache] = await model.withDictionaries(sae).runWithCache(TEXT.text);
    const acts = cache.get("blocks.0.hook_mlp_out.hook_sae_acts_post");
    expect(found.length).toBe(acts.shape[1] - 1);
    for (const { pos, activation } of found) expect(activation).toBeCloseTo(acts.get(0, pos + 1, FEATURE), 4);
    const firing = found.rows.filter(({ activation }) => activation > 0);
    expect(firing.length).toBeGreaterThan(0);
    expect(found.density).toBeCloseTo(firing.length / found.length, 6);
    expect(found.features.at({ d_sae: FEATURE }).density).toBeCloseTo(found.density, 6);
    const largest = Math.max(...firing.map(({ activation }) => activation));
    expect(found.quantiles!.at(-1)).toBe(largest);
    expect(found.examples.rows[0].activation).toBe(largest);
  });

  test("writes the tokens that its decoder row and the unembedding say", () => {
    const row = sae.weights.get("W_dec")!;
    const [dModel, dVocab] = model.W_U.shape;
    const effect = (id: number) => {
      let sum = 0;
      for (let i = 0; i < dModel; i++) sum += row.get(FEATURE, i) * model.W_U.data[i * dVocab + id];
      return sum;
    };
    const [{ token_up, effect_up }] = found.writes!.written;
    expect(token_up).toBe(" herself");
    expect(effect_up).toBeCloseTo(effect(model.toSingleToken(" herself")), 4);
  });

  test("is nearest to the features whose decoder rows have the largest cosine", () => {
    const { data, shape } = sae.weights.get("W_dec")!;
    const rowOf = (f: number) => Array.from(data.subarray(f * shape[1], (f + 1) * shape[1]));
    const cosine = (a: number[], b: number[]) =>
      a.reduce((sum, x, i) => sum + x * b[i], 0) / (Math.hypot(...a) * Math.hypot(...b));
    const own = rowOf(FEATURE);
    const all = Array.from({ length: shape[0] }, (_, f) => (f === FEATURE ? -1 : cosine(own, rowOf(f))));
    const best = all.indexOf(Math.max(...all));
    expect(found.nearest.rows[0].d_sae).toBe(best);
    expect(found.nearest.rows[0].cosine).toBeCloseTo(all[best], 5);
  });

  test("fires by what the neurons behind it, and biases, add: these sum to its pre-activation", async () => {
    const [, cache] = await model.withDictionaries(sae).runWithCache(TEXT.text);
    const pre = cache.get("blocks.0.hook_mlp_out.hook_sae_acts_pre");
    const firing = found.rows.filter(({ activation }) => activation > 0);
    const mean = firing.reduce((sum, { pos }) => sum + pre.get(0, pos + 1, FEATURE), 0) / firing.length;
    const onto = (x: ArrayLike<number>) =>
      Array.from(x).reduce((sum, value, i) => sum + value * sae.weights.get("W_enc")!.get(i, FEATURE), 0);
    const b_out = model.weights.get("blocks.0.mlp.b_out").data;
    const biases = onto(b_out) - onto(sae.weights.get("b_dec")!.data) + sae.weights.get("b_enc")!.get(FEATURE);
    expect(found.read! + biases).toBeCloseTo(mean, 3);
  });

  test("is by default one that fires often enough to be looked at, and not everywhere", async () => {
    const usual = await measureFeature(model);
    expect(usual.density).toBeLessThanOrEqual(0.05);
    expect(usual.rows.filter(({ activation }) => activation > 0).length).toBeGreaterThanOrEqual(5);
  });

  test("may never fire, and reads no neurons as a transcoder's", async () => {
    const silent = found.features.rows.find(({ density }) => density === 0)!.d_sae;
    const none = await measureFeature(model, { feature: silent, text: TEXT });
    expect(none).toMatchObject({ density: 0, quantiles: null, read: null });
    expect(none.examples.length).toBe(0);
    const other = await measureFeature(model, { dictionaryId: "transcoder", feature: 7, text: TEXT });
    expect(other).toMatchObject({ hook: "blocks.0.hook_mlp_out", read: null });
    expect(other.neurons.length).toBe(0);
  });

  test("outside the residual stream writes nothing in tokens", async () => {
    const post = randomDictionary("blocks.0.mlp.hook_post", model.cfg.dMlp!);
    const other = await measureFeature(model, { dictionary: post, feature: 1, text: TEXT });
    expect(other.writes).toBeNull();
    expect(other.examples.length).toBeGreaterThan(0);
    expect(other.examples.rows.map(({ next_effect }) => next_effect)).toEqual(other.examples.rows.map(() => null));
  });

  test("that does not exist is an error with those that do", async () => {
    await expect(measureFeature(model, { feature: 2048 })).rejects.toThrow(
      "feature must be a whole number from 0 to 2047, not 2048.",
    );
  });
});
