/**
 * What writes to a model's residual stream and what reads it, in order: the components that decompositions, attribution
 * and patching use. They are read off a recording of the model, so they are right for every kind of it.
 */
import { isName } from "../graph/layouts.ts";
import type { Tensor } from "../graph/tensor.ts";
import { compose } from "../models/compose.ts";
import type { HookedTransformerConfig } from "../models/config/config.ts";
import { type Recording, recordingOf } from "../models/recording.ts";
import { bare, type NormUse, type Product, type Structure } from "../models/structure.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { WHOLE } from "../tensor/kinds.ts";
import { shown } from "../tensor/show.ts";
import type { CachedModel } from "./cached.ts";
import { placeOf } from "./changes.ts";
import type { OutputNorm } from "./output-norm.ts";

/** What writes to the residual stream: `"L0H3"`, `"L0MLP"`, `"embed"`, `"pos_embed"`; or all embeddings as one. */
export type Sender = "embed" | "pos_embed" | "stream_start" | `L${number}H${number}` | `L${number}MLP`;

/**
 * What reads it: a head's queries, keys or values (`"L1H0.q"`), keys or values that several heads share (`"L1KV0.k"`), an
 * MLP (`"L1MLP"`), or the `"logits"`.
 */
export type Receiver =
  | "logits"
  | `L${number}H${number}.${"q" | "k" | "v"}`
  | `L${number}KV${number}.${"k" | "v"}`
  | `L${number}MLP`;

/** What something writes with: the value at a hook point, [... head d_head] or [... d_mlp], times a weight, plus a bias. */
export interface WriterOutput {
  readonly point: string;
  /** Names of weights: `blocks.0.attn.W_O`, `blocks.0.attn.b_O`. */
  readonly weight: string;
  readonly bias: string | undefined;
  /** The norm of all that is written there, before it is added to the stream. */
  readonly norm: OutputNorm | undefined;
}

/** A component that writes to the residual stream. A layer's bias belongs to none of its heads. */
export interface Writer {
  readonly name: Sender;
  /** `undefined` for embeddings. */
  readonly layer: number | undefined;
  readonly head?: number;
  /**
   * The hook point of what it writes, [batch pos d_model]; of a head its part of `hook_result`, [batch pos head d_model],
   * before any norm of the output.
   */
  readonly point: string;
  /** What it writes with; `undefined` for embeddings. */
  readonly output: WriterOutput | undefined;
  /** How much is in the stream before it: a reader of a higher order hears it. */
  readonly order: number;
}

/** Something added to the residual stream: the embeddings, what all heads of a layer write together, what an MLP writes. */
export interface Addition {
  /** TransformerLens' label: `embed`, `pos_embed`, `0_attn_out`, `0_mlp_out`. */
  readonly label: string;
  readonly kind: "embedding" | "attention" | "mlp";
  readonly layer: number | undefined;
  /** The hook point of what is added, biases included, [batch pos d_model]. */
  readonly point: string;
  readonly output: WriterOutput | undefined;
  readonly writers: readonly Writer[];
  readonly order: number;
}

/** A component that reads the residual stream. */
export interface Reader {
  readonly name: Receiver;
  /** The layer it is in; of the logits, the last. */
  readonly layer: number;
  /** Which of the point's `head` or `kv_head` it is. */
  readonly head?: number;
  /** The hook point of what it reads, before any norm: [batch pos d_model], or [batch pos head d_model] for heads. */
  readonly point: string;
  readonly order: number;
}

/** The result of `components`, each list in the order of the pass. */
export interface Components {
  readonly writers: readonly Writer[];
  readonly readers: readonly Reader[];
  /** The writers, those of one hook point together. */
  readonly additions: readonly Addition[];
  /** All embeddings as one writer, the stream before the first layer. */
  readonly start: Writer;
  /** Whether the stream is the sum of what is written to it; it is not where norms stand after the additions. */
  readonly addsUp: boolean;
}

const known = new WeakMap<HookedTransformerConfig, Components>();

/**
 * The components of a model that write to its residual stream and that read it. Who hears whom follows from their order:
 * in sequential blocks an MLP hears its layer's heads, in parallel ones it does not.
 * @throws ArgumentError for anything but a model
 */
