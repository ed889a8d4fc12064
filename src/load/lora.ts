/**
 * The tensors of a model with a LoRA adapter's matrices added as they are read: W + scale B A, with A [rank in], B [out rank] and scale =
 * alpha / rank. With a magnitude m [out] (DoRA), each row of that has this length. Whole tensors of the adapter's replace the model's.
 * Source: Hu et al. 2021 (arXiv:2106.09685), Liu et al. 2024 (arXiv:2402.09353); peft 0.21, merge_and_unload
 */
import { type NDArray, ndarray } from "../tensor/array.ts";
import { ConfigError, GlassformerError, WeightsError } from "../tensor/errors.ts";
import { nearest } from "../tensor/nearest.ts";
import { shown } from "../tensor/show.ts";
import { firstOf } from "../tensor/words.ts";
import { Regex } from "../text/regex/regex.ts";
import type { Adapter, AdapterSettings } from "./adapter.ts";
import type { StoredTensors } from "./stored.ts";

type Float32 = NDArray<"float32">;

/** What an adapter has for a tensor of the model: names of its own tensors. */
interface Parts {
  A?: string;
  B?: string;
  magnitude?: string;
  /** The tensor is the embedding, whose A is [rank vocabulary] and B [width rank]. */
  isEmbedding?: boolean;
}

/** A tensor that is replaced, or to which a product is added. */
type Edit =
  | { readonly whole: string }
  | {
      /** The adapter's tensor that it is added to, in place of the model's. */
      readonly instead: string | undefined;
      readonly A: string;
      readonly B: string;
      readonly magnitude: string | undefined;
      readonly turned: boolean;
      readonly scale: number;
    };

const PREFIX = /^(base_model\.model\.|base_model\.)/;
const LORA = /^(.*)\.lora_(?:(embedding_)?(A|B)|(magnitude_vector))(?:\.default)?(?:\.weight)?$/;

/** The model's tensors, changed by the adapter. @throws WeightsError if the adapter does not fit the model */
export function withAdapter(model: StoredTensors, modelName: string, adapter: Adapter): StoredTensors {
  const { tensors, name } = adapter;
  const edits = editsOf(model, modelName, adapter);
  const shapes = new Map(model.shapes);
  for (const [tensor, edit] of edits) if ("whole" in edit) shapes.set(tensor, tensors.shapes.get(edit.whole)!);
  const floats = async (of: StoredTensors, tensor: string, signal: AbortSignal | undefined) => {
    const array = await of.read(tensor, signal);
    if (array.dtype === "float32") return array as Float32;
    throw new WeightsError(
      `${shown(tensor)} of ${of === tensors ? name : modelName} holds ${array.dtype}, not floats.`,
      {
        asked: tensor,
        found: array.dtype,
      },
    );
  };
  return {
    shapes,
    async read(tensor, signal) {
      const edit = edits.get(tensor);
      if (!edit) return model.read(tensor, signal);
      if ("whole" in edit) return floats(tensors, edit.whole, signal);
      const { instead } = edit;
      const weight = await (instead === undefined ? floats(model, tensor, signal) : floats(tensors, instead, signal));
      const A = await floats(tensors, edit.A, signal);
      const B = await floats(tensors, edit.B, signal);
      const m = edit.magnitude === undefined ? undefined : await floats(tensors, edit.magnitude, signal);
      const data = weight.data.slice();
      if (edit.turned) addTurned(data, A, B, edit.scale);
      else add(data, A, B, edit.scale);
      if (m) toLengths(data, m.data, weight.shape, edit.turned);
      return ndarray("float32", weight.shape, data);
    },
    forget: (tensor) => model.forget?.(tensor),
  };
}

