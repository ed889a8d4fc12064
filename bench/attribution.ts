/** Attribution patching of every site at GPT-2 small's size, 15 tokens, compared with one forward pass and with TransformerLens. */

import { measureAttributionPatching } from "../src/measures/attribution-patching.ts";
import { measureEdgeAttribution } from "../src/measures/edge-attribution.ts";
import { bareProducts } from "./gemm.ts";
import { inTurn, peakMb, rounded } from "./measure.ts";
import { gpt2Small, logitDifference, promptAndReversed, randomModel } from "./models.ts";
import { python } from "./python.ts";
import { backward, passTo } from "./reached.ts";

export async function attribution() {
  const model = randomModel(gpt2Small);
  const [clean, corrupted] = await promptAndReversed(model, 15);
  const measured = await inTurn(
    {
      forward: () => model.forward(clean),
      sites: () => measureAttributionPatching(model, { corrupted, clean, metric: logitDifference }),
      edges: () => measureEdgeAttribution(model, { corrupted, clean, metric: logitDifference }),
    },
    7,
  );
  const peak = peakMb();
  // A clean pass, a corrupted one, and back through that.
  const pass = passTo(gpt2Small, 1, 15);
  const { gemms } = await inTurn({ gemms: bareProducts([...pass, ...pass, ...backward(pass)]) }, 7);
  const theirs = await python("attribution.py");
  const them = typeof theirs.sites_ms === "number" ? theirs.sites_ms : null;
  const ratio = (ms: number) => rounded(ms / measured.forward.median_ms);
  return {
    median_ms: rounded(measured.sites.median_ms),
    forward_ms: rounded(measured.forward.median_ms),
    vs_forward: ratio(measured.sites.median_ms),
    gemm_ms: rounded(gemms.median_ms),
    over_gemm: rounded(measured.sites.median_ms / gemms.median_ms),
    edges: { median_ms: rounded(measured.edges.median_ms), vs_forward: ratio(measured.edges.median_ms) },
    sessions: model.engine.sessionsCreated,
    tokens_per_second: rounded((1000 * 15) / measured.sites.median_ms, 0),
    vs_pytorch: them && rounded(them / measured.sites.median_ms),
    pytorch: them && theirs,
    peak_mb: peak,
  };
}
