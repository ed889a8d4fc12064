/** The question of the seed notebook, of every token of a corpus. */
import { Tensor } from "../graph/tensor.ts";
import { byToken } from "../measures/diffuse-mlp/by-token.ts";
import { siteOf } from "../measures/diffuse-mlp/site.ts";
import { seedOption } from "../measures/options.ts";
import { ndarray } from "../tensor/array.ts";
import { permutation } from "../training/data/batches.ts";
import type { ScanBatch } from "./batches.ts";
import { diffuseMlpFinding } from "./diffuse-mlp/finding.ts";
import {
  bitsOf,
  type DiffuseMlpSummaries,
  emptySummaries,
  QUANTITIES,
  SHARES,
  TYPE_QUANTITIES,
} from "./diffuse-mlp/summaries.ts";
import { Predictions, TOKEN_COLUMNS } from "./predictions.ts";
import type { RowColumn, Rows } from "./rows.ts";
import { type ModelScan, mostTokensFor, scan, TOP } from "./scan.ts";

const OPTIONS = {
  top: TOP,
  seed: seedOption("the shuffles and the sample"),
} as const;

export const diffuseMlpScan = scan({
  name: "diffuse-mlp",
  question: "Which tokens does the MLP layer matter for, even though no single neuron stands out?",
  description:
    "Of the last layer's MLP: the score of the seed notebook, direct attribution and its spread over neurons, and the scale of the norm inside it, for each token of a corpus.",
  options: OPTIONS,
  on(model, options) {
    // In any other layer an ablation reaches later positions, and each needs a pass of its own.
    const site = siteOf(model, model.cfg.nLayers - 1);
    const { dMlp, dVocabOut } = model.cfg;
    const columns = site.norm ? COLUMNS : COLUMNS.filter(({ name }) => !OF_NORM.includes(name));
    const one: ModelScan<DiffuseMlpSummaries> = {
      mostTokens: mostTokensFor(dVocabOut, 4 * dMlp!),
      columns,
      empty: () => emptySummaries(model, options),
      async measure(batch, into, rows) {
        const order = permutation(dMlp!, options.seed, batch.shard * 2 ** 16 + batch.number);
        const shuffle = Tensor.leaf(ndarray("int32", [dMlp!], order), ["d_mlp"]);
        const values = Object.entries(byToken(model, site, batch, shuffle)).filter(([, value]) => value !== undefined);
        const computed = await model.compute(values.map(([, value]) => value as Tensor));
        const numbers = Object.fromEntries(values.map(([name], i) => [name, computed[i].data as Float32Array]));
        add(batch, numbers, into, rows);
      },
      finding: (summaries, about) => diffuseMlpFinding(model, site, options, summaries, about),
    };
    return one;
  },
});

/** Of an MLP with a norm inside. */
const OF_NORM: readonly string[] = ["outlier_after", "scale"];

const COLUMNS: readonly RowColumn[] = [
  ...TOKEN_COLUMNS,
  ...QUANTITIES.map(({ name, description }) => ({ name, holds: "float", description }) as const),
  { name: "largest_neuron", holds: "integer", description: "The neuron with the largest |a_i|." },
];

type Numbers = Readonly<Record<string, Float32Array>>;

function add(batch: ScanBatch, numbers: Numbers, into: DiffuseMlpSummaries, rows: Rows): void {
  const tokens = new Predictions(batch);
  // The notebook's score, of the predicted token's own loss: its mean over a row would depend on how long rows are.
  const score = numbers.outlier.map((outlier, i) => (outlier === 0 ? 0 : numbers.loss_change[i] / outlier));
  const all: Numbers = { ...numbers, score };
  for (let i = 0; i < tokens.length; i++) observe(into, all, i, tokens);
  rows.add(tokens.keys, { ...tokens.columns, ...all });
}

function observe(into: DiffuseMlpSummaries, all: Numbers, i: number, tokens: Predictions): void {
  const key = tokens.keys[i];
  const token = tokens.columns.token[i];
  const { quantities, distributions, byType, shares, diffuse, scores, largest, products, sample } = into;
  QUANTITIES.forEach(({ name }, q) => {
    const value = all[name]?.[i];
    if (value === undefined) return;
    quantities.add(q, value);
    distributions.add(q, value);
  });
  TYPE_QUANTITIES.forEach((name, q) => {
    byType.add(token * TYPE_QUANTITIES.length + q, all[name][i]);
  });
  const attribution = all.attribution[i];
  const share = all.max_share[i];
  shares.add(distributions.grid.indexOf(attribution), share);
  products.add(0, attribution * all.loss_change[i]);
  largest.add(all.largest_neuron[i]);
  const ofShare = SHARES.indexOf(share);
  const isScore = scores.accepts(0, all.score[i], key);
  const isDiffuse = diffuse.accepts(ofShare, attribution, key);
  const isDrawn = sample.accepts(key);
  if (!isScore && !isDiffuse && !isDrawn) return;
  const payload = Int32Array.from([...tokens.place(i), ...bitsOf(all, i)]);
  if (isScore) scores.add(0, all.score[i], key, payload);
  if (isDiffuse) diffuse.add(ofShare, attribution, key, payload);
  if (isDrawn) sample.add(key, payload);
}
