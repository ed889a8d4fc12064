/** Random weights for training a model. Source: TransformerLens' `HookedTransformer.init_weights`. */
import { type NDArray, ndarray, sizeOf } from "../../tensor/array.ts";
import { ConfigError } from "../../tensor/errors.ts";
import { needMemory } from "../../tensor/free-memory.ts";
import { normal, uniform } from "../../tensor/random.ts";
import type { HookedTransformerConfig } from "../config/config.ts";
import { parseConfig } from "../config/parse.ts";
import { recordingOf, weightBytes } from "../recording.ts";
import { DRAWS } from "./init-modes.ts";
import type { Init } from "./spec.ts";

/**
 * Weights by name, drawn as `cfg.initMode` and `cfg.seed` (0 if it is null) say. To make a model:
 * `new HookedTransformer(cfg, initWeights(cfg))`. Biases are 0, norm weights 1, and each matrix is drawn with
 * `cfg.initializerRange` times
 * - `gpt2`: a normal distribution with standard deviation 1 (so 0.8 / sqrt(d_model) by default);
 * - `xavier_uniform`: ±sqrt(6 / (fan_in + fan_out)); `xavier_normal`: deviation sqrt(2 / (fan_in + fan_out));
 * - `kaiming_uniform`: ±sqrt(6 / fan_in); `kaiming_normal`: deviation sqrt(2 / fan_in).
 *
 * The numbers are the same for a seed on every machine; they are not PyTorch's.
 * @throws ConfigError for a configuration that cannot be run, and for `muP`, which needs its own optimizer;
 * MemoryError for weights that need more memory than is free
 */
export function initWeights(config: HookedTransformerConfig): Map<string, NDArray<"float32">> {
  const cfg = parseConfig(config as unknown as Readonly<Record<string, unknown>>);
  const begun = beginnings(cfg);
  needMemory({
    what: "A model of this configuration",
    bytes: weightBytes(cfg),
    advice: "make it smaller (n_layers, d_model, d_mlp, d_vocab)",
  });
  return new Map([...recordingOf(cfg).weights.values()].map(({ name, shape, init }) => [name, begun(shape, init)]));
}

/** Initial weights, one after the other: drawn as `cfg.initMode` and `cfg.seed` say. @throws ConfigError for `muP` */
export function beginnings({
  initMode,
  initializerRange,
  seed,
}: HookedTransformerConfig): (shape: readonly number[], init: Init) => NDArray<"float32"> {
  if (initMode === "muP") {
    throw new ConfigError(
      `init_mode "muP" needs a separate learning rate for each matrix, which is not supported. Supported: ${Object.keys(DRAWS).join(", ")}.`,
      { asked: initMode, found: Object.keys(DRAWS) },
    );
  }
  const { evenly, scale } = DRAWS[initMode];
  const random = uniform(seed ?? 0);
  const next = evenly ? () => 2 * random() - 1 : normal(seed ?? 0);
  return (shape, init) => {
    const data = new Float32Array(sizeOf(shape));
    if (init === "drawn") {
      const factor = initializerRange * scale(...fans(shape));
      for (let i = 0; i < data.length; i++) data[i] = factor * next();
    } else if (init === "ones") data.fill(1);
    return ndarray("float32", shape, data);
  };
}

/** Fan-in and fan-out of a matrix [in, out], or of a head's [head, in, out], whose heads count as further outputs. */
function fans(shape: readonly number[]): [number, number] {
  if (shape.length === 3) return [shape[1], shape[0] * shape[2]];
  return [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
}
