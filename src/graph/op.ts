/**
 * What an op is: one record that says everything the library knows about it; the compiler asks for every part. Nobody asks
 * for an op by its name but the engine, where the runtime does several ops faster as one.
 */
import type { NDArray } from "../tensor/array.ts";
import type { Meta } from "./axes.ts";
import type { Value } from "./value.ts";

/** Attributes are plain JSON: they are part of a compiled graph's identity. */
export type Attrs = { readonly [name: string]: Attribute };
export type Attribute = string | number | boolean | null | readonly string[] | readonly number[];
/** Those of an op that has none. */
export type NoAttrs = { readonly [name: string]: never };

/** What an op may know of an input while it is written as ONNX: never its sizes, so that batch and pos stay dynamic. */
export interface Operand {
  readonly name: string;
  readonly rank: number;
  /** Of steps on weights that are kept in fewer bits, also what those are kept in. */
  readonly dtype: Meta["dtype"] | "uint8" | "uint16" | "float16";
}

/** Whole numbers, and those that are not: `{ float: 1e-5 }`. */
export type OnnxAttrs = Readonly<Record<string, number | string | readonly number[] | { readonly float: number }>>;

/** Where ops write their ONNX nodes. */
export interface Emitter {
  /** Adds a node and returns the name of its output. */
  node(opType: string, inputs: readonly string[], attrs?: OnnxAttrs): string;
  /** Adds a node of several outputs and returns their names. */
  nodeOf(outputs: number, opType: string, inputs: readonly string[], attrs?: OnnxAttrs): readonly string[];
  /** A constant baked into the graph. */
  int64(values: readonly number[], shape?: readonly number[]): string;
  float(value: number): string;
  /** Whether the runtime may choose by numbers what it computes. */
  readonly branches: boolean;
  /** One of two values, of which only that one is computed: by a condition of one element. */
  either(condition: string, dtype: Meta["dtype"] | "int64", yes: () => string, no: () => string): string;
}

/** For an axis of a result: the axis of each input that it corresponds to, `null` for an input that does not vary along it. */
export type Along = readonly (number | null)[];

/** An op on rows: its attributes there, and for each input whether it gives its rows or is there as a whole. */
export interface Rows<A> {
  readonly attrs: A;
  readonly from: readonly ("rows" | "whole")[];
}

/** A part of a value: some elements of one axis, or some of the rows that its first axes make together. */
export interface Selection<V extends Value = Value> {
  /** The axis whose elements it takes, or the number of first axes whose rows it takes. */
  readonly takes: { readonly axis: number } | { readonly rows: number };
  /** Which of them: an index, or bounds as text. Selections that take alike and have the same here are the same. */
  readonly by: V | string;
  /** The same part of another value, along the given axis of it. */
  of(x: V, axis: number): V;
}

/** An index for each axis to hold, `null` for each to leave free. */
export type Held = readonly (number | null)[];

/** Whose numbers a result's are: each element of it is an element of one input, found axis by axis. */
export interface View {
  /** Which input. */
  readonly input: number;
  /**
   * For each axis of that input: the axis of the result that runs along it, `null` where only its first element is there;
   * and which element it then is, the same one unless said.
   */
  readonly axes: readonly { readonly from: number | null; readonly at?: (i: number) => number }[];
}

/**
 * How an op changes a value if it changes no number. `name`: it is the same value under another name. `shape`: the numbers
 * are in the same order under another shape. `order`: they are in other places, some left out or repeated.
 */
export type Layout = "name" | "shape" | "order";

export interface Op<A extends Attrs = Attrs> {
  /** How many values it makes. Where it makes several, the functions below get the number of the one in question, from 0. */
  readonly outputs: number;

  /** dtype, shape and axes of a result. @throws ShapeError */
  infer(inputs: readonly Meta[], attrs: A, output: number): Meta;

  /**
   * The definition: what the op computes, in float64 (integers int32, bool bytes). The oracle of the tests, and not
   * an engine.
   */
  reference(inputs: readonly NDArray[], attrs: A, out: Meta, output: number): NDArray;

  /** Writes the op as ONNX and returns the name of the result, or of each of several. */
  onnx(emit: Emitter, inputs: readonly Operand[], attrs: A): string | readonly string[];

  /**
   * Vector-Jacobian product: from the gradient of a result, the gradient of each input as more graph, `null` where
   * there is none to give (an index, a comparison).
   */
  vjp(grad: Value, out: Value, inputs: readonly Value[], attrs: A): readonly (Value | null)[];

  /**
   * For an axis of the result along which the op works independently (row by row): the axis of each input that it
   * corresponds to. `undefined`: the op mixes along this axis. From this the plan pushes selections up the graph, and knows
   * which values can influence which positions.
   */
  along(axis: number, inputs: readonly Meta[], attrs: A, out: Meta): Along | undefined;

  /**
   * How the op works on rows, where the first axes of its result have become one: a padded batch's real positions. `lead`
   * says of each of those axes, in order, what it is along. `null`: it does not.
   */
  rows(lead: readonly Along[], inputs: readonly Meta[], attrs: A, out: Meta): Rows<A> | null;

  /** What it selects of its first input, if it is a selection: it then moves up through other ops. */
  selection(inputs: readonly Value[], attrs: A, out: Meta): Selection | null;

  /** Where its numbers lie, if they are an input's own and can be read in place: see `hostView`. */
  view(inputs: readonly Value[], attrs: A, out: Meta, held: Held): View | null;

  /** If it changes no number, how it changes a value: for weights it is then computed once and kept. */
  readonly layout: Layout | null;

  /** Whether it makes a value as large as its largest input on the way to a smaller result: its memory is planned by this. */
  readonly scratch: boolean;

  /** Attributes that only name something: prints show them, plans and compiled graphs do not know them. */
  readonly names: { readonly [K in keyof A]?: true };

  /** What an error calls it, if its name does not say enough. */
  phrase(attrs: A): string | null;
}

/** The part of a record of an op that has no such part. */
export const no = (): null => null;

/** What most records say: it is neither a selection nor a view nor a layout, all attributes matter, and errors use its name. */
export const ordinary = { selection: no, view: no, layout: null, names: {}, phrase: no } as const;
