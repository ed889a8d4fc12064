/** Which place along the residual stream is meant, and whether the model has it. */
import type { HookedTransformerConfig } from "../models/config.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";

/**
 * The layer before which a stream is meant: from 0 to the number of layers, which -1 and nothing given mean too.
 * @throws ArgumentError for another layer, or for an MLP's input that there is not.
 */
export function layerBefore(layer: number | undefined, mlpInput: boolean, cfg: HookedTransformerConfig): number {
  if (mlpInput) needMid("mlpInput", cfg);
  const at = layer === undefined || layer === -1 ? cfg.nLayers : layer;
  const last = cfg.nLayers - (mlpInput ? 1 : 0);
  if (Number.isInteger(at) && at >= 0 && at <= last) return at;
  const only = mlpInput ? "With mlpInput the layer goes" : "The layer of a residual stream goes";
  const end = mlpInput ? "" : " (the end, as -1 and no layer mean too)";
  throw new ArgumentError(`${only} from 0 to ${last}${end}, but got ${layer === undefined ? "none" : shown(layer)}.`, {
    asked: layer,
    found: last,
  });
}

/** @throws ArgumentError in a model without a stream between attention and MLP. */
export function needMid(what: string, cfg: HookedTransformerConfig): void {
  if (!cfg.attnOnly && !cfg.parallelAttnMlp) return;
  const why = cfg.attnOnly ? "it has no MLPs" : "its attention and MLP read the same stream";
  throw new ArgumentError(`${what} means the stream between attention and MLP, which this model lacks: ${why}.`, {
    asked: what,
  });
}

/** @throws ArgumentError in a model without MLPs. */
export function needMlps(cfg: HookedTransformerConfig): void {
  if (cfg.attnOnly) throw new ArgumentError("This model has no neurons: it is attention alone.", { asked: "neurons" });
}
