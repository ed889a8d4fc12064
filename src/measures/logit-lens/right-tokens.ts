/** Which token is right at each position of a prompt. */
import { mean } from "simple-statistics";
import type { HookedTransformer } from "../../lens/hooked-transformer.ts";
import { fillsMasks } from "../../lens/model-has.ts";
import { maskTokenId } from "../../text/mask-token.ts";
import type { Prompt } from "../prompt.ts";

/** The next one, or in a model that fills in masks the one that stands there. */
interface RightTokens {
  /** How many of a prompt's tokens, from the last, are right somewhere. */
  readonly predicting: number;
  /** The position of the token that is right at one; null for a position where none is known. */
  at(pos: number): number | null;
}

/** Which token is right where, in a prompt. */
export function rightTokens(model: HookedTransformer, { ids }: Prompt): RightTokens {
  if (fillsMasks(model)) {
    const mask = model.text && maskTokenId(model.text.tokenizer);
    return { predicting: ids.length, at: (pos) => (ids[pos] === mask ? null : pos) };
  }
  return { predicting: ids.length - 1, at: (pos) => (pos + 1 < ids.length ? pos + 1 : null) };
}

/** The token that is right at each position, and the one that is right half a prompt away. */
export function namedTokens({ ids }: Prompt, { predicting }: RightTokens): readonly [number[], number[]] {
  const first = ids.length - predicting;
  const shifted = (by: number) => ids.map((_, p) => ids[first + ((p + by) % predicting)]);
  return [shifted(0), shifted(Math.ceil(predicting / 2))];
}

/** The mean rank of a prompt's right tokens by the unembedding's bias, which knows nothing of the prompt. */
export function biasRank(model: HookedTransformer, prompt: Prompt): number {
  const bias = Array.from(model.b_U.data);
  const rank = (id: number) => bias.filter((b) => b > bias[id]).length;
  const { predicting } = rightTokens(model, prompt);
  return mean(prompt.ids.slice(prompt.ids.length - predicting).map(rank));
}
