/** Methods that take numbers by where they are. */
import { ndarray } from "../../tensor/array.ts";
import { ArgumentError } from "../../tensor/errors.ts";
import { COUNT, OBJECT, TEXT } from "../../tensor/kinds.ts";
import { checkArgument } from "../../tensor/options.ts";
import { type AxisRef, axisIndex, type ByAxis } from "../axes.ts";
import { requireIndex } from "../ops/gather.ts";
import { type AxisRange, elementsOf } from "../places.ts";
import { Expression, needTensor, type Operand } from "./expression.ts";
import { Products } from "./products.ts";

/**
 * One coordinate of an index: a position (counting from the end if negative), several, from `start` to before `end`, or
 * int32 values of the graph.
 */
export type Coordinate<V> = number | readonly number[] | AxisRange | V;

/** Values of which `set` made a copy. */
const copied = new WeakSet<object>();

/** From now on, notices whether `set` makes a copy of a value; the function returned says whether it has. */
export function noticeSet(x: object): () => boolean {
  copied.delete(x);
  return () => copied.has(x);
}

/** Of values, the indices by which parts of them were read: the same part, read twice, is known to be the same. */
const indices = new WeakMap<object, Map<string, object>>();
/** Longer indices are not kept. */
const SHORT = 16;

/** A value parts of which can be read and replaced. */
export abstract class Indexing extends Products {
  /** The axis replaced by the axes of an int32 index. */
  gather(axis: AxisRef, index: this): this {
    needTensor("gather", index);
    return this.applied("gather", [this, index], { axis: this.fromEnd(axis) });
  }
  /** Rows by their first k axes, from an int32 index of shape [row, k]. */
  gatherRows(index: this): this {
    return this.applied("gatherRows", [this, index], { axes: index?.shape?.[1] });
  }
  /** One element a row along the last axis. */
  pick(index: this): this {
    return this.applied("pick", [this, index]);
  }
  /** `-log softmax(x)[index]` along the last axis, in nats. */
  crossEntropy(index: this): this {
    return this.applied("crossEntropy", [this, index]);
  }
  /** Zeros in the shape of this, with each update added where the index says along the first axis: the adjoint of `gather`. */
  scatterAddLike(index: this, updates: this): this {
    return this.applied("scatterAddLike", [this, index, updates]);
  }
  /** Zeros in the shape of this, with each row of updates added at its place: the adjoint of `gatherRows`. */
  scatterRowsLike(index: this, updates: this): this {
    return this.applied("scatterRowsLike", [this, index, updates]);
  }
  /** Zeros in the shape of this, with one number of each row at its index along the last axis: the adjoint of `pick`. */
  placeLike(index: this, values: this): this {
    return this.applied("placeLike", [this, index, values]);
  }
  /** Some numbers of each row along the last axis, `index` int32 [... k]: of `x.topK(k)` the values are `x.pickEach(indices)`. */
  pickEach(index: this): this {
    return this.applied("pickEach", [this, index]);
  }
  /** Zeros in the shape of this, with `values` [... k] at their indices along the last axis, each at most once a row: the adjoint of `pickEach`. */
  placeEachLike(index: this, values: this): this {
    return this.applied("placeEachLike", [this, index, values]);
  }
  /** One number a row added along the last axis. */
  addAt(index: this, values: this): this {
    return this.applied("addAt", [this, index, values]);
  }

  /** int32 values as float32 rows with a 1 at that place and zeros elsewhere, [..., count]; only zeros where there is no such place. */
  oneHot(count: number, name = ""): this {
    checkArgument("The count of oneHot", count, COUNT);
    checkArgument("The name of an axis", name, TEXT);
    requireIndex("oneHot", this);
    const places = this.leaf(
      ndarray(
        "int32",
        [count],
        Int32Array.from({ length: count }, (_, i) => i),
      ),
      [name],
    );
    return this.unsqueeze(-1, name).equal(places).cast("float32");
  }

  /**
   * Part of the value: `x.at({ pos: -1 })` drops the axis, `x.at({ pos: [0, 2] })` and `x.at({ pos: { start: 1, end: -1 } })`
   * keep it. Indices are fed, so another
   * position uses the same compiled graph.
   */
  at(where: ByAxis<Coordinate<this>>): this {
    checkArgument("Where at looks", where, OBJECT);
    return Object.entries(where).reduce<this>((x, [axis, coordinate]) => {
      const i = axisIndex(x, axis);
      const part = x.gather(i, x.index(i, coordinate));
      return typeof coordinate === "number" ? part.squeeze(i) : part;
    }, this);
  }

  /**
   * A copy with part of it replaced: `x.set({ pos: 3 }, 0)` zeroes position 3 of every row. `value` broadcasts against
   * the whole of x, which stays as it is: a hook must return the copy. Indices are fed, so another position uses the same
   * compiled graph.
   */
  set(where: ByAxis<Coordinate<this>>, value: Operand<this>): this {
    copied.add(this);
    return this.operand(value).where(this.mask(where), this);
  }

  /** Where the given coordinates are: a bool value that broadcasts against this one. */
  mask(where: ByAxis<Coordinate<this>>): this {
    checkArgument("Where set writes", where, OBJECT);
    const masks = Object.entries(where).map(([axis, coordinate]) => {
      const i = axisIndex(this, axis);
      const size = this.shape[i];
      const trailing = this.shape.length - i - 1;
      const shape = [size, ...new Array<number>(trailing).fill(1)];
      const axes = this.axes.slice(i);
      if (coordinate instanceof Expression) {
        const range = ndarray(
          "int32",
          shape,
          Int32Array.from({ length: size }, (_, k) => k),
        );
        return this.leaf(range, axes).equal(coordinate);
      }
      const inside = new Uint8Array(size);
      for (const k of elementsOf(this, i, coordinate)) inside[k] = 1;
      return this.leaf(ndarray("bool", shape, inside), axes);
    });
    if (masks.length === 0) throw new ArgumentError("set needs at least one axis, as in x.set({ pos: 3 }, 0).");
    return masks.reduce((a, b) => a.and(b));
  }

  private index(axis: number, coordinate: Coordinate<this>): this {
    if (coordinate instanceof Expression) return coordinate;
    const elements = elementsOf(this, axis, coordinate);
    const known = indices.get(this) ?? new Map<string, object>();
    indices.set(this, known);
    const place = `${axis} ${elements}`;
    const index = known.get(place) ?? this.leaf(ndarray("int32", [elements.length], elements), [this.axes[axis]]);
    if (elements.length <= SHORT) known.set(place, index);
    return index as this;
  }
}
