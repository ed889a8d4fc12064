/**
 * A value of a graph: what an op makes of its inputs, with a dtype, a shape and named axes. Immutable, and computed
 * only when asked for. A leaf carries numbers instead of an op: a weight, the tokens, whatever a hook closes over.
 *
 * Hooks take and return the same class, a run returns it (a leaf, whose `data` exists immediately), and derived quantities
 * are written in it, so there is one arithmetic and one engine that runs it.
 */
import { type DType, type NDArray, ndarray, sizeOf, type TypedData } from "../tensor/array.ts";
import { ArgumentError, GlassformerError, ShapeError, UnknownNameError } from "../tensor/errors.ts";
import {
  ANYTHING,
  COUNT,
  either,
  FLAG,
  listOf,
  NUMBER,
  OBJECT,
  oneOf,
  orNull,
  SIGNAL,
  TEXT,
  WHOLE,
} from "../tensor/kinds.ts";
import { checkArgument, checkOptions, type OptionKinds } from "../tensor/options.ts";
import { shown } from "../tensor/show.ts";
import { type AxisRef, axisIndex, type Meta, showShape } from "./axes.ts";
import { evaluate } from "./evaluate.ts";
import { checkArray, DTYPE, single } from "./leaf.ts";
import type { Attrs } from "./op.ts";
import { type AttrsOf, type OpName, ops } from "./ops/index.ts";
import { elementsOf, nested, placeOf, rowOf } from "./places.ts";
import type { EvaluateOptions } from "./runner.ts";
import type { Value } from "./value.ts";

/**
 * What a leaf is to a compiled graph. `weight`: a graph input that stays the same from run to run; `feed`: a graph
 * input that varies; `constant`: a number baked into the graph's structure.
 */
export type LeafRole = "weight" | "feed" | "constant";

/** One coordinate of an index: a position (counting from the end if negative), several, or int32 values of the graph. */
export type Coordinate = number | readonly number[] | Tensor;

const ROLE = oneOf(["weight", "feed", "constant"] satisfies readonly LeafRole[]);
const TEXTS = listOf(TEXT, "strings");
const EVALUATE_OPTIONS: OptionKinds<EvaluateOptions> = { signal: SIGNAL, sized: ANYTHING };

/** Attributes as an argument: omitted if an op needs none. */
type AttrsArgument<K extends OpName> =
  Record<string, never> extends AttrsOf<K> ? [attrs?: AttrsOf<K>] : [attrs: AttrsOf<K>];

/** What arithmetic accepts: tensors and numbers. A number is fed, so changing it needs no new compilation. */
export type Operand = Tensor | number;

/** A value with a dtype, a shape and named axes: a node of a graph, or, once computed, its numbers. */
export class Tensor implements Value {
  /** The op that makes this value, or `null` for a leaf. */
  readonly op: OpName | null;
  readonly inputs: readonly Tensor[];
  /** The op's attributes; `attrsOf(x, "slice")` gives them with their type. */
  readonly attrs: Attrs;
  /** Which of its op's results this is, from 0. */
  readonly output: number;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly axes: readonly string[];
  /** A leaf's numbers. */
  readonly array: NDArray | undefined;
  readonly role: LeafRole | undefined;
  /** A weight's name, or the hook name of a point. */
  readonly label: string | undefined;

  private constructor(meta: Meta, { op, inputs, attrs, output }: Application, leaf?: Leaf) {
    this.op = op;
    this.inputs = inputs;
    this.attrs = attrs;
    this.output = output;
    this.dtype = meta.dtype;
    this.shape = meta.shape;
    this.axes = meta.axes;
    this.array = leaf?.array;
    this.role = leaf?.role;
    this.label = leaf?.label ?? (typeof attrs.label === "string" ? attrs.label : undefined);
  }

