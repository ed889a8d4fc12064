/** Where the weights of a Hugging Face checkpoint are, and how they lie there: one line for each of ours. */
import { type NDArray, ndarray, sizeOf, zeros } from "../../tensor/array.ts";
import { WeightsError } from "../../tensor/errors.ts";
import type { HookedTransformerConfig } from "../config/config.ts";
import { recordingOf } from "../recording.ts";
import type { WeightSpec } from "../weights/spec.ts";
import {
  headsOfColumns,
  partAt,
  partOf,
  productInMemory,
  reshaped,
  StoredNames,
  toFloat32,
  transposeRows,
} from "./layout.ts";

type Float32 = NDArray<"float32">;

/** An array of the checkpoint, and how a weight is made of it. */
export interface Source {
  /** The array's name; `{l}` is the layer. */
  readonly name: string;
  /** Which of the parts along its first axis the weight is made of; without it the whole. */
  readonly part?: number;
  /** The shape that the whole array must have for this weight. */
  shape(spec: WeightSpec): readonly number[];
  /** The weight, from an array of that shape, or from the part, without that axis. */
  read(array: Float32, spec: WeightSpec): Float32;
  /** The same, some rows of the array at a time: `read` without the array in memory next to the weight. */
  readRows?(rows: Float32Array, first: number, into: Float32Array, spec: WeightSpec): void;
  /** Whether some models have none in any layer: it is then 0. */
  readonly optional?: boolean;
  /** Whether there is no array: `read` gets an empty one. */
  readonly isComputed?: boolean;
}

/** `a · bᵀ` of matrices [m k] and [n k]: [m n]. Whoever reads weights says how, as large ones take an engine. */
export type Product<R> = (a: Float32, b: Float32) => R;

/** Several arrays of the checkpoint, and how a weight is made of them. */
export interface SeveralSource {
  readonly arrays: readonly Pick<Source, "name" | "part" | "shape">[];
  /** The weight, from arrays of those shapes or their parts; or what a product is, which then is the weight. */
  read<R>(arrays: readonly NDArray[], spec: WeightSpec, product: Product<R>): Float32 | R;
}

/**
 * Where our weights are: by our names, with `{l}` for the layer, or with its number where one layer is not as the others, and
 * without the underscore of shared keys and values.
 */
export type Sources<T = Source | SeveralSource> = Readonly<Record<string, T>>;

/** As it is: an embedding, a norm's weight, a bias (of several heads one after the other). */
export function same(name: string): Source {
  return {
    name,
    shape: ({ axes, shape }) => (isOfHeads(axes) ? [sizeOf(shape)] : shape),
    read: (array, { shape }) => reshaped(array, shape),
  };
}

/** As it is, with an axis for its heads. */
export function asHeads(name: string): Source {
  return { name, shape: ({ shape }) => shape, read: (array, { shape }) => reshaped(array, shape) };
}

/** A matrix of PyTorch's `Linear`, [out in]; heads one after the other where they are many. */
export function linear(name: string): Source {
  return {
    name,
    shape({ axes, shape }) {
      if (!isOfHeads(axes)) return [shape[1], shape[0]];
      const [head, from, to] = shape;
      return axes[1] === "d_head" ? [to, head * from] : [head * to, from];
    },
    read(array, spec) {
      const weight = zeros("float32", spec.shape);
      this.readRows!(array.data, 0, weight.data, spec);
      return weight;
    },
    // Of heads that read the stream, each has a matrix [out in] of its own to be transposed.
    readRows(rows, first, into, { axes, shape }) {
      const ofHeads = isOfHeads(axes) && axes[1] !== "d_head";
      const [cols, size] = isOfHeads(axes) && !ofHeads ? [shape[0] * shape[1], shape[2]] : shape.slice(-2);
      transposeRows(rows, first, cols, into, size);
    },
  };
}

/**
 * Some rows of a matrix [out in], or some elements of a bias [out], in which queries, keys and values lie together.
 * @param rows how many it has
 * @param rowOf which of them element e of a head is
 */
