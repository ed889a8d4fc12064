/** From logits to a next token. */
import { ArgumentError } from "../tensor/errors.ts";

/** How a next token is drawn. */
export interface SamplingOptions {
  /** False: always the token with the highest logit. Default true, as in TransformerLens. */
  readonly doSample?: boolean;
  /** What logits are divided by; 0 is the same as `doSample: false`. Default 1. */
  readonly temperature?: number;
  /** Only the k tokens with the highest logits. */
  readonly topK?: number;
  /** Only the likeliest tokens whose probabilities reach p together, the one that crosses it included. */
  readonly topP?: number;
  /** Taken from a token's logit for each time it has occurred, after the temperature. Default 0. */
  readonly freqPenalty?: number;
}

/** @throws ArgumentError naming the option and its range. */
export function checkSampling({ temperature = 1, topK, topP, freqPenalty = 0 }: SamplingOptions): void {
  const check = (name: string, value: number | undefined, fits: (v: number) => boolean, range: string) => {
    if (value === undefined || fits(value)) return;
    throw new ArgumentError(`${name} is ${value}, but it must be ${range}.`, { asked: value, found: range });
  };
  check("temperature", temperature, (v) => v >= 0 && Number.isFinite(v), "a number from 0 on");
  check("topK", topK, (v) => Number.isInteger(v) && v >= 1, "a whole number from 1 on");
  check("topP", topP, (v) => v > 0 && v <= 1, "over 0 and at most 1");
  check("freqPenalty", freqPenalty, Number.isFinite, "a finite number");
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
  const { doSample = true, temperature = 1, topK, topP, freqPenalty = 0 } = options;
  if (!doSample || temperature === 0) return argmax(logits);
  const scores = Float64Array.from(logits, (x) => x / temperature);
  if (freqPenalty !== 0) for (let i = 0; i < seen.length; i++) scores[seen[i]] -= freqPenalty;
  const kept = topK ? highest(scores, topK) : topP && topP < 1 ? nucleus(scores, topP) : undefined;
  const candidates = kept ?? Uint32Array.from(scores.keys());
  const top = candidates.reduce((max, id) => Math.max(max, scores[id]), -Infinity);
  const weights = Float64Array.from(candidates, (id) => Math.exp(scores[id] - top));
  let left = random() * weights.reduce((a, b) => a + b, 0);
  for (let i = 0; i < candidates.length; i++) {
    left -= weights[i];
    if (left < 0) return candidates[i];
  }
  return candidates[candidates.length - 1];
}

function argmax(logits: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i] > logits[best]) best = i;
  return best;
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
