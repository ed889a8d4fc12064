/**
 * Which elements of a value a change can reach: known from a mask, the ops' own rules of what they do along each axis, and
 * attention's masks, without any number computed.
 */
import type { Meta } from "../axes.ts";
import type { Along } from "../op.ts";
import { equationOf } from "../ops/einsum.ts";
import { ops } from "../ops/index.ts";
import type { Tensor } from "../tensor.ts";
import { aligned, carry, combine, digestOf, EVERYTHING, either, type Marks, marksAlong, NOTHING } from "./marks.ts";

/** Which elements of the values of a graph differ between cells. */
export class Reach {
  /** Of the values that changes reach: which elements they can change. */
  private readonly marks = new Map<Tensor, Marks>();
  private readonly all = new Map<string, Marks[]>();
  private readonly ones = new Set<Marks>();
  private readonly shortened = new Map<Marks, Marks>();
  private readonly cells = new Map<Marks, Marks>();
  private readonly found = new Map<string, Marks>();
  private readonly ids = new Map<object, number>();
  private readonly sure = { zero: new Map<Tensor, Marks | undefined>(), hidden: new Map<Tensor, Marks | undefined>() };
  private readonly hasCells: (x: Tensor, rank: number) => boolean;

  /** @param hasCells whether an input of a value of this rank has numbers of its own for each cell */
  constructor(hasCells: (x: Tensor, rank: number) => boolean) {
    this.hasCells = hasCells;
  }

  /** Which elements of a value can differ from cell to cell, once its inputs were followed; `undefined`: none. */
  follow(t: Tensor): Marks | undefined {
    const rank = t.shape.length;
    const isChange = t.op === "where" && this.hasCells(t.inputs[0], rank) && knownMask(t.inputs[0]);
    if (!isChange && !t.inputs.some((x) => this.marks.has(x))) return undefined;
    const key = this.keyOf(t);
    const marks = this.found.get(key) ?? this.one(this.find(t));
    this.found.set(key, marks);
    this.marks.set(t, marks);
    return marks;
  }

  private find(t: Tensor): Marks {
    if (t.op === "where") return this.ofChoice(t);
    return t.op === "einsum" ? this.ofProduct(t) : this.ofAny(t);
  }

  /** What marks depend on: they are found once for all layers in which this is the same. */
  private keyOf(t: Tensor): string {
    const inputs = t.inputs.map((x) => {
      const marks = this.of(x, t.shape.length);
      const zeros = t.op === "einsum" ? this.surely(x, "zero") : undefined;
      const mask = t.op === "where" ? x.array : undefined;
      return `${x.shape} ${this.idOf(marks && this.one(marks))} ${this.idOf(zeros)} ${this.idOf(mask)}`;
    });
    return `${t.op} ${JSON.stringify(t.attrs)} ${t.shape} | ${inputs.join(" | ")}`;
  }

  private idOf(x: object | undefined): number {
    if (!x) return 0;
    const id = this.ids.get(x) ?? this.ids.size + 1;
    this.ids.set(x, id);
    return id;
  }

  /** Marks along those first axes alone that they vary along. */
  shortest(marks: Marks): Marks {
    const known =
      this.shortened.get(marks) ?? this.one({ shape: marks.shape.slice(0, marksAlong(marks)), data: marks.data });
    this.shortened.set(marks, known);
    return known;
  }

  /** In which cells anything is marked. */
  ofCells(marks: Marks): Marks {
    const known = this.cells.get(marks) ?? this.one(carry(marks, [0]));
    this.cells.set(marks, known);
    return known;
  }

  /** The same marks as one object. */
  private one(marks: Marks): Marks {
    if (this.ones.has(marks)) return marks;
    const key = `${marks.shape} ${digestOf(marks.data)}`;
    const alike = this.all.get(key) ?? [];
    this.all.set(key, alike);
    const same = alike.find(({ data }) => data === marks.data || data.every((mark, i) => mark === marks.data[i]));
    if (same) return same;
    alike.push(marks);
    this.ones.add(marks);
    return marks;
  }

  /** Of an input: what changes reach, and all of what has its own numbers for each cell. */
  private of(x: Tensor, rank: number): Marks | undefined {
    const marks = this.marks.get(x);
    if (marks) return marks;
    return this.hasCells(x, rank) ? { shape: x.shape.map(() => 1), data: Uint8Array.of(1) } : undefined;
  }

  /** An element depends on those of the inputs that it corresponds to, along each axis that the op works along. */
  private ofAny(t: Tensor): Marks {
    const along = alongOf(t, t.inputs);
    const carried = t.inputs.flatMap((x, i) => {
      const marks = this.of(x, t.shape.length);
      return marks
        ? [
            carry(
              marks,
              along.map((axes) => axes?.[i] ?? null),
            ),
          ]
        : [];
    });
    return either(carried);
  }

