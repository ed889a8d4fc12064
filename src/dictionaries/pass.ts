/** A dictionary's forward pass, written once: for running it, for splicing it into a model, for training it. */
import { showShape } from "../graph/axes.ts";
import type { Tensor } from "../graph/tensor.ts";
import { ShapeError } from "../tensor/errors.ts";
import { ACTIVATIONS, type Activation, type WeightOf } from "./activations.ts";
import { compositionOf, type DictionaryConfig } from "./config.ts";
import { NORMALIZATIONS, type Normalization } from "./normalizations.ts";

/** Makes a value a hook point; what follows is computed from the value that this returns. */
export type Points = (name: DictionaryPoint, value: Tensor) => Tensor;

/** The hook points of a dictionary's pass, in firing order. */
export const DICTIONARY_POINTS = [
  "hook_sae_input",
  "hook_sae_acts_pre",
  "hook_sae_acts_post",
  "hook_sae_recons",
] as const;
export type DictionaryPoint = (typeof DICTIONARY_POINTS)[number];

/** The pass without hook points. */
export const unnamed: Points = (_name, value) => value;

/** What a pass is of. */
export interface PassOf {
  readonly cfg: DictionaryConfig;
  readonly weight: WeightOf;
  /** The norms of the decoder's rows, [d_sae]: of configurations that rescale features by them. */
  readonly norms?: Tensor | undefined;
  /** What makes features in place of the architecture's activation, as while it is trained. */
  readonly activation?: Activation | undefined;
}

/** An input, as a dictionary reads it. */
export interface Read {
  /** Before normalisation, with heads and d_head as one axis, [... d_in]. */
  readonly flat: Tensor;
  /** What the encoder is applied to, [... d_in]. */
  readonly input: Tensor;
  /** Undoes normalisation and reshaping of a reconstruction [... d_out], and adds what a skip connection carries. */
  finish(recons: Tensor): Tensor;
}

/** What the first half of a pass makes. */
export interface Encoded extends Read {
  /** Pre-activations, [... d_sae]. */
  readonly pre: Tensor;
  /** Features, [... d_sae]. */
  readonly acts: Tensor;
  /** The same over the norms of the decoder's rows, where features are rescaled by them: as they are decoded. */
  readonly features: Tensor;
}

/**
 * `pre = input W_enc + b_enc` and its activation, of x [... d_in]; of hook_z also [... head d_head]. Steps 1 to 6 of SAELens' `SAE.encode`:
 * axes of heads become one (the head outermost), `hook_sae_input`, normalisation, minus b_dec if the configuration says so,
 * `hook_sae_acts_pre`, activation, `hook_sae_acts_post`. With `rescaleActsByDecoderNorm` features are of `pre` times the decoder's norms.
 * @throws ShapeError for an input of another width
 */
export function encode(of: PassOf, x: Tensor, point: Points = unnamed): Encoded {
  const { cfg, weight, norms } = of;
  const activation: Activation = of.activation ?? ACTIVATIONS[compositionOf(cfg).activation];
  const read = readOf(of, x, point);
  const from = { input: read.input, projected: read.input.matmul(weight("W_enc")), weight };
  const pre = point("hook_sae_acts_pre", activation.pre(from));
  const [rescales, k] = [cfg.rescaleActsByDecoderNorm, cfg.k ?? 0];
  const scaled = rescales ? pre.mul(norms!) : pre;
  const acts = point("hook_sae_acts_post", activation.features(scaled, from, k));
  return { ...read, pre, acts, features: rescales ? activation.features(pre, from, k, scaled) : acts };
}

/**
 * `acts W_dec + b_dec`, [... d_out]: step 7 of SAELens' `SAE.decode`, `hook_sae_recons`; `Read.finish` does the rest. With
 * `rescaleActsByDecoderNorm` the features are divided by the decoder's norms.
 */
export function decode(of: PassOf, acts: Tensor, point: Points = unnamed): Tensor {
  return point("hook_sae_recons", written(of, of.cfg.rescaleActsByDecoderNorm ? acts.div(of.norms!) : acts));
}

/** `f W_dec + b_dec` of features that are not rescaled, or no longer. */
export function written({ weight }: PassOf, features: Tensor): Tensor {
  return features.matmul(weight("W_dec")).add(weight("b_dec"));
}

/** Encodes and decodes: what the dictionary makes of x, [... d_out], or with x's axes of heads. */
export function pass(of: PassOf, x: Tensor, point: Points = unnamed): Tensor {
  const encoded = encode(of, x, point);
  return encoded.finish(decode(of, encoded.acts, point));
}

/** The input as it is read. @throws ShapeError for an input of another width, or of anything but float32 */
export function readOf({ cfg, weight }: PassOf, x: Tensor, point: Points = unnamed): Read {
  const { transcoder, skip } = compositionOf(cfg);
  const heads = isOfHeads(cfg, x);
  const whole = heads ? x.mergeAxes(-2, 2, "d_in") : x;
  const flat = point("hook_sae_input", whole);
  const normalization: Normalization = NORMALIZATIONS[cfg.normalizeActivations];
  const { input, undo } = normalization.apply(flat);
  const finish = (recons: Tensor) => {
    if (skip) return recons.add(whole.matmul(weight("W_skip").transpose(0, 1)));
    if (transcoder) return recons;
    const made = undo(recons);
    const [head, d_head] = x.shape.slice(-2);
    // By sizes and not as x is, which may lack axes that a change within the dictionary put in front.
    return (heads ? made.splitAxis(-1, { head, d_head }) : made).rename(x.axes);
  };
  return { flat, input: cfg.applyBDecToInput ? input.sub(weight("b_dec").rename(flat.axes.slice(-1))) : input, finish };
}

/** Whether x has an axis of heads that is to become one with the next. @throws ShapeError for an input of another width, or dtype */
function isOfHeads({ dIn, reshapeActivations }: DictionaryConfig, x: Tensor): boolean {
  const [heads, width] = x.shape.slice(-2);
  if (x.dtype === "float32" && x.shape.at(-1) === dIn) return false;
  if (x.dtype === "float32" && reshapeActivations === "hook_z" && heads * width === dIn) return true;
  throw new ShapeError(
    `The dictionary reads float32 [... d_in ${dIn}]${reshapeActivations === "hook_z" ? ", or [... head d_head] with as many numbers," : ""} but got ${x.dtype} ${showShape(x)}.`,
    { asked: dIn, found: x.shape },
  );
}
