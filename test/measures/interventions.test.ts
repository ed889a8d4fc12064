/** Changes as data give what hooks written by hand give. */
import { beforeAll, describe, expect, test } from "vitest";
import type { GivenIntervention } from "../../src/measures/interventions/options.ts";
import { changedModel, interventionHooks } from "../../src/measures/interventions.ts";
import { ANALYSES, analysisCalled, type Finding, type Hook, HookedTransformer } from "../../src/node.ts";
import { type NDArray, ndarray } from "../../src/tensor/array.ts";
import { whyUnchanged } from "../../src/web-app/changed-run.ts";
import { CHANGES, NAME, OTHER, PROMPT } from "./changes.ts";

const Z = "blocks.1.attn.hook_z";
const POST = "blocks.0.mlp.hook_post";
const RESID = "blocks.1.hook_resid_post";

let model: HookedTransformer;
beforeAll(async () => {
  model = await HookedTransformer.fromPretrained(NAME);
});

const valuesAt = async (prompt: string, point: string) => (await model.runWithCache(prompt))[1].get(point);
const logitsOf = async (fwdHooks: readonly Hook[]) =>
  Array.from((await model.runWithHooks(PROMPT, { fwdHooks, logitsPos: -1 })).data as Float32Array);

/** The hook that somebody would write for each change. */
const HOOKS: Readonly<Record<keyof typeof CHANGES, () => Promise<Hook> | Hook>> = {
  "a head, zero": () => [Z, (x) => x.set({ head: 2 }, 0)],
  "a head at one position, scaled": () => [Z, (x) => x.set({ head: 2, pos: 3 }, x.mul(-0.5))],
  "a neuron, its mean": async () => {
    const values = await valuesAt(PROMPT, POST);
    const mean = (await values.at({ d_mlp: 17 }).mean().compute()).item();
    return [POST, (x) => x.set({ d_mlp: 17 }, mean)];
  },
  "an MLP, zero": () => ["blocks.2.hook_mlp_out", (x) => x.mul(0)],
  "attention, its mean": async () => {
    const point = "blocks.0.hook_attn_out";
    const mean = await (await valuesAt(PROMPT, point)).mean("pos", true).compute();
    return [point, (x) => x.mul(0).add(mean)];
  },
  "the stream at one position, from another prompt": async () => {
    const other = await valuesAt(OTHER, RESID);
    return [RESID, (x) => x.set({ pos: 2 }, other)];
  },
  "a head, from another prompt at all positions": async () => {
    const other = await valuesAt(OTHER, Z);
    return [Z, (x) => x.set({ head: 0 }, other)];
  },
  "a direction added to the stream": async () => {
    const [lady, gentleman] = await Promise.all(
      ["The lady was here", "The gentleman was here"].map((text) => valuesAt(text, RESID)),
    );
    const direction = await lady
      .at({ pos: -1 })
      .sub(gentleman.at({ pos: -1 }))
      .mean("batch")
      .compute();
    return [RESID, (x) => x.add(direction.mul(2))];
  },
};
const CASES = (Object.keys(CHANGES) as (keyof typeof CHANGES)[]).map(
  (name): [string, GivenIntervention, () => Promise<Hook> | Hook] => [name, CHANGES[name], HOOKS[name]],
);

describe("a change as data", () => {
  test.each(CASES)("%s: is the hook that one would write", async (_, change, hook) => {
    const expected = await logitsOf([await hook()]);
    const found = await logitsOf(await interventionHooks(model, PROMPT, [change]));
    for (const [i, logit] of found.entries()) expect(logit).toBeCloseTo(expected[i], 4);
    const plain = await logitsOf([]);
    expect(Math.max(...plain.map((logit, i) => Math.abs(logit - found[i])))).toBeGreaterThan(1e-3);
  });

  test("several are made in their order", async () => {
    const two: GivenIntervention[] = [
      { what: "head", layer: 1, head: 2, by: "scale", factor: 0 },
      { what: "head", layer: 1, head: 2, by: "add", from: OTHER },
    ];
    const found = await logitsOf(await interventionHooks(model, PROMPT, two));
    const other = await valuesAt(OTHER, Z);
    const expected = await logitsOf([[Z, (x) => x.set({ head: 2 }, other.at({ pos: [-1] }))]]);
    for (const [i, logit] of found.entries()) expect(logit).toBeCloseTo(expected[i], 4);
  });

  test("goes on in a generation, one token at a time", async () => {
    const change: GivenIntervention = { what: "stream", layer: 1, by: "mean" };
    const fwdHooks = await interventionHooks(model, PROMPT, [change]);
    const options = { maxNewTokens: 6, doSample: false, fwdHooks };
    expect(await model.generate(PROMPT, options)).toBe(
      await model.generate(PROMPT, { ...options, usePastKvCache: false }),
    );
  });

  test.each<[GivenIntervention, RegExp]>([
    [{ what: "head", layer: 0 }, /An intervention on a head needs `head`/],
    [{ what: "head", layer: 3, head: 0 }, /There is no layer 3/],
    [{ what: "neuron", layer: 0, neuron: 768 }, /neuron must be a whole number from 0 to 767/],
    [{ what: "mlp", layer: 0, by: "patch" }, /An intervention that patches needs `from`/],
    [{ what: "mlp", layer: 0, head: 1 }, /head only applies with what: "head"/],
  ])("%j is refused in a sentence", async (change, sentence) => {
    await expect(interventionHooks(model, PROMPT, [change])).rejects.toThrow(sentence);
  });

  test("a patch from a prompt of another length says both lengths", async () => {
    const change: GivenIntervention = { what: "mlp", layer: 0, by: "patch", from: "Short" };
    await expect(interventionHooks(model, PROMPT, [change])).rejects.toThrow(
      /The prompt has \d+ tokens, and "Short" has \d+/,
    );
  });
});

