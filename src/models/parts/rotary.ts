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
  /** Positions that there are. */
  readonly length: number;
}

/**
 * ```
 * angle = pos / base^(2i / dim)                          for the pair i of 0 … dim/2 - 1
 * [x0, x1] = [x0 cos - x1 sin, x1 cos + x0 sin]          for each pair of dimensions
 * ```
 * @param x [batch pos head d_head]
 * @param positions int32 [batch pos]
 *
 * Source: Su et al. 2021, arXiv 2104.09864; TransformerLens' `calculate_sin_cos_rotary` and `apply_rotary`.
 */
export function rotate(x: Tensor, positions: Tensor, kind: RotaryKind): Tensor {
  const d_head = x.shape.at(-1)!;
  const { cos, sin } = tables(kind);
  const at = (table: Tensor) => table.gather(0, positions).unsqueeze(-2, "").rename(["", "", "", ""]);
  const part = kind.dim === d_head ? x : x.slice(-1, 0, kind.dim);
  const turned = part.mul(at(cos)).add(swapped(part, kind).mul(at(sin)));
  return kind.dim === d_head ? turned : turned.concat(x.slice(-1, kind.dim), -1);
}

/** Each number in the place of its partner. */
function swapped(x: Tensor, { dim, pairs }: RotaryKind): Tensor {
  if (pairs === "halves") return x.slice(-1, dim / 2).concat(x.slice(-1, 0, dim / 2), -1);
  return x.gather(-1, partners(dim));
}

/** 1, 0, 3, 2, ... as int32 [dim]. */
function partners(dim: number): Tensor {
  const known =
    partnersOf.get(dim) ??
    Tensor.leaf(
      ndarray(
        "int32",
        [dim],
        Int32Array.from({ length: dim }, (_, i) => i ^ 1),
      ),
    );
  partnersOf.set(dim, known);
  return known;
}
const partnersOf = new Map<number, Tensor>();

interface Tables {
  readonly cos: Tensor;
  /** With a minus for the first of each pair, which is what its partner is subtracted by. */
  readonly sin: Tensor;
}

const tablesOf = new WeakMap<RotaryKind, Tables>();

/** The cosines and sines of all positions, [pos dim], in float32 as TransformerLens has them. */
function tables(kind: RotaryKind): Tables {
  const known = tablesOf.get(kind) ?? makeTables(kind);
  tablesOf.set(kind, known);
  return known;
}

function makeTables({ dim, base, pairs, length }: RotaryKind): Tables {
  const half = dim / 2;
  const [cos, sin] = [new Float32Array(length * dim), new Float32Array(length * dim)];
  for (let i = 0; i < half; i++) {
    const [first, second] = pairs === "halves" ? [i, i + half] : [2 * i, 2 * i + 1];
    const frequency = Math.fround(base ** (i / half));
    for (let pos = 0; pos < length; pos++) {
      const angle = Math.fround(pos / frequency);
      cos[pos * dim + first] = cos[pos * dim + second] = Math.cos(angle);
      sin[pos * dim + second] = Math.sin(angle);
      sin[pos * dim + first] = -sin[pos * dim + second];
    }
  }
  const table = (data: Float32Array<ArrayBuffer>) =>
    Tensor.leaf(ndarray("float32", [length, dim], data), ["", "d_head"], "weight");
  return { cos: table(cos), sin: table(sin) };
}
