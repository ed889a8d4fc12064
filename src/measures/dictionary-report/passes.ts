/** Passes over texts with a dictionary's hook point as it is, replaced, zeroed and at its mean, and what is read of them. */
import type { Dictionary } from "../../dictionaries/dictionary.ts";
import { decode, encode } from "../../dictionaries/pass.ts";
import type { DictionaryPlace } from "../../dictionaries/placed.ts";
import { Tensor } from "../../graph/tensor.ts";
import type { HookedTransformer } from "../../lens/hooked-transformer.ts";
import type { ModelGraph } from "../../lens/model-graph.ts";
import { ndarray } from "../../tensor/array.ts";
import { placeIn } from "../dictionary/place.ts";

/** Texts as rows of tokens, and which of them count. */
export interface Texts {
  readonly count: number;
  readonly pos: number;
  /** [text pos] */
  readonly tokens: Int32Array;
  /** Where there is no padding, [text pos]; undefined if there is none anywhere. */
  readonly mask: Uint8Array | undefined;
  /** Which tokens are neither padding nor ignored, [text pos]. */
  readonly counted: Uint8Array;
}

/** The values that the hook point is given: its own, what the dictionary makes, zeros, its mean. */
export const RUNS = ["clean", "dictionary", "zero", "mean"] as const;
export type DictionaryRun = (typeof RUNS)[number];

/** What is measured at a token, with x the value, y what the dictionary makes, and m the mean of x. */
export const AT_TOKENS = ["l0", "l1", "xx", "yy", "xy", "missed", "spread"] as const;

/** Numbers at tokens, [text pos] each: losses have none at the last. */
export interface TokenNumbers {
  readonly at: Readonly<Record<(typeof AT_TOKENS)[number], Tensor>>;
  readonly loss: Readonly<Record<DictionaryRun, Tensor>>;
  readonly divergence: Readonly<Record<Exclude<DictionaryRun, "clean">, Tensor>>;
}

/** Numbers of features, [d_sae] each: tokens and texts in which they fire, and their largest activation. */
export interface FeatureNumbers {
  readonly fired: Tensor;
  readonly texts: Tensor;
  readonly largest: Tensor;
}

/** Makes passes over some of the texts. */
export class DictionaryPasses {
  readonly #model: HookedTransformer;
  readonly #dictionary: Dictionary;
  readonly #place: DictionaryPlace;
  readonly #texts: Texts;

  constructor(model: HookedTransformer, dictionary: Dictionary, texts: Texts) {
    this.#model = model;
    this.#dictionary = dictionary;
    this.#place = placeIn(dictionary, model);
    this.#texts = texts;
  }

  /** The hook point that the dictionary stands at. */
  get hook(): string {
    return this.#place.at;
  }

  /** The sum of what the dictionary is to make over the tokens that count, in its shape. */
  sum(from: number, to: number): Tensor {
    const own = this.#place.own(this.graph(from, to).at(this.#place.at));
    return own.mul(spreadOver(this.counted(from, to).cast("float32"), own)).sum([0, 1]);
  }

  /** All that is measured of texts. @param mean of what the dictionary is to make */
  numbers(from: number, to: number, mean: Tensor): TokenNumbers & FeatureNumbers {
    const place = this.#place;
    const graph = this.graph(from, to);
    const own = place.own(graph.at(place.at));
    const counted = this.counted(from, to);
    const of = this.#dictionary.passOf;
    const encoded = encode(of, place.input(graph.at(place.from)));
    const made = encoded.finish(decode(of, encoded.acts)).rename(own.axes);
    const kept = spreadOver(counted, own);
    const replaced = (with_: Tensor) => graph.with([[place.at, (value) => place.put(value, with_)]]);
    const runs = {
      clean: graph,
      dictionary: replaced(made.where(kept, own)),
      zero: replaced(own.mul(0)),
      mean: replaced(mean.expandLike(own)),
    };
    return {
      ...featureNumbers(encoded.acts, counted),
      at: tokenNumbers(own, made, mean, encoded.acts),
      loss: mapped(RUNS, (run) => runs[run].lossPerToken()),
      divergence: mapped(["dictionary", "zero", "mean"], (run) => divergence(graph.output, runs[run].output)),
    };
  }

  private graph(from: number, to: number): ModelGraph {
    const { pos, tokens, mask } = this.#texts;
    const input = Tensor.leaf(ndarray("int32", [to - from, pos], tokens.slice(from * pos, to * pos)), ["batch", "pos"]);
    const attentionMask =
      mask && Tensor.leaf(ndarray("bool", [to - from, pos], mask.slice(from * pos, to * pos)), ["batch", "pos"]);
    return this.#model.graph(input, { attentionMask }).readyFor([this.#place.at]);
  }

  /** bool [batch pos] */
  private counted(from: number, to: number): Tensor {
    const { pos, counted } = this.#texts;
    return Tensor.leaf(ndarray("bool", [to - from, pos], counted.slice(from * pos, to * pos)), ["batch", "pos"]);
  }
}

/** A value [batch pos] with the further axes of another one, of size 1. */
function spreadOver(x: Tensor, like: Tensor): Tensor {
  return like.axes.slice(2).reduce((spread, axis) => spread.unsqueeze(spread.shape.length, axis), x);
}

function tokenNumbers(x: Tensor, y: Tensor, mean: Tensor, acts: Tensor): TokenNumbers["at"] {
  const axes = x.axes.slice(2).map((_, i) => i + 2);
  const square = (t: Tensor) => t.mul(t).sum(axes);
  return {
    l0: acts.greaterThan(0).cast("float32").sum(-1),
    l1: acts.relu().sum(-1),
    ...{ xx: square(x), yy: square(y), xy: x.mul(y).sum(axes) },
    missed: square(x.sub(y)),
    spread: square(x.sub(mean)),
  };
}

function featureNumbers(acts: Tensor, counted: Tensor): FeatureNumbers {
  const kept = counted.unsqueeze(2, "d_sae");
  const fires = acts.greaterThan(0).and(kept).cast("float32");
  return {
    fired: fires.sum([0, 1]),
    texts: fires.max(1).sum(0),
    largest: acts.where(kept, acts.constant(Number.NEGATIVE_INFINITY)).max([0, 1]),
  };
}

/** `KL(clean ‖ changed)` of the next token at each position, in nats, [batch pos]. */
function divergence(clean: Tensor, changed: Tensor): Tensor {
  const log = clean.logSoftmax();
  return log.exp().mul(log.sub(changed.logSoftmax())).sum(-1);
}

function mapped<K extends string>(keys: readonly K[], f: (key: K) => Tensor): Record<K, Tensor> {
  return Object.fromEntries(keys.map((key) => [key, f(key)])) as Record<K, Tensor>;
}