  /**
   * The value of an op, the first if it makes several. @throws ShapeError if the inputs do not fit it, ArgumentError
   * for inputs that are not values.
   */
  static apply<K extends OpName>(op: K, inputs: readonly Tensor[], ...[attrs]: AttrsArgument<K>): Tensor {
    if (typeof op !== "string" || !Object.hasOwn(ops, op))
      throw new UnknownNameError("op", shown(op).replaceAll('"', ""), Object.keys(ops));
    needInputs(op, inputs);
    return Tensor.of({ op, inputs, attrs: attrs ?? {}, output: 0 });
  }

  private static of(application: Application & { readonly op: OpName }): Tensor {
    return new Tensor(inferred(application), application);
  }

  /** The same op on other inputs, optionally with other attributes. */
  on(inputs: readonly Tensor[], attrs: Attrs = this.attrs): Tensor {
    if (this.op === null) return this;
    needInputs(this.op, inputs);
    return Tensor.of({ op: this.op, inputs, attrs, output: this.output });
  }

  /** Another value that this one's op makes. */
  result(output: number): Tensor {
    const { op, inputs, attrs } = this;
    if (op === null || output === this.output) return this;
    checkArgument(`The number of a result of ${op}`, output, oneOf([...Array(ops[op].outputs).keys()]));
    return Tensor.of({ op, inputs, attrs, output });
  }

  /** @throws ArgumentError for anything but an array of numbers with a dtype and a shape */
  static leaf(array: NDArray, axes: readonly string[] = [], role: LeafRole = "feed", label?: string): Tensor {
    checkArray(array);
    checkArgument("The axes of a value", axes, TEXTS);
    checkArgument("The role of a leaf", role, ROLE);
    if (label !== undefined) checkArgument("The name of a leaf", label, TEXT);
    const named = array.shape.map((_, i) => axes[i] ?? "");
    return new Tensor({ dtype: array.dtype, shape: array.shape, axes: named }, NO_OP, { array, role, label });
  }

  // Numbers.

  /** Whether the numbers exist: true for leaves and for everything that a run returned. */
  get computed(): boolean {
    return this.array !== undefined;
  }

  /** The numbers, flat, last axis fastest. @throws GlassformerError if they have not been computed. */
  get data(): TypedData {
    if (this.array) return this.array.data;
    throw new GlassformerError(
      `This value ${showShape(this)} has not been computed: \`await x.compute()\` returns it with its numbers.`,
      { asked: "data", found: this.op },
    );
  }