export function components(model: Pick<CachedModel, "cfg">): Components {
  const { cfg } = model ?? {};
  if (!cfg) throw new ArgumentError(`components needs a model, not ${shown(model)}.`, { asked: model });
  if (compose(cfg).decoder) {
    throw new ArgumentError(
      `${cfg.modelName} has an encoder and a decoder, each with its own residual stream, which are not taken apart here: read and change its hook points by name.`,
      { asked: cfg.modelName },
    );
  }
  const found = known.get(cfg) ?? readOff(recordingOf(cfg));
  known.set(cfg, found);
  return found;
}

/**
 * Whether a reader hears a writer, that is, reads what it writes.
 * @throws ArgumentError for anything but a reader and a writer of `components`
 */
export function hears(reader: Reader, writer: Writer): boolean {
  if (WHOLE.accepts(reader?.order) && WHOLE.accepts(writer?.order)) return writer.order < reader.order;
  throw new ArgumentError("hears needs a reader and a writer, as components(model) returns them.", {
    asked: [reader, writer],
  });
}

/** @throws ArgumentError in a model whose stream is not the sum of what is written to it */
export function needSum(model: Pick<CachedModel, "cfg">): void {
  if (components(model).addsUp) return;
  throw new ArgumentError(
    `In ${model.cfg.modelName} a norm stands after each addition to the residual stream, so the stream is not a sum of what was written to it, and cannot be taken apart: use accumulatedResid, patching, ablation or gradients.`,
    { asked: model.cfg.modelName },
  );
}

/**
 * What is in the stream before a layer, or before its MLP; for the number of layers, before the logits.
 * @throws ArgumentError where the stream is not a sum
 */
export function additionsBefore(model: Pick<CachedModel, "cfg">, layer: number, mlpInput = false): Addition[] {
  needSum(model);
  const { readers, additions } = components(model);
  const reader = readers.find((one) => one.layer === layer && (one.name === mlpName(layer)) === mlpInput);
  const { order } = reader ?? readers.at(-1)!;
  return additions.filter((addition) => addition.order < order);
}

/** `L0H3` */
export function headName(layer: number, head: number) {
  return `L${layer}H${head}` as const;
}

/** `L0H3` along an axis `head`, `L0KV1` along an axis `kv_head` of keys and values that heads share. */
export function nameAlong(axis: "head" | "kv_head", layer: number, head: number) {
  return axis === "head" ? headName(layer, head) : (`L${layer}KV${head}` as const);
}

/** The label of the head or neuron that a row of a measure is about, or of its layer: L0H3, L0KV1, L0N17, L0. */
export function componentName({ layer, head, kv_head, d_mlp }: ComponentPlace): string {
  if (head !== undefined) return headName(layer, head);
  if (kv_head !== undefined) return nameAlong("kv_head", layer, kv_head);
  return d_mlp === undefined ? `L${layer}` : neuronName(layer, d_mlp);
}

/** Where a head or neuron is. */
export interface ComponentPlace {
  readonly layer: number;
  readonly head?: number | undefined;
  readonly kv_head?: number | undefined;
  readonly d_mlp?: number | undefined;
}

/** `L0MLP` */
export function mlpName(layer: number) {
  return `L${layer}MLP` as const;
}

/** `L0N17` */
export function neuronName(layer: number, neuron: number) {
  return `L${layer}N${neuron}` as const;
}

