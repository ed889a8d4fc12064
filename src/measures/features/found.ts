/** The numbers of a run with a dictionary, by place. */

/** A feature that fires at a position. */
export interface FiringPlace {
  readonly pos: number;
  readonly d_sae: number;
  readonly activation: number;
  readonly writes: number | null;
  readonly estimated: number;
}

/** Numbers as they were computed, [pos] or [pos …]. */
interface Numbers {
  readonly dSae: number;
  readonly loss: number;
  readonly losses: Float32Array;
  /** [pos d_sae] */
  readonly acts: Float32Array;
  /** ∂loss/∂activation, [pos d_sae] */
  readonly slope: Float32Array;
  /** Of the next token's logit, on the direct path: what one unit of each feature adds [pos d_sae], … */
  readonly each: Float32Array | undefined;
  /** … what the whole value at the hook point adds, … */
  readonly whole: Float32Array | undefined;
  /** … what the error adds, … */
  readonly error: Float32Array | undefined;
  /** … and what each neuron adds, [pos d_mlp], where the dictionary makes what an MLP writes. */
  readonly neurons: Float32Array | undefined;
  /** That MLP's layer. */
  readonly layer: number | undefined;
}

export class FoundFeatures {
  readonly numbers: Numbers;

  constructor(numbers: Numbers) {
    this.numbers = numbers;
  }

  get loss(): number {
    return this.numbers.loss;
  }

  /** How many positions there are. */
  get length(): number {
    return this.numbers.losses.length;
  }

  /** The features that fire, from a position on. */
  firing(from: number): FiringPlace[] {
    return Array.from({ length: this.length - from }, (_, i) => this.firingAt(from + i)).flat();
  }

  firingAt(pos: number): FiringPlace[] {
    const { dSae, acts, slope, each } = this.numbers;
    const places: FiringPlace[] = [];
    for (let d_sae = 0; d_sae < dSae; d_sae++) {
      const at = pos * dSae + d_sae;
      const activation = acts[at];
      if (activation === 0) continue;
      const writes = each ? activation * each[at] : null;
      places.push({ pos, d_sae, activation, writes, estimated: -activation * slope[at] });
    }
    return places;
  }
}
