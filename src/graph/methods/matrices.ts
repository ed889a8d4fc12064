/** Methods that see the last two axes as a matrix. */
import { ndarray } from "../../tensor/array.ts";
import { ShapeError } from "../../tensor/errors.ts";
import { TEXT, WHOLE } from "../../tensor/kinds.ts";
import { checkArgument } from "../../tensor/options.ts";
import { type AxisRef, axisIndex, showShape } from "../axes.ts";
import { Ordering } from "./ordering.ts";

/** A value with diagonals and triangles. */
export abstract class Matrices extends Ordering {
  /**
   * The numbers at [..., i, i + offset] of two axes, the last two by default, along a new last axis. What an induction head
   * attends to is `pattern.diagonal(1 - length, "query", "key")`.
   * @throws ShapeError if there are none
   */
  diagonal(offset = 0, rowAxis: AxisRef = -2, columnAxis: AxisRef = -1, name = ""): this {
    checkArgument("The offset of diagonal", offset, WHOLE);
    checkArgument("The name of an axis", name, TEXT);
    const ends = [axisIndex(this, rowAxis), axisIndex(this, columnAxis)];
    if (ends[0] === ends[1]) throw new ShapeError(`diagonal needs two axes of ${showShape(this)}, not one twice.`);
    const order = [...this.shape.map((_, i) => i).filter((i) => !ends.includes(i)), ...ends];
    const x = order.every((at, i) => at === i) ? this : this.permute(order);
    const [rows, columns] = x.shape.slice(-2);
    const first = Math.max(0, -offset);
    const count = Math.min(rows, columns - offset) - first;
    if (count <= 0) {
      throw new ShapeError(`There is nothing on diagonal ${offset} of ${showShape(this)}.`, {
        asked: offset,
        found: this.shape,
      });
    }
    const places = Int32Array.from({ length: count }, (_, i) => (first + i) * columns + first + i + offset);
    return x.mergeAxes(-2, 2).gather(-1, this.leaf(ndarray("int32", [count], places), [name]));
  }

  /** The lower triangle of the last two axes, [row, column] with column at most row + offset; zeros elsewhere. */
  tril(offset = 0): this {
    return this.triangle("tril", offset, (row, column) => column <= row + offset);
  }

  /** The upper triangle of the last two axes, [row, column] with column at least row + offset; zeros elsewhere. */
  triu(offset = 0): this {
    return this.triangle("triu", offset, (row, column) => column >= row + offset);
  }

  private triangle(what: string, offset: number, isIn: (row: number, column: number) => boolean): this {
    checkArgument(`The offset of ${what}`, offset, WHOLE);
    if (this.shape.length < 2) {
      throw new ShapeError(`${what} needs two axes, but this value is ${showShape(this)}.`, { found: this.shape });
    }
    const [rows, columns] = this.shape.slice(-2);
    const inside = new Uint8Array(rows * columns);
    for (let i = 0; i < inside.length; i++) inside[i] = +isIn(Math.floor(i / columns), i % columns);
    return this.where(this.leaf(ndarray("bool", [rows, columns], inside), this.axes.slice(-2)), 0);
  }
}
