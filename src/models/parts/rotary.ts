/** Rotary positions: queries and keys are turned by an angle that grows with their position. */
import { Tensor } from "../../graph/tensor.ts";
import { ndarray } from "../../tensor/array.ts";

/** What turns queries and keys, [batch pos head d_head] to the same, in one run. */
export interface Turn {
  queries(q: Tensor): Tensor;
  keys(k: Tensor): Tensor;
}

/** A kind of rotary positions. */
export interface RotaryKind {
  /** How many of a head's dimensions are turned; those after them stay. */
  readonly dim: number;
  readonly base: number;
  /** Dimensions that turn together: 2i and 2i + 1 (GPT-J), or i and i + dim/2 (GPT-NeoX, Llama). */
  readonly pairs: "neighbours" | "halves";
  /** How slow pairs are slowed down, for texts longer than those of training; null: not at all. */
  readonly stretch: Stretch | null;
}

/**
 * Llama 3.1's scaling, "NTK by parts". With the turns `t = trainedLength · frequency / 2π` of a pair over the length of
 * training, its frequency is
 * ```
 * unchanged                                                  if t > highFreqFactor
 * frequency / factor                                         if t < lowFreqFactor
 * (1 - s) frequency / factor + s frequency                   between, s = (t - lowFreqFactor) / (highFreqFactor - lowFreqFactor)
 * ```
 * Source: Llama 3.1's code; TransformerLens' `use_NTK_by_parts_rope`.
 */
export interface Stretch {
  readonly factor: number;
  readonly lowFreqFactor: number;
  readonly highFreqFactor: number;
  readonly trainedLength: number;
}

/**
 * ```
 * angle = pos / base^(2i / dim)                          for the pair i of 0 … dim/2 - 1, unless it is stretched
 * [x0, x1] = [x0 cos - x1 sin, x1 cos + x0 sin]          for each pair of dimensions
 * ```
 * @param x [batch pos head d_head]
 * @param positions int32 [batch pos]
 *
 * Source: Su et al. 2021, arXiv 2104.09864; TransformerLens' `calculate_sin_cos_rotary` and `apply_rotary`.
 */
export function rotate(x: Tensor, positions: Tensor, kind: RotaryKind): Tensor {
  const { periods, signs, partners } = leavesOf(kind);
  const angle = positions.cast("float32").unsqueeze(-1).unsqueeze(-1).div(periods).rename(["", "", "", ""]);
  const part = kind.dim === x.shape.at(-1) ? x : x.slice(-1, 0, kind.dim);
  const swapped =
    kind.pairs === "halves"
      ? part.slice(-1, kind.dim / 2).concat(part.slice(-1, 0, kind.dim / 2), -1)
      : part.gather(-1, partners);
  const turned = part.mul(angle.cos()).add(swapped.mul(angle.sin().mul(signs)));
  return part === x ? turned : turned.concat(x.slice(-1, kind.dim), -1);
}

/** What the dimensions of a kind are turned by, the same in every pass. */
interface Leaves {
  /** base^(2i / dim), [dim]: how many positions it takes to turn by one. */
  readonly periods: Tensor;
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

/** How many positions a pair takes to turn by one, as it is stretched. */
function stretched(period: number, stretch: Stretch | null): number {
  if (!stretch) return period;
  const { factor, lowFreqFactor, highFreqFactor, trainedLength } = stretch;
  const turns = trainedLength / (2 * Math.PI * period);
  if (turns > highFreqFactor) return period;
  if (turns < lowFreqFactor) return period * factor;
  const share = (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
  return 1 / ((1 - share) / (period * factor) + share / period);
}

function makeLeaves({ dim, base, pairs, stretch }: RotaryKind): Leaves {
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
  return {
    periods: floats((d) => stretched(base ** (pairOf(d) / half), stretch)),
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
