/** A training step of the bundled model's configuration, 32 x 256 tokens, compared with PyTorch. */
import { initWeights } from "../src/models/weights/init.ts";
import { HookedTransformer } from "../src/node.ts";
import { train as runTraining } from "../src/training/train.ts";
import { peakMb, rounded } from "./measure.ts";
import { randomTokens } from "./models.ts";
import { python } from "./python.ts";

const [BATCH, POS, STEPS] = [32, 256, 7];

export async function train() {
  const { cfg } = await HookedTransformer.fromPretrainedNoProcessing("solu-1l-novels");
  const model = new HookedTransformer(cfg, initWeights(cfg));
  const marks: number[] = [];
  await runTraining(
    model,
    {
      data: randomTokens(cfg, BATCH * (STEPS + 2), POS),
      batchSize: BATCH,
      steps: STEPS + 2,
      betas: [0.9, 0.99],
      weightDecay: 0.05,
      maxGradNorm: 1,
    },
    { onProgress: () => marks.push(performance.now()) },
  );
  const peak = peakMb();
  // The first two steps warm up: they compile, and the engine learns how much memory it needs.
  const times = marks.slice(2).map((mark, i) => mark - marks[i + 1]);
  const median = times.sort((a, b) => a - b)[Math.floor(times.length / 2)];
  const perSecond = (1000 * BATCH * POS) / median;
  const theirs = await python("train.py");
  const them = typeof theirs.tokens_per_second === "number" ? theirs.tokens_per_second : null;
  return {
    tokens_per_second: rounded(perSecond, 0),
    median_ms: rounded(median, 1),
    peak_mb: peak,
    vs_pytorch: them && rounded(perSecond / them),
    pytorch: them && theirs,
    sessions: model.engine.sessionsCreated,
  };
}