function readOff(recording: Recording): Components {
  const { structure, points } = recording;
  const values = structure.additions.map(({ value }) => value);
  const [{ stream: first }] = structure.additions;
  /** The norms whose results are the stream, rather than what a layer reads; one of the embedding is where it begins. */
  const within = structure.norms.filter(
    ({ result }) =>
      bare(result) !== bare(first) &&
      [...structure.additions.map(({ stream }) => stream), ...streamPoints(points)].some(
        (x) => bare(x) === bare(result),
      ),
  );
  /** How much has been written to each value of the stream. */
  const written = new Map<Tensor, number>([[bare(first), 1]]);
  for (const { stream, result } of structure.additions) {
    const before = bare(stream);
    const norm = within.find((one) => bare(one.result) === before);
    if (norm) written.set(before, written.get(bare(norm.input))!);
    written.set(bare(result), written.get(before)! + 1);
  }
  for (const { input, result } of within) written.set(bare(result), written.get(bare(input))!);
  const additions = [innermost(first, structure), ...values].map((value, order) => additionOf(value, order, recording));

  /** How much has been written to what a point holds, copies for each head included. */
  const heard = (x: Tensor): number => written.get(x) ?? heard(x.inputs[0]);
  const readers = [...points].flatMap(([point, value]) => {
    const part = /^blocks\.\d+\.hook_(?:([qkv])_input|mlp_in)$/.exec(point);
    return part ? readersOf(point, value, part[1], heard(value)) : [];
  });
  const streams = [...points].filter(([point, value]) => STREAM.test(point) && written.has(bare(value)));
  const [[start], [end, last]] = [streams[0], streams.at(-1)!];
  const logits: Reader = { name: "logits", layer: placeOf(end).layer!, point: end, order: heard(last) };
  const before = additions.findIndex(({ layer }) => layer !== undefined);
  return {
    writers: additions.flatMap(({ writers }) => writers),
    readers: [...readers, logits],
    additions,
    start: { name: "stream_start", layer: undefined, point: start, output: undefined, order: before - 1 },
    addsUp: within.length === 0,
  };
}

/** The hook points that hold the residual stream. */
const STREAM = /\.hook_(normalized_)?resid_/;

function streamPoints(points: Recording["points"]): Tensor[] {
  return [...points].flatMap(([point, value]) => (STREAM.test(point) ? [value] : []));
}

/** A value under the first of its hook points, but for one of a norm that it is the result of. */
function innermost(x: Tensor, { norms }: Pick<Structure, "norms">): Tensor {
  if (!isName(x) || !isName(x.inputs[0]) || norms.some(({ result }) => result === x.inputs[0])) return x;
  return innermost(x.inputs[0], { norms });
}

/** What is added to the stream, described from the value that is added. */
function additionOf(value: Tensor, order: number, { structure }: Recording): Addition {
  const point = value.label!;
  const { layer } = placeOf(point);
  const name = point.replace(/^.*hook_/, "");
  const norm = structure.norms.find(({ result }) => bare(result) === bare(value));
  const computed = bare(norm?.input ?? value);
  const product = structure.products.find(({ result }) => bare(result) === computed);
  const output = product && outputOf(product, norm);
  const writer = { layer, point, output, order };
  const heads = product && structure.attentions.some(({ weights }) => weights.W_O === product.weight);
  if (layer === undefined) {
    const writers = [{ ...writer, name: name as Sender }];
    return { ...writer, label: name, kind: "embedding", writers };
  }
  const label = `${layer}_${name}`;
  if (!heads) return { ...writer, label, kind: "mlp", writers: [{ ...writer, name: mlpName(layer) }] };
  const result = output!.point.replace(/hook_z$/, "hook_result");
  const writers = Array.from({ length: product.weight.shape[0] }, (_, head): Writer => {
    return { ...writer, name: headName(layer, head), head, point: result };
  });
  return { ...writer, label, kind: "attention", writers };
}

function outputOf({ input, weight, bias }: Product, norm: NormUse | undefined): WriterOutput {
  return {
    point: input.label!,
    weight: weight.label!,
    bias: bias?.label,
    norm: norm && {
      where: norm.where,
      subtractsMean: norm.subtractsMean,
      w: norm.w?.label,
      b: norm.b?.label,
    },
  };
}

/** The readers at a hook point: one for each head or shared head, or the MLP. */
function readersOf(point: string, value: Tensor, input: string | undefined, order: number): Reader[] {
  const layer = placeOf(point).layer!;
  if (!input) return [{ name: mlpName(layer), layer, point, order }];
  const axis = value.axes.at(-2) === "kv_head" ? "kv_head" : "head";
  return Array.from({ length: value.shape.at(-2)! }, (_, head): Reader => {
    return { name: `${nameAlong(axis, layer, head)}.${input}` as Receiver, layer, head, point, order };
  });
}
