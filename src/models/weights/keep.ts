/** Which weights can be kept in fewer bits, and along which axis their numbers share a scale. */
import { type NDArray, sizeOf } from "../../tensor/array.ts";
import { WeightsError } from "../../tensor/errors.ts";
import { type KeptDType, type KeptLayout, keep, keptSize } from "../../tensor/kept.ts";
import type { WeightSpec } from "./spec.ts";

/** Rows of a table, one for each token or position: what is looked up, not multiplied. */
const LOOKED_UP: ReadonlySet<string> = new Set(["d_vocab", "pos"]);

/**
 * How a matrix's axes are seen as [pre k post], k being what a product sums over: d_model of W_Q [head d_model d_head], head and
 * d_head of W_O [head d_head d_model]. `undefined` for vectors, which are always kept in float32.
 */
export function keptLayout({ axes, shape, init }: Omit<WeightSpec, "name">): KeptLayout | undefined {
  const size = (from: number, to?: number) => sizeOf(shape.slice(from, to));
  if (init !== "drawn" || shape.length < 2) return undefined;
  if (LOOKED_UP.has(axes[0])) return { pre: shape[0], k: size(1), post: 1 };
  if (axes[1] === "d_head") return { pre: 1, k: size(0, 2), post: size(2) };
  return { pre: size(0, -2), k: shape.at(-2)!, post: shape.at(-1)! };
}

/** The largest float16. */
const MOST_FLOAT16 = 65504;

/** A weight as it is to be kept. @throws WeightsError for one with a number that float16 cannot hold */
export function keepWeight(spec: WeightSpec, array: NDArray<"float32">, dtype: KeptDType): NDArray<"float32"> {
  const layout = keptLayout(spec);
  if (dtype === "float32" || !layout) return array;
  if (dtype === "float16") {
    const beyond = array.data.find((x) => Math.abs(x) > MOST_FLOAT16);
    if (beyond !== undefined) {
      throw new WeightsError(
        `The weight "${spec.name}" has ${beyond}, which float16 cannot hold (at most ${MOST_FLOAT16}): use dtype "bfloat16".`,
        { asked: dtype, found: beyond, nearest: "bfloat16" },
      );
    }
  }
  return keep(array, layout, dtype);
}

/** The bytes that weights take when they are kept so. */
export function keptWeightBytes(specs: Iterable<WeightSpec>, dtype: KeptDType): number {
  let bytes = 0;
  for (const spec of specs) {
    const layout = keptLayout(spec);
    bytes += layout ? keptSize(dtype, layout.pre * layout.post, layout.k) : 4 * sizeOf(spec.shape);
  }
  return bytes;
}
