/** Patching a dictionary's features, compared with runs that have hooks on them, and with SAELens' gradients. */
import { beforeAll, describe, expect, test } from "vitest";
import {
  Dictionary,
  type FeaturePatchingMeasurement,
  type Hook,
  HookedTransformer,
  measureActivationPatching,
  measureFeaturePatching,
  randn,
  type Tensor,
} from "../../src/node.ts";
import * as goldens from "../dictionaries/goldens.ts";
import { randomDictionary } from "../dictionaries/random-dictionary.ts";
import { smallModel } from "../lens/small-model.ts";

const POINT = "blocks.0.hook_mlp_out";
const CLEAN = "My sister was angry, because";
const CORRUPTED = "My brother was angry, because";
let model: HookedTransformer;
let sae: Dictionary;
let found: FeaturePatchingMeasurement;
beforeAll(async () => {
  model = await HookedTransformer.fromPretrained("solu-1l-novels");
  sae = await Dictionary.fromPretrained("solu-1l-novels", { id: "sae" });
  found = await measureFeaturePatching(model, { clean: CLEAN, corrupted: CORRUPTED });
});

/** The whole of a measurement that is patched together. */
const together = (of: FeaturePatchingMeasurement, what: "features" | "error" | "whole", pos: number | null = null) =>
  of.together.at({ what, pos });

/** A value with one of another run in its place. */
const instead =
  (value: Tensor): Hook[1] =>
  () =>
    value;

describe("patching features of the bundled model", () => {
  const names = ["acts_post", "error", "output"].map((name) => `${POINT}.hook_sae_${name}`);
  const [ACTS, ERROR, OUTPUT] = names;
  const view = () => model.withDictionaries(sae, { useErrorTerm: true });
  const cached = async (prompt: string) => (await view().runWithCache(prompt, { namesFilter: names }))[1];

  /** " she" over " he" after the corrupted prompt, by a plain run. */
  async function difference(fwdHooks: Hook[], on: HookedTransformer = view()): Promise<number> {
    const logits = await on.runWithHooks(CORRUPTED, { fwdHooks });
    const last = logits.shape[1] - 1;
    return logits.get(0, last, model.toSingleToken(" she")) - logits.get(0, last, model.toSingleToken(" he"));
  }

  test("is of those that differ between the two runs, with their activations", async () => {
    const [clean, corrupted] = [(await cached(CLEAN)).get(ACTS), (await cached(CORRUPTED)).get(ACTS)];
    for (const row of found) {
      expect(row.clean).toBeCloseTo(clean.get(0, row.pos, row.d_sae), 4);
      expect(row.corrupted).toBeCloseTo(corrupted.get(0, row.pos, row.d_sae), 4);
    }
    const count = Array.from(clean.data).filter((x, i) => Math.abs(x - corrupted.data[i]) > 1e-4).length;
    expect(found.length).toBe(count);
    // The prompts are the same before the word that differs.
    expect(Math.min(...found.rows.map(({ pos }) => pos))).toBe(2);
  });

  test("changes what a run with a hook on the feature changes", async () => {
    const before = await difference([]);
    expect(found.corruptedMetric).toBeCloseTo(before, 4);
    const some = found.top(3, (row) => Math.abs(row.patched!)).rows;
    expect(Math.abs(some[2].patched!)).toBeGreaterThan(0.02);
    for (const { pos, d_sae, clean, patched, regained } of some) {
      const after = await difference([[ACTS, (acts) => acts.set({ pos, d_sae }, clean)]]);
      expect(patched).toBeCloseTo(after - before, 4);
      expect(regained).toBeCloseTo((after - before) / (found.cleanMetric - found.corruptedMetric), 4);
    }
  });

  test("together is a run with hooks on all of them, and with what the dictionary misses the whole hook point", async () => {
    const cache = await cached(CLEAN);
    const before = await difference([]);
    const features: Hook = [ACTS, instead(cache.get(ACTS))];
    const error: Hook = [ERROR, instead(cache.get(ERROR))];
    expect(together(found, "features").patched).toBeCloseTo((await difference([features])) - before, 4);
    expect(together(found, "error").patched).toBeCloseTo((await difference([error])) - before, 4);
    const both = (await difference([features, error])) - before;
    expect(together(found, "whole").patched).toBeCloseTo(both, 4);
    const whole = await difference([[POINT, instead(cache.get(OUTPUT))]], model);
    expect(together(found, "whole").patched).toBeCloseTo(whole - before, 4);
  });

  test("regains at each position, as the whole hook point, what activation patching of it does", async () => {
    const patching = await measureActivationPatching(model, {
      ...{ clean: CLEAN, corrupted: CORRUPTED, sites: ["mlp_out"] },
    });
    for (const { pos, regained } of patching) {
      const here = found.together.where({ what: "whole", pos: pos! }).rows;
      expect(here[0]?.regained ?? 0).toBeCloseTo(regained, 4);
    }
    expect(found.together.where({ what: "features" }).length).toBe(6);
  });

  test("of which only some are patched: the largest estimates, and as many drawn by a seed", async () => {
    const asked = { clean: CLEAN, corrupted: CORRUPTED, patches: 8 };
    const some = await measureFeaturePatching(model, { ...asked, seed: 3 });
    const of = (group: string | null) => some.rows.filter((row) => row.group === group);
    expect([of("largest estimates").length, of("drawn at random").length]).toEqual([4, 4]);
    const sizes = of("largest estimates").map(({ estimated }) => Math.abs(estimated));
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(Math.max(...of(null).map((row) => Math.abs(row.estimated))));
    expect(of(null).every(({ patched, regained }) => patched === null && regained === null)).toBe(true);
    const again = await measureFeaturePatching(model, { ...asked, seed: 4 });
    expect(again.rows.map(({ group }) => group)).not.toEqual(some.rows.map(({ group }) => group));
  });

  test("says how far it is, up to the end", async () => {
    const seen: number[] = [];
    let total = 0;
    await measureFeaturePatching(model, {
      patches: 10,
      onProgress: (progress) => {
        seen.push(progress.done);
        total = progress.total;
      },
    });
    expect(total).toBe(10 + 3 * (1 + 5));
    expect(seen.at(-1)).toBe(total);
    expect([...seen].sort((a, b) => a - b)).toEqual(seen);
  });
});

