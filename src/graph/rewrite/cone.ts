/**
 * Computing only what a change can reach. A sweep makes a change in each of many cells, `where(mask, changed, x)` with a row of
 * the mask for each, and everything after it would be computed for every cell and row. But in a causal model a change at a
 * position reaches no row before it: there a cell has what the unchanged run has. So the unchanged run is one more cell, and
 * of a value only the (cell, row)s that can differ from it are computed, as rows of a list, with those of the unchanged run:
 * products are of these rows alone. Where an op mixes rows, as attention does, the list is of the cells that a change has
 * reached by then, whole: where cells are changed in several layers, there are fewer of them early on.
 */
import { ndarray, sizeOf, stridesOf } from "../../tensor/array.ts";
import type { Meta } from "../axes.ts";
import type { Along, Attrs } from "../op.ts";
import { ops } from "../ops/index.ts";
import { attrsOf, Tensor } from "../tensor.ts";
import { topological } from "../walk.ts";
import { type Marks, markedRows, marksAlong, TooManyMarks } from "./marks.ts";
import { Reach } from "./reach.ts";

/** A list is worth its making, and the whole rewriting too, if there is at most this part to compute. */
const WORTH = 0.85;
/** Rows shorter than this are not worth a list of their own. */
const SHORTEST = 16;

/** The same outputs, computed where changes of cells reach; the outputs themselves where there is nothing to gain. */
export function withinReach(outputs: readonly Tensor[]): readonly Tensor[] {
  const order = topological(outputs);
  const cells = order.find(isChange)?.shape[0];
  if (cells === undefined) return outputs;
  try {
    const cone = new Cone(order, cells);
    if (cone.elements >= WORTH * cone.elementsOfAll) return outputs;
    const alike = cone.alikes(outputs, order);
    return outputs.map((t) =>
      alike.has(unnamed(t)) ? cone.unchanged(alike.get(unnamed(t))!, t.axes) : cone.output(t),
    );
  } catch (error) {
    if (error instanceof TooManyMarks || error instanceof Mixed) return outputs;
    throw error;
  }
}

/** Whether a value is another one, changed in each of several cells in front of it where a mask says so. */
function isChange(t: Tensor): boolean {
  if (t.op !== "where") return false;
  const [mask, , x] = t.inputs;
  const { length } = t.shape;
  return (
    mask.op === null && mask.shape.length === length && mask.shape[0] > 1 && x.shape.join() === t.shape.slice(1).join()
  );
}

/** Thrown where cells are mixed, or the axis of cells is not the first. */
class Mixed extends Error {}

/** Some (cell, row)s, all rows of the unchanged run among them. */
interface Rows {
  readonly key: string;
  /** The sizes of the first axes, which they are places of, with one more cell. */
  readonly lead: readonly number[];
  /** Where each is. */
  readonly places: Int32Array;
  /** Which of the list has the numbers of a place: the unchanged run's, where the place itself is not in it. */
  readonly rowAt: Int32Array;
  /** int32 [row axis]: where each is, and the same without its cell. */
  readonly index: Tensor;
  readonly unchanged: Tensor;
}

/** What stands for a value that changes reach, with one more cell for the unchanged run: its list of rows, or all of it. */
type Made = { readonly rows: Rows; readonly list: Tensor } | { readonly whole: Tensor };

class Cone {
  /** How many elements products make, and how many they would make of all cells. */
  elements = 0;
  elementsOfAll = 0;
  private readonly cells: number;
  private readonly reach: Reach;
  private readonly made = new Map<Tensor, Made>();
  private readonly wholes = new Map<Tensor, Tensor>();
  private readonly rows = new Map<Marks, Map<string, Rows | undefined>>();
  private readonly leaves = new Map<string, Tensor>();
  private lists = 0;

  constructor(order: readonly Tensor[], cells: number) {
    this.cells = cells;
    this.reach = new Reach((x, rank) => x.shape.length === rank && x.shape[0] === cells);
    for (const t of order) {
      const marks = t.op === null ? undefined : this.reach.follow(t);
      if (!marks) continue;
      if (t.shape[0] !== cells) throw new Mixed();
      const made = this.make(t, marks);
      this.made.set(t, made);
      if (t.op !== "einsum" && t.op !== "matmul") continue;
      this.elements += sizeOf(("whole" in made ? made.whole : made.list).shape);
      this.elementsOfAll += sizeOf(t.shape);
    }
  }

  /** A value as it was asked for: without the unchanged run. */
  output(t: Tensor): Tensor {
    return this.made.has(t) ? named(this.whole(t).slice(0, 0, -1), t.axes) : t;
  }

