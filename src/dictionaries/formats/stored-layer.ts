/** A layer of circuit-tracer's, in its safetensors files. */
import { Tensor } from "../../graph/tensor.ts";
import type { StoredTensors } from "../../load/stored.ts";
import { transposed } from "../../models/families/layout.ts";
import type { Sizes } from "../../models/weights/spec.ts";
import { type NDArray, ndarray } from "../../tensor/array.ts";
import { ConfigError, WeightsError } from "../../tensor/errors.ts";
import { oneOf } from "../../tensor/kinds.ts";
import { firstOf } from "../../tensor/words.ts";
import { ACTIVATIONS, type ActivationName } from "../activations.ts";
import { architectureName } from "../architectures.ts";
import { type DictionaryConfig, dictionaryConfig } from "../config.ts";
import { rowsOfMatrix } from "../set-layers.ts";
import type { LayerSource } from "../set-parts.ts";
import { checkedArray } from "../weights.ts";
import { needDictionaryMemory } from "./format.ts";
import type { Settings } from "./settings.ts";

/** What a layer is read from. */
export interface StoredLayer {
  readonly encoder: StoredTensors;
  readonly decoder: StoredTensors;
  /** What tensors are called, where that is not SAELens' name. */
  readonly names: Readonly<Record<string, string>>;
  /** How many layers its features write to; undefined where decoders have no axis of them. */
  readonly targets: number | undefined;
  /** How many layers before those a decoder has rows for, which are not used. Default: 0. */
  readonly unused?: number | undefined;
  /** Whether encoders are [d_model d_sae] and skip connections [d_in d_out], as a product reads them. Default: no, transposed. */
  readonly asRead?: boolean | undefined;
  readonly settings: Settings;
  /** What it is called, within a sentence. */
  readonly what: string;
}

/** A layer whose encoder is read, and of whose decoder rows are read when they are asked for. */
export async function storedLayer(stored: StoredLayer): Promise<LayerSource> {
  const { encoder, decoder, names, targets, unused = 0, asRead = false, what } = stored;
  const called = (name: string) => names[name] ?? name;
  const has = (name: string) => encoder.shapes.has(called(name));
  const matrix = encoder.shapes.get(called("W_enc"));
  if (matrix?.length !== 2) {
    const found = matrix
      ? `a "${called("W_enc")}" [${matrix}]`
      : `no "${called("W_enc")}", but ${firstOf([...encoder.shapes.keys()])}`;
    throw new WeightsError(`${capital(what)} has ${found}: an encoder is a matrix.`, { asked: called("W_enc") });
  }
  const [d_sae, d_model] = asRead ? [...matrix].reverse() : matrix;
  const rows = decoder.shapes.get(called("W_dec"));
  const wanted = targets === undefined ? [d_sae, d_model] : [d_sae, unused + targets, d_model];
  if (rows?.join() !== wanted.join()) {
    throw new WeightsError(
      `${capital(what)} has ${rows ? `a "${called("W_dec")}" [${rows}]` : `no "${called("W_dec")}"`}, but a decoder here is [${wanted}].`,
      { asked: wanted, found: rows },
    );
  }
  const read = async (name: string, sizes: Sizes) => {
    if (has(name)) return checkedArray(called(name), sizes, await encoder.read(called(name)), what);
    throw new WeightsError(
      `${capital(what)} has no "${called(name)}": it has ${firstOf([...encoder.shapes.keys()])}.`,
      {
        asked: called(name),
      },
    );
  };
  const cfg = await configOf(stored, { dSae: d_sae, dModel: d_model });
  needDictionaryMemory(what, 4 * d_sae * d_model);
  const matrixOf = async (name: string, rows: Sizes, columns: Sizes) =>
    asRead ? transposed(await read(name, { ...columns, ...rows })) : read(name, { ...rows, ...columns });
  const W_enc = await matrixOf("W_enc", { d_sae }, { d_model });
  const vectors = ["b_enc", ...(has("threshold") ? ["threshold"] : [])];
  const weights = new Map([["W_enc", Tensor.leaf(W_enc, ["d_sae", "d_in"], "weight", "W_enc").transpose(0, 1)]]);
  for (const name of vectors) weights.set(name, Tensor.leaf(await read(name, { d_sae }), ["d_sae"], "weight", name));
  return {
    cfg,
    weight: (name) => weights.get(name)!,
    bDec: await read("b_dec", { d_model }),
    skip: has("W_skip") ? await matrixOf("W_skip", { d_out: d_model }, { d_in: d_model }) : undefined,
    encoderRows: (features) => rowsOfMatrix(W_enc, features),
    decoderRows: (features, signal) => decoderRows(stored, called("W_dec"), features, signal),
  };
}

/** The configuration of a layer, by its tensors and the set's settings. */
async function configOf(
  { encoder, names, settings, what }: StoredLayer,
  { dSae, dModel }: { readonly dSae: number; readonly dModel: number },
): Promise<DictionaryConfig> {
  const { shapes } = encoder;
  const hasThreshold = shapes.has(names.threshold);
  const named = settings.has("activation")
    ? (settings.take("activation", oneOf(Object.keys(ACTIVATION_NAMES))) as keyof typeof ACTIVATION_NAMES)
    : undefined;
  const activation: ActivationName = ACTIVATION_NAMES[named ?? (hasThreshold ? "jumprelu" : "relu")];
  if (hasThreshold !== (activation === "signed_jumprelu")) {
    throw new ConfigError(
      `${settings.what} says activation: "${named}", but ${what} has ${hasThreshold ? "" : "no "}thresholds.`,
      { asked: named },
    );
  }
  // circuit-tracer writes k as a tensor, which it does not read itself.
  const k = settings.has("k")
    ? settings.count("k")
    : shapes.has("k") && ACTIVATIONS[activation].takesK
      ? Number((await encoder.read("k")).data[0])
      : null;
  const architecture = architectureName({ activation, transcoder: true, skip: shapes.has(names.W_skip ?? "W_skip") });
  const given = { architecture, dIn: dModel, dSae, k: ACTIVATIONS[activation].takesK ? k : null };
  return dictionaryConfig(given, settings.what);
}

const ACTIVATION_NAMES = { relu: "relu", topk: "signed_topk", jumprelu: "signed_jumprelu" } as const;

/** Rows of a decoder [d_sae d_model] or [d_sae target d_model], each read by itself where the file allows that. */
async function decoderRows(
  { decoder, targets = 1, unused = 0, what }: StoredLayer,
  name: string,
  features: readonly number[],
  signal: AbortSignal | undefined,
): Promise<NDArray<"float32">[]> {
  const width = decoder.shapes.get(name)!.at(-1)!;
  const made = Array.from({ length: targets }, () => new Float32Array(features.length * width));
  for (const [row, feature] of features.entries()) {
    const part = await decoder.readPart!(name, feature, signal);
    const sizes = part.shape.length === 1 ? { d_model: width } : { target: unused + targets, d_model: width };
    const { data } = checkedArray(name, sizes, part, what);
    for (let t = 0; t < targets; t++)
      made[t].set(data.subarray((unused + t) * width, (unused + t + 1) * width), row * width);
  }
  return made.map((data) => ndarray("float32", [features.length, width], data));
}

const capital = (text: string) => text[0].toUpperCase() + text.slice(1);