describe("the estimate", () => {
  const contrast = { clean: [5, 1, 4, 2], corrupted: [5, 0, 4, 2], answer: 3, wrong: 0 };

  test("is exact where everything after the features is linear", async () => {
    const linear = smallModel(1, { normalization_type: null });
    const dictionary = randomDictionary("blocks.1.hook_resid_post", linear.cfg.dModel);
    const { rows } = await measureFeaturePatching(linear, { ...contrast, dictionary });
    const largest = Math.max(...rows.map(({ patched }) => Math.abs(patched!)));
    expect(largest).toBeGreaterThan(0.1);
    for (const { patched, estimated } of rows) expect(Math.abs(patched! - estimated)).toBeLessThan(1e-5 * largest);
  });

  test("is the slope of what a part of the way to the clean activation changes, where it is not", async () => {
    const small = smallModel();
    const dictionary = randomDictionary("blocks.0.hook_resid_mid", small.cfg.dModel);
    const measured = await measureFeaturePatching(small, { ...contrast, dictionary });
    const [{ pos, d_sae, clean, corrupted, estimated, patched }] = measured.top(1, (row) => Math.abs(row.estimated));
    const step = 1e-2;
    const at = async (share: number) => {
      const value = corrupted + share * (clean - corrupted);
      const hook: Hook = ["blocks.0.hook_resid_mid.hook_sae_acts_post", (acts) => acts.set({ pos, d_sae }, value)];
      const view = small.withDictionaries(dictionary, { useErrorTerm: true });
      const logits = await view.runWithHooks([contrast.corrupted], { fwdHooks: [hook] });
      return logits.get(0, 3, contrast.answer) - logits.get(0, 3, contrast.wrong);
    };
    const slope = ((await at(step)) - (await at(-step))) / (2 * step);
    expect(Math.abs(estimated - slope)).toBeLessThan(1e-2 * Math.abs(slope));
    expect(patched).toBeCloseTo((await at(1)) - (await at(0)), 4);
    // Later layers pass on what is at positions before the answer's.
    expect(measured.rows.some((row) => row.pos < 3 && Math.abs(row.patched!) > 1e-2)).toBe(true);
  });

  test.each([
    "gelu_3l.standard.resid_pre",
    "gelu_3l.topk.hook_z",
    "gelu_3l.jumprelu_transcoder",
    "llama_gqa_2l.gated.resid_pre",
  ])("has SAELens' gradient and activations, and sums to the hook point's: %s", async (name) => {
    const { model: host, hook_name, hook_name_out } = goldens.index.saes[name];
    const { model, tokens, metric } = await goldens.goldenModel(host);
    const dictionary = await Dictionary.fromPretrained(goldens.at(`saes/${name}`));
    const at = hook_name_out ?? hook_name;
    const expected = await goldens.arrays(`saes/${name}.expected.safetensors`);
    const acts = expected.get(`error.cache.${at}.hook_sae_acts_post`)!;
    const slope = expected.get(`error.grad.${at}.hook_sae_acts_post`)!;
    const [, length, dSae] = acts.shape;
    // Each prompt has the other's activations.
    const clean = await tokens.at({ batch: [1, 0] }).compute();
    const asked = { clean, corrupted: tokens, metric, dictionary, patches: 2 };
    const measured = await measureFeaturePatching(model, asked);
    const largest = Math.max(...measured.rows.map(({ estimated }) => Math.abs(estimated)));
    let sum = 0;
    for (let pos = 0; pos < length; pos++) {
      for (let d_sae = 0; d_sae < dSae; d_sae++) {
        const [first, second] = [0, 1].map((row) => (row * length + pos) * dSae + d_sae);
        const apart = acts.data[second] - acts.data[first];
        const estimated = apart * (slope.data[first] - slope.data[second]);
        sum += estimated;
        const row = measured.where({ pos, d_sae }).rows[0];
        expect(Math.abs((row?.estimated ?? 0) - estimated)).toBeLessThan(1e-4 * largest);
      }
    }
    const of = (what: "features" | "error" | "whole") => together(measured, what).estimated;
    expect(Math.abs(of("features") - sum)).toBeLessThan(1e-3 * largest);
    expect(Math.abs(of("features") + of("error") - of("whole"))).toBeLessThan(1e-3 * largest);
  });
});

