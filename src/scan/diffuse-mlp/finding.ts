/** The summaries as a finding. */

import { modelFacts } from "../../analyses/model-facts.ts";
import { OPEN_PROBLEMS, SOLU } from "../../analyses/papers.ts";
import { NEURON, TOKEN } from "../../finding/columns.ts";
import { type Baseline, type Finding, finding } from "../../finding/finding.ts";
import { as, column, type Table, tableOf } from "../../finding/table.ts";
import type { View } from "../../finding/view.ts";
import type { Model } from "../../lens/model.ts";
import type { Site } from "../../measures/diffuse-mlp/site.ts";
import { tokenText } from "../../measures/prompt.ts";
import { listed, percent, quoted } from "../../tensor/words.ts";
import { PLACE_CELLS, type Place, placeOf } from "../context.ts";
import type { ScanAbout } from "../scan.ts";
import type { Moments } from "../summaries/moments.ts";
import type { TopEntry } from "../summaries/top-k.ts";
import { type DiffuseMlpSummaries, numbersOf, QUANTITIES, SHARES, TYPE_QUANTITIES } from "./summaries.ts";
import { type Diffuse, diffuseOf } from "./thresholds.ts";

/** A kind of token is listed if it was seen this often. */
const SEEN_OFTEN = 50;
/** How many tokens the first sentences name. */
const NAMED = 3;

type TokenRow = Place & ReturnType<typeof numbersOf>;

export function diffuseMlpFinding(
  model: Model,
  site: Site,
  { top, seed }: { readonly top: number; readonly seed: number },
  summaries: DiffuseMlpSummaries,
  about: ScanAbout,
): Finding {
  const { quantities } = summaries;
  const measured = quantities.count(quantityOf("loss"));
  const rowOf = ({ payload }: TopEntry): TokenRow => ({ ...placeOf(model, payload), ...numbersOf(payload) });
  const found = diffuseOf(summaries, measured);
  const diffuse = found.entries.slice(0, top).map(rowOf);
  const scores = summaries.scores.of().map(rowOf);
  const types = typesOf(model, summaries.byType).filter(({ count }) => count >= SEEN_OFTEN);
  const baselines = baselinesOf(found, quantities, seed);
  return finding({
    analysis: "scan",
    question: QUESTION,
    summary: summaryOf(found, diffuse, scores, summaries, measured, types),
    method: method(site),
    model: modelFacts(model),
    settings: { scan: "diffuse-mlp", layer: site.layer, ablated: site.ablated, top, seed, ...about.settings },
    parts: PARTS,
    pictures: viewsOf(found),
    answerPicture: "attribution-share",
    tables: [
      tokensTable(
        "diffuse",
        "High attribution, no high neuron",
        "diffuse",
        "The largest attributions among tokens that count for the answer.",
        diffuse,
      ),
      tokensTable(
        "scores",
        "The largest scores",
        "notebook",
        "The notebook's score, of the predicted token's own loss.",
        scores,
      ),
      typesTable(types, top),
      neuronsTable(summaries, measured, top),
      quantitiesTable(summaries),
      {
        ...tokensTable(
          "sample",
          "Tokens drawn at random",
          "diffuse",
          "Each token of the corpus is in it with the same probability.",
          summaries.sample.all().map(rowOf),
        ),
        detail: true,
      },
    ],
    baselines,
    caveats: [
      "Ablating the neurons leaves the MLP's output at its bias: it ablates to the bias, not to the mean.",
      "The notebook's score divides by a small number, so by construction it favours small activations.",
      "Tokens of one text are not independent, and texts that occur twice count twice.",
      ...(about.skipped > 0
        ? [`${about.skipped} of ${about.texts} texts are too short to predict a token from another, and were left out.`]
        : []),
      ...model.notes,
    ],
  });
}

const QUESTION = "Which tokens does the MLP layer matter for, even though no single neuron stands out?";

const PARTS = [
  {
    name: "diffuse",
    title: "Attribution: much from the MLP, little from any neuron",
    text: "What each neuron does directly to the logit of the token that comes next.",
  },
  {
    name: "notebook",
    title: "The notebook's score",
    text: "How much the loss rises without the neurons, divided by how far the largest activation stands out.",
  },
  { name: "distributions", title: "All numbers over the corpus" },
];

const quantityOf = (name: (typeof QUANTITIES)[number]["name"]) => QUANTITIES.findIndex((one) => one.name === name);
const step = ({ token, next }: Place) => `${quoted(token)} → ${quoted(next)}`;
const many = (n: number) => n.toLocaleString("en");

const CHANCE = "high and diffuse by chance";
const SHUFFLED = "shuffled directions";
const EQUIVALENT = "equivalence";

