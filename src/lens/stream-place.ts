/** Which place along the residual stream is meant, and whether the model has it. */
import { compose } from "../models/compose.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import type { CachedModel } from "./cached.ts";

type Configured = Pick<CachedModel, "cfg">;

/**
 * The layer before which a stream is meant: from 0 to the number of layers, which -1 and nothing given mean too.
 * @throws ArgumentError for another layer, or for an MLP's input that there is not.
 */
export function layerBefore(layer: number | undefined, mlpInput: boolean, model: Configured): number {
  const { cfg } = model;
  if (mlpInput) needMid("mlpInput", model);
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

/** Whether a model has MLPs, and so neurons. */
export function hasMlps({ cfg }: Configured): boolean {
  return compose(cfg).blocks.some(({ mlp }) => mlp !== null);
}

/** Whether there is a stream between a block's attention and its MLP: the MLP reads what attention has written. */
export function hasMid({ cfg }: Configured): boolean {
  return compose(cfg).blocks.some(({ mlp, order }) => mlp !== null && order === "sequential");
}

/** @throws ArgumentError in a model without a stream between attention and MLP. */
export function needMid(what: string, model: Configured): void {
  if (hasMid(model)) return;
  throw new ArgumentError(
    `${what} means the stream between attention and MLP, which this model lacks: ${whyNoMid(model)}.`,
    { asked: what },
  );
}

/** Why a model has no stream between attention and MLP. */
export function whyNoMid(model: Configured): string {
  return hasMlps(model) ? "its attention and MLP read the same stream" : "it has no MLPs";
}

/** @throws ArgumentError in a model without MLPs. */
export function needMlps(model: Configured): void {
  if (hasMlps(model)) return;
  throw new ArgumentError("This model has no neurons: it is attention alone.", { asked: "neurons" });
}
