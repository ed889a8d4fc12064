/**
 * A value of a graph: what an op makes of its inputs, with a dtype, a shape and named axes. Immutable, and computed
 * only when asked for. A leaf carries numbers instead of an op: a weight, the tokens, whatever a hook closes over.
 *
 * Hooks take and return the same class, a run returns it (a leaf, whose `data` exists immediately), and derived quantities
 * are written in it, so there is one arithmetic and one engine that runs it.
 */
import { type DType, type NDArray, sizeOf, type TypedData } from "../tensor/array.ts";
import { showAs } from "../tensor/display.ts";
import { ArgumentError, GlassformerError, ShapeError, UnknownNameError } from "../tensor/errors.ts";
import { ANYTHING, listOf, NUMBER, oneOf, SIGNAL, TEXT } from "../tensor/kinds.ts";
import { checkArgument, checkOptions, type OptionKinds } from "../tensor/options.ts";
import { shown } from "../tensor/show.ts";
import { type Meta, showShape } from "./axes.ts";
import { evaluate } from "./evaluate.ts";
import { glimpse, glimpseLine, valueText } from "./glimpse.ts";
import { checkArray, DTYPE, single } from "./leaf.ts";
import type { AttrsArgument, LeafRole } from "./methods/expression.ts";
import { Rearrangement } from "./methods/rearrangement.ts";
import type { Attrs } from "./op.ts";
import { type AttrsOf, type OpName, ops } from "./ops/index.ts";
import { nested, placeOf, rowOf } from "./places.ts";
import type { EvaluateOptions } from "./runner.ts";
import { jsonOf, type TensorJson } from "./tensor-json.ts";
import type { Value } from "./value.ts";

const ROLE = oneOf(["weight", "feed", "constant"] satisfies readonly LeafRole[]);
const TEXTS = listOf(TEXT, "strings");
const EVALUATE_OPTIONS: OptionKinds<EvaluateOptions> = { signal: SIGNAL, sized: ANYTHING };

/** A value with a dtype, a shape and named axes: a node of a graph, or, once computed, its numbers. */
export class Tensor extends Rearrangement implements Value {
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
    super();
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
  static override apply<K extends OpName>(op: K, inputs: readonly Tensor[], ...[attrs]: AttrsArgument<K>): Tensor {
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
  result(output: number): this {
    const { op, inputs, attrs } = this;
    if (op === null || output === this.output) return this;
    checkArgument(`The number of a result of ${op}`, output, oneOf([...Array(ops[op].outputs).keys()]));
    return Tensor.of({ op, inputs, attrs, output }) as this;
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

  /** What `JSON.stringify` writes: nested lists, with dtype, shape, axes and name. @throws GlassformerError if there are no numbers yet */
  toJSON(): TensorJson {
    return jsonOf(this);
  }

  /** A single number without axes as it is, anything else in a line: what it is, and its numbers or what they are like. */
  override toString(): string {
    return valueText(this);
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
  constant(value: number): this {
    if (typeof value !== "number") checkArgument("A constant", value, NUMBER);
    return this.leaf(single(this.dtype, value), [], "constant");
  }

  protected override leaf(array: NDArray, axes?: readonly string[], role?: LeafRole): this {
    return Tensor.leaf(array, axes, role) as this; // there is no class under this one
  }
  protected override applied<K extends OpName>(op: K, inputs: readonly Tensor[], ...attrs: AttrsArgument<K>): this {
    return Tensor.apply(op, inputs, ...attrs) as this;
  }
}

showAs(Tensor.prototype, (x, nested) => (nested ? glimpseLine(x) : glimpse(x)));

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
