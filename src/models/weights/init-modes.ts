/** How random weights are drawn. Source: TransformerLens' `HookedTransformer.init_weights`. */

/** How a matrix of a given fan-in and fan-out is drawn: evenly from -scale to scale, or normally with that deviation. */
interface Draw {
  readonly evenly: boolean;
  scale(fanIn: number, fanOut: number): number;
}

/** The gain for what follows a ReLU, which TransformerLens takes for every nonlinearity. */
const KAIMING_GAIN = Math.SQRT2;

/** TransformerLens' names of the ways to draw weights that can be run. */
export const DRAWS = {
  gpt2: { evenly: false, scale: () => 1 },
  xavier_uniform: { evenly: true, scale: (fanIn, fanOut) => Math.sqrt(6 / (fanIn + fanOut)) },
  xavier_normal: { evenly: false, scale: (fanIn, fanOut) => Math.sqrt(2 / (fanIn + fanOut)) },
  kaiming_uniform: { evenly: true, scale: (fanIn) => KAIMING_GAIN * Math.sqrt(3 / fanIn) },
  kaiming_normal: { evenly: false, scale: (fanIn) => KAIMING_GAIN * Math.sqrt(1 / fanIn) },
} satisfies Record<string, Draw>;

/** The name of a way to draw weights. `muP` is known but cannot be run: it needs its own optimizer. */
export type InitMode = keyof typeof DRAWS | "muP";

export const INIT_MODES: readonly InitMode[] = [...(Object.keys(DRAWS) as (keyof typeof DRAWS)[]), "muP"];