  /** A value with cells as it is in the unchanged run. */
  unchanged(t: Tensor, axes: readonly string[]): Tensor {
    const made = this.made.get(t)!;
    if ("whole" in made) {
      const last = this.leaf("unchanged", [], () => Int32Array.of(this.cells), []);
      return named(made.whole.gather(0, last), axes);
    }
    const { lead, rowAt, key } = made.rows;
    const inCell = lead.slice(1);
    const places = () => rowAt.slice(this.cells * sizeOf(inCell));
    return named(
      made.list.gather(0, this.leaf(`unchanged of ${key}`, inCell, places, axes.slice(0, inCell.length))),
      axes,
    );
  }

  /**
   * Of values without cells that are asked for, those with cells that are the same but for the changes: the unchanged run has their numbers, so
   * that nothing is computed for them.
   */
  alikes(outputs: readonly Tensor[], order: readonly Tensor[]): ReadonlyMap<Tensor, Tensor> {
    const found = new Map<Tensor, Tensor>();
    if (outputs.every((t) => t.op === null || this.made.has(t))) return found;
    const ids = new Map(order.map((t, i) => [t, i]));
    const keyOf = ({ op, output, attrs }: Tensor, inputs: readonly Tensor[]) =>
      `${op} ${output} ${JSON.stringify(attrs)} ${inputs.map((x) => ids.get(unnamed(x)))}`;
    const plain = new Map(
      order.flatMap((t) => (t.op === null || this.made.has(t) ? [] : [[keyOf(t, t.inputs), t] as const])),
    );
    /** Of values with cells, what they are without the changes. */
    const without = new Map<Tensor, Tensor>();
    for (const t of this.made.keys()) {
      const inputs = t.inputs.map((x) => without.get(x) ?? x);
      if (isName(t)) without.set(t, inputs[0]);
      else if (t.op === "where" && this.isMask(t.inputs[0], t)) without.set(t, inputs[2]);
      else {
        const same = plain.get(keyOf(t, inputs));
        if (same?.shape.join() !== t.shape.slice(1).join()) continue; // it may have numbers of its own for each cell
        without.set(t, same);
        found.set(same, t);
      }
    }
    return found;
  }

  /** A value for all cells and the unchanged run. */
  private whole(t: Tensor): Tensor {
    const made = this.made.get(t);
    if (!made) return t;
    if ("whole" in made) return made.whole;
    const known = this.wholes.get(t) ?? this.together(t, made);
    this.wholes.set(t, known);
    return known;
  }

  private make(t: Tensor, marks: Marks): Made {
    const along = this.alongCells(t);
    const listed = this.onList(t, this.rowsOf(marks, t)) ?? this.onList(t, this.cellsOf(marks, t));
    if (listed) return listed;
    const picked = this.picked(t);
    if (picked) return { whole: named(picked, t.axes) };
    const inputs = t.inputs.map((x, i) => (this.made.has(x) || along[i] === null ? this.whole(x) : this.extended(x)));
    return { whole: named(applied(t, inputs), t.axes) };
  }

  /** For each input, the axis along which it has cells: the first, or none. */
  private alongCells(t: Tensor): Along {
    const along = ops[t.op!].along(0, t.inputs, t.attrs, t);
    const fits = along?.every((axis, i) => axis === (this.made.has(t.inputs[i]) ? 0 : axis && 0));
    if (!fits) throw new Mixed();
    return along!;
  }

  /** What has a row for each cell, with one for the unchanged run: none of a mask's elements, and of other values any. */
  private extended(x: Tensor): Tensor {
    if (x.dtype === "bool" && x.array) {
      const { data, shape } = x.array;
      const more = new Uint8Array(data.length + data.length / shape[0]);
      more.set(data as Uint8Array);
      return Tensor.leaf(ndarray("bool", [shape[0] + 1, ...shape.slice(1)], more), x.axes);
    }
    const index = Int32Array.from({ length: this.cells + 1 }, (_, cell) => cell % this.cells);
    return x.gather(
      0,
      this.leaf("cells", [index.length], () => index, [x.axes[0]]),
    );
  }

  private onList(t: Tensor, rows: Rows | undefined): Made | undefined {
    const list = rows && this.onRows(t, rows);
    return list && { rows, list: named(list, ["row", ...t.axes.slice(rows.lead.length)]) };
  }