  /** The same value with its numbers: one run of the engine, or none if they exist. */
  async compute(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<Tensor> {
    checkOptions("compute", options, EVALUATE_OPTIONS);
    return this.array ? this : (await evaluate([this], options))[0];
  }

  /** The number at the given place, counting from the end where negative. Needs computed numbers. */
  get(...index: readonly number[]): number {
    return this.data[placeOf(this, index)];
  }

  /** The single number of a value of size 1. */
  item(): number {
    if (this.data.length !== 1) {
      throw new ShapeError(`item() needs a single number, but this value is ${showShape(this)}.`, {
        asked: "item",
        found: this.shape,
      });
    }
    return this.data[0];
  }

  /** The numbers as nested arrays. */
  // biome-ignore lint/suspicious/noExplicitAny: the depth of nesting is the rank, which types do not know.
  toArray(): any {
    return nested(this.shape, this.data);
  }

  /** Index `i` of the first axis, sharing memory. Needs computed numbers. */
  row(i: number): Tensor {
    const rest = this.shape.slice(1);
    const size = sizeOf(rest);
    const k = rowOf(this, i);
    const data = this.data.subarray(k * size, (k + 1) * size);
    return Tensor.leaf({ dtype: this.dtype, shape: rest, data } as NDArray, this.axes.slice(1));
  }

  // Making leaves that fit this value.

  /** A number baked into the graph: for what never changes. */
  constant(value: number): Tensor {
    if (typeof value !== "number") checkArgument("A constant", value, NUMBER);
    return Tensor.leaf(single(this.dtype, value), [], "constant");
  }

  private operand(x: Operand): Tensor {
    if (typeof x === "number") return Tensor.leaf(single(this.dtype, x));
    if (x instanceof Tensor) return x;
    throw new ArgumentError(`Arithmetic needs a tensor or a number, not ${shown(x)}.`, { asked: x });
  }

  // Arithmetic.

  add(x: Operand): Tensor {
    return Tensor.apply("add", [this, this.operand(x)]);
  }
  sub(x: Operand): Tensor {
    return Tensor.apply("sub", [this, this.operand(x)]);
  }
  mul(x: Operand): Tensor {
    return Tensor.apply("mul", [this, this.operand(x)]);
  }
  div(x: Operand): Tensor {
    return Tensor.apply("div", [this, this.operand(x)]);
  }
  pow(x: Operand): Tensor {
    return Tensor.apply("pow", [this, this.operand(x)]);
  }
  maximum(x: Operand): Tensor {
    return Tensor.apply("maximum", [this, this.operand(x)]);
  }
  minimum(x: Operand): Tensor {
    return Tensor.apply("minimum", [this, this.operand(x)]);
  }
  neg(): Tensor {
    return Tensor.apply("neg", [this]);
  }
  abs(): Tensor {
    return Tensor.apply("abs", [this]);
  }
  sign(): Tensor {
    return Tensor.apply("sign", [this]);
  }
  exp(): Tensor {
    return Tensor.apply("exp", [this]);
  }
  log(): Tensor {
    return Tensor.apply("log", [this]);
  }
  sqrt(): Tensor {
    return Tensor.apply("sqrt", [this]);
  }
  tanh(): Tensor {
    return Tensor.apply("tanh", [this]);
  }
  sigmoid(): Tensor {
    return Tensor.apply("sigmoid", [this]);
  }
  relu(): Tensor {
    return Tensor.apply("relu", [this]);
  }
  sin(): Tensor {
    return Tensor.apply("sin", [this]);
  }
  cos(): Tensor {
    return Tensor.apply("cos", [this]);
  }
  erf(): Tensor {
    return Tensor.apply("erf", [this]);
  }

  /** x Φ(x); with `tanh` GPT-2's approximation of it. */
  gelu(approximate: "none" | "tanh" = "none"): Tensor {
    checkArgument("The approximation of gelu", approximate, oneOf(["none", "tanh"]));
    return Tensor.apply("gelu", [this], { approximate });
  }

  // Comparison and choice.

  equal(x: Operand): Tensor {
    return Tensor.apply("equal", [this, this.operand(x)]);
  }
  lessThan(x: Operand): Tensor {
    return Tensor.apply("lessThan", [this, this.operand(x)]);
  }
  greaterThan(x: Operand): Tensor {
    return Tensor.apply("lessThan", [this.operand(x), this]);
  }
  and(x: Tensor): Tensor {
    return Tensor.apply("and", [this, x]);
  }
  or(x: Tensor): Tensor {
    return Tensor.apply("or", [this, x]);
  }
  not(): Tensor {
    return Tensor.apply("not", [this]);
  }
  /** This value where the condition holds, `other` elsewhere. */
  where(condition: Tensor, other: Operand): Tensor {
    return Tensor.apply("where", [condition, this, this.operand(other)]);
  }

  // Reductions. `axis` by name or index, or several.

  sum(axis?: AxisRef | readonly AxisRef[], keepdims = false): Tensor {
    return this.reduce("sum", axis, keepdims);
  }
  mean(axis?: AxisRef | readonly AxisRef[], keepdims = false): Tensor {
    return this.reduce("mean", axis, keepdims);
  }
  max(axis?: AxisRef | readonly AxisRef[], keepdims = false): Tensor {
    return this.reduce("max", axis, keepdims);
  }
  min(axis?: AxisRef | readonly AxisRef[], keepdims = false): Tensor {
    return this.reduce("min", axis, keepdims);
  }
  /** log(sum(exp(x))) in nats. */
  logSumExp(axis: AxisRef | readonly AxisRef[] = -1, keepdims = false): Tensor {
    return this.reduce("logSumExp", axis, keepdims);
  }
  /** The index of the largest number, the first if several. NaN counts as infinite. */
  argmax(axis: AxisRef = -1): Tensor {
    return Tensor.apply("argmax", [this.comparable()], { axis: this.fromEnd(axis) });
  }
  /**
   * The `k` largest numbers along an axis, the largest first and of equal ones the earlier, and their indices (int32): both
   * have `k` in place of the axis. NaN counts as infinite.
   */
  topK(k: number, axis: AxisRef = -1): { readonly values: Tensor; readonly indices: Tensor } {
    const last = this.shape.length - 1;
    const i = axisIndex(this, axis);
    const ordered = (t: Tensor) => (i === last ? t : t.transpose(i, last));
    const values = Tensor.apply("topK", [ordered(this)], { k });
    return { values: ordered(values), indices: ordered(values.result(1)) };
  }
  /** Infinity instead of NaN, which is neither less nor greater than anything, so that the largest is defined. */
  comparable(): Tensor {
    return this.dtype.startsWith("float") ? this.where(this.equal(this), this.constant(Infinity)) : this;
  }
  /** An axis as ops count it: from the end. */
  private fromEnd(axis: AxisRef): number {
    return axisIndex(this, axis) - this.shape.length;
  }
  private reduce(
    op: "sum" | "mean" | "max" | "min" | "logSumExp",
    axis: AxisRef | readonly AxisRef[] | undefined,
    keepdims: boolean,
  ): Tensor {
    const list = axis === undefined ? this.shape.map((_, i) => i) : Array.isArray(axis) ? axis : [axis];
    checkArgument(`keepdims of ${op}`, keepdims, FLAG);
    if (list.length === 0) return this;
    const axes = list.map((a) => this.fromEnd(a)).sort((a, b) => a - b);
    if (new Set(axes).size < axes.length) {
      throw new ShapeError(`${op} over [${list}] of ${showShape(this)} names an axis twice.`, { asked: list });
    }
    return Tensor.apply(op, [this], { axes, keepdims });
  }
  /** Softmax along an axis, the last by default. */
  softmax(axis: AxisRef = -1): Tensor {
    const last = this.shape.length - 1;
    const i = axisIndex(this, axis);
    if (i === last) return Tensor.apply("softmax", [this]);
    return Tensor.apply("softmax", [this.transpose(i, last)]).transpose(i, last);
  }
  /** log(softmax(x)) along an axis, in nats. */
  logSoftmax(axis: AxisRef = -1): Tensor {
    return this.sub(this.logSumExp(axis, true));
  }
  /** Sums over what broadcasting repeated, down to the shape of `like`: the adjoint of broadcasting. */
  sumTo(like: Tensor): Tensor {
    needTensor("sumTo", like);
    const lead = this.shape.length - like.shape.length;
    const outer = this.sum(Array.from({ length: lead }, (_, i) => i));
    const inner = like.shape.map((_, i) => i).filter((i) => like.shape[i] === 1 && outer.shape[i] !== 1);
    const summed = outer.sum(inner, true);
    return summed.shape.every((n, i) => n === like.shape[i]) ? summed : summed.expandLike(like);
  }

  // Products.

  /** `[..., i, k] x [..., k, j] -> [..., i, j]`; leading axes broadcast. */
  matmul(x: Tensor): Tensor {
    return Tensor.apply("matmul", [this, x]);
  }
  /**
   * `[..., i]` with an int32 index `[...]` and matrices `[i, j]`: `[..., j]`, each row times the matrix of its index. What is
   * not chosen costs nothing.
   */
  matmulChosen(index: Tensor, matrices: readonly Tensor[]): Tensor {
    needTensor("matmulChosen", index);
    needTensors("matmulChosen", matrices);
    return Tensor.apply("matmulChosen", [this, index, ...matrices]);
  }
  /** `[..., i]` with an int32 index `[...]` and rows `[..., j]`: `[count, i, j]`, the sum of the outer products of each number's rows. */
  outerChosen(index: Tensor, rows: Tensor, count: number): Tensor {
    return Tensor.apply("outerChosen", [this, index, rows], { count });
  }
  /** `q.einsum("bqhe,bkhe->bhqk", k)`: one letter per axis; letters missing from the result are summed over. */
  einsum(equation: string, ...others: readonly Tensor[]): Tensor {
    checkArgument("The equation of einsum", equation, TEXT);
    return Tensor.apply("einsum", [this, ...others], { equation: equation.replaceAll(" ", "") });
  }

  // Layout.

  /** This value as a hook point of the given name. */
  point(label: string): Tensor {
    checkArgument("The name of a hook point", label, TEXT);
    return Tensor.apply("point", [this], { label });
  }
  /** The same numbers with other axis names, in order or by old name. */
  rename(axes: readonly string[] | Readonly<Record<string, string>>): Tensor {
    checkArgument("What rename takes", axes, either(TEXTS, OBJECT));
    checkArgument("The new names of axes", Object.values(axes), TEXTS);
    const renamed = Array.isArray(axes)
      ? this.axes.map((a, i) => axes[i] ?? a)
      : this.axes.map((a) => (axes as Record<string, string>)[a] ?? a);
    return Tensor.apply("point", [this], { axes: renamed });
  }
  permute(perm: readonly AxisRef[]): Tensor {
    checkArgument("What permute takes", perm, listOf(ANYTHING, "axes"));
    const order = perm.map((a) => axisIndex(this, a));
    if (new Set(order).size !== this.shape.length || order.length !== this.shape.length) {
      throw new ShapeError(`permute([${perm}]) must name each axis of ${showShape(this)} once.`, {
        asked: perm,
        found: this.axes,
      });
    }
    return Tensor.apply("permute", [this], { perm: order.map((i) => i - order.length) });
  }
  /** Two axes swapped. */
  transpose(a: AxisRef = -2, b: AxisRef = -1): Tensor {
    const [i, j] = [axisIndex(this, a), axisIndex(this, b)];
    return this.permute(this.shape.map((_, k) => (k === i ? j : k === j ? i : k)));
  }
  /** One axis into several: `x.splitAxis("d_model", { head: 8, d_head: 64 })`. One size may be -1. */
  splitAxis(axis: AxisRef, parts: Readonly<Record<string, number>>): Tensor {
    checkArgument("What splitAxis makes of an axis", parts, OBJECT);
    for (const size of Object.values(parts)) checkArgument("A size of splitAxis", size, WHOLE);
    return Tensor.apply("splitAxis", [this], {
      axis: this.fromEnd(axis),
      sizes: Object.values(parts),
      axes: Object.keys(parts),
    });
  }
  /** `count` neighbouring axes into one. */
  mergeAxes(axis: AxisRef, count: number, name = ""): Tensor {
    checkArgument("The count of mergeAxes", count, COUNT);
    checkArgument("The name of an axis", name, TEXT);
    if (axisIndex(this, axis) + count > this.shape.length) {
      throw new ShapeError(`There are no ${count} axes to merge from axis ${axis} of ${showShape(this)} on.`);
    }
    if (count === 1) return this;
    return Tensor.apply("mergeAxes", [this], { axis: this.fromEnd(axis), count, name });
  }
  /** The shape of `like`, which has `count` axes from `axis` on (counted from the end) where this has one. */
  reshapeLike(like: Tensor, axis: number, count: number): Tensor {
    needTensor("reshapeLike", like);
    checkArgument("The axis of reshapeLike", axis, WHOLE);
    checkArgument("The count of reshapeLike", count, COUNT);
    if (sizeOf(like.shape) !== sizeOf(this.shape)) {
      throw new ShapeError(`${showShape(this)} cannot be shaped like ${showShape(like)}, which has another size.`);
    }
    return Tensor.apply("reshapeLike", [this, like], { axis, count });
  }
  /** A new axis of size 1 before axis `axis` (negative: counted from the end of the result). */
  unsqueeze(axis: number, name = ""): Tensor {
    checkArgument("The axis of unsqueeze", axis, WHOLE);
    checkArgument("The name of an axis", name, TEXT);
    const fromEnd = axis < 0 ? axis : axis - this.shape.length - 1;
    if (fromEnd >= 0 || fromEnd < -this.shape.length - 1) {
      throw new ShapeError(`There is no place for a new axis at ${axis} of ${showShape(this)}.`, { asked: axis });
    }
    return Tensor.apply("unsqueeze", [this], { axis: fromEnd, name });
  }
  squeeze(axis: AxisRef): Tensor {
    return Tensor.apply("squeeze", [this], { axis: this.fromEnd(axis) });
  }
  expandLike(like: Tensor): Tensor {
    needTensor("expandLike", like);
    return this.shape.length === like.shape.length && this.shape.every((n, i) => n === like.shape[i])
      ? this
      : Tensor.apply("expandLike", [this, like]);
  }
  /** An axis of size 1 repeated. */
  repeat(axis: AxisRef, size: number): Tensor {
    checkArgument("The size of repeat", size, COUNT);
    return Tensor.apply("repeat", [this], { axis: this.fromEnd(axis), size });
  }
  concat(x: Tensor, axis: AxisRef): Tensor {
    return Tensor.apply("concat", [this, x], { axis: this.fromEnd(axis) });
  }
  /** Elements `start` to `end` (exclusive); negative counts from the end. The bounds are part of the structure. */
  slice(axis: AxisRef, start: number, end: number | null = null): Tensor {
    checkArgument("The start of slice", start, WHOLE);
    checkArgument("The end of slice", end, orNull(WHOLE));
    return Tensor.apply("slice", [this], { axis: this.fromEnd(axis), start, end });
  }
  cast(to: DType): Tensor {
    checkArgument("The dtype of cast", to, DTYPE);
    return this.dtype === to ? this : Tensor.apply("cast", [this], { to });
  }

  // Indices.

  /** The axis replaced by the axes of an int32 index. */
  gather(axis: AxisRef, index: Tensor): Tensor {
    needTensor("gather", index);
    return Tensor.apply("gather", [this, index], { axis: this.fromEnd(axis) });
  }
  /** Rows by their first k axes, from an int32 index of shape [row, k]. */
  gatherRows(index: Tensor): Tensor {
    return Tensor.apply("gatherRows", [this, index]);
  }
  /** One element a row along the last axis. */
  pick(index: Tensor): Tensor {
    return Tensor.apply("pick", [this, index]);
  }
  /** `-log softmax(x)[index]` along the last axis, in nats. */
  crossEntropy(index: Tensor): Tensor {
    return Tensor.apply("crossEntropy", [this, index]);
  }
  scatterAddLike(index: Tensor, updates: Tensor): Tensor {
    return Tensor.apply("scatterAddLike", [this, index, updates]);
  }
  scatterRowsLike(index: Tensor, updates: Tensor): Tensor {
    return Tensor.apply("scatterRowsLike", [this, index, updates]);
  }
  placeLike(index: Tensor, values: Tensor): Tensor {
    return Tensor.apply("placeLike", [this, index, values]);
  }
  /** One number a row added along the last axis. */
  addAt(index: Tensor, values: Tensor): Tensor {
    return Tensor.apply("addAt", [this, index, values]);
  }

  /**
   * Part of the value: `x.at({ pos: -1 })` drops the axis, `x.at({ pos: [0, 2] })` keeps it. Indices are fed, so another
   * position uses the same compiled graph.
   */
  at(where: Readonly<Record<string, Coordinate>>): Tensor {
    checkArgument("Where at looks", where, OBJECT);
    return Object.entries(where).reduce<Tensor>((x, [axis, coordinate]) => {
      const i = axisIndex(x, axis);
      const part = x.gather(i, x.index(i, coordinate));
      return typeof coordinate === "number" ? part.squeeze(i) : part;
    }, this);
  }

  /**
   * A copy with part of it replaced: `x.set({ pos: 3 }, 0)` zeroes position 3 of every row. `value` broadcasts against
   * the whole of x. Indices are fed, so another position uses the same compiled graph.
   */
  set(where: Readonly<Record<string, Coordinate>>, value: Operand): Tensor {
    return this.operand(value).where(this.mask(where), this);
  }

  /** Where the given coordinates are: a bool value that broadcasts against this one. */
  mask(where: Readonly<Record<string, Coordinate>>): Tensor {
    checkArgument("Where set writes", where, OBJECT);
    const masks = Object.entries(where).map(([axis, coordinate]) => {
      const i = axisIndex(this, axis);
      const size = this.shape[i];
      const trailing = this.shape.length - i - 1;
      const shape = [size, ...new Array<number>(trailing).fill(1)];
      const axes = this.axes.slice(i);
      if (coordinate instanceof Tensor) {
        const range = ndarray(
          "int32",
          shape,
          Int32Array.from({ length: size }, (_, k) => k),
        );
        return Tensor.leaf(range, axes).equal(coordinate);
      }
      const inside = new Uint8Array(size);
      for (const k of elementsOf(this, i, coordinate)) inside[k] = 1;
      return Tensor.leaf(ndarray("bool", shape, inside), axes);
    });
    if (masks.length === 0) throw new ArgumentError("set needs at least one axis, as in x.set({ pos: 3 }, 0).");
    return masks.reduce((a, b) => a.and(b));
  }

  private index(axis: number, coordinate: Coordinate): Tensor {
    if (coordinate instanceof Tensor) return coordinate;
    const elements = elementsOf(this, axis, coordinate);
    return Tensor.leaf(ndarray("int32", [elements.length], elements), [this.axes[axis]]);
  }
}

/** An op on inputs, and which of its results. */
interface Application {
  readonly op: OpName | null;
  readonly inputs: readonly Tensor[];
  readonly attrs: Attrs;
  readonly output: number;
}

const NO_OP: Application = { op: null, inputs: [], attrs: {}, output: 0 };

/** The attributes of a value that an op of the given name makes; `undefined` if another one does. */
export function attrsOf<K extends OpName>(t: Tensor, op: K): AttrsOf<K> | undefined {
  return t.op === op ? (t.attrs as AttrsOf<K>) : undefined;
}

interface Leaf {
  readonly array: NDArray;
  readonly role: LeafRole;
  readonly label: string | undefined;
}

function needInputs(op: OpName, inputs: readonly Tensor[]): void {
  if (!Array.isArray(inputs)) throw new ArgumentError(`${op} needs a list of values, not ${shown(inputs)}.`);
  for (const x of inputs) {
    if (!(x instanceof Tensor)) throw new ArgumentError(`${op} needs tensors, not ${shown(x)}.`, { asked: x });
  }
}

function needTensor(what: string, x: unknown): void {
  if (!(x instanceof Tensor)) throw new ArgumentError(`${what} takes a tensor, not ${shown(x)}.`, { asked: x });
}

/** @throws ArgumentError for anything but a list of tensors */
export function needTensors(what: string, list: readonly Tensor[]): void {
  if (Array.isArray(list) && list.every((x) => x instanceof Tensor)) return;
  throw new ArgumentError(`${what} needs a list of tensors, not ${shown(list)}.`, { asked: list });
}

/** What an op makes of its inputs; inputs or attributes that it cannot even look at are named in the error. */
function inferred({ op, inputs, attrs, output }: Application & { readonly op: OpName }): Meta {
  let meta: Meta | undefined;
  let cause: unknown;
  try {
    meta = ops[op].infer(inputs, attrs, output);
  } catch (error) {
    if (error instanceof GlassformerError) throw error;
    cause = error;
  }
  if (meta && DTYPE.accepts(meta.dtype) && meta.shape.every((n) => Number.isSafeInteger(n) && n >= 0)) return meta;
  throw new ArgumentError(
    `${op} cannot be applied to ${inputs.map(showShape).join(" with ") || "nothing"} and the attributes ${shown(attrs)}.`,
    { asked: attrs, found: inputs.map((x) => x.shape), cause },
  );
}