function editsOf(model: StoredTensors, modelName: string, adapter: Adapter): Map<string, Edit> {
  const refuse = (why: string, asked: unknown): never => {
    throw new WeightsError(`The adapter ${adapter.name} does not fit ${modelName}: ${why}.`, {
      asked,
      found: [...model.shapes.keys()],
    });
  };
  const { shapes } = adapter.tensors;
  const products = new Map<string, Parts>();
  const edits = new Map<string, Edit>();
  for (const stored of shapes.keys()) {
    const plain = stored.replace(PREFIX, "");
    const [, module, embedding, matrix, magnitude] = LORA.exec(plain) ?? [];
    if (module !== undefined) {
      const parts = products.get(module) ?? {};
      products.set(module, parts);
      if (magnitude) parts.magnitude = stored;
      else parts[matrix as "A" | "B"] = stored;
      if (embedding) parts.isEmbedding = true;
      continue;
    }
    if (/lora_|\.token_adapter\./.test(plain)) refuse(`it has ${shown(stored)}, which is not supported`, stored);
    const own = plain.replace(/\.(modules_to_save(\.default)?|base_layer)(?=\.[^.]+$)/, "");
    const tensor = tensorOf(model, own) ?? (isUnembedding(own) ? own : refuse(missing(model, own), own));
    const [found, expected] = [shapes.get(stored)!, model.shapes.get(tensor)];
    if (expected && found.join() !== expected.join()) {
      refuse(`${shown(stored)} is [${found}], but ${shown(tensor)} of the model [${expected}]`, stored);
    }
    edits.set(tensor, { whole: stored });
  }
  for (const [module, parts] of products) {
    const { A, B, magnitude, isEmbedding = false } = parts;
    if (A === undefined || B === undefined)
      return refuse(`${shown(module)} has only one of the two matrices of LoRA`, module);
    const tensor = tensorOf(model, `${module}.weight`) ?? refuse(missing(model, `${module}.weight`), module);
    if (isEmbedding && magnitude !== undefined) refuse(`${shown(module)} is an embedding with a magnitude`, module);
    // An embedding [vocabulary width] is read in rows: PEFT adds the transpose of B A to it.
    const turned = isEmbedding || adapter.settings.transposed;
    const [rank, into] = shapes.get(A)!;
    const [out, rankOfB] = shapes.get(B)!;
    const expected = turned ? [into, out] : [out, into];
    const found = model.shapes.get(tensor)!;
    if (rank !== rankOfB || found.join() !== expected.join()) {
      refuse(
        `its matrices [${shapes.get(B)}] and [${shapes.get(A)}] change a matrix [${expected}], but ${shown(tensor)} is [${found}]`,
        module,
      );
    }
    if (magnitude !== undefined && shapes.get(magnitude)!.reduce((n, s) => n * s, 1) !== out) {
      refuse(`${shown(magnitude)} is [${shapes.get(magnitude)}], but ${shown(tensor)} has ${out} outputs`, magnitude);
    }
    const before = edits.get(tensor);
    const instead = before && "whole" in before ? before.whole : undefined;
    edits.set(tensor, { instead, A, B, magnitude, turned, scale: scaleOf(module, rank, adapter.settings) });
  }
  if (edits.size === 0) refuse("it has no tensors", adapter.name);
  const hasUnembedding = [...model.shapes.keys(), ...edits.keys()].some(isUnembedding);
  for (const [tensor, edit] of edits) {
    if (hasUnembedding || !("whole" in edit) || !/(embed_tokens|embed_in|wte|word_embeddings)\.weight$/.test(tensor))
      continue;
    refuse(
      `it has a ${shown(tensor)} of its own, which in the model is the unembedding too: save the merged model in Python`,
      tensor,
    );
  }
  return edits;
}

/** Whether it is a second matrix to a model whose unembedding is its embedding. */
const isUnembedding = (name: string): boolean => /(^|\.)(lm_head|embed_out)\.weight$/.test(name);

function missing(model: StoredTensors, name: string): string {
  const near = nearest(name, [...model.shapes.keys()]);
  return `it changes ${shown(name)}, which the model does not have${near ? ` (the nearest is ${shown(near)})` : ` (it has ${firstOf([...model.shapes.keys()])})`}`;
}

