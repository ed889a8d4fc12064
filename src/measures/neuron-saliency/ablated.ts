/** What the most salient neurons actually do: the effect of ablating each, and others drawn at random. */
import { Tensor } from "../../graph/tensor.ts";
import type { Model } from "../../lens/model.ts";
import { ndarray } from "../../tensor/array.ts";
import type { Answer } from "../answer.ts";
import { computeInParts, passBytes } from "../in-parts.ts";
import { Measured } from "../measured.ts";
import type { NeuronSaliencyMeasurement, NeuronSaliencyRow } from "../neuron-saliency.ts";
import { Random } from "../statistics/random.ts";

/** A neuron that was ablated. */
export interface AblatedNeuronRow extends NeuronSaliencyRow {
  /** Whether it is one of the most salient, or drawn at random. */
  readonly group: string;
  /** The metric minus its value with the neuron set to 0 at all positions. */
  readonly ablated: number;
}

/** The neurons that were ablated, the most salient first, then those drawn at random. */
export interface AblatedNeurons extends Measured<AblatedNeuronRow> {
  /** How many are the most salient. */
  readonly salient: number;
}

/** At least this many with the largest saliency are ablated, and as many others drawn at random. */
const ABLATED = 50;

/** Ablates the `top` most salient neurons of a measurement, or a few more, and others drawn at random, each alone. */
export async function ablateNeurons(
  model: Model,
  answer: Answer,
  measured: NeuronSaliencyMeasurement,
  { top, seed, signal }: { readonly top: number; readonly seed: number; readonly signal: AbortSignal | undefined },
): Promise<AblatedNeurons> {
  const { rows: ranked } = bySaliency(measured);
  const salient = Math.min(Math.max(ABLATED, top), ranked.length);
  const others = ranked.slice(salient);
  const drawn = new Random(seed).sample(others.length, Math.min(ABLATED, others.length));
  const chosen = [...ranked.slice(0, salient), ...Array.from(drawn, (i) => others[i])];
  const effects = await effectsOf(model, answer, chosen, signal);
  const rows = chosen.map((neuron, i): AblatedNeuronRow => {
    return { ...neuron, group: i < salient ? `the ${salient} most salient` : "drawn at random", ablated: effects[i] };
  });
  return Measured.of(rows, { salient });
}

/** All neurons, the most salient first. */
export function bySaliency(measured: NeuronSaliencyMeasurement): Measured<NeuronSaliencyRow> {
  return measured.top(measured.length, ({ saliency }) => Math.abs(saliency));
}

/** The metric minus its value with one neuron set to zero at all positions, for each neuron, with as many in one run as fit. */
async function effectsOf(
  model: Model,
  { prompt, metric }: Answer,
  neurons: readonly NeuronSaliencyRow[],
  signal: AbortSignal | undefined,
): Promise<number[]> {
  const dMlp = model.cfg.dMlp!;
  const graph = model.graph(prompt.input);
  const whole = metric(graph.output, graph);
  const ablated = (some: typeof neurons) => {
    const layers = [...new Set(some.map(({ layer }) => layer))];
    return graph.with(
      layers.map((layer) => {
        const data = new Uint8Array(some.length * dMlp);
        some.forEach((neuron, cell) => {
          if (neuron.layer === layer) data[cell * dMlp + neuron.d_mlp] = 1;
        });
        const mask = Tensor.leaf(ndarray("bool", [some.length, 1, 1, dMlp], data), ["cell", "batch", "pos", "d_mlp"]);
        return [`blocks.${layer}.mlp.hook_post`, (x: Tensor) => x.constant(0).where(mask, x)] as const;
      }),
    );
  };
  const [clean] = await model.compute([whole], { signal });
  const [each] = await computeInParts(
    model,
    neurons.length,
    (from, to) => [ablated(neurons.slice(from, to)).follow(whole)],
    { ...{ signal }, most: passBytes(model), varies: true },
  );
  return Array.from(each.data, (value) => clean.item() - value);
}
