/**
 * A two-layer transformer without MLPs is trained on random tokens that are repeated. The only way to predict the second half is
 * to find where the same token occurred the first time and to predict what came next there. It grows heads that do that, in two
 * layers: one that looks at the previous token and, reading what that one wrote, an induction head (Olsson et al. 2022,
 * arXiv 2209.11895). Run it with
 *
 *     node --import tsx examples/induction-heads.ts
 *
 * Outside this repository, import from "glassformer".
 */
import { writeFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import {
  detectHead,
  HookedTransformer,
  imshow,
  initWeights,
  line,
  parseConfig,
  repeatedTokens,
  Tensor,
  type TrainProgress,
  train,
} from "../src/node.ts";

export interface Sizes {
  readonly dVocab: number;
  /** The length of the longest sequence, in tokens; the shortest is half as long. */
  readonly length: number;
  readonly dModel: number;
  readonly nHeads: number;
  readonly steps: number;
  readonly lr: number;
  /** How often to measure the heads, in steps. */
  readonly every: number;
}

export const fullSize: Sizes = { dVocab: 64, length: 32, dModel: 128, nHeads: 4, steps: 1000, lr: 3e-3, every: 50 };

export async function induction(sizes: Sizes, onProgress: (progress: TrainProgress, score: number) => void = () => {}) {
  const { dVocab, length, dModel, nHeads, steps, lr, every } = sizes;
  // Sequences have different lengths: with one length, it would be enough to count back.
  const task = repeatedTokens({ dVocab, length, shortest: Math.floor(length / 2), batchSize: 32 });
  const cfg = parseConfig({
    n_layers: 2,
    d_model: dModel,
    n_heads: nHeads,
    d_head: dModel / nHeads,
    ...task.sizes,
    attn_only: true,
    // Positions only reach queries and keys, so that what heads write is about tokens.
    positional_embedding_type: "shortformer",
  });
  const unseen = Tensor.leaf(task.heldOut!, ["batch", "pos"]);
  const scores = async (model: HookedTransformer) => ({
    induction: await detectHead(model, unseen, "induction_head"),
    previous: await detectHead(model, unseen, "previous_token_head"),
  });

  const untrained = new HookedTransformer(cfg, initWeights(cfg));
  const curve: { step: number; loss: number; score: number }[] = [];
  const options = { data: task.data, steps, lr, betas: [0.9, 0.98], warmupSteps: 20, loss: task.loss } as const;
  const { model } = await train(untrained, options, {
    onProgress: async (progress) => {
      if (progress.step % every !== 0) return;
      const { induction } = await scores(progress.model());
      const score = Math.max(...induction.data);
      curve.push({ step: progress.step, loss: progress.loss, score });
      onProgress(progress, score);
    },
  });

  const [before, after] = [await scores(untrained), await scores(model)];
  const [, cache] = await model.runWithCache(unseen.row(0), { namesFilter: (name) => name.endsWith("hook_pattern") });
  const [layer, head] = largestOf(after.induction);
  const pattern = cache.get(`blocks.${layer}.attn.hook_pattern`).row(0).row(head);
  const pictures = {
    losses: line(
      { loss: curve.map((c) => c.loss) },
      { title: "Loss on the second time", at: curve.map((c) => c.step), x: "step", y: { label: "loss", unit: "nats" } },
    ),
    scores: line(
      { "best induction head": curve.map((c) => c.score) },
      {
        title: "An induction head forms",
        at: curve.map((c) => c.step),
        x: "step",
        y: { label: "attention to what came next", domain: [0, 1] },
      },
    ),
    pattern: imshow(pattern, { title: `Pattern of head ${layer}.${head}`, x: "key", y: "query" }),
  };
  return { model, curve, before, after, best: { layer, head }, pictures };
}

function largestOf(scores: Tensor): [layer: number, head: number] {
  const at = scores.data.indexOf(Math.max(...scores.data));
  return [Math.floor(at / scores.shape[1]), at % scores.shape[1]];
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { after, best, pictures } = await induction(fullSize, ({ step, loss }, score) => {
    console.log(`step ${step}: loss ${loss.toFixed(3)}, best induction score ${score.toFixed(3)}`);
  });
  console.log("induction scores [layer head]", after.induction.toArray());
  console.log("previous-token scores [layer head]", after.previous.toArray());
  console.log("the best", best);
  for (const [name, picture] of Object.entries(pictures)) await writeFile(`${name}.svg`, await picture.svg());
}
