/** What an op is: one record that says everything the library knows about it. */
import type { NDArray } from "../tensor/array.ts";
import type { Meta } from "./axes.ts";
import type { Tensor } from "./tensor.ts";

/** Attributes are plain JSON: they are part of a compiled graph's identity. */
// biome-ignore lint/suspicious/noExplicitAny: each op narrows its own attributes.
export type Attrs = any;

/** What an op may know of an input while it is written as ONNX: never its sizes, so that batch and pos stay dynamic. */
export interface Operand {
  readonly name: string;
  readonly rank: number;
  readonly dtype: Meta["dtype"];
}

/** Where ops write their ONNX nodes. */
export interface Emitter {
  /** Adds a node and returns the name of its (first) output. */
  node(opType: string, inputs: readonly string[], attrs?: Record<string, number | string | readonly number[]>): string;
  /** Whether the value being written only leaves the graph: its numbers in order then do, in whatever shape. */
  readonly outputOnly: boolean;
  /** A constant baked into the graph. */
  int64(values: readonly number[], shape?: readonly number[]): string;
  float(value: number): string;
}

export interface Op<A extends Attrs = Attrs> {
  /** dtype, shape and axes of the result. @throws ShapeError */
  infer(inputs: readonly Meta[], attrs: A): Meta;

  /**
   * The definition: what the op computes, in float64 (integers int32, bool bytes). The oracle of the tests, and the
   * engine of none.
   */
  reference(inputs: readonly NDArray[], attrs: A, out: Meta): NDArray;

  /** Writes the op as ONNX and returns the name of the result. */
  onnx(emit: Emitter, inputs: readonly Operand[], attrs: A): string;

  /**
   * Vector-Jacobian product: from the gradient of the result, the gradient of each input as more graph, `null` where
   * there is none to give (an index, a comparison).
   */
  vjp(grad: Tensor, out: Tensor, inputs: readonly Tensor[], attrs: A): readonly (Tensor | null)[];

  /**
   * For an axis of the result along which the op works independently (row by row): the axis of each input that it
   * corresponds to, `null` for an input that does not vary along it. `undefined`: the op mixes along this axis.
   * From this the plan pushes selections up the graph, and knows which values can influence which positions.
   */
  along(axis: number, inputs: readonly Meta[], attrs: A, out: Meta): readonly (number | null)[] | undefined;

  /** Only moves numbers: applied to weights alone it is computed once and kept. */
  readonly layout?: true;

  /** Makes a value as large as its largest input on the way to a smaller result: what its memory is planned by. */
  readonly scratch?: true;
}