describe("features and what the dictionary misses are the whole hook point", () => {
  test.each([
    ["an autoencoder of a layer between others", "standard.mlp_out", true],
    ["a transcoder", "transcoder", true],
    ["one of heads", "gated.hook_z", true],
    ["one with a skip connection, which carries a part", "skip_transcoder", false],
    ["one with normalised input, whose scale is a part", "topk_layer_norm.resid_pre", false],
  ])("%s", async (_what, name, isAll) => {
    const { model, tokens, metric } = await goldens.goldenModel("gelu_3l");
    const dictionary = await Dictionary.fromPretrained(goldens.at(`saes/gelu_3l.${name}`));
    const clean = await tokens.at({ batch: [1, 0] }).compute();
    const measured = await measureFeaturePatching(model, { clean, corrupted: tokens, metric, dictionary, patches: 2 });
    const view = model.withDictionaries(dictionary, { useErrorTerm: true });
    const points = ["acts_post", "error"].map((point) => `${measured.hook}.hook_sae_${point}`);
    const [, cache] = await view.runWithCache(clean, { namesFilter: points });
    const fwdHooks = points.map((point): Hook => [point, instead(cache.get(point))]);
    const after = await metric(await view.runWithHooks(tokens, { fwdHooks })).compute();
    const whole = together(measured, "whole").patched;
    const apart = Math.abs(after.item() - measured.corruptedMetric - whole);
    if (isAll) expect(apart).toBeLessThan(2e-4);
    else expect(apart).toBeGreaterThan(1e-2);
    expect(Math.abs(whole)).toBeGreaterThan(1e-2);
  });

  test("of a dictionary of one head, that head alone", async () => {
    const small = smallModel();
    const contrast = { clean: [5, 1, 4, 2], corrupted: [5, 0, 4, 2], answer: 3, wrong: 0 };
    const [dIn, dSae] = [small.cfg.dHead, 6];
    const cfg = { architecture: "standard", dIn, dSae, hookName: "blocks.0.attn.hook_z", hookHeadIndex: 1 } as const;
    const weights = {
      ...{ W_enc: randn([dIn, dSae]), b_enc: randn([dSae]) },
      ...{ W_dec: randn([dSae, dIn], { seed: 1 }), b_dec: randn([dIn]) },
    };
    const dictionary = new Dictionary(cfg, new Map(Object.entries(weights)));
    const measured = await measureFeaturePatching(small, { ...contrast, dictionary });
    const heads = await measureActivationPatching(small, { ...contrast, sites: ["z"] });
    const { regained } = heads.at({ layer: 0, head: 1 });
    expect(Math.abs(regained)).toBeGreaterThan(1e-3);
    expect(together(measured, "whole").regained).toBeCloseTo(regained, 4);
  });
});

