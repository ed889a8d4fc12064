/**
 * A value as its op's record sees it: what gradients and selections are written with. `Tensor` is the class that has it, and
 * has more; an op that gets Tensors makes Tensors, as all it can do is call these. So records do not import the class whose
 * methods apply them.
 */
import type { DType, NDArray } from "../tensor/array.ts";
import type { AxisRef, Meta } from "./axes.ts";

/** What arithmetic takes: values and numbers. */
type Operand = Value | number;

/** A value of a graph, to an op's record. */
export interface Value extends Meta {
  /** A leaf's numbers. */
  readonly array: NDArray | undefined;
  /** Another value that this one's op makes. */
  result(output: number): Value;
  /** A number that is baked in. */
  constant(value: number): Value;

  // Number by number.

  add(x: Operand): Value;
  sub(x: Operand): Value;
  mul(x: Operand): Value;
  div(x: Operand): Value;
  pow(x: Operand): Value;
  maximum(x: Operand): Value;
  minimum(x: Operand): Value;
  neg(): Value;
  abs(): Value;
  sign(): Value;
  exp(): Value;
  log(): Value;
  sqrt(): Value;
  sin(): Value;
  cos(): Value;
  tanh(): Value;
  sigmoid(): Value;
  erf(): Value;
  relu(): Value;
  gelu(approximate?: "none" | "tanh"): Value;
  equal(x: Operand): Value;
  lessThan(x: Operand): Value;
  greaterThan(x: Operand): Value;
  not(): Value;
  and(x: Value): Value;
  or(x: Value): Value;
  where(condition: Value, other: Operand): Value;
  cast(to: DType): Value;

  // Along axes.

  sum(axis?: AxisRef | readonly AxisRef[], keepdims?: boolean): Value;
  mean(axis?: AxisRef | readonly AxisRef[], keepdims?: boolean): Value;
  max(axis?: AxisRef | readonly AxisRef[], keepdims?: boolean): Value;
  min(axis?: AxisRef | readonly AxisRef[], keepdims?: boolean): Value;
  logSumExp(axis?: AxisRef | readonly AxisRef[], keepdims?: boolean): Value;
  argmax(axis?: AxisRef): Value;
  cumsum(axis?: AxisRef, reverse?: boolean): Value;
  sumTo(like: Value): Value;
  softmax(axis?: AxisRef): Value;
  logSoftmax(axis?: AxisRef): Value;
  matmul(x: Value): Value;
  matmulChosen(index: Value, matrices: readonly Value[]): Value;
  outerChosen(index: Value, rows: Value, count: number): Value;
  einsum(equation: string, ...others: readonly Value[]): Value;

  // Layout.

  slice(axis: AxisRef, start: number, end?: number | null): Value;
  concat(x: Value, axis: AxisRef): Value;
  permute(perm: readonly AxisRef[]): Value;
  transpose(a?: AxisRef, b?: AxisRef): Value;
  splitAxis(axis: AxisRef, parts: Readonly<Record<string, number>>): Value;
  mergeAxes(axis: AxisRef, count: number, name?: string): Value;
  unsqueeze(axis: number, name?: string): Value;
  squeeze(axis: AxisRef): Value;
  repeat(axis: AxisRef, size: number): Value;
  expandLike(like: Value): Value;
  reshapeLike(like: Value, axis: number, count: number): Value;

  // By an index.

  gather(axis: AxisRef, index: Value): Value;
  gatherRows(index: Value): Value;
  pick(index: Value): Value;
  addAt(index: Value, values: Value): Value;
  placeLike(index: Value, values: Value): Value;
  pickEach(index: Value): Value;
  placeEachLike(index: Value, values: Value): Value;
  scatterAddLike(index: Value, updates: Value): Value;
  scatterRowsLike(index: Value, updates: Value): Value;
}
