/** The same work thousands of times, and structures that never repeat: memory and threads must not grow. */
import { readFileSync } from "node:fs";
import { HookedTransformer, initWeights, parseConfig, sweeps, type Tensor } from "../../src/node.ts";

/** What a process holds, in MB and threads. */
interface Holds {
  /** Resident. */
  readonly mb: number;
  /** JavaScript's own: objects and the numbers of arrays. */
  readonly heap: number;
  readonly threads: number;
}

/** How much more a process may hold after all rounds than after half of them. Resident memory comes and goes by tens of MB. */
const MOST_GROWTH: Holds = { mb: 100, heap: 8, threads: 0 };

async function held(): Promise<Holds> {
  globalThis.gc?.();
  // What finalisers let go of is gone after another collection.
  await new Promise((resolve) => setTimeout(resolve, 20));
  globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  const mb = (bytes: number) => Math.round(bytes / 2 ** 20);
  return { mb: mb(rss), heap: mb(heapUsed + external), threads: threads() };
}

function threads(): number {
  try {
    return Number(/Threads:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]);
  } catch {
    return Number.NaN;
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

/** What is held after a tenth, half and all of the rounds. @throws Error for what still grew in the second half */
async function rounds(count: number, round: (i: number) => Promise<unknown>): Promise<Record<string, unknown>> {
  const seen: Holds[] = [];
  const marks = [count / 10, count / 2, count];
  for (let i = 1; i <= count; i++) {
    await round(i);
    if (marks.includes(i)) seen.push(await held());
  }
  const [, half, all] = seen;
  for (const what of Object.keys(MOST_GROWTH) as (keyof Holds)[]) {
    if (!(all[what] - half[what] > MOST_GROWTH[what])) continue;
    throw new Error(`${what} grew from ${half[what]} to ${all[what]} in the second half of ${count} rounds.`);
  }
  return Object.fromEntries(marks.map((mark, i) => [`after ${mark}`, seen[i]]));
}

export async function repeatedRuns(count: number): Promise<Record<string, unknown>> {
  const model = small();
  return rounds(count, () => model.forward([[1, 2, 3, 4]], { returnType: "loss" }));
}

/** Multiplications and additions that spell a number: a different graph for each. */
function spelled(x: Tensor, number: number): Tensor {
  let y = x;
  for (let bits = number; bits > 0; bits >>= 1) y = bits & 1 ? y.mul(0.5) : y.add(0.1);
  return y;
}

/** Each round's hook makes a different graph. */
export async function newStructures(count: number): Promise<Record<string, unknown>> {
  const model = small();
  return rounds(count, (i) =>
    model.runWithHooks([[1, 2, 3, 4]], {
      returnType: "loss",
      fwdHooks: [["blocks.2.hook_mlp_out", (x) => spelled(x, i)]],
    }),
  );
}
/** Each round is another kind of work, and its graph is new: hooks on values and gradients, products, cached runs, generation, sweeps. */
export async function newStructuresOfEveryKind(count: number): Promise<Record<string, unknown>> {
  const model = small();
  const tokens = [[1, 2, 3, 4]];
  const point = "blocks.2.hook_mlp_out";
  const kinds: readonly ((i: number) => Promise<unknown>)[] = [
    (i) => model.runWithHooks(tokens, { fwdHooks: [[point, (x) => spelled(x, i)]] }),
    (i) => model.runWithHooks(tokens, { fwdHooks: [[point, (x) => multiplied(x, i)]] }),
    (i) => model.runWithCache(tokens, { fwdHooks: [[point, (x) => spelled(x, i)]] }),
    (i) =>
      model.runWithCache(tokens, {
        inclBwd: true,
        fwdHooks: [[point, (x) => spelled(x, i)]],
        bwdHooks: [["blocks.1.hook_resid_pre", (x) => spelled(x, i)]],
      }),
    (i) => model.generate(tokens, { maxNewTokens: 2, stopAtEos: false, fwdHooks: [[point, (x) => spelled(x, i)]] }),
    (i) =>
      sweeps.sweep(model, tokens, {
        site: "z",
        over: ["pos"],
        layers: [1],
        edit: (x) => spelled(x, i),
        metric: (logits) => logits.at({ pos: -1 }).at({ d_vocab: 3 }).mean(),
      }),
  ];
  return rounds(count, (i) => kinds[i % kinds.length](i));
}

/** A product whose equation has other letters for each number. */
function multiplied(x: Tensor, number: number): Tensor {
  const letters = [..."abcdefghijklmnopqrstuvwxyz"];
  const [b, p, d] = [0, 1, 2].map((k) => letters.splice(Math.floor(number / 20 ** k) % letters.length, 1)[0]);
  return x.einsum(`${b}${p}${d},${b}${p}${d}->${b}${p}${d}`, x);
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
