/** Values of options that depend on a model, or have bounds. */
import { ArgumentError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import type { HasSizes } from "./records.ts";

/** @throws ArgumentError unless it is a whole number from `least` to `most`. */
export function checkWhole(name: string, value: number, least: number, most = Number.MAX_SAFE_INTEGER): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new ArgumentError(`${name} must be ${wholeWords(least, most)}, not ${shown(value)}.`, {
    asked: value,
    found: [least, most],
  });
}

/** The whole numbers of a range, to end a sentence. */
export function wholeWords(least: number, most = Number.MAX_SAFE_INTEGER): string {
  if (least === Number.MIN_SAFE_INTEGER) return "a whole number";
  return `a whole number ${most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`}`;
}

/** A layer from 0, where negative numbers count from the end. @throws ArgumentError for one that does not exist. */
export function checkLayer({ cfg }: HasSizes, layer: number): number {
  const at = layer < 0 ? layer + cfg.nLayers : layer;
  if (Number.isInteger(at) && at >= 0 && at < cfg.nLayers) return at;
  throw new ArgumentError(
    `There is no layer ${shown(layer)}: this model's ${cfg.nLayers === 1 ? "only layer is 0" : `layers go from 0 to ${cfg.nLayers - 1}`}.`,
    { asked: layer, found: cfg.nLayers },
  );
}

/** A head of a layer. @throws ArgumentError for one that does not exist. */
export function checkHead({ cfg }: HasSizes, head: number): number {
  if (Number.isInteger(head) && head >= 0 && head < cfg.nHeads) return head;
  throw new ArgumentError(
    `There is no head ${shown(head)}: this model's heads go from 0 to ${cfg.nHeads - 1} in each layer.`,
    { asked: head, found: cfg.nHeads },
  );
}