function baselinesOf({ chance }: Diffuse, quantities: Moments, seed: number): Baseline[] {
  return [
    {
      name: CHANCE,
      kind: "reference value",
      text: "How many tokens with a high attribution would have a low share if the two were unrelated.",
      ...{ value: chance, unit: "tokens" },
    },
    {
      name: SHUFFLED,
      kind: "null model",
      text: "The mean share of the largest neuron when every neuron keeps its activation but writes in another neuron's direction, with another permutation in every batch.",
      ...{ value: 100 * quantities.mean(quantityOf("shuffled_max_share")), unit: "%", seed },
    },
    {
      name: EQUIVALENT,
      kind: "reference value",
      text: "The correlation that two equivalent measures would have.",
      value: 1,
    },
  ];
}

function summaryOf(
  { count, chance, highFrom, shareUpTo }: Diffuse,
  diffuse: readonly TokenRow[],
  scores: readonly TokenRow[],
  { quantities, products }: DiffuseMlpSummaries,
  measured: number,
  types: readonly TypeRow[],
): Finding["summary"] {
  const verdict = count > chance ? "more" : "fewer";
  const share = quantities.mean(quantityOf("max_share"));
  const shuffled = quantities.mean(quantityOf("shuffled_max_share"));
  const r = pearson(quantities, products);
  const named = diffuse
    .slice(0, NAMED)
    .map((row) => `${step(row)} (${row.attribution.toFixed(1)} logits, largest neuron ${percent(row.max_share)})`);
  return [
    {
      text: `At ${many(count)} of the ${many(measured)} tokens (${percent(count / measured)}) the MLP matters without any single neuron standing out, ${verdict} than the ${many(Math.round(chance))} that chance gives.`,
      figure: { value: count, unit: "tokens", comparedWith: [CHANCE] },
    },
    ...(named.length > 0
      ? [
          {
            text: `It does so most of all at ${listed(named)}: its neurons together add at least ${highFrom.toFixed(2)} logits to the next token (the upper quarter), and none has more than ${percent(shareUpTo)} of the sum of their sizes (the lower half).`,
          },
        ]
      : []),
    {
      text: `On average the largest neuron carries ${percent(share)} of the attribution, compared with ${percent(shuffled)} with shuffled output directions.`,
      figure: { value: 100 * share, unit: "%", comparedWith: [SHUFFLED] },
    },
    ...(Number.isFinite(r)
      ? [
          {
            text: `Ablation and direct attribution agree with Pearson's r = ${r.toFixed(2)}.`,
            figure: { value: r, unit: "", comparedWith: [EQUIVALENT] as const },
          },
        ]
      : []),
    {
      text: `The notebook's score is largest at ${listed(scores.slice(0, NAMED).map((row) => `${step(row)} (${row.score.toFixed(2)})`))}.`,
    },
    ...(types.length > 1
      ? [
          {
            text: `By kind of token, its mean is largest at ${listed(types.slice(0, NAMED).map((row) => `${quoted(row.token)} (${row.score.toFixed(3)}, ${many(row.count)} times)`))}.`,
          },
        ]
      : []),
  ];
}

/** Of attribution and loss change. */
function pearson(quantities: Moments, products: Moments): number {
  const [x, y] = [quantityOf("attribution"), quantityOf("loss_change")];
  const covariance = products.mean() - quantities.mean(x) * quantities.mean(y);
  return covariance / Math.sqrt(quantities.variance(x) * quantities.variance(y));
}

function tokensTable(name: string, title: string, part: string, caption: string, rows: readonly TokenRow[]): Table {
  const of = (name: keyof TokenRow) => (row: TokenRow) => row[name];
  const numbers = QUANTITIES.filter(({ name }) => name in (rows[0] ?? {}));
  return tableOf({ name, title, part, caption }, rows, [
    ...PLACE_CELLS,
    ...numbers.map(
      (one) =>
        [{ ...one, ...(SHOWN.includes(one.name) ? {} : { detail: true }) }, of(one.name as keyof TokenRow)] as const,
    ),
    [as(NEURON, { title: "neuron", description: "The neuron with the largest |a_i|." }), of("largest_neuron")],
  ]);
}

/** What people read in a table of tokens. */
const SHOWN: readonly string[] = ["score", "loss_change", "attribution", "max_share", "effective_neurons"];

interface TypeRow {
  readonly token: string;
  readonly count: number;
  readonly score: number;
  readonly loss_change: number;
  readonly attribution: number;
  readonly max_share: number;
  readonly loss: number;
}

/** The mean of each number for each token of the vocabulary that was seen, the largest score first. */
function typesOf(model: Model, byType: Moments): TypeRow[] {
  const width = TYPE_QUANTITIES.length;
  const rows: (TypeRow & { readonly id: number })[] = [];
  for (let id = 0; id < byType.length / width; id++) {
    const count = byType.count(id * width);
    if (count === 0) continue;
    const [score, loss_change, attribution, max_share, loss] = TYPE_QUANTITIES.map((_, q) =>
      byType.mean(id * width + q),
    );
    rows.push({ id, token: tokenText(model, id), count, score, loss_change, attribution, max_share, loss });
  }
  return rows.sort((a, b) => b.score - a.score || a.id - b.id);
}