  /**
   * `where(c, a, b)` depends on a where c is known to hold, and on b where it is known not to. A mask with cells is a change of b: what it
   * takes from a is what the unchanged run does not have.
   */
  private ofChoice(t: Tensor): Marks {
    const [condition, a, b] = t.inputs;
    const chosen = knownMask(condition);
    if (!chosen) return this.ofAny(t);
    const rank = t.shape.length;
    const fromA = this.hasCells(condition, rank) ? EVERYTHING : (this.of(a, rank) ?? NOTHING);
    const all = [chosen, fromA, this.of(b, rank) ?? NOTHING].map((marks) => aligned(marks, rank));
    return combine(all, ([c, x, y]) => (c ? x : y));
  }

  /** A product of a factor that is surely 0 does not depend on the others: 0 times ∞ counts as 0. */
  private ofProduct(t: Tensor): Marks {
    const zeros = t.inputs.map((x) => this.surely(x, "zero"));
    if (!zeros.some(Boolean)) return this.ofAny(t);
    const { terms, result } = equationOf(t.inputs, t.attrs as { readonly equation: string });
    const letters = [...new Set(terms.join(""))];
    const spread = (marks: Marks | undefined, term: string) =>
      carry(
        marks ?? aligned(NOTHING, term.length),
        letters.map((letter) => (term.includes(letter) ? term.indexOf(letter) : null)),
      );
    // A summand is reached where a factor is and no other one is 0.
    const reached = t.inputs.map((x, i) => spread(this.of(x, t.shape.length), terms[i]));
    const without = (marks: Marks, zero: Marks) => combine([marks, zero], (both) => both[0] & ~both[1]);
    const summands = either(
      reached.map((marks, i) =>
        zeros.reduce<Marks>((left, zero, j) => (zero && j !== i ? without(left, spread(zero, terms[j])) : left), marks),
      ),
    );
    return carry(
      summands,
      [...result].map((letter) => letters.indexOf(letter)),
    );
  }

  /** Where a value is surely a number, whatever its inputs are. */
  private surely(t: Tensor, number: Sure): Marks | undefined {
    const known = this.sure[number];
    if (!known.has(t)) {
      const found = this.foundSurely(t, number);
      known.set(t, found && this.one(found));
    }
    return known.get(t);
  }

  private foundSurely(t: Tensor, number: Sure): Marks | undefined {
    const of = (i: number) => this.surely(t.inputs[i], number);
    if (t.op === null) return isConstant(t, SURE[number]) ? EVERYTHING : undefined;
    if (t.op === "softmax") return number === "zero" ? this.surely(t.inputs[0], "hidden") : undefined;
    if (t.op === "where") return surelyChosen(t, of(1), of(2));
    if (t.op === "mul" && number === "zero") {
      const found = t.inputs.flatMap((_, i) => of(i) ?? []).map((marks) => aligned(marks, t.shape.length));
      return found.length > 0 ? either(found) : undefined;
    }
    const marks = ops[t.op].layout !== null && t.inputs.length === 1 ? of(0) : undefined;
    if (!marks) return undefined;
    const inner = aligned(marks, t.inputs[0].shape.length);
    const axes = alongOf(t, t.inputs).map((from) => from?.[0] ?? null);
    // What an op mixes must be marked all alike.
    return inner.shape.every((size, axis) => size === 1 || axes.includes(axis)) ? carry(inner, axes) : undefined;
  }
}

/** Numbers that are known before anything runs: what hides a key, and the attention that it then gets. */
const SURE = { zero: 0, hidden: -Infinity };
type Sure = keyof typeof SURE;

const isConstant = ({ role, array }: Tensor, number: number): boolean =>
  role === "constant" && array!.data.length === 1 && array!.data[0] === number;

/** Where `where(c, a, b)` surely is what a and b surely are in places. */
function surelyChosen(t: Tensor, a: Marks | undefined, b: Marks | undefined): Marks | undefined {
  const chosen = knownMask(t.inputs[0]);
  if (!a && !b) return undefined;
  const [ofA, ofB] = [a, b].map((marks) => aligned(marks ?? NOTHING, t.shape.length));
  if (chosen) return combine([aligned(chosen, t.shape.length), ofA, ofB], ([c, x, y]) => (c ? x : y));
  return combine([ofA, ofB], ([x, y]) => x & y);
}

/** For each axis of a value, what it corresponds to in each input; `undefined` where the op mixes. */
function alongOf(t: Tensor, inputs: readonly Meta[]): readonly (Along | undefined)[] {
  return t.shape.map((_, axis) => ops[t.op!].along(axis, inputs, t.attrs, t));
}

/** A mask whose elements are known before anything runs. */
function knownMask(t: Tensor): Marks | undefined {
  return t.op === null && t.dtype === "bool" && t.array
    ? { shape: t.shape, data: t.array.data as Uint8Array }
    : undefined;
}
