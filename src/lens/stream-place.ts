/** Which place along the residual stream is meant. */
import { ArgumentError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import type { CachedModel } from "./cached.ts";
import { needMid, needOneStack } from "./model-has.ts";

/**
 * The layer before which a stream is meant: from 0 to the number of layers; -1 and no layer mean the latter too.
 * @throws ArgumentError for another layer, or for an MLP's input that does not exist.
 */
export function layerBefore(layer: number | undefined, mlpInput: boolean, model: Pick<CachedModel, "cfg">): number {
  const { cfg } = model;
  needOneStack("A layer of the residual stream", model);
  if (mlpInput) needMid("mlpInput", model);
  const at = layer === undefined || layer === -1 ? cfg.nLayers : layer;
  const last = cfg.nLayers - (mlpInput ? 1 : 0);
  if (Number.isInteger(at) && at >= 0 && at <= last) return at;
  const only = mlpInput ? "With mlpInput the layer must be" : "The layer of a residual stream must be";
  const end = mlpInput ? "" : " (the end, which -1 and no layer also mean)";
  throw new ArgumentError(`${only} from 0 to ${last}${end}, but got ${layer === undefined ? "none" : shown(layer)}.`, {
    asked: layer,
    found: last,
  });
}
