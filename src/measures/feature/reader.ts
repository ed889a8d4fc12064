/** Reads features over a text, batch by batch. */
import type { Dictionary } from "../../dictionaries/dictionary.ts";
import { encode } from "../../dictionaries/pass.ts";
import type { DictionaryPlace } from "../../dictionaries/placed.ts";
import { Tensor } from "../../graph/tensor.ts";
import { components, neuronName, type WriterOutput } from "../../lens/components.ts";
import type { HookedTransformer } from "../../lens/hooked-transformer.ts";
import { ndarray } from "../../tensor/array.ts";
import { placeIn } from "../dictionary/place.ts";
import { isInStream } from "../features/pass.ts";
import { largestIndices } from "../top-tokens.ts";
import { withOthers, writtenTokens } from "../written-tokens.ts";

/** A neuron, and its part in what makes a feature fire. */
export interface BehindNeuronRow {
  readonly d_mlp: number;
  /** `L0N17` */
  readonly component: string;
  /** The mean over the tokens at which the feature fires of what the neuron adds to its pre-activation: `hook_post · W_out[neuron] · W_enc[:, feature]`. */
  readonly adds: number;
}

/** A feature of the dictionary, on the text. */
export interface FeatureOnTextRow {
  readonly d_sae: number;
  /** The share of tokens at which it fires. */
  readonly density: number;
  /** Its largest activation. */
  readonly largest: number;
}

interface ReadOptions {
  /** Positions at the beginning that are left out. */
  readonly skip: number;
  /** The feature whose activations are kept. */
  readonly feature: number | undefined;
  readonly signal: AbortSignal | undefined;
}

export class FeatureReader {
  readonly #model: HookedTransformer;
  readonly #dictionary: Dictionary;
  readonly #place: DictionaryPlace;
  readonly #fired: Float64Array;
  readonly #largest: Float64Array;
  #activations: number[] = [];
  /** Sums of each neuron's activation over the tokens at which the feature fires. */
  #neurons: Float64Array | undefined;

  constructor(model: HookedTransformer, dictionary: Dictionary) {
    this.#model = model;
    this.#dictionary = dictionary;
    this.#place = placeIn(dictionary, model);
    this.#fired = new Float64Array(dictionary.dSae);
    this.#largest = new Float64Array(dictionary.dSae);
  }

  /** The hook point that the dictionary stands at. */
  get hook(): string {
    return this.#place.at;
  }

  /** The kept feature's activation at each token. */
  get activations(): readonly number[] {
    return this.#activations;
  }

  /** Forgets what was read. */
  clear(): void {
    this.#fired.fill(0);
    this.#largest.fill(0);
    this.#activations = [];
    this.#neurons = undefined;
  }

  async read(input: Tensor, { skip, feature, signal }: ReadOptions): Promise<void> {
    const place = this.#place;
    const graph = this.#model.graph(input).readyFor([place.from]);
    const { acts } = encode(this.#dictionary.passOf, place.input(graph.at(place.from)));
    const features = acts.slice("pos", skip);
    const own = feature === undefined ? undefined : features.at({ d_sae: feature });
    const mlp = own && this.mlp;
    const fires = own?.greaterThan(0).cast("float32");
    const neurons = mlp && graph.at(mlp.point).slice("pos", skip).mul(fires!.unsqueeze(-1, "one")).sum([0, 1]);
    const [fired, largest, ...others] = await this.#model.compute(
      [
        features.greaterThan(0).cast("float32").sum([0, 1]),
        features.max([0, 1]),
        ...(own ? [own] : []),
        ...(neurons ? [neurons] : []),
      ],
      { signal },
    );
    for (let i = 0; i < this.#fired.length; i++) {
      this.#fired[i] += fired.data[i];
      this.#largest[i] = Math.max(this.#largest[i], largest.data[i]);
    }
    const [activations, sums] = others;
    if (activations) for (const x of activations.data) this.#activations.push(x);
    if (!sums) return;
    this.#neurons ??= new Float64Array(sums.data.length);
    for (let i = 0; i < this.#neurons.length; i++) this.#neurons[i] += sums.data[i];
  }

  /** Of the features that fire at this many tokens, or else of all, the one whose largest activation times its decoder row is longest. */
  loudest(least: number, most: number): number {
    const W_dec = this.#dictionary.weights.get("W_dec")!;
    const [dSae, dOut] = W_dec.shape;
    const fits = (f: number) => this.#fired[f] >= least && this.#fired[f] <= most;
    const isAny = this.#fired.some((_, f) => fits(f));
    const loudness = Array.from({ length: dSae }, (_, f) => {
      if (isAny && !fits(f)) return -1;
      return this.#largest[f] * Math.hypot(...W_dec.data.subarray(f * dOut, (f + 1) * dOut));
    });
    return loudness.indexOf(Math.max(...loudness));
  }

  /** Every feature on the text. */
  rows(tokens: number): FeatureOnTextRow[] {
    return Array.from(this.#fired, (fired, d_sae) => {
      return { d_sae, density: fired / tokens, largest: this.#largest[d_sae] };
    });
  }

  /** What the feature writes, in tokens; undefined where it does not write to the residual stream. */
  async written(
    feature: number,
    options: { readonly top: number; readonly seed: number; readonly signal: AbortSignal | undefined },
  ) {
    if (!isInStream(this.hook)) return undefined;
    const { weights, dSae } = this.#dictionary;
    const all = withOthers(feature, dSae, options.seed);
    const rows = Tensor.leaf(ndarray("int32", [all.length], all), ["feature"]);
    return writtenTokens(this.#model, weights.get("W_dec")!.gather(0, rows), options);
  }

  /** The neurons that add most to what makes it fire, and what all add together. @param fired at how many tokens it fires */
  async neuronsBehind(
    feature: number,
    fired: number,
    { top, signal }: { readonly top: number; readonly signal: AbortSignal | undefined },
  ): Promise<{ readonly rows: BehindNeuronRow[]; readonly sum: number | null }> {
    const sums = this.#neurons;
    const { mlp } = this;
    if (!mlp || !sums || fired === 0) return { rows: [], sum: null };
    const { weights } = this.#model;
    const column = this.#dictionary.weights.get("W_enc")!.at({ d_sae: feature });
    const onto = weights.get(mlp.weight).matmul(column.unsqueeze(-1, "one")).squeeze(-1);
    const [reads] = await this.#model.compute([onto], { signal });
    const adds = Array.from(sums, (sum, n) => (sum / fired) * reads.data[n]);
    const rows = largestIndices(adds.map(Math.abs), Math.min(top, adds.length)).map((d_mlp): BehindNeuronRow => {
      return { d_mlp, component: neuronName(this.#layer(mlp), d_mlp), adds: adds[d_mlp] };
    });
    return { rows, sum: adds.reduce((all, x) => all + x, 0) };
  }

  #layer({ point }: WriterOutput): number {
    return components(this.#model).additions.find(({ output }) => output?.point === point)!.layer!;
  }

  /** What the MLP writes with whose output the dictionary reads, where what it reads is a sum over neurons. */
  private get mlp(): WriterOutput | undefined {
    const { from } = this.#place;
    if (this.#dictionary.cfg.normalizeActivations !== "none") return undefined;
    const mlp = components(this.#model).additions.find(({ kind, point }) => kind === "mlp" && point === from);
    return mlp?.output && !mlp.output.norm ? mlp.output : undefined;
  }
}
