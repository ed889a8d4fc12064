/** How well a model predicts a corpus: by position, by token, by source. */
import { prediction } from "../measures/diffuse-mlp/prediction.ts";
import type { ScanBatch } from "./batches.ts";
import { needCausal } from "./causal.ts";
import { PLACE_WIDTH } from "./context.ts";
import { lossFinding } from "./loss/finding.ts";
import type { LossSummaries } from "./loss/summaries.ts";
import { Predictions, TOKEN_COLUMNS } from "./predictions.ts";
import type { RowColumn, Rows } from "./rows.ts";
import { type ModelScan, mostTokensFor, scan, TOP } from "./scan.ts";
import { logGrid } from "./summaries/grids.ts";
import { Histograms } from "./summaries/histograms.ts";
import { Moments } from "./summaries/moments.ts";
import { TopK } from "./summaries/top-k.ts";

const OPTIONS = { top: TOP } as const;

const LOSSES = logGrid(-30, 7, 32);

const COLUMNS: readonly RowColumn[] = [
  ...TOKEN_COLUMNS,
  { name: "loss", holds: "float", description: "−log probability of the token that comes next, in nats." },
];

export const lossScan = scan({
  name: "loss",
  question: "How well does the model predict the corpus, and where not?",
  description: "The loss of each next token, by position, by the token that is predicted, and by source.",
  options: OPTIONS,
  on(model, options, { sources, maxLength }) {
    needCausal(model);
    const { dVocab, dVocabOut } = model.cfg;
    const one: ModelScan<LossSummaries> = {
      mostTokens: mostTokensFor(dVocabOut),
      columns: COLUMNS,
      empty: () => ({
        all: new Moments(),
        distribution: new Histograms(LOSSES),
        byPosition: new Moments(maxLength),
        byToken: new Moments(dVocab),
        bySource: new Moments(sources.length),
        largest: new TopK(1, options.top, PLACE_WIDTH),
      }),
      async measure(batch, into, rows) {
        const { loss } = prediction(model.graph(batch.tokens).output, batch.predicting, batch.targets);
        const [computed] = await model.compute([loss]);
        add(batch, computed.data as Float32Array, into, rows);
      },
      finding: (summaries, about) => lossFinding(model, options, sources, summaries, about),
    };
    return one;
  },
});

function add(batch: ScanBatch, loss: Float32Array, into: LossSummaries, rows: Rows): void {
  const tokens = new Predictions(batch);
  const { pos, next } = tokens.columns;
  for (let i = 0; i < tokens.length; i++) {
    into.all.add(0, loss[i]);
    into.distribution.add(0, loss[i]);
    into.byPosition.add(pos[i], loss[i]);
    into.byToken.add(next[i], loss[i]);
    into.bySource.add(batch.source, loss[i]);
    const key = tokens.keys[i];
    if (into.largest.accepts(0, loss[i], key)) into.largest.add(0, loss[i], key, tokens.place(i));
  }
  rows.add(tokens.keys, { ...tokens.columns, loss });
}
