/**
 * A one-layer transformer learns addition modulo p. It first memorises the training sums, and only learns the others
 * later, when it has found the rule: it groks (Nanda et al. 2023, arXiv 2301.05217). The rule is trigonometry, and it
 * shows in the embedding: of all possible frequencies, only a handful appear. Run it at full size (p = 113) with
 *
 *     node --import tsx examples/modular-addition.ts
 *
 * Outside this repository, import from "glassformer".
 */
import { writeFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import {
  HookedTransformer,
  initWeights,
  line,
  modularAddition,
  parseConfig,
  type TrainProgress,
  tensor,
  train,
} from "../src/node.ts";

export interface Sizes {
  readonly p: number;
  /** The share of the sums to train on. */
  readonly share: number;
  readonly dModel: number;
  readonly steps: number;
  readonly batchSize: number;
  readonly lr: number;
  /** How often to test on the held-out sums, in steps. */
  readonly every: number;
}

export const fullSize: Sizes = { p: 113, share: 0.4, dModel: 128, steps: 6000, batchSize: 1024, lr: 1e-3, every: 100 };

/** The test loss at which the rule counts as found. */
const FOUND = 0.01;

export async function grok(sizes: Sizes, onProgress: (progress: TrainProgress, testLoss: number) => void = () => {}) {
  const { p, share, dModel, steps, batchSize, lr, every } = sizes;
  const task = modularAddition({ p, share });
  const cfg = parseConfig({
    n_layers: 1,
    d_model: dModel,
    n_heads: 4,
    d_head: dModel / 4,
    d_mlp: 4 * dModel,
    act_fn: "relu",
    normalization_type: null,
    ...task.sizes,
  });
  const untrained = new HookedTransformer(cfg, initWeights(cfg));

  // Weight decay makes the rule, which needs smaller weights, win over memorising.
  const curve: { step: number; train: number; test: number }[] = [];
  const found = new AbortController();
  let model = untrained;
  const options = {
    data: task.data,
    heldOut: task.heldOut!,
    evalEvery: every,
    batchSize,
    steps,
    lr,
    weightDecay: 1,
    betas: [0.9, 0.98],
    loss: task.loss,
  } as const;
  const running = train(untrained, options, {
    signal: found.signal,
    onProgress: (progress) => {
      const { step, loss, heldOut: test } = progress;
      if (test === undefined) return;
      model = progress.model();
      curve.push({ step, train: loss, test });
      onProgress(progress, test);
      if (test < FOUND) found.abort();
    },
  });
  await running.catch((error) => {
    if (!found.signal.aborted) throw error;
  });

  const [shares, before] = [await frequencies(model, p), await frequencies(untrained, p)];
  const pictures = {
    losses: line(
      { train: curve.map((c) => c.train), test: curve.map((c) => c.test) },
      {
        title: `Addition modulo ${p}`,
        at: curve.map((c) => c.step),
        x: "step",
        y: { label: "loss", unit: "nats", scale: "log" },
      },
    ),
    frequencies: line(
      { trained: shares, untrained: before },
      {
        title: "What the embedding is made of",
        at: shares.map((_, k) => k + 1),
        x: "frequency",
        y: { label: "share of the embedding's norm", domain: [0, Math.max(...shares)] },
      },
    ),
  };
  return { model, curve, shares, before, pictures };
}

/**
 * How the embedding's squared norm is divided among the frequencies 1 to (p-1)/2: the embeddings of the numbers, seen as
 * functions of the number, projected onto cos and sin of `2π k number / p`.
 */
async function frequencies(model: HookedTransformer, p: number): Promise<number[]> {
  const waves = Array.from({ length: (p - 1) / 2 }, (_, i) =>
    [Math.cos, Math.sin].map((f) => Array.from({ length: p }, (_, n) => f((2 * Math.PI * (i + 1) * n) / p))),
  );
  const parts = tensor(waves).matmul(model.W_E.slice(0, 0, p)); // [frequency, cos or sin, d_model]
  const norms = parts.mul(parts).sum([1, 2]);
  return (await norms.div(norms.sum()).compute()).toArray() as number[];
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const start = performance.now();
  const { shares, pictures } = await grok(fullSize, ({ step, loss }, test) => {
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    console.log(`${seconds} s, step ${step}: train loss ${loss.toExponential(2)}, test loss ${test.toExponential(2)}`);
  });
  const largest = shares.map((share, i) => ({ k: i + 1, share })).sort((a, b) => b.share - a.share);
  for (const { k, share } of largest.slice(0, 8)) console.log(`frequency ${k}: ${(100 * share).toFixed(1)} %`);
  for (const [name, picture] of Object.entries(pictures)) await writeFile(`${name}.svg`, await picture.svg());
}
