/** Kinds of value that the lens' options take, besides those of `src/tensor/kinds.ts`. */
import { ANYTHING, FLAG, FUNCTION, type Kind, POSITIVE, SIGNAL } from "../tensor/kinds.ts";
import type { OptionKinds } from "../tensor/options.ts";
import type { InputOptions } from "./model-input.ts";

const isWhole = (v: unknown) => Number.isSafeInteger(v);

/** `AxisSlice`. */
export const AXIS_SLICE: Kind = {
  accepts: (v) =>
    isWhole(v) ||
    (Array.isArray(v) && Array.from(v).every(isWhole)) ||
    (typeof v === "object" &&
      v !== null &&
      !Array.isArray(v) &&
      Object.entries(v).every(([key, at]) => ["start", "end"].includes(key) && (at === undefined || isWhole(at)))),
  describe: "an index, a list of indices, or { start, end }",
};

/** The options of a long computation: `memory`, `signal` and `onProgress`. */
export const LONG = { memory: POSITIVE, signal: SIGNAL, onProgress: FUNCTION };

/** `InputOptions`. The errors of masks and the like are better; they are thrown where those are read. */
export const INPUT: OptionKinds<InputOptions> = {
  prependBos: FLAG,
  paddingSide: { accepts: (v) => v === "left" || v === "right", describe: '"left" or "right"' },
  attentionMask: ANYTHING,
  tokenTypeIds: ANYTHING,
  decoderInput: ANYTHING,
};