  /** An op on listed rows; `undefined` if it does not work row by row. */
  private onRows(t: Tensor, rows: Rows): Tensor | undefined {
    const alongs = (inputs: readonly Meta[]) => {
      const lead = rows.lead.map((_, axis) => ops[t.op!].along(axis, inputs, t.attrs, t));
      return lead.every((along) => along !== undefined) ? lead : undefined;
    };
    const given = alongs(t.inputs);
    if (!given) return undefined;
    // What is the same for all cells, but not for all rows, has rows for each.
    const inputs = t.inputs.map((x, i): Meta => {
      if (this.isMask(x, t)) return { ...x, shape: t.shape.with(-1, x.shape.at(-1)!) };
      const varies = given.some((along) => along[i] !== null);
      return varies && !this.made.has(x) && x.shape.length === t.shape.length - 1 ? inCells(x, t) : x;
    });
    const lead = inputs.every((x, i) => x === t.inputs[i]) ? given : alongs(inputs)!;
    // A cell's own rows of what changes do not reach.
    if (t.inputs.some((x, i) => !this.made.has(x) && lead[0][i] !== null && inputs[i] === x)) return undefined;
    const works = ops[t.op!].rows(lead, inputs, t.attrs, t);
    if (!works) return undefined;
    const parts = t.inputs.map((x, i) => {
      if (works.from[i] !== "rows") return x;
      return this.isMask(x, t) ? maskOnRows(x, rows) : this.rowsFrom(x, rows);
    });
    return applied(t, parts, works.attrs);
  }

  /** Whether it is a mask with elements of its own for each cell. */
  private isMask({ op, dtype, shape }: Tensor, t: Tensor): boolean {
    return op === null && dtype === "bool" && shape.length === t.shape.length && shape[0] === this.cells;
  }

  /** Some elements of an axis of a value whose rows are listed: they are taken from the list. */
  private picked(t: Tensor): Tensor | undefined {
    const [x, index] = t.inputs;
    const made = this.made.get(x);
    const axis = (attrsOf(t, "gather")?.axis ?? 0) + x.shape.length;
    if (t.op !== "gather" || !index.array || index.shape.length !== 1 || !made || "whole" in made) return undefined;
    const { lead, key } = made.rows;
    if (axis === 0 || axis >= lead.length) return undefined;
    const { data } = index.array;
    const shape = lead.with(axis, data.length);
    const inner = sizeOf(lead.slice(axis + 1));
    const places = () =>
      Int32Array.from({ length: sizeOf(shape) }, (_, place) => {
        const outer = Math.floor(place / (data.length * inner));
        const at = Number(data[Math.floor(place / inner) % data.length]);
        const element = outer * lead[axis] + (at < 0 ? at + lead[axis] : at);
        return made.rows.rowAt[element * inner + (place % inner)];
      });
    return made.list.gather(
      0,
      this.leaf(`${key} picked ${axis} ${data.join()}`, shape, places, t.axes.slice(0, lead.length)),
    );
  }

  /** A value's numbers at listed rows. */
  private rowsFrom(x: Tensor, rows: Rows): Tensor {
    const made = this.made.get(x);
    if (!made) return x.gatherRows(rows.unchanged);
    if ("whole" in made) return made.whole.gatherRows(rows.index);
    if (made.rows === rows) return made.list;
    const { lead, rowAt, key } = made.rows;
    const [own, asked] = [lead.length, rows.lead.length];
    if (own < asked) {
      const places = this.leaf(
        `${key} in ${rows.key}`,
        [rows.places.length, asked - own + 1],
        () => within(made.rows, rows),
        ["row", ""],
      );
      return made.list.gatherRows(places);
    }
    const inner = lead.slice(asked);
    const each = sizeOf(inner);
    const places = () => {
      const found = new Int32Array(rows.places.length * each);
      for (let row = 0, at = 0; row < rows.places.length; row++)
        for (let k = 0; k < each; k++) found[at++] = rowAt[rows.places[row] * each + k];
      return found;
    };
    // The same places may be those of values whose axes have other names.
    const unnamed = ["row", ...inner.map(() => "")];
    const index = this.leaf(`${key} at ${rows.key}`, [rows.places.length, ...inner], places, unnamed);
    return named(made.list.gather(0, index), ["row", ...x.axes.slice(asked)]);
  }

  /** All rows, from those that are listed: where a cell does not differ, those of the unchanged run. */
  private together(t: Tensor, { rows, list }: { readonly rows: Rows; readonly list: Tensor }): Tensor {
    const { key, lead, rowAt } = rows;
    return named(
      list.gather(
        0,
        this.leaf(`all of ${key}`, lead, () => rowAt, t.axes.slice(0, lead.length)),
      ),
      t.axes,
    );
  }

  private leaf(key: string, shape: readonly number[], data: () => Int32Array, axes: readonly string[]): Tensor {
    const known = this.leaves.get(key) ?? Tensor.leaf(ndarray("int32", shape, data()), axes);
    this.leaves.set(key, known);
    return known;
  }

  /** The rows of a value that can differ, if a list of them is worth making. */
  private rowsOf(marks: Marks, t: Tensor): Rows | undefined {
    const axes = marksAlong(marks);
    return axes > 1 && axes < t.shape.length ? this.listOf(marks, axes, t) : undefined;
  }

