/** The check that a model has exactly the weights of its configuration. */
import { type NDArray, sizeOf } from "../../tensor/array.ts";
import { ArgumentError, WeightsError } from "../../tensor/errors.ts";
import { countOf, keptOf } from "../../tensor/kept.ts";
import { kindOf, shown } from "../../tensor/show.ts";
import { firstOf } from "../../tensor/words.ts";
import type { HookedTransformerConfig } from "../config/config.ts";
import { recordingOf } from "../recording.ts";
import { layersBeyond } from "./layers-beyond.ts";

/** Weights by name in TransformerLens' layout: everything multiplies from the right, `x @ W`. */
export type WeightArrays = ReadonlyMap<string, NDArray<"float32">>;

/** @throws ArgumentError for anything but a map from names to arrays, which a caller without types may pass. */
export function checkArrays(weights: unknown): void {
  if (!(weights instanceof Map)) {
    throw new ArgumentError(
      `Weights must be a Map from names to arrays, as readSafetensors and readPth return it, not ${kindOf(weights)}.`,
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
  if (keptOf(value as NDArray)) return true;
  const { dtype, shape, data } = value as Partial<NDArray>;
  if (typeof dtype !== "string" || !Array.isArray(shape) || !ArrayBuffer.isView(data)) return false;
  const whole = shape.every((size) => Number.isSafeInteger(size) && size >= 0);
  return whole && data[Symbol.toStringTag] === HELD_IN[dtype];
}

/** The problems that `checkWeights` found; the error's `found`. */
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
  const expected = recordingOf(config).weights;
  const missing = [...expected.keys()].filter((name) => !weights.has(name));
  const unexpected = [...weights.keys()].filter((name) => !expected.has(name));
  const wrongShape: { name: string; expected: readonly number[]; found: readonly number[] }[] = [];
  for (const [name, { shape }] of expected) {
    const array = weights.get(name);
    if (array === undefined) continue;
    if (array.dtype !== "float32" || countOf(array) !== sizeOf(array.shape)) {
      throw new WeightsError(
        `Weight ${name} holds ${array.data.length} numbers of ${array.dtype} for the shape [${array.shape}]; weights must be float32 and fill their shape.`,
        { asked: name, found: array.dtype },
      );
    }
    if (!sameShape(array.shape, shape)) wrongShape.push({ name, expected: shape, found: array.shape });
  }
  if (missing.length + unexpected.length + wrongShape.length === 0) return;

  const sentences = ["The weights do not fit the configuration."];
  if (missing.length > 0) sentences.push(`Missing: ${firstOf(missing)}.`);
  const { sentence, others } = layersBeyond(unexpected, (name) => expected.has(name));
  if (sentence !== undefined) sentences.push(sentence);
  if (others.length > 0) sentences.push(`Unexpected: ${firstOf(others)}.`);
  if (wrongShape.length > 0) {
    const shapes = wrongShape.map((w) => `${w.name} is [${w.found}] instead of [${w.expected}]`);
    sentences.push(`Wrong shape: ${firstOf(shapes)}.`);
  }
  throw new WeightsError(sentences.join(" "), {
    asked: [...expected.keys()],
    found: { missing, unexpected, wrongShape } satisfies WeightProblems,
  });
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}
