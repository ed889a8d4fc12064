/** The residual streams that the lens reads: before and after every attention layer and MLP, through the final norm. */
import { ActivationCache } from "../../lens/activation-cache.ts";
import type { Model } from "../../lens/model.ts";
import type { ModelGraph } from "../../lens/model-graph.ts";
import { hasMid } from "../../lens/model-has.ts";
import type { ResidualStack } from "../../lens/residual-stack.ts";

/** The streams of a pass with the final norm applied to each, as if it were the last: `0_pre`, `0_mid`, …, `final_post`. */
export function streamsOf(model: Model, graph: ModelGraph): ResidualStack {
  const names = graphNames(model).filter((name) => graph.has(name));
  const cache = new ActivationCache(new Map(names.map((name) => [name, graph.at(name)])), model);
  return cache.accumulatedResid({ inclMid: hasMid(model), applyLn: true });
}

/** The hook points that hold a residual stream between layers. */
function graphNames({ hookNames }: Model): readonly string[] {
  return hookNames.filter((name) => /^blocks\.\d+\.hook_(normalized_)?resid_(pre|mid|post)$/.test(name));
}
