/** The neurons that are actually ablated, and how their effects agree with the estimates. */
import type { Neuron } from "../../measures/neuron-saliency.ts";
import type { Prompt } from "../../measures/prompt.ts";
import { Random } from "../../measures/statistics/random.ts";
import { type Agreement, agreement } from "../attribution/agreement.ts";

const NEURONS = ["neuron", "neurons"] as const;
/** This many with the largest saliency are ablated, and as many others drawn at random. */
const ABLATED = 50;

/** The neurons to ablate: the most salient, and as many others drawn at random. */
export function chooseNeurons(
  ranked: readonly Neuron[],
  top: number,
  seed: number,
): { readonly chosen: readonly Neuron[]; readonly salient: number } {
  const salient = Math.min(Math.max(ABLATED, top), ranked.length);
  const others = ranked.slice(salient);
  const drawn = new Random(seed).sample(others.length, Math.min(ABLATED, others.length));
  return { salient, chosen: [...ranked.slice(0, salient), ...Array.from(drawn, (i) => others[i])] };
}

/** What the neurons that were ablated are called: the first ones are the most salient. */
function groupOf(i: number, salient: number): string {
  return i < salient ? `the ${salient} most salient` : "drawn at random";
}

/** Saliency against ablation, for the neurons that were ablated: the first `salient` of them are the most salient. */
export function withAblation(
  chosen: readonly Neuron[],
  effects: readonly number[],
  salient: number,
  seed: number,
): Agreement {
  return agreement(
    chosen.map((neuron, i) => ({
      name: neuron.name,
      group: groupOf(i, salient),
      estimated: neuron.saliency,
      measured: effects[i],
    })),
    seed,
    { things: NEURONS, estimated: "saliency", measured: "ablated" },
  );
}

/** Saliency against direct logit attribution, for all neurons. */
export function withDirect(neurons: readonly Neuron[], seed: number): Agreement {
  return agreement(
    neurons.map((neuron) => ({
      name: neuron.name,
      group: `layer ${neuron.layer}`,
      estimated: neuron.saliency,
      measured: neuron.direct,
    })),
    seed,
    { things: NEURONS, estimated: "saliency", measured: "direct" },
  );
}

/** A neuron that was ablated. */
export interface AblatedNeuron extends Neuron {
  /** Whether it is one of the most salient, or drawn at random. */
  readonly group: string;
  readonly effect: number;
  /** Where its saliency is largest. */
  readonly pos: number;
  readonly token: string;
}

/** The ablated neurons, with their effects. */
export function ablatedNeurons(
  chosen: readonly Neuron[],
  effects: readonly number[],
  salient: number,
  prompt: Prompt,
): AblatedNeuron[] {
  return chosen.map((neuron, i) => ({
    ...neuron,
    ...largestPlace(neuron, prompt),
    effect: effects[i],
    group: groupOf(i, salient),
  }));
}

function largestPlace({ byPosition }: Neuron, { tokens }: Prompt): Pick<AblatedNeuron, "pos" | "token"> {
  const largest = Math.max(...byPosition.map(Math.abs));
  const pos = byPosition.findIndex((x) => Math.abs(x) === largest);
  return { pos, token: tokens[pos] };
}
