/** What a neuron or a feature writes, in tokens. */
import type { Tensor } from "../graph/tensor.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { Measured } from "./measured.ts";
import { tokenText } from "./prompt.ts";
import { Random } from "./statistics/random.ts";
import { largestIndices } from "./top-tokens.ts";

const OTHERS = 100;

/** A token of the vocabulary, and what one unit of activation adds to its logit. */
export interface TokenEffectRow {
  readonly id: number;
  readonly token: string;
  readonly effect: number;
}

/** The tokens that are promoted and suppressed most, place by place. */
export interface WrittenTokensRow {
  readonly token_up: string;
  readonly effect_up: number;
  readonly token_down: string;
  readonly effect_down: number;
}

/** What one unit of activation adds to each token's logit. */
export interface WrittenTokens {
  /** What it writes, times W_U, before the last norm's scale: a row for each token of the vocabulary. */
  readonly vocabulary: Measured<TokenEffectRow>;
  /** The ends of the vocabulary, the strongest first. */
  readonly written: Measured<WrittenTokensRow>;
  /** The share of the vocabulary that it promotes. */
  readonly promoted: number;
  /** The largest |effect| of random others. */
  readonly randomEffects: readonly number[];
}

/** One index of many, and up to a hundred others drawn at random. */
export function withOthers(index: number, of: number, seed: number): Int32Array<ArrayBuffer> {
  const others = [...new Random(seed).sample(of, Math.min(OTHERS + 1, of))].filter((n) => n !== index).slice(0, OTHERS);
  return Int32Array.from([index, ...others]);
}

/**
 * @param written what is added to the residual stream for one unit of activation, [row d_model]: the first row's effects are given, the
 * others' are compared with
 * @param top how many tokens at each end @returns also the numbers alone, by token id
 */
export async function writtenTokens(
  model: HookedTransformer,
  written: Tensor,
  { top, signal }: { readonly top: number; readonly signal: AbortSignal | undefined },
): Promise<{ readonly found: WrittenTokens; readonly effects: Float32Array }> {
  const norm = model.weights.find("ln_final.w");
  const added = (norm ? written.mul(norm) : written).matmul(model.W_U);
  const [own, ends] = await model.compute([added.slice(0, 0, 1), added.abs().max(-1)], { signal });
  const effects = own.data as Float32Array;
  const row = (id: number): TokenEffectRow => ({ id, token: tokenText(model, id), effect: effects[id] });
  const found: WrittenTokens = {
    vocabulary: new Measured({ length: effects.length, columns: ["id", "token", "effect"], row }),
    written: new Measured(endsOf(model, effects, top)),
    promoted: effects.reduce((n, effect) => n + (effect > 0 ? 1 : 0), 0) / effects.length,
    randomEffects: Array.from(ends.data).slice(1),
  };
  return { found, effects };
}

function endsOf(model: HookedTransformer, effects: Float32Array, top: number): WrittenTokensRow[] {
  const lowest = largestIndices(
    effects.map((effect) => -effect),
    top,
  );
  return largestIndices(effects, top).map((up, i): WrittenTokensRow => {
    const down = lowest[i];
    const promoted = { token_up: tokenText(model, up), effect_up: effects[up] };
    return { ...promoted, token_down: tokenText(model, down), effect_down: effects[down] };
  });
}
