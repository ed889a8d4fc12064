/** The weights that a configuration has, by TransformerLens' names, and the check that a model has exactly those. */
import { type NDArray, sizeOf } from "../../tensor/array.ts";
import { ArgumentError, WeightsError } from "../../tensor/errors.ts";
import { kindOf, shortened, shown } from "../../tensor/show.ts";
import type { HookedTransformerConfig } from "../config.ts";

/** Weights by name in TransformerLens' layout: everything multiplies from the right, `x @ W`. */
export type WeightArrays = ReadonlyMap<string, NDArray<"float32">>;

/**
 * Name and shape of every weight, in the order in which the forward pass meets them: `W_E` [d_vocab, d_model], `W_pos`
 * [n_ctx, d_model]; in a block `W_Q W_K W_V` [head, d_model, d_head], `b_Q b_K b_V` [head, d_head], `W_O` [head, d_head,
 * d_model], `b_O` [d_model], `W_in` [d_model, d_mlp], `b_in` [d_mlp], `W_out` [d_mlp, d_model], `b_out` [d_model]; the
 * norms' `w` and `b`; `W_U` [d_model, d_vocab], `b_U` [d_vocab].
 */
export function expectedWeights(config: HookedTransformerConfig): Map<string, readonly number[]> {
  const { dModel, dVocab, dVocabOut, nCtx } = config;
  const shapes = new Map<string, readonly number[]>([
    ["embed.W_E", [dVocab, dModel]],
    ["pos_embed.W_pos", [nCtx, dModel]],
  ]);
  const block = blockWeights(config);
  for (let layer = 0; layer < config.nLayers; layer++) {
    for (const [name, shape] of block) shapes.set(`blocks.${layer}.${name}`, shape);
  }
  for (const [name, shape] of normWeights("ln_final", dModel, config, config.finalRms)) shapes.set(name, shape);
  shapes.set("unembed.W_U", [dModel, dVocabOut]);
  shapes.set("unembed.b_U", [dVocabOut]);
  return shapes;
}

/** The bytes that a configuration's weights take in float32; nothing of their size is built to say so. */
export function weightBytes(config: HookedTransformerConfig): number {
  const { dModel, dVocab, dVocabOut, nCtx, nLayers } = config;
  const count = (weights: Iterable<readonly [string, readonly number[]]>) =>
    [...weights].reduce((sum, [, shape]) => sum + sizeOf(shape), 0);
  const ends = (dVocab + nCtx + dVocabOut) * dModel + dVocabOut;
  const norm = count(normWeights("ln_final", dModel, config, config.finalRms));
  return 4 * (ends + norm + nLayers * count(blockWeights(config)));
}

/** Name and shape of the weights of one block. */
function blockWeights(config: HookedTransformerConfig): Map<string, readonly number[]> {
  const { dModel, dHead, nHeads, dMlp } = config;
  const shapes = new Map<string, readonly number[]>(normWeights("ln1", dModel, config));
  for (const part of ["Q", "K", "V"]) {
    shapes.set(`attn.W_${part}`, [nHeads, dModel, dHead]);
    shapes.set(`attn.b_${part}`, [nHeads, dHead]);
  }
  shapes.set("attn.W_O", [nHeads, dHead, dModel]);
  shapes.set("attn.b_O", [dModel]);
  if (config.attnOnly || dMlp === null) return shapes;
  for (const [name, shape] of normWeights("ln2", dModel, config)) shapes.set(name, shape);
  shapes.set("mlp.W_in", [dModel, dMlp]);
  shapes.set("mlp.b_in", [dMlp]);
  if (hasInnerNormWeights(config))
    for (const [name, shape] of normWeights("mlp.ln", dMlp, config)) shapes.set(name, shape);
  shapes.set("mlp.W_out", [dMlp, dModel]);
  shapes.set("mlp.b_out", [dModel]);
  return shapes;
}

/** A norm's weights: `w` and `b`, of an RMSNorm `w` alone, of a norm without parameters none. */
function normWeights(
  name: string,
  width: number,
  { normalizationType }: HookedTransformerConfig,
  rms = false,
): [string, readonly number[]][] {
  if (normalizationType !== "LN" && normalizationType !== "RMS") return [];
  const scale: [string, readonly number[]] = [`${name}.w`, [width]];
  return rms || normalizationType === "RMS" ? [scale] : [scale, [`${name}.b`, [width]]];
}

