/** What replaces an ablated value, in a batch that may be padded. */
import { Tensor } from "../../graph/tensor.ts";
import type { PreparedInput } from "../../lens/model-input.ts";
import { ndarray } from "../../tensor/array.ts";
import { Random } from "../statistics/random.ts";
import { type Replacement, zero } from "../sweep.ts";

/** Zero, the mean over all tokens, or the value at another token drawn at random. */
export type AblationMethod = "zero" | "mean" | "resample";

/** The replacement for values [batch pos ...] of this input, drawn or averaged over its tokens, without padding. */
export function ablatedBy(method: AblationMethod, input: PreparedInput, seed: number): Replacement {
  if (method === "zero") return zero;
  const { tokens } = input;
  const count = tokens.data.length;
  const real = realTokens(input);
  if (method === "mean") {
    const weights = new Float32Array(count);
    for (const i of real) weights[i] = 1 / real.length;
    return (x) => {
      const sizes = x.shape.map((n, axis) => (axis < 2 ? n : 1));
      return x.mul(Tensor.leaf(ndarray("float32", sizes, weights), x.axes)).sum(["batch", "pos"], true);
    };
  }
  const random = new Random(seed);
  const drawn = Int32Array.from({ length: count }, () => real[random.integer(real.length)]);
  const index = Tensor.leaf(ndarray("int32", tokens.shape, drawn), ["batch", "pos"]);
  return (x) => x.mergeAxes("batch", 2, "row").gather("row", index);
}

/** The positions of a batch's tokens that are not padding. */
export function realTokens({ tokens, attentionMask }: PreparedInput): Int32Array {
  const all = Int32Array.from({ length: tokens.data.length }, (_, i) => i);
  return attentionMask ? all.filter((i) => attentionMask.data[i] === 1) : all;
}
