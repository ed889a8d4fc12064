/** A model's weights by their short names: `model.W_U`, and stacked over layers `model.W_Q`. */
import type { Tensor } from "../graph/tensor.ts";
import type { HookedTransformerConfig } from "../models/config/config.ts";
import type { EmbeddingWeights, UnembeddingWeights } from "../models/parts/embedding.ts";
import type { MlpWeights } from "../models/parts/mlp.ts";
import type { PositionWeights } from "../models/parts/positions.ts";
import { recordingOf } from "../models/recording.ts";
import type { AttentionWeights } from "../models/structure.ts";
import type { Weights } from "../models/weights/weights.ts";
import { WeightsError } from "../tensor/errors.ts";
import { nearest } from "../tensor/nearest.ts";
import { stacked } from "./weight-views.ts";

/**
 * The weights that parts of a model may have, by their names in the parts. Those of blocks are stacked over layers,
 * [layer ...], in an encoder-decoder over the encoder's and then the decoder's, whose attention to the encoder is left out, and those of shared heads are once for each head that they serve; nothing is copied until a run needs the
 * stack. Asking for one that the model lacks is an error that names it.
 */
export interface NamedWeights
  extends EmbeddingWeights,
    PositionWeights,
    AttentionWeights,
    MlpWeights,
    UnembeddingWeights {}

interface Weighted {
  readonly cfg: HookedTransformerConfig;
  readonly weights: Weights;
}

const known = new WeakMap<Weights, Map<string, Tensor>>();

/** A weight of the model, or the stack of that of all blocks. @throws WeightsError for one that it lacks. */
export function namedWeight(model: Weighted, name: string): Tensor {
  const views = known.get(model.weights) ?? new Map<string, Tensor>();
  known.set(model.weights, views);
  const view = views.get(name) ?? viewOf(model, name);
  views.set(name, view);
  return view;
}

function viewOf(model: Weighted, name: string): Tensor {
  const specs = [...recordingOf(model.cfg).weights.keys()];
  // Weights of heads that share them have an underscore in front.
  const full = specs.find((spec) => spec.endsWith(`.${name}`) || spec.endsWith(`._${name}`));
  if (full) {
    const inBlock = /^(?:blocks|encoder|decoder)\.\d+\.(.*)\.[^.]+$/.exec(full);
    return inBlock ? stacked(model, `${inBlock[1]}.${name}`) : model.weights.get(full);
  }
  const names = [...new Set(specs.map((spec) => spec.split(".").at(-1)!))].filter(isWeightName);
  const near = nearest(name, names);
  throw new WeightsError(
    `This model has no ${name}.${near ? ` Did you mean ${near}?` : ""} It has ${names.join(", ")}.`,
    { asked: name, found: names, nearest: near },
  );
}

const isWeightName = (name: PropertyKey): name is string => typeof name === "string" && /^[Wb]_/.test(name);

/**
 * Gives objects of a class a getter for each weight that they have, under its name: a property that they lack and that
 * is named like a weight is looked up among their parts' weights.
 */
export function givesNamedWeights(prototype: Weighted): void {
  Object.setPrototypeOf(
    prototype,
    new Proxy(Object.prototype, {
      get: (target, name, receiver) =>
        isWeightName(name) ? namedWeight(receiver, name) : Reflect.get(target, name, receiver),
    }),
  );
}