  /** The cells in which any of it can differ, if a list of them is worth making. */
  private cellsOf(marks: Marks, t: Tensor): Rows | undefined {
    return this.listOf(this.reach.ofCells(marks), 1, t);
  }

  private listOf(marks: Marks, axes: number, t: Tensor): Rows | undefined {
    const lead = t.shape.slice(0, axes);
    const key = this.reach.shortest(marks);
    const known = this.rows.get(key) ?? new Map<string, Rows | undefined>();
    this.rows.set(key, known);
    const sizes = lead.join();
    if (!known.has(sizes)) known.set(sizes, rowsAt(`rows ${this.lists++}`, lead, markedRows(marks, t.shape, axes)));
    const rows = known.get(sizes);
    if (!rows) return undefined;
    const isLong = sizeOf(t.shape.slice(axes)) >= SHORTEST;
    return isLong || t.inputs.some((x) => this.isListed(x, rows)) ? rows : undefined;
  }

  private isListed(x: Tensor, rows: Rows): boolean {
    const made = this.made.get(x);
    return made !== undefined && "rows" in made && made.rows === rows;
  }
}

/** An op on other inputs; of an op that only names its input, the input itself. */
function applied(t: Tensor, inputs: readonly Tensor[], attrs: Attrs = t.attrs): Tensor {
  return isName(t) ? inputs[0] : t.on(inputs, attrs);
}

const isName = ({ op }: Tensor): boolean => op !== null && ops[op].layout === "name";

/** A value without the names that were given to it. */
const unnamed = (t: Tensor): Tensor => (isName(t) ? unnamed(t.inputs[0]) : t);

/** @param changed the places that changes reach, of a value with these first axes. @returns `undefined` where they are too many for a list */
function rowsAt(key: string, [cells, ...inCell]: readonly number[], changed: readonly number[]): Rows | undefined {
  const each = sizeOf(inCell);
  const count = changed.length + each;
  if (count > WORTH * cells * each) return undefined;
  const lead = [cells + 1, ...inCell];
  const strides = stridesOf(lead);
  const places = new Int32Array(count);
  places.set(changed);
  for (let place = 0; place < each; place++) places[changed.length + place] = cells * each + place;
  const rowAt = new Int32Array(sizeOf(lead));
  for (let place = 0; place < rowAt.length; place++) rowAt[place] = changed.length + (place % each);
  for (let row = 0; row < changed.length; row++) rowAt[changed[row]] = row;
  const index = (from: number) => {
    const axes = lead.slice(from);
    const data = new Int32Array(count * axes.length);
    for (let row = 0, at = 0; row < count; row++)
      for (let axis = from; axis < lead.length; axis++)
        data[at++] = Math.floor(places[row] / strides[axis]) % lead[axis];
    return Tensor.leaf(ndarray("int32", [count, axes.length], data), ["row", ""]);
  };
  return { key, lead, places, rowAt, index: index(0), unchanged: index(1) };
}

/** Where rows are in a list whose own rows each hold several of them: in which, and where there. */
function within({ lead: { length: own }, rowAt }: Rows, { places, lead }: Rows): Int32Array {
  const strides = stridesOf(lead);
  const found = new Int32Array(places.length * (lead.length - own + 1));
  for (let row = 0, at = 0; row < places.length; row++) {
    found[at++] = rowAt[Math.floor(places[row] / strides[own - 1])];
    for (let axis = own; axis < lead.length; axis++) found[at++] = Math.floor(places[row] / strides[axis]) % lead[axis];
  }
  return found;
}

/** A mask's elements at listed rows: none of the unchanged run. */
function maskOnRows({ shape, array }: Tensor, { places, lead }: Rows): Tensor {
  const inner = shape.slice(lead.length);
  const size = sizeOf(inner);
  const [strides, own] = [stridesOf(lead), stridesOf(shape)];
  const data = new Uint8Array(places.length * size);
  for (const [row, place] of places.entries()) {
    if (place >= shape[0] * strides[0]) continue;
    let from = 0;
    for (let axis = 0; axis < lead.length; axis++)
      if (shape[axis] > 1) from += own[axis] * (Math.floor(place / strides[axis]) % lead[axis]);
    data.set((array!.data as Uint8Array).subarray(from, from + size), row * size);
  }
  return Tensor.leaf(ndarray("bool", [places.length, ...inner], data), ["row", ...inner.map(() => "")]);
}

/** What is the same for each cell, as if it were there for each. */
function inCells({ dtype, shape, axes }: Meta, t: Meta): Meta {
  return { dtype, shape: [t.shape[0], ...shape], axes: [t.axes[0], ...axes] };
}

function named(t: Tensor, axes: readonly string[]): Tensor {
  return axes.every((axis, i) => t.axes[i] === axis) ? t : t.rename(axes);
}
