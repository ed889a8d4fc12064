/** What is trained: one dictionary, or transcoders across layers. */
import type { DictionaryConfig } from "../../dictionaries/config.ts";
import type { Tensor } from "../../graph/tensor.ts";
import type { Sizes } from "../../models/weights/spec.ts";
import type { NDArray } from "../../tensor/array.ts";
import type { TrainingKindName } from "./kinds.ts";
import type { LossSettings } from "./settings.ts";

/** What a step is fed, as leaves. */
export interface FedBatch {
  /** What is read, [token layers·d_in], and what is to be made, [token layers·d_out]: of each layer in turn. */
  readonly x: Tensor;
  readonly target: Tensor;
  /** 1 for features that have not fired for long, [layers·d_sae]; null where there are none. */
  readonly dead: Tensor | null;
  readonly coefficient: Tensor;
}

/** The losses of a batch as a graph. */
export interface TracedBatch {
  /** Their parts by SAELens' names; what is trained on is their sum. */
  readonly losses: Readonly<Record<string, Tensor>>;
  /** The squared error of each layer: `mse_loss` is their sum. */
  readonly errors: readonly Tensor[];
  /** The features of each layer, [token d_sae]: which fire, and where whole batches are compared, how much. */
  readonly acts: readonly Tensor[];
}

/** What has been trained so far. */
export interface Trained {
  readonly weights: ReadonlyMap<string, NDArray>;
  /** What the batches' least features were, on average: the threshold of kinds that compare whole batches. */
  readonly threshold: number;
  /** The factor of each layer's input, 1 without normalisation. */
  readonly inputScales: readonly number[];
}

/** Which dictionary is trained, and by which losses. */
export interface OneDictionary {
  readonly kind: TrainingKindName;
  /** Of the dictionary as it is while it is trained: with its k, and features rescaled where the kind does. */
  readonly cfg: DictionaryConfig;
  readonly settings: LossSettings;
}

/** Something that a run trains: a dictionary, or one for each of several layers. */
export interface Trainee<Result> extends OneDictionary {
  /** How many layers it reads and makes: 1 of a dictionary. */
  readonly layers: number;
  /** Whether it makes other values than it reads. */
  readonly transcoder: boolean;
  /** The weights that are trained, in a fixed order. */
  readonly sizes: ReadonlyMap<string, Sizes>;
  /** The weights before the first step. */
  init(seed: number): Map<string, NDArray>;
  trace(weights: ReadonlyMap<string, Tensor>, fed: FedBatch): TracedBatch;
  /** What it is, as others use it. */
  finished(trained: Trained): Result;
  /** How that is saved. */
  files(result: Result): Promise<Map<string, Uint8Array>>;
}
