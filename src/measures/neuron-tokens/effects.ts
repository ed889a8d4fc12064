/** What a neuron writes, in tokens. */
import { Tensor } from "../../graph/tensor.ts";
import { components } from "../../lens/components.ts";
import type { HookedTransformer } from "../../lens/hooked-transformer.ts";
import { unscaled } from "../../lens/output-norm.ts";
import { ndarray } from "../../tensor/array.ts";
import { Measured } from "../measured.ts";
import { tokenText } from "../prompt.ts";
import { Random } from "../statistics/random.ts";
import { largestIndices } from "../top-tokens.ts";

const OTHER_NEURONS = 100;

/** A token of the vocabulary, and what one unit of the neuron's activation adds to its logit. */
export interface NeuronEffectRow {
  readonly id: number;
  readonly token: string;
  readonly effect: number;
}

/** The tokens that the neuron promotes and suppresses most, place by place. */
export interface WrittenTokensRow {
  readonly token_up: string;
  readonly effect_up: number;
  readonly token_down: string;
  readonly effect_down: number;
}

/** What one unit of a neuron's activation adds to each token's logit. */
export interface NeuronEffects {
  /** `W_out[neuron] · W_U`, before the last norm's scale: a row for each token of the vocabulary. */
  readonly vocabulary: Measured<NeuronEffectRow>;
  /** The ends of the vocabulary, the strongest first. */
  readonly written: Measured<WrittenTokensRow>;
  /** The share of the vocabulary that it promotes. */
  readonly promoted: number;
  /** The largest |effect| of random other neurons in the layer. */
  readonly randomEffects: readonly number[];
}

/** @param top how many tokens at each end @returns also the numbers alone, by token id */
export async function effectsOf(
  model: HookedTransformer,
  layer: number,
  neuron: number,
  { seed, top, signal }: { readonly seed: number; readonly top: number; readonly signal: AbortSignal | undefined },
): Promise<{ readonly found: NeuronEffects; readonly effects: Float32Array }> {
  const W_out = model.weights.get(`blocks.${layer}.mlp.W_out`);
  const [width] = W_out.shape;
  const others = [...new Random(seed).sample(width, Math.min(OTHER_NEURONS + 1, width))]
    .filter((n) => n !== neuron)
    .slice(0, OTHER_NEURONS);
  const rows = Tensor.leaf(ndarray("int32", [1 + others.length], Int32Array.from([neuron, ...others])), ["neuron"]);
  const norm = model.weights.find("ln_final.w");
  const mlp = components(model).additions.find((one) => one.kind === "mlp" && one.layer === layer);
  const written = unscaled(W_out.gather(0, rows), mlp?.output?.norm, model.weights);
  const added = (norm ? written.mul(norm) : written).matmul(model.W_U);
  const [own, ends] = await model.compute([added.slice(0, 0, 1), added.abs().max(-1)], { signal });
  const effects = own.data as Float32Array;
  const row = (id: number): NeuronEffectRow => ({ id, token: tokenText(model, id), effect: effects[id] });
  const found: NeuronEffects = {
    vocabulary: new Measured({ length: effects.length, columns: ["id", "token", "effect"], row }),
    written: new Measured(writtenTokens(model, effects, top)),
    promoted: effects.reduce((n, effect) => n + (effect > 0 ? 1 : 0), 0) / effects.length,
    randomEffects: Array.from(ends.data).slice(1),
  };
  return { found, effects };
}

function writtenTokens(model: HookedTransformer, effects: Float32Array, top: number): WrittenTokensRow[] {
  const lowest = largestIndices(
    effects.map((effect) => -effect),
    top,
  );
  return largestIndices(effects, top).map((up, i): WrittenTokensRow => {
    const down = lowest[i];
    const promoted = { token_up: tokenText(model, up), effect_up: effects[up] };
    return { ...promoted, token_down: tokenText(model, down), effect_down: effects[down] };
  });
}