export function rowsOf(name: string, rows: number, rowOf: (head: number, e: number) => number): Source {
  return {
    name,
    shape: ({ shape }) => (shape.length === 3 ? [rows, shape[1]] : [rows]),
    read(array, { shape }) {
      const [head, d_head] = [shape[0], shape.at(-1)!];
      const width = shape.length === 3 ? shape[1] : 1;
      const out = zeros("float32", shape);
      for (let h = 0; h < head; h++) {
        for (let e = 0; e < d_head; e++) {
          const from = rowOf(h, e) * width;
          for (let m = 0; m < width; m++) out.data[(h * width + m) * d_head + e] = array.data[from + m];
        }
      }
      return out;
    },
  };
}

/**
 * Queries, keys and values of a matrix [out in] and of its bias, which some models have: in each group of heads their
 * queries, one after the other, the key that they share, and the value.
 */
export function inGroups(ours: string, theirs: string, heads: number, groups: number, dHead: number): Sources {
  const served = heads / groups;
  const rowOf = {
    Q: (head: number) => Math.floor(head / served) * (served + 2) + (head % served),
    K: (group: number) => group * (served + 2) + served,
    V: (group: number) => group * (served + 2) + served + 1,
  };
  const part = (row: (head: number) => number, kind: string) =>
    rowsOf(`${theirs}.${kind}`, (heads + 2 * groups) * dHead, (head, e) => row(head) * dHead + e);
  return Object.fromEntries(
    Object.entries(rowOf).flatMap(([x, row]) => [
      [`${ours}.W_${x}`, part(row, "weight")],
      [`${ours}.b_${x}`, optional(part(row, "bias"))],
    ]),
  );
}

/** The same where all queries come first, then all keys, then all values. */
export function sideBySide(ours: string, theirs: string, heads: number, groups: number, dHead: number): Sources {
  const part = (first: number, kind: string) =>
    rowsOf(`${theirs}.${kind}`, (heads + 2 * groups) * dHead, (head, e) => (first + head) * dHead + e);
  return Object.fromEntries(
    Object.entries({ Q: 0, K: heads, V: heads + groups }).flatMap(([x, first]) => [
      [`${ours}.W_${x}`, part(first, "weight")],
      [`${ours}.b_${x}`, optional(part(first, "bias"))],
    ]),
  );
}

/** One of the equal blocks of rows of PyTorch's `Linear`, [out in]. */
export function rowBlock(name: string, blocks: number, block: number): Source {
  return {
    name,
    shape: ({ shape: [from, to] }) => [blocks * to, from],
    read(array, { shape: [from, to] }) {
      const weight = zeros("float32", [from, to]);
      const size = from * to;
      transposeRows(array.data.subarray(block * size, (block + 1) * size), 0, from, weight.data, to);
      return weight;
    },
  };
}

/** An embedding of positions without the rows before that of the first. */
export function rowsFrom(name: string, first: number): Source {
  return {
    name,
    shape: ({ shape: [rows, width] }) => [first + rows, width],
    read: (array, { shape }) => ndarray("float32", shape, array.data.slice(first * shape[1])),
  };
}

/** A weight that is in no file, but computed. */
export function computed(make: (spec: WeightSpec) => Float32): Source {
  return { name: "", isComputed: true, shape: ({ shape }) => shape, read: (_none, spec) => make(spec) };
}

/** A matrix of GPT-2's `Conv1D`, [in out], as heads one after the other in its rows. */
export function merged(name: string): Source {
  return {
    name,
    shape: ({ shape: [head, d_head, d_model] }) => [head * d_head, d_model],
    read: (array, { shape }) => reshaped(array, shape),
  };
}

/** One of the equal blocks of columns of such a matrix, or of a bias, head by head. */
export function columnsOf(name: string, blocks: number, block: number): Source {
  return {
    name,
    shape: ({ shape }) => [...shape.slice(1, -1), blocks * shape[0] * shape.at(-1)!],
    read(array, { shape }) {
      const [head, d_head] = [shape[0], shape.at(-1)!];
      return shape.length === 3 ? headsOfColumns(array, head, d_head, block) : partOf(array, shape, block);
    },
  };
}

