/**
 * Axis names and broadcasting. Shapes align from the right, as in NumPy and ONNX; names travel with them, so that an
 * error can say which axes do not fit. `""` is an axis without a name, which fits any.
 */
import type { DType } from "../tensor/array.ts";
import { ShapeError, UnknownNameError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";

/** What is known of a value without computing it. */
export interface Meta {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly axes: readonly string[];
}

/** The vocabulary, used in comments, errors, tables and plots, with what runs along each axis. Other names are fine too. */
export interface Axes<T = unknown> {
  /** Prompts. */
  readonly batch?: T;
  /** Token positions. */
  readonly pos?: T;
  /** Positions that attend. */
  readonly query?: T;
  /** Positions attended to. */
  readonly key?: T;
  /** Attention heads of one layer. */
  readonly head?: T;
  /** Heads of keys and values, where several heads share them. */
  readonly kv_head?: T;
  /** A head's own dimensions. */
  readonly d_head?: T;
  /** The residual stream. */
  readonly d_model?: T;
  /** Features of a dictionary. */
  readonly d_sae?: T;
  /** Neurons of one MLP layer. */
  readonly d_mlp?: T;
  /** Experts of one MLP layer. */
  readonly expert?: T;
  /** The experts that a position has chosen. */
  readonly choice?: T;
  /** Tokens of the vocabulary. */
  readonly d_vocab?: T;
  /** Which of two texts a token belongs to. */
  readonly token_type?: T;
  /** Layers. */
  readonly layer?: T;
  /** Summands of a decomposition. */
  readonly component?: T;
  /** Selected (batch, pos) rows. */
  readonly row?: T;
}

/** An axis by name (`"d_mlp"`) or by index (`-1` is the last). */
export type AxisRef = keyof Axes | (string & {}) | number;

/** Something for each of some axes, by name. */
export type ByAxis<T> = Axes<T> & Readonly<Record<string, T>>;

/** `[batch 2, pos 12, d_model 32]`, as errors and prints show it. */
export function showShape(meta: Pick<Meta, "shape" | "axes">): string {
  return `[${meta.shape.map((n, i) => (meta.axes[i] ? `${meta.axes[i]} ${n}` : `${n}`)).join(", ")}]`;
}

/** The index of an axis. @throws UnknownNameError for a name it lacks, ShapeError for an index out of range. */
export function axisIndex(meta: Meta, axis: AxisRef): number {
  if (typeof axis === "string") {
    const i = meta.axes.indexOf(axis);
    if (i < 0) throw new UnknownNameError(`axis of ${showShape(meta)}`, axis, meta.axes);
    return i;
  }
  const i = typeof axis === "number" && axis < 0 ? axis + meta.shape.length : axis;
  if (!Number.isInteger(i) || i < 0 || i >= meta.shape.length) {
    throw new ShapeError(
      `Axis ${shown(axis)} is out of range for ${showShape(meta)}, which has ${meta.shape.length} axes.`,
      {
        asked: axis,
        found: meta.shape,
      },
    );
  }
  return i;
}

/** Shape and axes of an elementwise result. @throws ShapeError naming both shapes and the axis that differs. */
export function broadcast(what: string, inputs: readonly Meta[]): Pick<Meta, "shape" | "axes"> {
  const rank = Math.max(0, ...inputs.map((m) => m.shape.length));
  const shape = new Array<number>(rank).fill(1);
  const axes = new Array<string>(rank).fill("");
  for (const input of inputs) {
    const offset = rank - input.shape.length;
    for (let i = 0; i < input.shape.length; i++) {
      const size = input.shape[i];
      const name = input.axes[i];
      const at = offset + i;
      if (shape[at] !== size && shape[at] !== 1 && size !== 1) misfit(what, inputs, axes[at] || name || `${i}`);
      if (name && axes[at] && name !== axes[at] && size !== 1 && shape[at] !== 1) {
        misfit(what, inputs, `${axes[at]} against ${name}`);
      }
      if (name && (!axes[at] || (shape[at] === 1 && size !== 1))) axes[at] = name;
      if (shape[at] === 1) shape[at] = size;
    }
  }
  return { shape, axes };
}

function misfit(what: string, inputs: readonly Meta[], axis: string): never {
  throw new ShapeError(`${what} cannot combine ${inputs.map(showShape).join(" with ")}: they differ on axis ${axis}.`, {
    asked: inputs.map((m) => m.shape),
    found: axis,
  });
}