/** The model's name for a tensor: files leave out what stands before all names, such as "transformer.", or add to it. */
function tensorOf(model: StoredTensors, name: string): string | undefined {
  for (let rest = name; rest !== ""; rest = rest.includes(".") ? rest.slice(rest.indexOf(".") + 1) : "") {
    if (rest.split(".").length < 2) break;
    if (model.shapes.has(rest)) return rest;
  }
  return [...model.shapes.keys()].find((stored) => stored.endsWith(`.${name}`));
}

/** alpha by the rank, or by its root; alpha may be another for some modules, by a pattern for the end of their names. */
function scaleOf(module: string, rank: number, { alpha, alphaPattern, byRoot }: AdapterSettings): number {
  let own = alpha;
  for (const [pattern, value] of Object.entries(alphaPattern)) {
    if (!matcher(pattern)(module)) continue;
    if (typeof value !== "number") {
      throw new ConfigError(`alpha_pattern of the adapter has ${shown(value)} for ${shown(pattern)}, not a number.`, {
        asked: value,
      });
    }
    own = value;
    break;
  }
  return own / (byRoot ? Math.sqrt(rank) : rank);
}

const LONGEST_PATTERN = 1000;

/** @throws ConfigError for a pattern that is not a regular expression */
function matcher(pattern: string): (module: string) => boolean {
  try {
    if (pattern.length <= LONGEST_PATTERN) {
      const regex = new Regex(`^(?:.*\\.)?(?:${pattern})$`); // matched within bounds, whatever the file says
      return (module) => regex.findAll(module).length > 0;
    }
  } catch (error) {
    if (!(error instanceof GlassformerError)) throw error;
  }
  throw new ConfigError(`alpha_pattern of the adapter has ${shown(pattern)}, which is not a pattern of names.`, {
    asked: pattern,
  });
}

/** Adds scale B A to a matrix [out in], four of the ranks at a time. */
function add(
  data: Float32Array,
  { data: A, shape: [rank, into] }: Float32,
  { data: B, shape: [out] }: Float32,
  scale: number,
): void {
  const row = new Float64Array(into);
  for (let o = 0; o < out; o++) {
    row.fill(0);
    let r = 0;
    for (; r + 4 <= rank; r += 4) {
      const [at, b] = [r * into, o * rank + r];
      const [b0, b1, b2, b3] = [B[b], B[b + 1], B[b + 2], B[b + 3]];
      const [a1, a2, a3] = [at + into, at + 2 * into, at + 3 * into];
      for (let i = 0; i < into; i++) row[i] += b0 * A[at + i] + b1 * A[a1 + i] + b2 * A[a2 + i] + b3 * A[a3 + i];
    }
    for (; r < rank; r++) {
      const b = B[o * rank + r];
      for (let i = 0; i < into; i++) row[i] += b * A[r * into + i];
    }
    for (let i = 0; i < into; i++) data[o * into + i] += scale * row[i];
  }
}

/** Adds its transpose to a matrix [in out]. */
function addTurned(
  data: Float32Array,
  { data: A, shape: [rank, into] }: Float32,
  { data: B, shape: [out] }: Float32,
  scale: number,
): void {
  const column = new Float64Array(rank);
  for (let i = 0; i < into; i++) {
    for (let r = 0; r < rank; r++) column[r] = A[r * into + i];
    for (let o = 0; o < out; o++) {
      let sum = 0;
      for (let r = 0; r < rank; r++) sum += B[o * rank + r] * column[r];
      data[i * out + o] += scale * sum;
    }
  }
}

/** Gives each output's weights the length that the adapter says. */
function toLengths(data: Float32Array, lengths: Float32Array, shape: readonly number[], turned: boolean): void {
  const [out, into] = turned ? [shape[1], shape[0]] : shape;
  const [step, next] = turned ? [1, out] : [into, 1];
  for (let o = 0; o < out; o++) {
    let sum = 0;
    for (let i = 0; i < into; i++) sum += data[o * step + i * next] ** 2;
    const factor = lengths[o] / Math.sqrt(sum);
    for (let i = 0; i < into; i++) data[o * step + i * next] *= factor;
  }
}
