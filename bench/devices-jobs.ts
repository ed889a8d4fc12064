/** What `bench -- devices` times on every device, in Node and in a page alike. */
import type { Engine } from "../src/engine/engine.ts";
import type { Tensor } from "../src/graph/tensor.ts";
import { HookedTransformer } from "../src/lens/hooked-transformer.ts";
import type { HookedTransformerConfig } from "../src/models/config/config.ts";
import { rounded } from "./measure.ts";
import { gpt2Like, randomTokens, randomWeights } from "./models.ts";

/** Models of random weights by name; the bundled one is opened from its files. */
export const SIZES = {
  "4 layers of 256": gpt2Like({ n_layers: 4, d_model: 256, n_heads: 4, d_mlp: 1024, d_vocab: 10000 }),
  "6 layers of 512": gpt2Like({ n_layers: 6, d_model: 512, n_heads: 8, d_mlp: 2048, d_vocab: 10000 }),
  "GPT-2 small": gpt2Like({}),
} as const;
export const BUNDLED = "solu-1l-novels";
export type SizeName = keyof typeof SIZES | typeof BUNDLED;

/** Rows by tokens of a pass, and what is returned of it; the first is also what the first result is of. */
const PASSES = [
  [1, 8, "logits"],
  [1, 64, "logits"],
  [8, 64, "loss"],
] as const;
const NEW_TOKENS = 12;
/** A pass is repeated at most this often, and at least three times, for this many milliseconds. */
const [MOST_RUNS, LEAST_RUNS, LONG_ENOUGH] = [21, 3, 800];

export interface Timed {
  /** From the start of opening until the model is there. */
  readonly opened_ms: number;
  /** The first pass, with whatever is loaded and compiled for it. */
  readonly first_pass_ms: number;
  /** Medians, and minima, by pass. */
  readonly passes: Readonly<Record<string, { readonly median_ms: number; readonly min_ms: number }>>;
  /** One token of a continuation, with the cache of keys and values. */
  readonly token_ms: number;
  /** Logits of the first pass' last token. */
  readonly logits: number[];
}

/** A model of random weights on an engine. */
export function randomOn(name: keyof typeof SIZES, engine: Engine): HookedTransformer {
  const cfg: HookedTransformerConfig = SIZES[name];
  return new HookedTransformer(cfg, randomWeights(cfg), { engine });
}

/** @param isSlow whether the longer passes are left out */
export async function timed(opening: () => Promise<HookedTransformer>, isSlow: boolean): Promise<Timed> {
  const start = performance.now();
  const model = await opening();
  const opened = performance.now();
  const logits = await model.forward(tokensOf(model, PASSES[0][0], PASSES[0][1]));
  const first = performance.now();
  const passes: Record<string, { median_ms: number; min_ms: number }> = {};
  for (const [batch, pos, returnType] of isSlow ? PASSES.slice(0, 1) : PASSES) {
    const tokens = tokensOf(model, batch, pos);
    passes[`${batch} x ${pos}, ${returnType}`] = await repeated(() => model.forward(tokens, { returnType }));
  }
  passes["1 x 8, cache"] = await repeated(() => model.runWithCache(tokensOf(model, 1, 8)));
  const { dVocab } = model.cfg;
  return {
    opened_ms: rounded(opened - start, 1),
    first_pass_ms: rounded(first - opened, 1),
    passes,
    token_ms: await token(model),
    logits: Array.from<number>(logits.data.slice(-dVocab) as Float32Array),
  };
}

const tokensOf = (model: HookedTransformer, batch: number, pos: number): Tensor => randomTokens(model.cfg, batch, pos);

async function repeated(run: () => Promise<unknown>) {
  await run();
  const times: number[] = [];
  const start = performance.now();
  while (times.length < LEAST_RUNS || (times.length < MOST_RUNS && performance.now() - start < LONG_ENOUGH)) {
    const from = performance.now();
    await run();
    times.push(performance.now() - from);
  }
  return { median_ms: rounded(median(times)), min_ms: rounded(Math.min(...times)) };
}

async function token(model: HookedTransformer): Promise<number> {
  const steps: number[] = [];
  let from = 0;
  const options = { maxNewTokens: NEW_TOKENS, doSample: false, stopAtEos: false };
  for await (const _ of model.generateStream(tokensOf(model, 1, 15), options)) {
    const now = performance.now();
    steps.push(now - from);
    from = now;
  }
  // The first two compile what the others run.
  return rounded(median(steps.slice(2)));
}

function median(list: readonly number[]): number {
  return [...list].sort((a, b) => a - b)[list.length >> 1];
}
