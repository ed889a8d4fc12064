/** From logits to a next token. */
import { kindsOf } from "../options/kinds.ts";
import type { Condition, OptionRecords } from "../options/records.ts";
import { settle } from "../options/settle.ts";
import { ArgumentError, InputError } from "../tensor/errors.ts";
import { FLAG } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { shown } from "../tensor/show.ts";
import { idRows } from "../text/token-ids.ts";

/** How a next token is drawn. */
export interface SamplingOptions {
  /** False: always the token with the highest logit. Default true, as in TransformerLens. */
  readonly doSample?: boolean | undefined;
  /** What logits are divided by; 0 is the same as `doSample: false`. Default 1. */
  readonly temperature?: number | undefined;
  /** Only the k tokens with the highest logits. */
  readonly topK?: number | undefined;
  /** Only the most probable tokens whose probabilities together reach p, including the one that crosses it. */
  readonly topP?: number | undefined;
  /** Subtracted from a token's logit for each time it has occurred, after the temperature. Default 0. */
  readonly freqPenalty?: number | undefined;
}

/** Of options that say how to draw: something must be drawn. */
const DRAWN = [
  { option: "doSample", not: [false], which: "takes the token with the highest logit" },
  { option: "temperature", not: [0], which: "takes the token with the highest logit" },
] as const satisfies readonly Condition[];

/** How a next token is drawn, as records. */
export const SAMPLING_OPTIONS = {
  temperature: {
    type: "number",
    least: 0,
    default: 1,
    description: "what logits are divided by; 0 takes the token with the highest logit",
  },
  topK: {
    type: "integer",
    least: 1,
    placeholder: "K",
    description: "draw only from the K tokens with the highest logits",
    only: [...DRAWN, { option: "topP", is: [undefined], which: "also says which tokens to draw from" }],
  },
  topP: {
    type: "number",
    above: 0,
    most: 1,
    placeholder: "P",
    description: "draw only from the most probable tokens whose probabilities together reach P",
    only: DRAWN,
  },
  freqPenalty: {
    type: "number",
    description: "subtracted from a token's logit for each time it has occurred, after the temperature",
    defaultText: "0",
    only: DRAWN,
  },
} as const satisfies OptionRecords;

/** The kinds of `SamplingOptions`. */
export const SAMPLING: OptionKinds<SamplingOptions> = { ...kindsOf(SAMPLING_OPTIONS), doSample: FLAG };

/** @throws ArgumentError for options that mean nothing together, such as how to draw when nothing is drawn */
export function checkSampling(options: SamplingOptions): void {
  settle(options, SAMPLING_OPTIONS);
}

/**
 * The next token from one row of logits [d_vocab]: divided by the temperature, less the frequency penalty, cut to the top
 * k or else the top p, and drawn from their softmax. Source: TransformerLens' `utils.sample_logits`.
 */
export function sampleLogits(
  logits: Float32Array,
  seen: ArrayLike<number>,
  options: SamplingOptions,
  random: () => number,
): number {
  checkOptions("sampleLogits", options, SAMPLING);
  checkSampling(options);
  checkArguments(logits, seen, random);
  return sampled(logits, seen, options, () => {
    const drawn = random();
    if (typeof drawn === "number" && drawn >= 0 && drawn < 1) return drawn;
    throw new ArgumentError(
      `sampleLogits draws with a function that returns numbers from 0 to below 1, but this one returned ${shown(drawn)}.`,
      { asked: drawn },
    );
  });
}

/** As `sampleLogits`, of options that have been checked. @throws InputError for logits that no token can be drawn by */
export function sampled(
  logits: Float32Array,
  seen: ArrayLike<number>,
  options: SamplingOptions,
  random: () => number,
): number {
  const { doSample = true, temperature = SAMPLING_OPTIONS.temperature.default, topK, topP, freqPenalty = 0 } = options;
  const best = argmax(logits);
  if (!doSample || temperature === 0) return best;
  // A temperature near 0 takes scores past what a number holds; differences from the highest have their limits right.
  const past = !Number.isFinite(logits[best] / temperature);
  const scores = Float64Array.from(logits, past ? (x) => (x - logits[best]) / temperature : (x) => x / temperature);
  if (freqPenalty !== 0) {
    for (let i = 0; i < seen.length; i++) {
      scores[seen[i]] = Math.min(scores[seen[i]] - freqPenalty, Number.MAX_VALUE);
    }
  }
  const kept = topK ? highest(scores, topK) : topP && topP < 1 ? nucleus(scores, topP) : undefined;
  const candidates = kept ?? Uint32Array.from(scores.keys());
  const top = Math.max(
    candidates.reduce((max, id) => Math.max(max, scores[id]), -Infinity),
    -Number.MAX_VALUE,
  );
  const weights = Float64Array.from(candidates, (id) => Math.exp(scores[id] - top));
  let left = random() * weights.reduce((a, b) => a + b, 0);
  for (let i = 0; i < candidates.length; i++) {
    left -= weights[i];
    if (left < 0) return candidates[i];
  }
  return candidates[candidates.length - 1];
}

/** The token with the highest logit. @throws InputError for logits that say nothing: NaN, infinite, or all -Infinity */
function argmax(logits: Float32Array): number {
  let best = 0;
  for (let i = 0; i < logits.length; i++) {
    if (!(logits[i] <= logits[best])) best = i;
    if (Number.isNaN(logits[i])) break;
  }
  if (Number.isFinite(logits[best])) return best;
  throw new InputError(
    `The logits of the next token hold ${logits[best]} (token ${best}), so none can be drawn: weights, or a hook's result, have left the range of float32.`,
    { found: logits[best] },
  );
}

/** @throws ArgumentError naming the argument; InputError for a seen token that has no logit */
function checkArguments(logits: unknown, seen: unknown, random: unknown): void {
  if (!(logits instanceof Float32Array) || logits.length === 0 || logits.some(Number.isNaN)) {
    throw new ArgumentError(
      `sampleLogits needs one row of logits, a Float32Array [d_vocab] of numbers, not ${shown(logits)}.`,
      { asked: logits },
    );
  }
  if (!idRows(seen, logits.length).single) {
    throw new ArgumentError("sampleLogits needs the tokens seen in one prompt, not rows of them.");
  }
  if (typeof random !== "function") {
    throw new ArgumentError(
      `sampleLogits draws with a function that returns numbers from 0 to below 1, not ${shown(random)}.`,
      { asked: random },
    );
  }
}

/** Token ids from the highest score down. */
function descending(scores: Float64Array): Uint32Array {
  return Uint32Array.from(scores.keys()).sort((a, b) => scores[b] - scores[a] || a - b);
}

/** All tokens with at least the k-th highest score. */
function highest(scores: Float64Array, k: number): Uint32Array {
  const order = descending(scores);
  const least = scores[order[Math.min(k, order.length) - 1]];
  const end = order.findIndex((id) => scores[id] < least);
  return end < 0 ? order : order.subarray(0, end);
}

function nucleus(scores: Float64Array, p: number): Uint32Array {
  const order = descending(scores);
  const top = scores[order[0]];
  const total = scores.reduce((sum, x) => sum + Math.exp(x - top), 0);
  let reached = 0;
  const last = order.findIndex((id) => (reached += Math.exp(scores[id] - top) / total) > p);
  return last < 0 ? order : order.subarray(0, last + 1);
}
