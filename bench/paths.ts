/** Path patching at GPT-2 small's size, 15 tokens: every earlier head to one head's queries, keys and values, compared with TransformerLens' loop of forwards. */
import { measurePathPatching } from "../src/measures/path-patching.ts";
import { inTurn, peakMb, rounded } from "./measure.ts";
import { gpt2Small, logitDifference, promptAndReversed, randomModel } from "./models.ts";
import { python } from "./python.ts";

const [LAYER, HEAD] = [9, 6];

export async function paths() {
  const model = randomModel(gpt2Small);
  const [clean, corrupted] = await promptAndReversed(model, 15);
  const senders = Array.from({ length: LAYER * gpt2Small.nHeads }, (_, i) => {
    return `L${Math.floor(i / gpt2Small.nHeads)}H${i % gpt2Small.nHeads}` as const;
  });
  const receivers = (["q", "k", "v"] as const).map((input) => `L${LAYER}H${HEAD}.${input}` as const);
  const { job } = await inTurn(
    { job: () => measurePathPatching(model, { clean, corrupted, metric: logitDifference, senders, receivers }) },
    5,
  );
  const peak = peakMb();
  const theirs = await python("paths.py", [String(LAYER), String(HEAD)]);
  return {
    paths: senders.length * receivers.length,
    median_ms: rounded(job.median_ms),
    min_ms: rounded(job.min_ms),
    vs_transformerlens: typeof theirs.paths_ms === "number" ? rounded(theirs.paths_ms / job.median_ms) : null,
    transformerlens: "error" in theirs ? null : theirs,
    sessions: model.engine.sessionsCreated,
    peak_mb: peak,
  };
}
