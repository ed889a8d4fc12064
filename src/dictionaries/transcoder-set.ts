/** Transcoders of every layer of a model: one a layer, or cross-layer ones, which write to their own layer and all later ones. */
import { showAs } from "../tensor/display.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { SIGNAL } from "../tensor/kinds.ts";
import { checkOptions } from "../tensor/options.ts";
import { shown } from "../tensor/show.ts";
import type { Dictionary } from "./dictionary.ts";
import { REPOSITORY, type RepositoryOptions, repositoryOf } from "./open.ts";
import { partsOf } from "./set-of.ts";
import type { SetParts, TranscoderSetKind } from "./set-parts.ts";
import { TranscoderLayer } from "./transcoder-layer.ts";

/** How to find a set of transcoders. */
export type TranscoderSetOptions = RepositoryOptions;

/**
 * The transcoders of a model, one for each layer's MLP or across layers, which together stand for all its MLPs. A layer's encoder is
 * read when the layer is first asked for, and of decoders only the rows that are asked for, so that a set may be larger than memory.
 * Source: circuit-tracer's `TranscoderSet` and `CrossLayerTranscoder`.
 */
export class TranscoderSet {
  readonly #parts: SetParts;
  readonly #layers = new Map<number, Promise<TranscoderLayer>>();

  private constructor(parts: SetParts) {
    this.#parts = parts;
  }

  /**
   * A set from a folder or the Hugging Face hub: circuit-tracer's, with a `config.yaml`.
   * @param name a folder's path, "org/name" on the hub, or the name of a release in SAELens' list
   * @throws InputError for files without a set, ConfigError, WeightsError, FileFormatError for one that cannot be read or lacks a layer
   */
  static async fromPretrained(name: string, options: TranscoderSetOptions = {}): Promise<TranscoderSet> {
    checkOptions("TranscoderSet.fromPretrained", options, REPOSITORY);
    const { files, reading } = await repositoryOf("TranscoderSet.fromPretrained", name, options);
    const { readTranscoderSet } = await import("./formats/sets.ts");
    return new TranscoderSet(await readTranscoderSet(files, options.id, reading));
  }

  /**
   * A set of transcoders in memory, one for each layer from 0 on; their hook points say which.
   * @throws ConfigError for a dictionary that is not a transcoder, a layer that is missing or there twice, or ones that differ in what they read or write
   */
  static of(dictionaries: readonly Dictionary[], name?: string): TranscoderSet {
    return new TranscoderSet(partsOf(dictionaries, name));
  }

  /** A set whose numbers are wherever its parts say. @internal */
  static ofParts(parts: SetParts): TranscoderSet {
    return new TranscoderSet(parts);
  }

  /** What to call it in sentences. */
  get name(): string {
    return this.#parts.name;
  }
  /** Whether features write to their own layer alone (`per-layer`), or to every later one too (`cross-layer`). */
  get kind(): TranscoderSetKind {
    return this.#parts.kind;
  }
  /** How many layers it has. */
  get nLayers(): number {
    return this.#parts.nLayers;
  }
  /** Features of each layer. */
  get dSae(): number {
    return this.#parts.dSae;
  }
  /** The width of what it reads and writes. */
  get dModel(): number {
    return this.#parts.dModel;
  }
  /** The model that it was trained on, as its files call it. */
  get modelName(): string | null {
    return this.#parts.modelName;
  }
  /** What identifies the pages of its features. */
  get scan(): string | null {
    return this.#parts.scan;
  }

  /** The hook point that a layer's features read: `blocks.3.hook_resid_mid`. */
  inputHook(layer: number): string {
    return `blocks.${this.need(layer)}.${this.#parts.featureInputHook}`;
  }

  /** The hook point that features which write to a layer write to: `blocks.3.hook_mlp_out`. */
  outputHook(layer: number): string {
    return `blocks.${this.need(layer)}.${this.#parts.featureOutputHook}`;
  }

  /** A layer, whose encoder is read now unless it is in memory. @throws WeightsError for numbers that are missing or broken */
  async layer(layer: number, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<TranscoderLayer> {
    checkOptions("layer", options, { signal: SIGNAL });
    this.need(layer);
    const known = this.#layers.get(layer);
    if (known) return known;
    const reading = this.#parts.open(layer, options.signal).then((source) => new TranscoderLayer(layer, source));
    this.#layers.set(layer, reading);
    reading.catch(() => this.#layers.delete(layer));
    return reading;
  }

  /** Lets go of a layer's encoder, which is read again when the layer is next asked for. */
  forget(layer: number): void {
    this.#layers.delete(this.need(layer));
  }

  /**
   * The set's files in circuit-tracer's format, by name, for `writeFile` or an upload; all its numbers are read, as float32.
   * @throws ConfigError for features that the format cannot describe, such as those of groups or gates
   */
  async toFiles(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<Map<string, Uint8Array>> {
    checkOptions("toFiles", options, { signal: SIGNAL });
    const { circuitTracerFiles } = await import("./formats/circuit-tracer-files.ts");
    return circuitTracerFiles(this.#parts, options.signal);
  }

  /** @throws ArgumentError for a layer that does not exist */
  private need(layer: number): number {
    if (Number.isInteger(layer) && layer >= 0 && layer < this.nLayers) return layer;
    throw new ArgumentError(`${this.name} has no layer ${shown(layer)}: it has ${this.nLayers}, counted from 0.`, {
      asked: layer,
      found: this.nLayers,
    });
  }

  /** `TranscoderSet(name)`. */
  toString(): string {
    return `TranscoderSet(${this.name})`;
  }
}

showAs(
  TranscoderSet.prototype,
  (set) =>
    `${set}: ${set.kind}, ${set.nLayers} layers of ${set.dSae} features, ${set.inputHook(0).replace("blocks.0.", "")} to ${set.outputHook(0).replace("blocks.0.", "")}`,
);
