/** What is trained where transcoders go across layers: one encoder a layer, whose features write to that layer and every later one. */
import type { DictionaryConfig } from "../../dictionaries/config.ts";
import { encode, type PassOf } from "../../dictionaries/pass.ts";
import { rowsOfMatrix } from "../../dictionaries/set-layers.ts";
import type { LayerSource } from "../../dictionaries/set-parts.ts";
import { TranscoderSet } from "../../dictionaries/transcoder-set.ts";
import { Tensor } from "../../graph/tensor.ts";
import type { Sizes } from "../../models/weights/spec.ts";
import { type NDArray, ndarray, zeros } from "../../tensor/array.ts";
import { uniform } from "../../tensor/random.ts";
import { columnsOf, drawnRows, scaledRows } from "./init.ts";
import { squaredError, TRAINING_KINDS, type TrainedPass, type TrainingKind } from "./kinds.ts";
import { LOG, trainedSizes } from "./trained-weights.ts";
import type { FedBatch, OneDictionary, TracedBatch, Trained, Trainee } from "./trainee.ts";

/** Which transcoders are trained: each layer as one dictionary is, and how many; hook points are named within a block. */
export interface CrossLayer extends OneDictionary {
  readonly layers: number;
}

/** Transcoders across layers as a trainee, whose files are circuit-tracer's. */
export function crossLayer(of: CrossLayer): Trainee<TranscoderSet> {
  return {
    ...of,
    transcoder: true,
    sizes: sizesOf(of),
    init: (seed) => initial(of, seed),
    trace: (weights, fed) => trace(of, weights, fed),
    finished: (trained) => setOf(of, trained),
    files: (set) => set.toFiles(),
  };
}

const numbered = (name: string, layer: number): string => `${name}_${layer}`;

/** The weights of each layer: those of a transcoder, but for `W_dec` [d_sae target·d_out], with the targets from the layer itself on. */
function sizesOf({ cfg, layers }: CrossLayer): Map<string, Sizes> {
  const own = [...trainedSizes(cfg)];
  return new Map(
    Array.from({ length: layers }, (_, layer) =>
      own.map(([name, sizes]): [string, Sizes] => [
        numbered(name, layer),
        name === "W_dec" ? { d_sae: cfg.dSae, written: (layers - layer) * cfg.dOut } : sizes,
      ]),
    ).flat(),
  );
}

/**
 * Decoder rows over all their targets drawn evenly and scaled to one norm, as of a dictionary; encoders are their part for the own layer,
 * scaled to that norm.
 */
function initial(of: CrossLayer, seed: number): Map<string, NDArray> {
  const { cfg, settings } = of;
  const { dIn, dOut, dSae } = cfg;
  const random = uniform(seed);
  const norm = settings.decoderInitNorm;
  const all = new Map<string, NDArray>([...sizesOf(of)].map(([name, s]) => [name, zeros("float32", Object.values(s))]));
  for (let layer = 0; layer < of.layers; layer++) {
    const width = (of.layers - layer) * dOut;
    const decoder = drawnRows(dSae, width, norm, random);
    const own = Float32Array.from({ length: dSae * dIn }, (_, i) => decoder[Math.floor(i / dIn) * width + (i % dIn)]);
    const set = (name: string, data: Float32Array<ArrayBuffer>) => {
      const array = all.get(numbered(name, layer));
      if (array) all.set(numbered(name, layer), { ...array, data } as NDArray);
    };
    set("W_dec", decoder);
    set("W_enc", columnsOf(scaledRows(own, dIn, norm), dIn));
    set(`${LOG}threshold`, new Float32Array(dSae).fill(Math.log(settings.jumpreluInitThreshold)));
  }
  return all;
}

/**
 * `ŷ_m = Σ_{l ≤ m} f_l W_dec_{l→m} + b_dec_m` with the features `f_l` of what layer l reads; `mse_loss = Σ_m Σ_d (ŷ_m - y_m)²`, the mean over
 * tokens, plus what the kind adds for the features of each layer, with norms of decoder rows over all their targets. Source: Ameisen et
 * al. 2025, "Circuit Tracing", section "Building an interpretable replacement model".
 */
