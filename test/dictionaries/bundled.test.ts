/** The dictionaries that come with the package: what they are, and that their files say no more than they hold. */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { bundledDictionaries, modelsWithDictionaries } from "../../src/dictionaries/bundled.ts";
import { Dictionary, HookedTransformer, measureAttributionGraph, TranscoderSet } from "../../src/node.ts";

const ids = modelsWithDictionaries.flatMap((model) =>
  Object.values(bundledDictionaries(model)!).map((id) => ({ model, id })),
);

describe.each(ids)("$id of $model", ({ model, id }) => {
  let dictionary: Dictionary;
  beforeAll(async () => {
    dictionary = await Dictionary.fromPretrained(model, { id });
  });

  test("has weights that float16 holds exactly: they are written so again", () => {
    const file = new URL(`../../models/${model}/${id}/sae_weights.safetensors`, import.meta.url);
    const written = dictionary.toFiles({ dtype: "float16" }).get("sae_weights.safetensors")!;
    expect(Buffer.from(written).equals(readFileSync(file))).toBe(true);
  });

  test("is of that model, and 16 of its features fire at a token", async () => {
    expect(dictionary.cfg.modelName).toBe(model);
    const opened = await HookedTransformer.fromPretrained(model);
    const point = `${dictionary.cfg.hookNameOut ?? dictionary.cfg.hookName}.hook_sae_acts_post`;
    const [, cache] = await opened.withDictionaries(dictionary).runWithCache("The old man smiled");
    const acts = cache.get(point);
    expect(acts.data.filter((x) => x !== 0)).toHaveLength(16 * acts.shape[1]);
  });
});

test("a single transcoder is a set for a model of one layer", async () => {
  const set = await TranscoderSet.fromPretrained("solu-1l-novels", { id: "transcoder" });
  expect(set.nLayers).toBe(1);
  const model = await HookedTransformer.fromPretrained("solu-1l-novels");
  const graph = await measureAttributionGraph(model, { transcoders: set, prompt: "The lady was so tired that" });
  expect(graph.graph.residual).toBeLessThan(1e-3);
  expect(graph.graph.nodes.some(({ kind }) => kind === "feature")).toBe(true);
  await expect(TranscoderSet.fromPretrained("solu-1l-novels", { id: "sae" })).rejects.toThrow("is not a transcoder");
});

test("a dtype that the format does not have is refused", async () => {
  const dictionary = await Dictionary.fromPretrained("solu-1l-novels", { id: "sae" });
  expect(() => dictionary.toFiles({ dtype: "float8" as never })).toThrow(/dtype .*"float32", "float16" or "bfloat16"/);
});
