/** Methods that sum products of numbers. */
import { TEXT } from "../../tensor/kinds.ts";
import { checkArgument } from "../../tensor/options.ts";
import type { AxisRef } from "../axes.ts";
import { isNamed, lettered } from "../named-einsum.ts";
import { needTensor, needTensors } from "./expression.ts";
import { Reductions } from "./reductions.ts";

/** A value with matrix products. */
export abstract class Products extends Reductions {
  /** `[..., i, k] x [..., k, j] -> [..., i, j]`; leading axes broadcast. A vector is one row, `[k] x [..., k, j] -> [..., j]`, or one column. */
  matmul(x: this): this {
    needTensor("matmul", x);
    const [row, column] = [this.shape.length === 1, x.shape.length === 1];
    const product = this.applied("matmul", [row ? this.unsqueeze(0) : this, column ? x.unsqueeze(1) : x]);
    const rows = column ? product.squeeze(-1) : product;
    return row ? rows.squeeze(column ? -1 : -2) : rows;
  }
  /**
   * `[..., i]` with an int32 index `[...]` and matrices `[i, j]`: `[..., j]`, each row times the matrix of its index. What is
   * not chosen costs nothing.
   */
  matmulChosen(index: this, matrices: readonly this[]): this {
    needTensor("matmulChosen", index);
    needTensors("matmulChosen", matrices);
    return this.applied("matmulChosen", [this, index, ...matrices]);
  }
  /** `[..., i]` with an int32 index `[...]` and rows `[..., j]`: `[count, i, j]`, the sum of the outer products of each number's rows. */
  outerChosen(index: this, rows: this, count: number): this {
    return this.applied("outerChosen", [this, index, rows], { count });
  }
  /**
   * Sums of products over the axes that the result lacks, by a letter an axis, `q.einsum("bqhe,bkhe->bhqk", k)`, where axes in
   * front of the lettered ones broadcast; or by names,
   * `q.einsum("batch query head d_head, batch key head d_head -> batch head query key", k)`, which the result's axes then
   * have, with `...` for axes in front. Names stand in the order of a value's axes, and may differ from its own.
   * @throws ArgumentError for an equation that is not one, ShapeError where it does not fit
   */
  einsum(equation: string, ...others: readonly this[]): this {
    checkArgument("The equation of einsum", equation, TEXT);
    needTensors("einsum", others);
    if (isNamed(equation)) {
      const { equation: letters, axes } = lettered(equation, [this, ...others]);
      return this.applied("einsum", [this, ...others], { equation: letters }).rename(axes);
    }
    return this.applied("einsum", [this, ...others], { equation: equation.replaceAll(" ", "") });
  }

  /** x · y / (|x| |y|) along an axis, each norm at least 1e-8, as in PyTorch. */
  cosineSimilarity(x: this, axis: AxisRef = -1): this {
    needTensor("cosineSimilarity", x);
    const norms = this.norm(axis).clip(SMALLEST_NORM).mul(x.norm(axis).clip(SMALLEST_NORM));
    return this.mul(x).sum(axis).div(norms);
  }
}

const SMALLEST_NORM = 1e-8;