function trace({ kind: name, cfg, settings, layers }: CrossLayer, weights: Weights, fed: FedBatch): TracedBatch {
  const kind: TrainingKind = TRAINING_KINDS[name];
  const { dIn, dOut, dSae } = cfg;
  const block = (x: Tensor, layer: number, width: number) => x.slice(-1, layer * width, (layer + 1) * width);
  const weightOf = (layer: number) => (called: string) =>
    weights.get(numbered(called, layer)) ?? weights.get(numbered(`${LOG}${called}`, layer))!.exp();
  const passes = Array.from({ length: layers }, (_, layer) => {
    const weight = weightOf(layer);
    const of: PassOf & { readonly norms: Tensor } = {
      ...{ cfg, weight, norms: weight("W_dec").norm(-1) },
      activation: kind.activation?.(cfg, settings),
    };
    const encoded = encode(of, block(fed.x, layer, dIn));
    return { of, encoded, written: encoded.acts.matmul(weight("W_dec")) };
  });
  const all = passes.map(({ of, encoded }, layer): TrainedPass => {
    const target = block(fed.target, layer, dOut);
    const parts = passes.slice(0, layer + 1).map(({ written }, from) => block(written, layer - from, dOut));
    const made = parts.reduce((a, b) => a.add(b)).add(of.weight("b_dec").rename(parts[0].axes.slice(-1)));
    const dead = fed.dead?.slice(0, layer * dSae, (layer + 1) * dSae) ?? null;
    return { of, encoded, target, made, dead, coefficient: fed.coefficient, settings };
  });
  const errors = all.map(({ made, target }) => squaredError(made, target));
  const terms = all.map((pass) => kind.terms(pass));
  const sum = (values: readonly Tensor[]) => values.reduce((a, b) => a.add(b));
  return {
    losses: {
      mse_loss: sum(errors),
      ...Object.fromEntries(Object.keys(terms[0]).map((term) => [term, sum(terms.map((of) => of[term]))])),
    },
    errors,
    acts: passes.map(({ encoded }) => encoded.acts),
  };
}

type Weights = ReadonlyMap<string, Tensor>;

/** The set: thresholds from their logarithms, and the scale of each layer's input folded into its encoder. */
function setOf({ cfg, layers }: CrossLayer, { weights, inputScales }: Trained): TranscoderSet {
  const array = (name: string, layer: number) => weights.get(numbered(name, layer)) as NDArray<"float32">;
  const sources = Array.from({ length: layers }, (_, layer): LayerSource => {
    const logarithms = weights.get(numbered(`${LOG}threshold`, layer)) as NDArray<"float32"> | undefined;
    return layerOf(cfg, layers - layer, {
      W_enc: scaledBy(array("W_enc", layer), inputScales[layer]),
      b_enc: array("b_enc", layer),
      W_dec: array("W_dec", layer),
      b_dec: array("b_dec", layer),
      threshold: logarithms && { ...logarithms, data: logarithms.data.map(Math.exp) },
    });
  });
  return TranscoderSet.ofParts({
    ...{ name: "transcoders across layers", kind: "cross-layer", nLayers: layers, dSae: cfg.dSae, dModel: cfg.dOut },
    ...{ featureInputHook: cfg.hookName!, featureOutputHook: cfg.hookNameOut!, modelName: cfg.modelName, scan: null },
    open: async (layer) => sources[layer],
  });
}

const scaledBy = (array: NDArray<"float32">, scale: number): NDArray<"float32"> =>
  scale === 1 ? array : { ...array, data: array.data.map((v) => v * scale) };

/** A layer's numbers in memory. */
function layerOf(
  cfg: DictionaryConfig,
  targets: number,
  arrays: Readonly<Record<"W_enc" | "b_enc" | "W_dec" | "b_dec", NDArray<"float32">>> & {
    readonly threshold: NDArray<"float32"> | undefined;
  },
): LayerSource {
  const { W_enc, b_enc, W_dec, b_dec, threshold } = arrays;
  const { dIn, dOut, dSae } = cfg;
  const encoder = ndarray("float32", [dSae, dIn], columnsOf(W_enc.data, dSae));
  const leaves = new Map([
    ["W_enc", Tensor.leaf(W_enc, ["d_in", "d_sae"], "weight", "W_enc")],
    ["b_enc", Tensor.leaf(b_enc, ["d_sae"], "weight", "b_enc")],
    ...(threshold ? [["threshold", Tensor.leaf(threshold, ["d_sae"], "weight", "threshold")] as const] : []),
  ]);
  return {
    ...{ cfg, bDec: b_dec, skip: undefined, weight: (name) => leaves.get(name)! },
    encoderRows: (features) => rowsOfMatrix(encoder, features),
    async decoderRows(features) {
      const { data } = rowsOfMatrix(W_dec, features);
      return Array.from({ length: targets }, (_, target) => {
        const rows = new Float32Array(features.length * dOut);
        features.forEach((_feature, row) => {
          const at = (row * targets + target) * dOut;
          rows.set(data.subarray(at, at + dOut), row * dOut);
        });
        return ndarray("float32", [features.length, dOut], rows);
      });
    },
  };
}
