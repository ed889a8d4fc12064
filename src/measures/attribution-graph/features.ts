/** What plays the part of features in an attribution graph: where they are read, where they write, and what they add. */
import type { Tensor } from "../../graph/tensor.ts";
import type { FeatureNode } from "./graph.ts";
import type { At, Reading, Writing } from "./linear-pass.ts";

/** Active features of a run, by layer, position and number; they are counted through all layers. */
export interface ActiveFeatures {
  /** How many there are. */
  readonly count: number;
  /** Where each layer's start, and where the last layer's end. */
  readonly starts: readonly number[];
  /** One of them. */
  node(i: number): FeatureNode;
}

/** What is written to the place of a layer. */
export interface Written {
  readonly layer: number;
  /** [d] */
  readonly values: Float32Array;
}

/** The features of a run, as what is traced. */
export interface Features {
  readonly active: ActiveFeatures;
  /** How many features each layer has. */
  readonly perLayer: number;
  /** Where the features of each layer write. */
  readonly writings: readonly Writing[];
  /** What is written at each of these places without features and errors, [1 pos d]; `undefined`: nothing. */
  readonly constants: readonly (Tensor | undefined)[];
  /** What is written there that no feature accounts for, [1 pos d]; `undefined` if it is what features that are left out write. */
  readonly errors: readonly Tensor[] | undefined;
  /** What the features of a layer read. */
  readonly readings: readonly Reading[];
  /** The directions that features read in, [row d]; all of one layer. */
  directions(layer: number, features: readonly number[]): Tensor;
  /** What is added to what a feature reads. */
  bias(feature: number): number;
  /** What active features of a layer send to what is differentiated, [row …], from the gradients [row pos d] where that layer and later ones write. */
  sent(layer: number, gradients: readonly Tensor[]): Tensor;
  /** Where each of them is in a row of that. */
  sentPlaces(layer: number): ArrayLike<number>;
  /** What a feature writes at its position, to each of the places that it writes to. */
  writtenBy(feature: number): readonly Written[];
  /** What is written to a layer's place at a position by features that are not among some, where no error is. */
  writtenByOthers(layer: number, pos: number, features: ReadonlySet<number>): Float32Array;
  /** Reads what features that are to be changed write, before `changed`. */
  prepare(changes: readonly FeatureChange[]): Promise<void>;
  /** What is written to a layer's place if the layer is held, [1 pos d], in the pass that `at` looks at. */
  heldAt(layer: number, at: At): Tensor;
  /**
   * What is written to a layer's place, with features held at other values.
   * @param value without them, [1 pos d]
   * @param at the pass in which activations are what they are compared with; `undefined`: they are those of the run
   */
  changed(layer: number, value: Tensor, changes: readonly FeatureChange[], at: At | undefined): Tensor;
  /** Pre-activations of a layer's features, [1 pos feature], in the pass that `at` looks at. */
  preActivations(layer: number, at: At): Tensor;
}

/** A feature that is held at another value. */
export interface FeatureChange {
  readonly layer: number;
  readonly pos: number;
  readonly feature: number;
  readonly value: number;
}
