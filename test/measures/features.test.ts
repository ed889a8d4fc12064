/** Features of a prompt: what each writes, and what removing it costs, compared with runs that say so by other means. */
import { beforeAll, describe, expect, test } from "vitest";
import { Dictionary, type FeaturesMeasurement, type Hook, HookedTransformer, measureFeatures } from "../../src/node.ts";
import { randomDictionary } from "../dictionaries/random-dictionary.ts";
import { smallModel } from "../lens/small-model.ts";

const POINT = "blocks.0.hook_mlp_out";
const PROMPT = "My sister was angry, because";
let model: HookedTransformer;
let sae: Dictionary;
let found: FeaturesMeasurement;
beforeAll(async () => {
  model = await HookedTransformer.fromPretrained("solu-1l-novels");
  sae = await Dictionary.fromPretrained("solu-1l-novels", { id: "sae" });
  found = await measureFeatures(model, { prompt: PROMPT, answer: " she" });
});

const sumOf = (numbers: ArrayLike<number>) => Array.from(numbers).reduce((sum, x) => sum + x, 0);

/** A feature's activation times a number at one position. */
const scaled = (pos: number, d_sae: number, by: number): Hook[] => [
  [`${POINT}.hook_sae_acts_post`, (acts) => acts.set({ pos, d_sae }, acts.at({ pos, d_sae }).mul(by))],
];

/** The loss of the prompt with " she" after it. */
async function lossWith(fwdHooks: Hook[]): Promise<number> {
  const view = model.withDictionaries(sae, { useErrorTerm: true });
  const losses = await view.runWithHooks(`${PROMPT} she`, { fwdHooks, returnType: "loss", lossPerToken: true });
  return sumOf(losses.data);
}

