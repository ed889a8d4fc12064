/** Dictionaries at a model's hook points: SAELens' numbers, for every dictionary of the goldens. */
import { beforeAll, describe, expect, test } from "vitest";
import { Dictionary, type HookedTransformer, type Tensor } from "../../src/node.ts";
import type { NDArray } from "../../src/tensor/array.ts";
import { expectClose } from "../close.ts";
import { arrays, at, goldenModel, index, saeNames } from "./goldens.ts";

const models: Record<string, Awaited<ReturnType<typeof goldenModel>>> = {};
beforeAll(async () => {
  for (const name of Object.keys(index.models)) models[name] = await goldenModel(name);
});

const opened = (name: string) =>
  Dictionary.fromPretrained(at(`saes/${name}`), { inputScale: index.saes[name].norm_scaling_factor });

/** The hook point that a dictionary stands at. */
const hookOf = (name: string): string => index.saes[name].hook_name_out ?? index.saes[name].hook_name;

describe.each(saeNames)("%s", (name) => {
  const hook = hookOf(name);
  const { scalars } = index.saes[name];
  let golden: Map<string, NDArray>;
  let host: Awaited<ReturnType<typeof goldenModel>>;
  const views: Partial<Record<"plain" | "error", HookedTransformer>> = {};
  beforeAll(async () => {
    golden = await arrays(`saes/${name}.expected.safetensors`);
    host = models[index.saes[name].model];
    const dictionary = await opened(name);
    views.plain = host.model.withDictionaries(dictionary);
    views.error = host.model.withDictionaries(dictionary, { useErrorTerm: true });
  });

  test.each(["plain", "error"] as const)("%s: values, logits and loss", async (kind) => {
    const prefix = `${kind}.cache.`;
    const keys = [...golden.keys()].filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
    expect(keys.length).toBe(kind === "error" ? 6 : 1);
    const [both, cache] = await views[kind]!.runWithCache(host.tokens, { namesFilter: keys, returnType: "both" });
    const { logits, loss } = both as unknown as { logits: Tensor; loss: Tensor };
    for (const key of keys) expectClose(cache.get(key), golden.get(prefix + key)!, 2e-5);
    expectClose(logits, kind === "plain" ? golden.get("plain.logits")! : host.get("logits"), 2e-5);
    expect(Math.abs(loss.item() - scalars[`${kind}.loss`])).toBeLessThan(1e-4);
    expect(Math.abs((await host.metric(logits).compute()).item() - scalars[`${kind}.logit_diff`])).toBeLessThan(2e-4);
  });

  test.each(["plain", "error"] as const)("%s: gradients of the metric", async (kind) => {
    const prefix = `${kind}.grad.`;
    const keys = [...golden.keys()].filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
    expect(keys.length).toBe(kind === "error" ? 6 : 3);
    const options = { namesFilter: keys, inclBwd: true, metric: host.metric } as const;
    const [, cache] = await views[kind]!.runWithCache(host.tokens, options);
    for (const key of keys) expectClose(cache.get(`${key}_grad`), golden.get(prefix + key)!, 1e-4);
  });

  test.each(["plain", "error"] as const)("%s: logits with a feature set to 0 everywhere", async (kind) => {
    const feature = scalars.ablated_feature;
    const logits = await views[kind]!.runWithHooks(host.tokens, {
      fwdHooks: [[`${hook}.hook_sae_acts_post`, (acts) => acts.set({ d_sae: feature }, 0)]],
      logitsPos: -1,
    });
    const expected = golden.get(`${kind}.ablated.logits_last`)!;
    expectClose({ shape: expected.shape, data: logits.data }, expected, 2e-5);
  });
});

test("two at the same time, each at its own hook point, whose names stay", async () => {
  const [first, second] = index.saes.two_at_once.of as string[];
  const golden = await arrays("saes/two_at_once.expected.safetensors");
  const { model, tokens, get } = models.gelu_3l;
  const dictionaries = [await opened(first), await opened(second)];
  const [logits, cache] = await model.withDictionaries(dictionaries).runWithCache(tokens);
  expectClose(logits, golden.get("plain.logits")!, 2e-5);
  const keys = [...cache.keys()];
  const theirs = (index.saes.two_at_once.cache_keys as string[]).filter((key) => !key.endsWith("mlp.hook_in"));
  const own = [hookOf(first), hookOf(second)];
  expect(keys.filter((key) => !own.includes(key))).toEqual(theirs);
  expect(own.every((hook) => keys.includes(hook))).toBe(true);
  const withErrors = model.withDictionaries(dictionaries, { useErrorTerm: true });
  expectClose(await withErrors.forward(tokens), golden.get("error.logits")!, 2e-5);
  expectClose(await withErrors.forward(tokens), get("logits"), 2e-5);
});
