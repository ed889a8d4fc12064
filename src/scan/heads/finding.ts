/** The summaries of heads as a finding. */
import { modelFacts, windowCaveats } from "../../analyses/model-facts.ts";
import { HEAD_PLACE } from "../../finding/columns.ts";
import { type Baseline, type Finding, finding } from "../../finding/finding.ts";
import { column, tableOf } from "../../finding/table.ts";
import type { View } from "../../finding/view.ts";
import { headName } from "../../lens/components.ts";
import type { Model } from "../../lens/model.ts";
import { listed, percent } from "../../tensor/words.ts";
import type { ScanAbout } from "../scan.ts";
import { type HeadsSummaries, LOOKS, type Look, MEASURES } from "./summaries.ts";

type HeadRow = Readonly<Record<Look | "entropy" | "layer" | "head", number>> & { readonly component: string };

const SAYS: Readonly<Record<Look, string>> = {
  previous: "the token before",
  bos: "BOS",
  duplicate: "earlier places of the same token",
  induction: "what followed the same token before",
};
/** How many heads a sentence names. */
const NAMED = 2;

const uniformOf = (look: string) => `uniform attention, ${look === "bos" ? "BOS" : look}`;

export function headsFinding(model: Model, { queries, uniform, sums }: HeadsSummaries, about: ScanAbout): Finding {
  const { nLayers, nHeads } = model.cfg;
  const seen = LOOKS.filter((_, m) => queries.values[m] > 0);
  const rows = Array.from({ length: nLayers * nHeads }, (_, i): HeadRow => {
    const [layer, head] = [Math.floor(i / nHeads), i % nHeads];
    const means = MEASURES.map((name, m) => [
      name,
      sums.value(i * MEASURES.length + m) / Math.max(1, queries.values[m]),
    ]);
    return { layer, head, component: headName(layer, head), ...Object.fromEntries(means) };
  });
  const baselines = [...seen, "entropy" as const].map((name): Baseline => {
    const m = MEASURES.indexOf(name);
    const mean = uniform.value(m) / queries.values[m];
    const value = name === "entropy" ? { value: mean, unit: "nats" } : { value: 100 * mean, unit: "%" };
    const text = "What a head would have whose attention is the same on all tokens that it sees.";
    return { name: uniformOf(name), kind: "reference value", text, ...value };
  });
  const sentences = seen.map((look) => {
    const best = [...rows].sort((a, b) => b[look] - a[look] || a.layer - b.layer || a.head - b.head);
    const named = best.slice(0, NAMED).map((row) => `${row.component} (${percent(row[look])})`);
    return {
      text: `Most attention to ${SAYS[look]}: ${listed(named)}.`,
      figure: { value: 100 * best[0][look], unit: "%", comparedWith: [uniformOf(look)] as [string] },
    };
  });
  const [first, ...others] = sentences;
  const byEntropy = [...rows].sort((a, b) => a.entropy - b.entropy);
  return finding({
    analysis: "scan",
    question: "Where does each head look?",
    summary: [
      first ?? { text: "No token of the corpus has another before it." },
      ...others,
      {
        text: `The sharpest attention is that of ${byEntropy[0].component}: ${byEntropy[0].entropy.toFixed(2)} nats.`,
        figure: { value: byEntropy[0].entropy, unit: "nats", comparedWith: [uniformOf("entropy")] },
      },
    ],
    method: {
      text: "The corpus is cut into rows of tokens, none of which has parts of two texts. For each token but the first of a row, a head's attention (hook_pattern) is added up over the keys of a kind: the token before; BOS; earlier places of the same token; the places right after those. Means are over the tokens that have such keys. The entropy is that of all its attention, in nats.",
      references: [],
    },
    model: modelFacts(model),
    settings: { scan: "heads", ...about.settings },
    pictures: [HEADS],
    tables: [
      tableOf({ name: "heads", title: "Every head", comparedWith: baselines.map(({ name }) => name) }, rows, [
        ...HEAD_PLACE,
        ...LOOKS.map((look) =>
          column(look, `Its mean attention to ${SAYS[look]}.`, {
            format: "percent",
            ...(look === "bos" ? { title: "BOS" } : {}),
          }),
        ),
        column("entropy", "The mean entropy of its attention.", { unit: "nats", digits: 2 }),
      ]),
    ],
    baselines,
    caveats: [
      "Where a head looks is not what it does: attention to BOS, for one, is often rest.",
      "In text as it is, what followed a token before is often the token before, or the same token: a head can have a score for either.",
      ...windowCaveats(model),
      ...model.notes,
    ],
  });
}

const HEADS: View = {
  ...{ kind: "imshow", name: "heads", table: "heads" },
  title: "Where each head looks",
  caption: "Mean attention to keys of each kind.",
  x: "head",
  y: "layer",
  color: { column: LOOKS, scheme: "Blues", label: "mean attention" },
};