describe("features of a prompt", () => {
  test("are those of the dictionary, without BOS", async () => {
    const [, cache] = await model.withDictionaries(sae).runWithCache(PROMPT);
    const acts = cache.get(`${POINT}.hook_sae_acts_post`);
    expect(found.positions.length).toBe(acts.shape[1] - 1);
    for (const { pos, d_sae, activation } of found) expect(activation).toBeCloseTo(acts.get(0, pos, d_sae), 4);
    for (const { pos, fires } of found.positions) expect(fires).toBe(found.where({ pos }).length);
    expect(found.positions.rows.every(({ fires }) => fires === 16)).toBe(true);
  });

  test("cost what a run without them loses", async () => {
    const clean = await lossWith([]);
    expect(found.loss).toBeCloseTo(clean, 3);
    for (const { pos, d_sae, cost } of found.top(3, (row) => Math.abs(row.cost!))) {
      expect(cost).toBeCloseTo((await lossWith(scaled(pos, d_sae, 0))) - clean, 3);
    }
  });

  test("are estimated by what a small change of them does", async () => {
    const [first] = found.top(1, (row) => Math.abs(row.estimated));
    const step = 0.02;
    const [less, more] = [1 - step, 1 + step].map((by) => lossWith(scaled(first.pos, first.d_sae, by)));
    expect(first.estimated).toBeCloseTo(((await less) - (await more)) / (2 * step), 2);
  });

  test("write what the next token's logit loses without them while the final norm is held", async () => {
    const view = model.withDictionaries(sae, { useErrorTerm: true });
    const [logits, cache] = await view.runWithCache(PROMPT);
    const held: Hook = ["ln_final.hook_scale", () => cache.get("ln_final.hook_scale")];
    const last = found.positions.length;
    const id = model.toSingleToken(" she");
    const centred = ({ data }: { data: ArrayLike<number> }) => {
      const row = Array.from(data).slice(-model.cfg.dVocab);
      return row[id] - row.reduce((sum, x) => sum + x, 0) / row.length;
    };
    for (const { d_sae, writes } of found.where({ pos: last }).top(3, (row) => Math.abs(row.writes!))) {
      const without = await view.runWithHooks(PROMPT, { fwdHooks: [...scaled(last, d_sae, 0), held] });
      expect(writes).toBeCloseTo(centred(logits) - centred(without), 3);
    }
  });

  test("and what the dictionary misses and its bias sum to what the hook point writes", async () => {
    const [, cache] = await model.runWithCache(PROMPT, { namesFilter: "ln_final.hook_scale" });
    const [dModel, dVocab] = model.W_U.shape;
    const b_dec = sae.weights.get("b_dec")!;
    for (const { pos, next, whole, error } of found.positions) {
      const id = model.toSingleToken(next);
      const direction = Array.from({ length: dModel }, (_, i) => {
        const row = model.W_U.data.subarray(i * dVocab, (i + 1) * dVocab);
        return row[id] - sumOf(row) / dVocab;
      });
      const mean = sumOf(direction) / dModel;
      const bias =
        sumOf(direction.map((x, i) => (x - mean) * b_dec.get(i))) / cache.get("ln_final.hook_scale").get(0, pos, 0);
      const features = sumOf(found.where({ pos }).rows.map(({ writes }) => writes!));
      expect(features + error! + bias).toBeCloseTo(whole!, 3);
    }
  });

  test("stand out where the largest neuron does not, by the same share", () => {
    for (const { feature_share, neuron_share, largest_neuron } of found.positions) {
      expect(feature_share).toBeGreaterThan(neuron_share!);
      expect(largest_neuron).toMatch(/^L0N\d+$/);
    }
  });

  test("of which only some are removed: the largest estimates, and as many drawn by a seed", async () => {
    const some = await measureFeatures(model, { prompt: PROMPT, removals: 8, seed: 3 });
    const groups = some.rows.map(({ group }) => group);
    expect(groups.filter((group) => group === "largest estimates")).toHaveLength(4);
    expect(groups.filter((group) => group === "drawn at random")).toHaveLength(4);
    const sizes = (of: string | null) =>
      some.rows.filter(({ group }) => group === of).map((row) => Math.abs(row.estimated));
    expect(Math.min(...sizes("largest estimates"))).toBeGreaterThanOrEqual(Math.max(...sizes(null)));
    const again = await measureFeatures(model, { prompt: PROMPT, removals: 8, seed: 4 });
    expect(again.rows.map(({ group }) => group)).not.toEqual(groups);
  });

  test("of a dictionary between layers respond in later ones, and of one outside the stream write nothing", async () => {
    const small = smallModel();
    const prompt = [1, 4, 2, 5];
    const answer = 3;
    const { dModel, dMlp } = small.cfg;
    const mid = await measureFeatures(small, {
      prompt,
      answer,
      dictionary: randomDictionary("blocks.0.hook_resid_mid", dModel),
    });
    expect(mid.rows.some(({ cost, pos }) => pos < 3 && Math.abs(cost!) > 1e-3)).toBe(true);
    expect(mid.positions.rows.every(({ neuron_share }) => neuron_share === null)).toBe(true);
    const post = await measureFeatures(small, {
      prompt,
      answer,
      dictionary: randomDictionary("blocks.0.mlp.hook_post", dMlp!),
    });
    expect(post.rows.every(({ writes }) => writes === null)).toBe(true);
    expect(post.positions.rows.every(({ feature_share }) => feature_share === null)).toBe(true);
  });
});

describe("measureFeatures says", () => {
  test("that a model without a dictionary needs one", async () => {
    await expect(measureFeatures(smallModel(), { prompt: [1, 2] })).rejects.toThrow(
      /^No dictionary of .+ is named, and only solu-1l-novels comes with some: name one \(dictionary; --dictionary\), .+\.$/,
    );
  });

  test("which ids there are, and that one of a dictionary at hand means nothing", async () => {
    await expect(measureFeatures(model, { dictionaryId: "sea" })).rejects.toThrow(/"sea".*sae/);
    await expect(measureFeatures(model, { dictionary: sae, dictionaryId: "sae" })).rejects.toThrow(
      "so that dictionaryId means nothing: leave it out",
    );
  });

  test("which hook points a dictionary of another width would fit", async () => {
    const gelu = await HookedTransformer.fromPretrained("gelu-3l-novels");
    await expect(measureFeatures(gelu, { dictionary: sae })).rejects.toThrow("is of width 256");
  });
});