test("a model whose features do not differ has none to patch", async () => {
  const small = smallModel();
  const { dModel } = small.cfg;
  const never = new Map(randomDictionary(POINT, dModel).weights);
  never.set("b_enc", randn([12]).mul(0).sub(1e4));
  const numbers = await Promise.all([...never].map(async ([name, value]) => [name, await value.compute()] as const));
  const dictionary = new Dictionary(
    { architecture: "standard", dIn: dModel, dSae: 12, hookName: POINT },
    new Map(numbers.map(([name, value]) => [name, value.array!])),
  );
  const none = await measureFeaturePatching(small, {
    ...{ clean: [5, 1, 4, 2], corrupted: [5, 0, 4, 2], answer: 3, wrong: 0, dictionary },
  });
  expect(none.length).toBe(0);
  expect(together(none, "features").patched).toBe(0);
  expect(together(none, "error").patched).toBeCloseTo(together(none, "whole").patched, 4);
});

describe("measureFeaturePatching says", () => {
  test("that prompts must have as many tokens as each other, and lists them", async () => {
    await expect(measureFeaturePatching(model, { clean: "The queen said that" })).rejects.toThrow(
      /^The clean prompt has 6 tokens and the corrupted one 7, but patching copies position by position: .+$/,
    );
    const metric = (logits: Tensor) => logits.at({ pos: -1, d_vocab: 3 }).mean();
    const inputs = { clean: [[0, 1, 2]], corrupted: [[0, 1]], metric };
    await expect(measureFeaturePatching(model, inputs)).rejects.toThrow("the same number of tokens");
  });

  test("that a model without a dictionary needs one, and which hook points one of another width would fit", async () => {
    const contrast = { clean: [5, 1], corrupted: [5, 0], answer: 3, wrong: 0 };
    await expect(measureFeaturePatching(smallModel(), contrast)).rejects.toThrow(
      /^No dictionary of .+ is named, and only solu-1l-novels comes with some: name one \(dictionary; --dictionary\), .+\.$/,
    );
    await expect(measureFeaturePatching(smallModel(), { ...contrast, dictionary: sae })).rejects.toThrow(
      /^The dictionary .+ is of width 256, but "blocks\.0\.hook_mlp_out" of .+ is .+\?$/,
    );
  });

  test("that a dictionary at hand has no id, and that a metric and answers do not go together", async () => {
    await expect(measureFeaturePatching(model, { dictionary: sae, dictionaryId: "sae" })).rejects.toThrow(
      "so that dictionaryId means nothing: leave it out",
    );
    const metric = (logits: Tensor) => logits.mean();
    await expect(measureFeaturePatching(model, { metric, answer: " she" })).rejects.toThrow("not both");
  });
});
