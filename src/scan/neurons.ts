/** Every neuron over a corpus: where it is most active, how often it is active at all, its mean and its spread. */
import { Tensor } from "../graph/tensor.ts";
import type { Model } from "../lens/model.ts";
import { hasMlps, needNeurons } from "../lens/model-has.ts";
import { getActName } from "../models/act-name.ts";
import { ndarray } from "../tensor/array.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { keyOf, type ScanBatch } from "./batches.ts";
import { placeNumbers } from "./context.ts";
import { neuronsFinding, neuronsTables } from "./neurons/finding.ts";
import { EDGES, emptyNeurons, type NeuronsSummaries } from "./neurons/summaries.ts";
import { type ModelScan, mostTokensFor, scan, TOP } from "./scan.ts";

const OPTIONS = {
  layer: { type: "layer", placeholder: "L", description: "the layer", defaultText: "all of them" },
  top: TOP,
  examples: {
    type: "integer",
    placeholder: "K",
    least: 1,
    default: 10,
    description: "examples of each neuron",
  },
} as const;

/** Less than any activation. */
const NEVER = -1e30;

export const neuronsScan = scan({
  name: "neurons",
  question: "Where is each neuron most active, and how often is it active at all?",
  description:
    "For every neuron its largest activations (hook_post) with the text around them, at most one in each row; its mean, its spread, and how often it is above some values.",
  options: OPTIONS,
  on(model, options) {
    if (!hasMlps(model)) {
      throw new ArgumentError(`${model.cfg.modelName} is attention-only and has no neurons.`, {
        found: model.cfg.modelName,
      });
    }
    const { nLayers, dMlp } = model.cfg;
    const layers = options.layer === undefined ? Array.from({ length: nLayers }, (_, i) => i) : [options.layer];
    for (const layer of layers) needNeurons(model, layer);
    const one: ModelScan<NeuronsSummaries> = {
      mostTokens: mostTokensFor(4 * dMlp!),
      columns: [],
      empty: () => emptyNeurons(layers.length * dMlp!, options.examples),
      async measure(batch, into) {
        const isCounted = countedOf(model, batch);
        const mask = Tensor.leaf(isCounted, ["batch", "pos"]).unsqueeze(-1, "one");
        const graph = model.graph(batch.tokens);
        const values = layers.flatMap((layer) => numbersOf(graph.at(getActName("post", layer)), mask));
        const computed = (await model.compute(values)).map(({ data }) => data as Float32Array);
        into.tokens.add(
          0,
          isCounted.data.reduce((a, b) => a + b, 0),
        );
        const each = values.length / layers.length;
        layers.forEach((_, i) => {
          add(batch, computed.slice(i * each, (i + 1) * each), i * dMlp!, dMlp!, into);
        });
      },
      finding: (summaries, about) => neuronsFinding(model, layers, options.top, summaries, about),
      tables: (summaries) => neuronsTables(model, layers, summaries),
    };
    return one;
  },
});

/** 1 at each token that is counted: not at padding, nor at BOS, where activations are often like no others. Float32 [batch pos]. */
function countedOf(model: Model, { rows }: ScanBatch) {
  const pos = Math.max(...rows.map(({ ids }) => ids.length));
  const counted = new Float32Array(rows.length * pos);
  rows.forEach(({ ids }, row) => {
    const from = ids[0] === model.text?.bosTokenId ? 1 : 0;
    counted.fill(1, row * pos + from, row * pos + ids.length);
  });
  return ndarray("float32", [rows.length, pos], counted);
}

/** Sums and counts over a batch [d_mlp], and of each row the largest activation and where it is [batch d_mlp]. */
function numbersOf(post: Tensor, mask: Tensor): Tensor[] {
  const counted = post.mul(mask);
  const rest = mask.mul(-NEVER).add(NEVER); // 0 where it counts
  const open = counted.add(rest);
  const where = ["batch", "pos"] as const;
  return [
    counted.sum(where),
    counted.mul(counted).sum(where),
    ...EDGES.map((edge) => open.greaterThan(edge).cast("float32").sum(where)),
    open.max("pos"),
    open.argmax("pos"),
  ];
}

/** @param first the number of the layer's first neuron */
function add(batch: ScanBatch, computed: readonly Float32Array[], first: number, dMlp: number, into: NeuronsSummaries) {
  const [sums, squares, ...rest] = computed;
  const [largest, places] = rest.splice(EDGES.length);
  for (let n = 0; n < dMlp; n++) {
    into.sums.add(first + n, sums[n]);
    into.squares.add(first + n, squares[n]);
    for (let e = 0; e < EDGES.length; e++) into.above.add((first + n) * EDGES.length + e, rest[e][n]);
  }
  batch.rows.forEach((row, r) => {
    for (let n = 0; n < dMlp; n++) {
      const value = largest[r * dMlp + n];
      if (value <= NEVER) continue;
      const pos = places[r * dMlp + n];
      const key = keyOf(batch, row, pos);
      if (into.examples.accepts(first + n, value, key))
        into.examples.add(first + n, value, key, placeNumbers(batch, row, pos));
    }
  });
}
