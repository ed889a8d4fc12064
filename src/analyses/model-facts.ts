/** The model, as findings describe it. */
import type { ModelFacts } from "../finding/finding.ts";
import type { Model } from "../lens/model.ts";
import { hasMlps } from "../lens/model-has.ts";
import { compose } from "../models/compose.ts";

/** The model, as a finding describes it. */
export function modelFacts(model: Model): ModelFacts {
  const { cfg } = model;
  return {
    name: cfg.modelName,
    config: {
      n_layers: cfg.nLayers,
      n_heads: cfg.nHeads,
      d_model: cfg.dModel,
      ...(hasMlps(model) ? { d_mlp: cfg.dMlp, act_fn: cfg.actFn } : {}),
      d_vocab: cfg.dVocab,
    },
  };
}

/** What a comparison with uniform attention must add in a model some of whose layers cannot look all the way back. */
export function windowCaveats({ cfg }: Model): string[] {
  const layersOf = new Map<number, number[]>();
  for (const [layer, { attention }] of compose(cfg).blocks.entries()) {
    const { window } = attention;
    if (window !== null && window < cfg.nCtx) layersOf.set(window, [...(layersOf.get(window) ?? []), layer]);
  }
  return [...layersOf].map(
    ([window, layers]) =>
      `Attention is local in layer${layers.length === 1 ? "" : "s"} ${layers.join(", ")}: a query sees only the last ${window} positions, its own included, while uniform attention is over all of them.`,
  );
}
