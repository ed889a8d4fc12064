/** `forward` and `runWithCache` (all hooks) at solu-1l's size, beside TransformerLens'. */
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
    const measured = await inTurn(
      { forward: () => model.forward(tokens), cache: () => model.runWithCache(tokens) },
      batch * pos > 1000 ? 5 : 15,
    );
    rows[`${batch}x${pos}`] = {
      forward_ms: rounded(measured.forward.median_ms),
      cache_ms: rounded(measured.cache.median_ms),
    };
  }
  const theirs = await python("forward.py");
  return { sizes: rows, transformerlens: "error" in theirs ? null : theirs, sessions: model.engine.sessionsCreated };
}
