/**
 * The attention of well-known kinds of heads: 1 where such a head looks, 0 elsewhere. Source:
 * TransformerLens' `head_detector`; the kinds are Elhage et al. 2021's and Olsson et al. 2022's.
 */
import { Tensor } from "../../graph/tensor.ts";
import { checkTensor } from "../../lens/check-tensor.ts";
import { ndarray } from "../../tensor/array.ts";
import { UnknownNameError } from "../../tensor/errors.ts";
import { shown } from "../../tensor/show.ts";

/**
 * The kinds of heads that have a pattern by name. `previous_token_head` looks at the token before;
 * `duplicate_token_head` at earlier tokens equal to the current one; `induction_head` at the tokens after those.
 */
export const HEAD_NAMES = ["previous_token_head", "duplicate_token_head", "induction_head"] as const;

/** A kind of head that has a pattern by name. */
export type HeadName = (typeof HEAD_NAMES)[number];

/** Whether such a head at `query` looks at `key`, an earlier place or the same one. */
const looks: { readonly [K in HeadName]: (tokens: ArrayLike<number>, query: number, key: number) => boolean } = {
  previous_token_head: (_tokens, query, key) => key === query - 1,
  duplicate_token_head: (tokens, query, key) => key < query && tokens[key] === tokens[query],
  induction_head: (tokens, query, key) => key > 0 && tokens[key - 1] === tokens[query],
};

/**
 * The pattern of a kind of head on tokens int32 [batch pos]: 1 or 0, [batch query key].
 * @throws UnknownNameError for an unknown kind.
 */
export function detectionPattern(name: HeadName, tokens: Tensor): Tensor {
  if (!HEAD_NAMES.includes(name)) {
    throw new UnknownNameError("kind of head", typeof name === "string" ? name : shown(name), HEAD_NAMES);
  }
  checkTensor("The tokens", tokens, ["batch", "pos"], "int32");
  const [batch, pos] = tokens.shape;
  const data = new Float32Array(batch * pos * pos);
  for (let b = 0; b < batch; b++) {
    const row = tokens.data.subarray(b * pos, (b + 1) * pos);
    for (let query = 0; query < pos; query++) {
      for (let key = 0; key <= query; key++) data[(b * pos + query) * pos + key] = +looks[name](row, query, key);
    }
  }
  return Tensor.leaf(ndarray("float32", [batch, pos, pos], data), ["batch", "query", "key"]);
}
