/** Rotary positions: queries and keys are turned by an angle that grows with their position. */
import { Tensor } from "../../graph/tensor.ts";
import { ndarray } from "../../tensor/array.ts";

/** A number for each pair of dimensions. */
export type Stretch = (pair: number) => number;

/** A kind of rotary positions. */
export interface RotaryKind {
  /** How many of a head's dimensions are turned; those after them stay. */
  readonly dim: number;
  readonly base: number;
  /** Dimensions that turn together: 2i and 2i + 1 (GPT-J), or i and i + dim/2 (GPT-NeoX, Llama). */
  readonly pairs: "neighbours" | "halves";
  /** What the frequency of each pair is divided by, for texts longer than those of training; null: nothing. */
  readonly stretch: Stretch | null;
  /** The same in texts longer than `above` tokens; null: no difference. */
  readonly long: { readonly stretch: Stretch; readonly above: number } | null;
  /** What turned dimensions are multiplied with. */
  readonly magnitude: number;
}

/**
 * ```
 * angle = pos / (stretch_i base^(2i / dim))              for the pair i of 0 … dim/2 - 1
 * [x0, x1] = m [x0 cos - x1 sin, x1 cos + x0 sin]        for each pair of dimensions, m the magnitude
 * ```
 * @param x [batch pos head d_head]
 * @param positions int32 [batch pos]
 * @param of int32 [batch pos] of every token of the text, of which the last says how long it is
 *
 * Source: Su et al. 2021, arXiv 2104.09864; TransformerLens' `calculate_sin_cos_rotary` and `apply_rotary`;
 * transformers' `modeling_rope_utils`, where one text of a batch that is long makes all of them so.
 */
export function rotate(x: Tensor, positions: Tensor, kind: RotaryKind, of = positions): Tensor {
  const { signs, partners } = leavesOf(kind);
  const angle = positions.cast("float32").unsqueeze(-1).unsqueeze(-1).div(periodsOf(kind, of)).rename(["", "", "", ""]);
  const part = kind.dim === x.shape.at(-1) ? x : x.slice(-1, 0, kind.dim);
  const swapped =
    kind.pairs === "halves"
      ? part.slice(-1, kind.dim / 2).concat(part.slice(-1, 0, kind.dim / 2), -1)
      : part.gather(-1, partners);
  const [cos, sin] = [angle.cos(), angle.sin()].map((t) => (kind.magnitude === 1 ? t : t.mul(kind.magnitude)));
  const turned = part.mul(cos).add(swapped.mul(sin.mul(signs)));
  return part === x ? turned : turned.concat(x.slice(-1, kind.dim), -1);
}

/** How many positions it takes each dimension to turn by one, [dim], or of each text [batch 1 1 dim]. */
function periodsOf(kind: RotaryKind, of: Tensor): Tensor {
  const { periods, longPeriods } = leavesOf(kind);
  if (!kind.long || !longPeriods) return periods;
  const isShort = of.max(-1, true).unsqueeze(-1).unsqueeze(-1).lessThan(kind.long.above).rename(["", "", "", ""]);
  return periods.where(isShort, longPeriods);
}

/** What the dimensions of a kind are turned by, the same in every pass. */
interface Leaves {
  /** stretch base^(2i / dim), [dim]: how many positions it takes to turn by one. */
  readonly periods: Tensor;
  readonly longPeriods: Tensor | undefined;
  /** -1 for the first of each pair, from which its partner is subtracted, 1 for the second. */
  readonly signs: Tensor;
  /** Where each dimension's partner is, int32 [dim]. */
  readonly partners: Tensor;
}

const leaves = new WeakMap<RotaryKind, Leaves>();

function leavesOf(kind: RotaryKind): Leaves {
  const known = leaves.get(kind) ?? makeLeaves(kind);
  leaves.set(kind, known);
  return known;
}

function makeLeaves({ dim, base, pairs, stretch, long }: RotaryKind): Leaves {
  const half = dim / 2;
  const pairOf = (d: number) => (pairs === "halves" ? d % half : d >> 1);
  const isFirst = (d: number) => (pairs === "halves" ? d < half : d % 2 === 0);
  const partnerOf = (d: number) => (pairs === "halves" ? (d + half) % dim : d ^ 1);
  const floats = (of: (d: number) => number) =>
    Tensor.leaf(
      ndarray(
        "float32",
        [dim],
        Float32Array.from({ length: dim }, (_, d) => of(d)),
      ),
      [],
      "weight",
    );
  const periods = (stretch: Stretch | null) => floats((d) => base ** (pairOf(d) / half) * (stretch?.(pairOf(d)) ?? 1));
  return {
    periods: periods(stretch),
    longPeriods: long ? periods(long.stretch) : undefined,
    signs: floats((d) => (isFirst(d) ? -1 : 1)),
    partners: Tensor.leaf(
      ndarray(
        "int32",
        [dim],
        Int32Array.from({ length: dim }, (_, d) => partnerOf(d)),
      ),
      [],
      "weight",
    ),
  };
}
