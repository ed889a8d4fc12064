/** Runs aborted at random moments: each ends with the caller's own reason, or finishes with the right numbers. */
import { HookedTransformer, KeyValueCache } from "../../src/node.ts";
import type { Random } from "../random.ts";

export async function aborts(random: Random, count: number): Promise<Record<string, unknown>> {
  const model = await HookedTransformer.fromPretrained("solu-1l-novels");
  const text = "It was the best of times, it was the worst of times";
  const truth = (await model.forward(text, { logitsPos: -1 })).data;
  const results = { aborted: 0, finished: 0, "other errors": 0, "other numbers": 0, "cache changed": 0 };
  for (let i = 0; i < count; i++) {
    const cache = new KeyValueCache();
    const controller = new AbortController();
    const reason = new Error("enough");
    setTimeout(() => controller.abort(reason), random.below(12));
    try {
      const { data } = await model.forward(text, { logitsPos: -1, pastKvCache: cache, signal: controller.signal });
      results.finished++;
      if (data.some((x, j) => Math.abs(x - truth[j]) > 1e-5)) results["other numbers"]++;
    } catch (error) {
      if (error === reason) results.aborted++;
      else results["other errors"]++;
      if (cache.length > 0) results["cache changed"]++;
    }
  }
  return results;
}
