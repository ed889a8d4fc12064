/** Sparse dictionaries: autoencoders and transcoders, read from files or made of your own weights. */
import { Tensor } from "../graph/tensor.ts";
import { TENSOR } from "../graph/tensor-kind.ts";
import type { NDArray } from "../tensor/array.ts";
import { showAs } from "../tensor/display.ts";
import { ArgumentError, ConfigError } from "../tensor/errors.ts";
import { FLAG, instanceOf, listOf, oneOf, POSITIVE, TEXT } from "../tensor/kinds.ts";
import { checkArgument, checkOptions, type OptionKinds } from "../tensor/options.ts";
import { compositionOf, type DictionaryConfig, dictionaryConfig, type GivenDictionaryConfig } from "./config.ts";
import { decoderNorms, type Folded, withFoldedNorms, withFoldedScale } from "./fold.ts";
import { placeName } from "./formats/format.ts";
import { DICTIONARY_FILE_DTYPES, type DictionaryFileDtype, saelensFiles } from "./formats/saelens.ts";
import { NORMALIZATIONS } from "./normalizations.ts";
import { findDictionary, REPOSITORY, type RepositoryOptions, releasedOf, repositoryOf } from "./open.ts";
import { decode, encode, type PassOf, readOf } from "./pass.ts";
import {
  type DictionaryHost,
  type PlacedDictionary,
  placedDictionary,
  type WithDictionariesOptions,
} from "./placed.ts";
import { checkedWeights } from "./weights.ts";

/** What a dictionary is called, and what was decided when it was read. */
export interface DictionaryParts {
  /** What to call it in sentences. Default: its hook point. */
  readonly name?: string | undefined;
  /** Decisions made while reading it, as sentences. */
  readonly notes?: readonly string[] | undefined;
}

/** How to find and read a dictionary. */
export interface DictionaryFromPretrainedOptions extends RepositoryOptions {
  /** Whether decoder rows are scaled to norm 1, so that features are as large as on Neuronpedia. Default: no. */
  readonly foldDecoderNorms?: boolean | undefined;
  /** The factor of the input that a dictionary with `expected_average_only_in` was trained with, if its files lack it. */
  readonly inputScale?: number | undefined;
  /** The hook point that it reads, where its files do not say or another one is meant. */
  readonly hookName?: string | undefined;
  /** The hook point that a transcoder stands at, likewise. */
  readonly hookNameOut?: string | undefined;
}

/** How a dictionary's files are written. */
export interface DictionaryFilesOptions {
  /** How weights are kept: the nearest numbers of fewer bits take half the room. Default: float32. */
  readonly dtype?: DictionaryFileDtype | undefined;
}

const OPTIONS: OptionKinds<DictionaryFromPretrainedOptions> = {
  ...REPOSITORY,
  foldDecoderNorms: FLAG,
  inputScale: POSITIVE,
  hookName: TEXT,
  hookNameOut: TEXT,
};
const FILES: OptionKinds<DictionaryFilesOptions> = { dtype: oneOf(DICTIONARY_FILE_DTYPES) };
const PARTS: OptionKinds<DictionaryParts> = { name: TEXT, notes: listOf(TEXT, "sentences") };
const WEIGHTS = instanceOf(Map, "a Map of arrays by name");

/**
 * A sparse dictionary of one activation of a model: features that are sparse and can be read, of which the activation is made again
 * (an autoencoder), or another one is made (a transcoder). Weights are float32, in SAELens' layout: `W_enc` [d_in d_sae], `W_dec`
 * [d_sae d_out], biases. It stays as it is: folding gives another one. Source: SAELens' `SAE`.
 */
export class Dictionary {
  readonly cfg: DictionaryConfig;
  /** Weights by SAELens' names. */
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly name: string;
  readonly notes: readonly string[];
  #norms: Tensor | undefined;

  /**
   * @param weights by SAELens' names and in its layout, as the architecture asks for them
   * @throws ConfigError for a configuration that cannot be run, WeightsError for weights that are not its own
   */
  constructor(cfg: GivenDictionaryConfig, weights: ReadonlyMap<string, NDArray | Tensor>, parts: DictionaryParts = {}) {
    checkOptions("new Dictionary", parts, PARTS);
    checkArgument("The weights of a dictionary", weights, WEIGHTS);
    this.cfg = dictionaryConfig(cfg);
    this.name = parts.name ?? this.cfg.hookNameOut ?? this.cfg.hookName ?? "of your own";
    this.weights = checkedWeights(this.cfg, weights, `The dictionary ${this.name}`);
    this.notes = parts.notes ?? [];
  }

  /**
   * A dictionary from a folder or the Hugging Face hub, in SAELens' format or another one that is known by its files. Of a release `id` is
   * SAELens' `sae_id`, and its factor of the input is used where the files lack one.
   * @param name a folder's path, "org/name" on the hub, or the name of a release in SAELens' list: `"gpt2-small-res-jb"`
   * @throws InputError for files without a dictionary, ArgumentError where an id is needed, UnknownNameError for one that is not there,
   * ConfigError, WeightsError, FileFormatError for one that cannot be read
   */
  static async fromPretrained(name: string, options: DictionaryFromPretrainedOptions = {}): Promise<Dictionary> {
    checkOptions("Dictionary.fromPretrained", options, OPTIONS);
    const { id, note, hookName, hookNameOut } = options;
    const { files, reading, named } = await repositoryOf("Dictionary.fromPretrained", name, options);
    const released = await releasedOf(named, id);
    const { format, place } = await findDictionary(files, released.id, reading);
    const stored = await format.read(place);
    const { normalizeActivations = stored.cfg.normalizeActivations } = released;
    const points = { ...(hookName && { hookName }), ...(hookNameOut && { hookNameOut }) };
    const cfg = { ...stored.cfg, ...(normalizeActivations && { normalizeActivations }), ...points };
    const notes = stored.notes ?? [];
    for (const sentence of notes) note?.(sentence);
    const read = new Dictionary(cfg, stored.weights, { name: placeName(place), notes });
    const isScaled = cfg.normalizeActivations === "expected_average_only_in";
    const scale = options.inputScale ?? stored.inputScale ?? (isScaled ? released.inputScale : undefined);
    const scaled = scale === undefined ? read : read.foldInputScale(scale);
    return options.foldDecoderNorms ? scaled.foldDecoderNorms() : scaled;
  }