/** With each number of the array changed: scaled, or raised by the 1 that a norm adds to it. */
export function each(source: Source, change: (x: number) => number): Source {
  const changed = (data: Float32Array) => Float32Array.from(data, change);
  const { readRows } = source;
  return {
    ...source,
    read: (array, spec) => source.read(ndarray("float32", array.shape, changed(array.data)), spec),
    ...(readRows && {
      readRows: (rows, first, into, spec) => readRows.call(source, changed(rows), first, into, spec),
    }),
  };
}

/** Times a factor, in float32 as PyTorch multiplies. */
export function scaled(source: Source, factor: number): Source {
  if (factor === 1) return source;
  const by = Math.fround(factor);
  return each(source, (x) => x * by);
}

/** A weight that some models of a family have and others have not: it is then 0. */
export function optional(source: Source): Source {
  return { ...source, optional: true };
}

/** The names of most families' projections, in a module of attention. */
export function projectionsOf(attention: string, out = "o_proj") {
  return { Q: `${attention}.q_proj`, K: `${attention}.k_proj`, V: `${attention}.v_proj`, O: `${attention}.${out}` };
}

/** A LayerNorm's weight and bias: `blocks.{l}.ln1.w` from `….weight`, `blocks.{l}.ln1.b` from `….bias`. */
export function layerNorm(ours: string, theirs: string): Sources<Source> {
  return { [`${ours}.w`]: same(`${theirs}.weight`), [`${ours}.b`]: same(`${theirs}.bias`) };
}

/** PyTorch's `Linear`s as the matrices of a part: of `{ Q: "….q_proj" }` its `W_Q`. */
export function matrices(ours: string, theirs: Readonly<Record<string, string>>): Sources<Source> {
  return Object.fromEntries(Object.entries(theirs).map(([x, name]) => [`${ours}.W_${x}`, linear(`${name}.weight`)]));
}

/** Their biases: of `{ Q: "….q_proj" }` its `b_Q`. */
export function biases(ours: string, theirs: Readonly<Record<string, string>>): Sources<Source> {
  return Object.fromEntries(Object.entries(theirs).map(([x, name]) => [`${ours}.b_${x}`, same(`${name}.bias`)]));
}

/** Biases that some models of a family have and others have not. */
export function optionalBiases(ours: string, theirs: Readonly<Record<string, string>>): Sources {
  return Object.fromEntries(Object.entries(biases(ours, theirs)).map(([x, source]) => [x, optional(source)]));
}

/** A weight of a block: which stack of blocks it is in, and its layer. */
const BLOCK = /^(blocks|encoder|decoder)\.(\d+)\./;

const isOfHeads = ([axis]: readonly string[]): boolean => axis === "head" || axis === "kv_head";

/** Where the weights of a family's checkpoints are. */
export interface CheckpointLayout {
  /** What the family is called. */
  readonly called: string;
  readonly sources: Sources;
  /** Names of buffers, which are not weights. */
  readonly buffers?: RegExp | undefined;
}

/** An array of a checkpoint, or one of the parts along its first axis. */
export interface Piece {
  readonly name: string;
  readonly part?: number | undefined;
}

/** How one weight comes from a checkpoint. */
export interface WeightStep {
  readonly spec: WeightSpec;
  /** What it is made of; nothing for a weight that is 0 or computed. */
  readonly from: readonly Piece[];
  /** The arrays among them that no later step needs. */
  readonly last: readonly string[];
  /** The weight, from the pieces. It may share the memory of one. */
  make<R>(arrays: readonly NDArray[], product: Product<R>): Float32 | R;
  /** The same of a single whole array, some of its rows at a time. */
  readonly makeRows?: ((rows: Float32Array, first: number, into: Float32Array) => void) | undefined;
}

/**
 * How every weight of the configuration comes from a checkpoint, in the order in which a pass meets them. A bias that the sources
 * say nothing of, or an optional one that no layer of the checkpoint has, is 0. Several weights may be of one array: a tied
 * unembedding, queries beside keys.
 * @param stored the checkpoint's names and shapes
 * @throws WeightsError for an array that is missing, left over or of another shape
 */