describe("a changed model", () => {
  test.each(CASES)("%s: runs as with the hooks", async (_, change) => {
    const changed = await changedModel(model, PROMPT, [change]);
    const expected = await logitsOf(await interventionHooks(model, PROMPT, [change]));
    const found = (await changed.runWithHooks(PROMPT, { logitsPos: -1 })).data as Float32Array;
    for (const [i, logit] of found.entries()) expect(logit).toBeCloseTo(expected[i], 4);
  });

  test.each(CASES)("%s: is also changed where a longer run begins", async (_, change) => {
    const changed = await changedModel(model, PROMPT, [change]);
    const longer = await changed.forward(`${PROMPT} she was`);
    const expected = await logitsOf(await interventionHooks(model, PROMPT, [change]));
    const position = model.toTokens(PROMPT).shape[1] - 1;
    const found = (await longer.at({ batch: 0, pos: position }).compute()).data as Float32Array;
    for (const [i, logit] of found.entries()) expect(logit).toBeCloseTo(expected[i], 4);
  });

  test("a run that is too short for a position or a patch is the model's own", async () => {
    const short = "My";
    const expected = await model.forward(short);
    for (const change of [
      { what: "stream", layer: 1, position: 4 },
      { what: "mlp", layer: 0, by: "patch", from: OTHER },
    ] as const) {
      const changed = await changedModel(model, PROMPT, [change]);
      expect((await changed.forward(short)).data).toEqual(expected.data);
    }
  });

  /** The same change, made in the weights that write what is changed. */
  const zeroed: readonly (readonly [change: GivenIntervention, weights: RegExp, index?: number])[] = [
    [{ what: "head", layer: 1, head: 2 }, /^blocks\.1\.attn\.W_O$/, 2],
    [{ what: "neuron", layer: 0, neuron: 17 }, /^blocks\.0\.mlp\.W_out$/, 17],
    [{ what: "attention", layer: 0 }, /^blocks\.0\.attn\.(W|b)_O$/],
    [{ what: "mlp", layer: 1 }, /^blocks\.1\.mlp\.(W|b)_out$/],
  ];
  /** They are tried with a head alone. */
  const SLOW = new Set(["neuron-saliency"]);
  const unchanged = new Map<string, Finding>();
  const ofEdited = zeroed.flatMap(([change, weights, index]) =>
    ANALYSES.filter(
      (one) => whyUnchanged(one, [change]) === "" && (change.what !== "neuron" || !SLOW.has(one.name)),
    ).map((one) => [one.name, change, weights, index] as const),
  );
  test.each(ofEdited)(
    "%s of %j is that of a model with these weights at zero",
    async (name, change, weights, index) => {
      const { run, example } = analysisCalled(name);
      const options = name === "attention-patterns" ? { prompt: PROMPT } : example;
      const edited = new Map([...model.weights.entries()].map(([key, { array }]) => [key, array!]));
      for (const [key, array] of edited) if (weights.test(key)) edited.set(key, without(array, index));
      const other = new HookedTransformer(model.cfg, edited, { tokenizer: model.text!.tokenizer });
      const changed = await changedModel(model, PROMPT, [change]);
      const [found, expected] = [await run(changed, options), await run(other, options)];
      expect(numbersOf(found)).toHaveLength(numbersOf(expected).length);
      for (const [i, number] of numbersOf(found).entries()) expect(number).toBeCloseTo(numbersOf(expected)[i], 4);
      unchanged.set(name, unchanged.get(name) ?? (await run(model, options)));
      expect(numbersOf(found)).not.toEqual(numbersOf(unchanged.get(name)!));
    },
  );
});

/** Weights at zero: all, or those of one index of the first axis. */
function without({ shape, data }: NDArray, index?: number): NDArray {
  const zeroed = Float32Array.from(data as Float32Array);
  const each = index === undefined ? zeroed.length : zeroed.length / shape[0];
  zeroed.fill(0, (index ?? 0) * each, ((index ?? 0) + 1) * each);
  return ndarray("float32", shape, zeroed);
}

/** Every number of a finding's tables. */
function numbersOf({ tables }: Finding): number[] {
  const all: number[] = [];
  JSON.stringify(tables, (_, value) => {
    if (typeof value === "number") all.push(value);
    return value;
  });
  return all;
}