  /** This dictionary as a part at its hook point, which `model.withDictionaries` splices in. @param taken hook points that have a dictionary */
  placedIn(host: DictionaryHost, options: WithDictionariesOptions, taken: Map<string, string>): PlacedDictionary {
    return placedDictionary(this, host, options, taken);
  }

  /** The number of features. */
  get dSae(): number {
    return this.cfg.dSae;
  }

  /** Whether it writes something else than it reads. */
  get isTranscoder(): boolean {
    return compositionOf(this.cfg).transcoder;
  }

  /** Features [... d_sae] of x [... d_in], or of hook_z [... head d_head]. @throws ShapeError for an input of another width */
  encode(x: Tensor): Tensor {
    checkArgument("What a dictionary encodes", x, TENSOR);
    return encode(this.passOf, x).acts;
  }

  /**
   * What features [... d_sae] stand for, [... d_out].
   * @param x what they are the features of: needed where normalisation is undone, or a skip connection carries it; with it the
   * result has its axes of heads
   */
  decode(features: Tensor, x?: Tensor): Tensor {
    checkArgument("What a dictionary decodes", features, TENSOR);
    if (x !== undefined) checkArgument("What features are of", x, TENSOR);
    const needsInput = NORMALIZATIONS[this.cfg.normalizeActivations].undoes || compositionOf(this.cfg).skip;
    if (x === undefined && needsInput) {
      throw new ArgumentError(
        `The dictionary ${this.name} needs to know what it decodes features of (${compositionOf(this.cfg).skip ? "its skip connection carries that" : "it undoes that one's normalisation"}): decode(features, x).`,
        { asked: "decode" },
      );
    }
    const recons = decode(this.passOf, features);
    return x === undefined ? recons : readOf(this.passOf, x).finish(recons);
  }

  /** What the dictionary makes of x: the same again, or what a transcoder writes. @throws ShapeError for an input of another width */
  forward(x: Tensor): Tensor {
    return this.decode(this.encode(x), x);
  }

  /**
   * The same dictionary with decoder rows of norm 1, and features as many times larger as the rows were: what Neuronpedia's pages show.
   * What it makes of an input stays. @throws ConfigError for one that keeps the largest features as they are
   */
  foldDecoderNorms(): Dictionary {
    return this.folded(withFoldedNorms(this.cfg, this.weights));
  }

  /**
   * The dictionary of x that this one is of `s · x`: the factor that `expected_average_only_in` means.
   * @throws ConfigError for one that normalises its input in another way
   */
  foldInputScale(s: number): Dictionary {
    checkArgument("The scale of a dictionary's input", s, POSITIVE);
    const { normalizeActivations } = this.cfg;
    if (normalizeActivations !== "none" && !NORMALIZATIONS[normalizeActivations].folds) {
      throw new ConfigError(
        `The dictionary ${this.name} has normalizeActivations "${normalizeActivations}", which scales each input by itself: there is no scale to fold.`,
        { asked: s, found: normalizeActivations },
      );
    }
    return this.folded(withFoldedScale(this.cfg, this.weights, s));
  }

  /**
   * Its files in SAELens' format, by name: `cfg.json` and `sae_weights.safetensors`.
   * @throws ArgumentError for a dtype that the format does not have
   */
  toFiles(options: DictionaryFilesOptions = {}): Map<string, Uint8Array> {
    checkOptions("toFiles", options, FILES);
    return saelensFiles(this.cfg, this.weights, options.dtype ?? "float32");
  }

  /** What its pass is of. */
  get passOf(): PassOf {
    const weight = (name: string) => this.weights.get(name)!;
    return { cfg: this.cfg, weight, norms: this.norms };
  }

  /** The norms of the decoder's rows [d_sae], where features are rescaled by them: computed once. */
  get norms(): Tensor | undefined {
    if (!this.cfg.rescaleActsByDecoderNorm) return undefined;
    const data = () => decoderNorms(this.weights.get("W_dec")!);
    this.#norms ??= Tensor.leaf({ dtype: "float32", shape: [this.dSae], data: data() }, ["d_sae"], "weight", "norms");
    return this.#norms;
  }

  private folded({ cfg, weights }: Folded): Dictionary {
    return new Dictionary(cfg, weights, { name: this.name, notes: this.notes });
  }

  /** `Dictionary(name)`. */
  toString(): string {
    return `Dictionary(${this.name})`;
  }
}

showAs(Dictionary.prototype, (dictionary) => {
  const { architecture, dIn, dOut, dSae, hookName, hookNameOut } = dictionary.cfg;
  const place = [hookName, hookNameOut].filter((name) => name !== null).join(" to ");
  return `${dictionary}: ${architecture}, ${dIn} to ${dSae} features to ${dOut}${place && `, ${place}`}`;
});