/** The LayerNorm inside a `solu_ln` MLP has weights only where the blocks' norms are full LayerNorms. */
function hasInnerNormWeights(config: HookedTransformerConfig): boolean {
  return config.actFn === "solu_ln" && config.normalizationType === "LN";
}

/** @throws ArgumentError for what is no map from names to arrays, as a caller without types may pass. */
export function checkArrays(weights: unknown): void {
  if (!(weights instanceof Map)) {
    throw new ArgumentError(
      `Weights are a Map from names to arrays, as readSafetensors and readPth give it, not ${kindOf(weights)}.`,
      {
        asked: weights,
      },
    );
  }
  for (const [name, array] of weights) {
    if (typeof name === "string" && isArrayLike(array)) continue;
    throw new ArgumentError(`The weight ${shown(name)} is ${shown(array)}, not an array { dtype, shape, data }.`, {
      asked: name,
      found: array,
    });
  }
}

const HELD_IN: Readonly<Record<string, string>> = {
  float32: "Float32Array",
  float64: "Float64Array",
  int32: "Int32Array",
  bool: "Uint8Array",
};

function isArrayLike(value: unknown): value is NDArray {
  if (typeof value !== "object" || value === null) return false;
  const { dtype, shape, data } = value as Partial<NDArray>;
  if (typeof dtype !== "string" || !Array.isArray(shape) || !ArrayBuffer.isView(data)) return false;
  const whole = shape.every((size) => Number.isSafeInteger(size) && size >= 0);
  return whole && data[Symbol.toStringTag] === HELD_IN[dtype];
}

/** What `checkWeights` found to be wrong; the error's `found`. */
export interface WeightProblems {
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
  readonly wrongShape: readonly { name: string; expected: readonly number[]; found: readonly number[] }[];
}

/**
 * Passes if the weights are those of the configuration: each there, in its shape, in float32, and nothing left over.
 *
 * @throws WeightsError that names each weight that is missing, unexpected or of the wrong shape; `found` is a
 * `WeightProblems`.
 */
export function checkWeights(config: HookedTransformerConfig, weights: ReadonlyMap<string, NDArray>): void {
  const expected = expectedWeights(config);
  const missing = [...expected.keys()].filter((name) => !weights.has(name));
  const unexpected = [...weights.keys()].filter((name) => !expected.has(name));
  const wrongShape: { name: string; expected: readonly number[]; found: readonly number[] }[] = [];
  for (const [name, shape] of expected) {
    const array = weights.get(name);
    if (array === undefined) continue;
    if (array.dtype !== "float32" || array.data.length !== sizeOf(array.shape)) {
      throw new WeightsError(
        `Weight ${name} holds ${array.data.length} numbers of ${array.dtype} for the shape [${array.shape}]; weights are float32 and fill their shape.`,
        { asked: name, found: array.dtype },
      );
    }
    if (!sameShape(array.shape, shape)) wrongShape.push({ name, expected: shape, found: array.shape });
  }
  if (missing.length + unexpected.length + wrongShape.length === 0) return;

  const sentences = ["The weights are not those of the configuration."];
  if (missing.length > 0) sentences.push(`Missing: ${listed(missing)}.`);
  if (unexpected.length > 0) sentences.push(`Unexpected: ${listed(unexpected)}.`);
  if (wrongShape.length > 0) {
    const shapes = wrongShape.map((w) => `${w.name} is [${w.found}] instead of [${w.expected}]`);
    sentences.push(`Wrong shape: ${listed(shapes)}.`);
  }
  throw new WeightsError(sentences.join(" "), {
    asked: [...expected.keys()],
    found: { missing, unexpected, wrongShape } satisfies WeightProblems,
  });
}

/** The first dozen; the error's fields have all of them. */
export function listed(names: readonly string[]): string {
  const first = names
    .slice(0, 12)
    .map((name) => shortened(name, 120))
    .join(", ");
  return names.length > 12 ? `${first} and ${names.length - 12} more` : first;
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}