export function stepsOf(
  stored: ReadonlyMap<string, readonly number[]>,
  config: HookedTransformerConfig,
  { called, sources, buffers }: CheckpointLayout,
): WeightStep[] {
  const names = new StoredNames(stored, called);
  if (buffers) names.drop(buffers);
  const steps: WeightStep[] = [];
  const lastUse = new Map<string, number>();
  for (const spec of recordingOf(config).weights.values()) {
    const layer = BLOCK.exec(spec.name)?.[2] ?? "";
    const own = spec.name.replace(/\._(?=[^.]+$)/, ".");
    const source = sources[own] ?? sources[own.replace(BLOCK, "$1.{l}.")];
    const arrays = arraysOf(source, (name) => hasSome(stored, name, config.nLayers));
    if (!source || (arrays.length === 0 && !isComputed(source))) {
      if (spec.init !== "zeros")
        throw new WeightsError(`A ${called} checkpoint has no ${spec.name}.`, { asked: spec.name });
      steps.push({ spec, from: [], last: [], make: () => zeros("float32", spec.shape) });
      continue;
    }
    const from = arrays.map(({ name, part, shape }) => {
      const theirs = name.replace("{l}", layer);
      names.take(theirs, shape(spec));
      lastUse.set(theirs, steps.length);
      return { name: theirs, part };
    });
    steps.push({ spec, from, last: [], ...making(source, from, spec) });
  }
  names.expectEmpty();
  const isLast = (name: string, i: number) => lastUse.get(name) === i;
  return steps.map((step, i) => ({
    ...step,
    last: step.from.map(({ name }) => name).filter((name) => isLast(name, i)),
  }));
}

const isOfSeveral = (source: Source | SeveralSource): source is SeveralSource => "arrays" in source;
const isComputed = (source: Source | SeveralSource): boolean => !isOfSeveral(source) && source.isComputed === true;

/** The arrays that a weight is made of: none of one that is computed, and of an optional one that no layer has. */
function arraysOf(
  source: Source | SeveralSource | undefined,
  isThere: (name: string) => boolean,
): SeveralSource["arrays"] {
  if (!source) return [];
  if (isOfSeveral(source)) return source.arrays;
  return source.isComputed || (source.optional && !isThere(source.name)) ? [] : [source];
}

/** How a weight is made of its arrays. */
function making(
  source: Source | SeveralSource,
  from: readonly Piece[],
  spec: WeightSpec,
): Pick<WeightStep, "make" | "makeRows"> {
  if (isOfSeveral(source)) return { make: (arrays, product) => source.read(arrays, spec, product) };
  const { readRows } = source;
  return {
    make([array]) {
      const { data } = source.read(array ? toFloat32(from[0].name, array) : zeros("float32", [0]), spec);
      return ndarray("float32", spec.shape, data);
    },
    makeRows: readRows && ((rows, first, into) => readRows(rows, first, into, spec)),
  };
}

/** Every weight of the configuration, from the arrays of a checkpoint. @throws as `stepsOf` */
export function readCheckpoint(
  raw: ReadonlyMap<string, NDArray>,
  config: HookedTransformerConfig,
  layout: CheckpointLayout,
): Map<string, Float32> {
  const steps = stepsOf(new Map([...raw].map(([name, { shape }]) => [name, shape])), config, layout);
  const pieceOf = ({ name, part }: Piece) => (part === undefined ? raw.get(name)! : partAt(raw.get(name)!, part));
  return new Map(steps.map(({ spec, from, make }) => [spec.name, make(from.map(pieceOf), productInMemory)]));
}

/** Whether a checkpoint has an array for at least one layer: one that is missing in another is then missed. */
function hasSome(stored: ReadonlyMap<string, unknown>, name: string, layers: number): boolean {
  for (let layer = 0; layer < layers; layer++) if (stored.has(name.replace("{l}", String(layer)))) return true;
  return false;
}