function typesTable(types: readonly TypeRow[], top: number): Table {
  const about = {
    name: "types",
    title: "Kinds of tokens",
    part: "notebook",
    caption: `Means over all places where a token stands, of tokens that were seen at least ${SEEN_OFTEN} times; the largest mean score first.`,
  };
  return tableOf(about, types.slice(0, top), [
    TOKEN,
    column("count", "How often it was seen.", { format: "integer" }),
    ...TYPE_QUANTITIES.map((name) => QUANTITIES.find((one) => one.name === name)!),
  ] as never);
}

function neuronsTable({ largest }: DiffuseMlpSummaries, measured: number, top: number): Table {
  const rows = Array.from(largest.values, (count, neuron) => ({ d_mlp: neuron, count, share: count / measured }))
    .sort((a, b) => b.count - a.count || a.d_mlp - b.d_mlp)
    .slice(0, top);
  return tableOf({ name: "neurons", title: "Neurons that are most often the largest", part: "diffuse" }, rows, [
    NEURON,
    column("count", "At how many tokens its |a_i| is the largest.", { title: "largest at", format: "integer" }),
    column("share", "The same as a share of all tokens.", { format: "percent" }),
  ]);
}

function quantitiesTable({ quantities, distributions }: DiffuseMlpSummaries): Table {
  const rows = QUANTITIES.map((one, q) => ({ one, q })).filter(({ q }) => quantities.count(q) > 0);
  const quantile = (share: number) => (row: (typeof rows)[number]) => distributions.quantile(share, row.q);
  const about = {
    name: "quantities",
    title: "How each number is distributed",
    part: "distributions",
    caption: "Quantiles are exact to 1.6 % of themselves; a share is a number from 0 to 1.",
  };
  return tableOf(about, rows, [
    [column("quantity", "The name of the number.", { format: "text" }), ({ one }) => one.title],
    [column("unit", "Its unit.", { format: "text" }), ({ one }) => ("unit" in one ? one.unit : "")],
    [column("mean", "Its mean.", { digits: 3 }), ({ q }) => quantities.mean(q)],
    [column("sd", "Its standard deviation.", { digits: 3 }), ({ q }) => Math.sqrt(quantities.variance(q))],
    [column("min", "The smallest.", { digits: 3 }), ({ q }) => quantities.min(q)],
    [column("p05", "A twentieth of all are smaller.", { title: "5 %", digits: 3 }), quantile(0.05)],
    [column("median", "Half of all are smaller.", { digits: 3 }), quantile(0.5)],
    [column("p95", "A twentieth of all are larger.", { title: "95 %", digits: 3 }), quantile(0.95)],
    [column("max", "The largest.", { digits: 3 }), ({ q }) => quantities.max(q)],
  ]);
}

function viewsOf({ highFrom, shareUpTo }: Diffuse): View[] {
  return [
    {
      ...{ kind: "scatter", name: "attribution-share", part: "diffuse", table: "sample" },
      title: "How much the MLP adds, and how much of it is one neuron",
      caption: "The answer is at the lower right: a high attribution that no neuron dominates. Tokens drawn at random.",
      x: "attribution",
      y: { column: "max_share", label: "largest neuron's share", scale: "log" },
      references: [
        { kind: "x", at: highFrom, label: "upper quarter" },
        { kind: "y", at: 100 * shareUpTo, label: "median" },
      ],
    },
    {
      ...{ kind: "scatter", name: "ablation-attribution", part: "notebook", table: "sample" },
      title: "The loss without the MLP, and what the MLP adds directly",
      caption: "On the line, the two measures agree. Tokens drawn at random.",
      x: "attribution",
      y: { column: "loss_change", label: "loss change when ablated" },
      references: [{ kind: "slope", slope: 1, label: "equal" }],
    },
  ];
}

function method({ layer, norm, ablated }: Site): Finding["method"] {
  const mlp = `blocks.${layer}.mlp`;
  return {
    text: [
      `The corpus is cut into rows of tokens, none of which has parts of two texts, and every token that is followed by another in its row is measured. Its outlier score is max − mean of ${ablated} over the neurons; with these set to zero, the next token's loss changes, and that change divided by the outlier score is the notebook's score. The MLP is in the last layer, so one pass with all positions zeroed has every ablation.`,
      `Attribution. With the final norm's scale held fixed, neuron i adds a_i = hook_post_i (W_out[i] · W_U[:, t]) / ln_final.hook_scale to the logit of the next token t. The attribution is the sum of a_i, the largest neuron's share is max |a_i| / Σ |a_i|, and the effective number of neurons (Σ |a_i|)² / Σ a_i².` +
        (norm ? ` The scale is that of ${norm.scale}.` : ""),
      `The answer. A token counts if its attribution is in the upper quarter of all, and its largest neuron's share in the lower half: thresholds are bounds of the bins that the numbers are counted in, ${SHARES.bins - 2} for shares and 32 for each doubling of an attribution, as close to a quarter and a half as these allow. ${mlp}'s neurons are shuffled with another permutation in every batch.`,
    ].join("\n\n"),
    references: [OPEN_PROBLEMS, SOLU],
  };
}
