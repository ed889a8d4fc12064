/** Numbers of all kinds of runs of a model: they must be the same in a page, in a worker and in Node. */
import type * as Glassformer from "../../src/index.ts";

/** Of a pass with a hook that awaits numbers, one with a cache and gradients, and an analysis. */
export async function numbersOf(
  { activationPatching }: typeof Glassformer,
  model: Glassformer.HookedTransformer,
): Promise<number[][]> {
  const prompt = "The old man looked at";
  const hooked = await model.runWithHooks(prompt, {
    fwdHooks: [["blocks.1.hook_resid_pre", async (x) => x.div((await x.max().compute()).item())]],
    logitsPos: -1,
  });
  const [, cache] = await model.runWithCache(prompt, { namesFilter: "blocks.1.attn.hook_z", inclBwd: true });
  const { tables } = await activationPatching(model);
  return [
    Array.from(hooked.data),
    ...[...cache.keys()].map((name) => Array.from(cache.get(name).data)),
    numbersIn(tables),
  ];
}

/** All numbers in data, in order. */
function numbersIn(data: unknown): number[] {
  if (typeof data === "number") return [data];
  return typeof data === "object" && data !== null ? Object.values(data).flatMap(numbersIn) : [];
}
