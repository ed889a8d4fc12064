/** What is trained where it is one dictionary: an autoencoder, or a transcoder of one layer. */
import { compositionOf } from "../../dictionaries/config.ts";
import type { Dictionary } from "../../dictionaries/dictionary.ts";
import { encode, type PassOf, written } from "../../dictionaries/pass.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { finished } from "./finish.ts";
import { initDictionary } from "./init.ts";
import { comparesBatches, squaredError, TRAINING_KINDS, type TrainedPass, type TrainingKind } from "./kinds.ts";
import { LOG, trainedSizes } from "./trained-weights.ts";
import type { FedBatch, OneDictionary, Trainee } from "./trainee.ts";

/** A dictionary as a trainee, whose files are SAELens'. */
export function oneDictionary(of: OneDictionary): Trainee<Dictionary> {
  const { kind, cfg, settings } = of;
  return {
    ...{ kind, cfg, settings, layers: 1, transcoder: compositionOf(cfg).transcoder, sizes: trainedSizes(cfg) },
    init: (seed) => initDictionary(cfg, settings, seed),
    trace(weights, fed) {
      const { losses, encoded } = traceDictionary(of, weights, fed);
      return { losses, errors: [losses.mse_loss], acts: [comparesBatches(kind) ? encoded.acts : encoded.features] };
    },
    finished: (trained) => finished(of, trained),
    files: async (dictionary) => dictionary.toFiles(),
  };
}

/** The pass and its losses, of leaves. */
interface TracedDictionary extends TrainedPass {
  readonly losses: Readonly<Record<string, Tensor>>;
  /** Their sum. */
  readonly loss: Tensor;
}

/** The losses of a batch as a graph. */
export function traceDictionary(
  { kind: name, cfg, settings }: OneDictionary,
  weights: ReadonlyMap<string, Tensor>,
  fed: FedBatch,
): TracedDictionary {
  const kind: TrainingKind = TRAINING_KINDS[name];
  const weight = (called: string): Tensor => weights.get(called) ?? weights.get(`${LOG}${called}`)!.exp();
  const of: PassOf & { readonly norms: Tensor } = {
    ...{ cfg, weight },
    norms: weight("W_dec").norm(-1),
    activation: kind.activation?.(cfg, settings),
  };
  const encoded = encode(of, fed.x);
  const made = encoded.finish(written(of, encoded.features));
  const { target, dead, coefficient } = fed;
  const pass: TrainedPass = { of, encoded, target, made, dead, coefficient, settings };
  const losses = { mse_loss: squaredError(made, target), ...kind.terms(pass) };
  return { ...pass, losses, loss: Object.values(losses).reduce((a, b) => a.add(b)) };
}
