/**
 * What a model of a configuration has: its weights and hook points, and how they meet the residual stream, according to its
 * parts while a pass is traced without numbers.
 */
import { Tensor } from "../graph/tensor.ts";
import { type NDArray, sizeOf, zeros } from "../tensor/array.ts";
import { ConfigError } from "../tensor/errors.ts";
import type { KeptDType } from "../tensor/kept.ts";
import { LARGEST_SIZE } from "./config/bounds.ts";
import type { HookedTransformerConfig } from "./config/config.ts";
import { forward } from "./forward.ts";
import type { WeightSource } from "./scope.ts";
import { emptyStructure, type Structure } from "./structure.ts";
import { keptWeightBytes } from "./weights/keep.ts";
import type { WeightSpec } from "./weights/spec.ts";

/** What a model of a configuration has. */
export interface Recording {
  /** Every weight by TransformerLens' name, in the order in which the forward pass meets them. */
  readonly weights: ReadonlyMap<string, WeightSpec>;
  /** Every hook point, in firing order. */
  readonly hookNames: readonly string[];
  /** Their values for one token, which have axes and shapes, and no numbers. */
  readonly points: ReadonlyMap<string, Tensor>;
  readonly structure: Structure;
  /** Logits of one token, as the structure's values lead to them. */
  readonly output: Tensor;
}

const recordings = new WeakMap<HookedTransformerConfig, Recording>();

/**
 * The recording of a configuration; made once for each object.
 * @throws ConfigError for a weight with more numbers than can be counted
 */
export function recordingOf(cfg: HookedTransformerConfig): Recording {
  const recording = recordings.get(cfg) ?? record(cfg);
  recordings.set(cfg, recording);
  return recording;
}

function record(cfg: HookedTransformerConfig): Recording {
  const source = new Placeholders();
  const structure = emptyStructure();
  const tokens = Tensor.leaf(zeros("int32", [1, 1]), ["batch", "pos"]);
  const wanted = { reads: () => true, hooks: () => false };
  const { points, output } = forward(cfg, source, { tokens, decoderTokens: tokens }, wanted, structure);
  return { weights: source.specs, hookNames: [...points.keys()], points, structure, output };
}

/** The bytes that a configuration's weights take; nothing of their size is built to say so. */
export function weightBytes(cfg: HookedTransformerConfig, dtype: KeptDType = "float32"): number {
  return keptWeightBytes(recordingOf(cfg).weights.values(), dtype);
}

/** Weights with a shape and no numbers: a recording computes nothing. */
class Placeholders implements WeightSource {
  readonly specs = new Map<string, WeightSpec>();
  private readonly leaves = new Map<string, Tensor>();

  weight(...[name, sizes, init]: Parameters<WeightSource["weight"]>): Tensor {
    const known = this.leaves.get(name);
    if (known) return known;
    const [axes, shape] = [Object.keys(sizes), Object.values(sizes)];
    checkCount(name, sizes, sizeOf(shape));
    this.specs.set(name, { name, axes, shape, init });
    const array = { dtype: "float32", shape, data: new Float32Array(0) } satisfies NDArray;
    const leaf = Tensor.leaf(array, axes, "weight", name);
    this.leaves.set(name, leaf);
    return leaf;
  }
}

function checkCount(name: string, sizes: Readonly<Record<string, number>>, numbers: number): void {
  if (numbers <= LARGEST_SIZE) return;
  const product = Object.entries(sizes).map(([axis, size]) => `${axis} ${size}`);
  throw new ConfigError(
    `The configuration's ${name.split(".").at(-1)} would have ${numbers.toExponential(1)} numbers (${product.join(" x ")}); a weight can have at most ${LARGEST_SIZE}. Make one of the sizes smaller.`,
    { asked: sizes, found: numbers },
  );
}
