/** `forward` and `runWithCache` (all hooks) at solu-1l's size, compared with TransformerLens. */
import { inTurn, rounded } from "./measure.ts";
import { randomModel, randomTokens, solu1l } from "./models.ts";
import { python } from "./python.ts";

const sizes = [
  [1, 8],
  [1, 64],
  [8, 64],
  [32, 128],
] as const;

export async function forward() {
  const model = randomModel(solu1l);
  const rows: Record<string, unknown> = {};
  for (const [batch, pos] of sizes) {
    const tokens = randomTokens(solu1l, batch, pos);
    const runs = batch * pos > 1000 ? 5 : 15;
    // One after the other, as on the Python side: uncollected results of 800 MB slow down whatever follows.
    const plain = await inTurn({ forward: () => model.forward(tokens) }, runs);
    const cached = await inTurn({ cache: () => model.runWithCache(tokens) }, runs);
    rows[`${batch}x${pos}`] = {
      forward_ms: rounded(plain.forward.median_ms),
      forward_min_ms: rounded(plain.forward.min_ms),
      cache_ms: rounded(cached.cache.median_ms),
      cache_min_ms: rounded(cached.cache.min_ms),
    };
  }
  const theirs = await python("forward.py");
  return { sizes: rows, transformerlens: "error" in theirs ? null : theirs, sessions: model.engine.sessionsCreated };
}
