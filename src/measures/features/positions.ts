/** What features do at each position together, and whether one of them stands out where no neuron does. */
import { neuronName } from "../../lens/components.ts";
import type { FoundFeatures } from "./found.ts";

/** A token of the prompt. */
export interface FeaturePositionRow {
  readonly pos: number;
  readonly token: string;
  readonly next: string;
  /** −log probability of the next token, in nats. */
  readonly loss: number;
  /** How many features fire. */
  readonly fires: number;
  /** What the value at the hook point adds to the next token's logit on the direct path; null where that is not defined. */
  readonly whole: number | null;
  /** Of that, what the dictionary misses. */
  readonly error: number | null;
  /** The feature that writes most, of either sign, and what it writes. */
  readonly largest_feature: number | null;
  readonly feature_writes: number | null;
  /** `max |writes| / (Σ |writes| + |the rest|)`, where the rest is the error, biases and all else. */
  readonly feature_share: number | null;
  /** The same of neurons, where the dictionary makes what an MLP writes: the rest is the MLP's bias. */
  readonly largest_neuron: string | null;
  readonly neuron_writes: number | null;
  readonly neuron_share: number | null;
}

interface About {
  /** The first position. */
  readonly from: number;
  readonly tokens: readonly string[];
  readonly nexts: readonly string[];
}

export function positionRows(found: FoundFeatures, { from, tokens, nexts }: About): FeaturePositionRow[] {
  const { losses, whole, error, neurons, layer } = found.numbers;
  return Array.from({ length: found.length - from }, (_, i): FeaturePositionRow => {
    const pos = from + i;
    const firing = found.firingAt(pos);
    const at = { pos, token: tokens[pos], next: nexts[pos], loss: losses[pos], fires: firing.length };
    if (!whole || !error) return { ...at, ...UNDEFINED };
    const best = largestPart(
      firing.map(({ writes }) => writes as number),
      whole[pos],
    );
    const width = neurons ? neurons.length / found.length : 0;
    const neuron = neurons && largestPart(neurons.subarray(pos * width, (pos + 1) * width), whole[pos]);
    return {
      ...at,
      ...{ whole: whole[pos], error: error[pos] },
      ...{ largest_feature: firing[best.index]?.d_sae ?? null, feature_writes: best.part, feature_share: best.share },
      largest_neuron: neuron ? neuronName(layer as number, neuron.index) : null,
      ...{ neuron_writes: neuron?.part ?? null, neuron_share: neuron?.share ?? null },
    };
  });
}

const UNDEFINED = {
  ...{ whole: null, error: null, largest_feature: null, feature_writes: null, feature_share: null },
  ...{ largest_neuron: null, neuron_writes: null, neuron_share: null },
} as const;

/** The part of a sum with the largest size, and its share of all sizes, what is left of the sum being one more part. */
function largestPart(parts: ArrayLike<number>, whole: number) {
  let [index, sizes, sum] = [-1, 0, 0];
  for (let i = 0; i < parts.length; i++) {
    sizes += Math.abs(parts[i]);
    sum += parts[i];
    if (index < 0 || Math.abs(parts[i]) > Math.abs(parts[index])) index = i;
  }
  const all = sizes + Math.abs(whole - sum);
  const part = index < 0 ? null : parts[index];
  return { index, part, share: part === null || all === 0 ? null : Math.abs(part) / all };
}
