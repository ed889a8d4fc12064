/** The same work thousands of times, and structures that never repeat: memory and threads must not grow. */
import { readFileSync } from "node:fs";
import { HookedTransformer, initWeights, parseConfig } from "../../src/node.ts";

/** Resident megabytes and threads of this process, if the system reports them. */
function held(): { mb: number; threads: number } {
  globalThis.gc?.();
  const mb = Math.round(process.memoryUsage.rss() / 2 ** 20);
  try {
    return { mb, threads: Number(/Threads:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) };
  } catch {
    return { mb, threads: Number.NaN };
  }
}

function small(): HookedTransformer {
  const cfg = parseConfig({
    n_layers: 4,
    d_model: 64,
    n_heads: 4,
    d_head: 16,
    d_mlp: 128,
    n_ctx: 1024,
    d_vocab: 100,
    act_fn: "gelu",
    normalization_type: "LN",
    seed: 1,
  });
  return new HookedTransformer(cfg, initWeights(cfg));
}

/** The memory after a tenth, half and all of the rounds. */
async function rounds(count: number, round: (i: number) => Promise<unknown>): Promise<Record<string, unknown>> {
  const seen: Record<string, unknown> = {};
  for (let i = 1; i <= count; i++) {
    await round(i);
    if (i === count / 10 || i === count / 2 || i === count) seen[`after ${i}`] = held();
  }
  return seen;
}

export async function repeatedRuns(count: number): Promise<Record<string, unknown>> {
  const model = small();
  return rounds(count, () => model.forward([[1, 2, 3, 4]], { returnType: "loss" }));
}

/** Each round's hook makes a different graph: a chain of multiplications and additions that spells its number. */
export async function newStructures(count: number): Promise<Record<string, unknown>> {
  const model = small();
  return rounds(count, (i) =>
    model.runWithHooks([[1, 2, 3, 4]], {
      returnType: "loss",
      fwdHooks: [
        [
          "blocks.2.hook_mlp_out",
          (x) => {
            let y = x;
            for (let bits = i; bits > 0; bits >>= 1) y = bits & 1 ? y.mul(0.5) : y.add(0.1);
            return y;
          },
        ],
      ],
    }),
  );
}

export async function newLengths(count: number): Promise<Record<string, unknown>> {
  const model = small();
  return rounds(count, (i) =>
    model.forward([Array.from({ length: 2 + (i % 1000) }, (_, j) => j % 100)], { returnType: "loss" }),
  );
}

export async function loadedAgain(count: number): Promise<Record<string, unknown>> {
  return rounds(count, async () => {
    const model = await HookedTransformer.fromPretrained("solu-1l-novels");
    await model.forward("It was", { returnType: "loss" });
  });
}
