/** The summaries of losses as a finding. */
import { modelFacts } from "../../analyses/model-facts.ts";
import { LOSS, POS, TOKEN } from "../../finding/columns.ts";
import { type Baseline, type Finding, finding } from "../../finding/finding.ts";
import { as, column, type Table, tableOf } from "../../finding/table.ts";
import type { View } from "../../finding/view.ts";
import type { Model } from "../../lens/model.ts";
import { tokenText } from "../../measures/prompt.ts";
import { listed, percent, quoted } from "../../tensor/words.ts";
import { PLACE_CELLS, placeOf } from "../context.ts";
import type { ScanAbout } from "../scan.ts";
import type { Moments } from "../summaries/moments.ts";
import type { LossSummaries } from "./summaries.ts";

const UNIFORM = "uniform";
const UNIGRAM = "token frequencies";
const EARLY = "early positions";
/** How many tokens a sentence names. */
const NAMED = 3;

/** Everything that is said of a group of losses. */
interface Group {
  readonly count: number;
  readonly loss: number;
  readonly sd: number;
}

export function lossFinding(
  model: Model,
  { top }: { readonly top: number },
  sources: readonly string[],
  summaries: LossSummaries,
  about: ScanAbout,
): Finding {
  const { all, distribution } = summaries;
  const positions = groupsOf(summaries.byPosition, (pos) => ({ pos }));
  const tokens = groupsOf(summaries.byToken, (id) => ({ id, token: tokenText(model, id) }))
    .map((one) => ({ ...one, share: (one.loss * one.count) / (all.mean() * all.count()) }))
    .sort((a, b) => b.share - a.share || a.id - b.id);
  const named = groupsOf(summaries.bySource, (source) => ({ source, name: sources[source] }));
  const worst = summaries.largest.of().map(({ value, payload }) => ({ ...placeOf(model, payload), loss: value }));
  const halves = early(summaries.byPosition);
  return finding({
    analysis: "scan",
    question: "How well does the model predict the corpus, and where not?",
    summary: [
      {
        text: `The mean loss of the ${all.count().toLocaleString("en")} next tokens is ${all.mean().toFixed(3)} nats (a perplexity of ${Math.exp(all.mean()).toFixed(1)}); half of them have less than ${distribution.quantile(0.5).toFixed(2)} nats.`,
        figure: { value: all.mean(), unit: "nats", comparedWith: [UNIFORM, UNIGRAM] },
      },
      halves && {
        text: `In the second half of the positions the mean loss is ${halves.late.toFixed(3)} nats, compared with ${halves.early.toFixed(3)} in the first.`,
        figure: { value: halves.late, unit: "nats", comparedWith: [EARLY] },
      },
      {
        text: `Most of the loss is that of ${listed(tokens.slice(0, NAMED).map((one) => `${quoted(one.token)} (${percent(one.share)} of all, ${one.loss.toFixed(2)} nats each)`))}.`,
      },
    ],
    method: {
      text: "The corpus is cut into rows of tokens, none of which has parts of two texts. Each token that is followed by another in its row predicts it, from the tokens before it in the row: the loss is −log of the probability that it gets, in nats.",
      references: [],
    },
    model: modelFacts(model),
    settings: { scan: "loss", top, ...about.settings },
    pictures: [POSITIONS],
    tables: [
      tokensTable(tokens.slice(0, top)),
      tableOf({ name: "worst", title: "Tokens that are predicted worst" }, worst, [...PLACE_CELLS, LOSS]),
      named.length > 1 && sourcesTable(named),
      positionsTable(positions),
    ],
    baselines: baselinesOf(model, summaries.byToken, halves?.early),
    caveats: [
      "A row begins with BOS, not with the text before it: the first tokens of a row that does not begin a text are harder than they would be with that text.",
      "Losses of models with other tokenizers are not comparable: their tokens are longer or shorter.",
      ...(about.skipped > 0
        ? [`${about.skipped} of ${about.texts} texts are too short to predict a token from another, and were left out.`]
        : []),
      ...model.notes,
    ],
  });
}

function groupsOf<T extends object>(moments: Moments, of: (index: number) => T): (T & Group)[] {
  const groups: (T & Group)[] = [];
  for (let i = 0; i < moments.length; i++) {
    const count = moments.count(i);
    if (count > 0) groups.push({ ...of(i), count, loss: moments.mean(i), sd: Math.sqrt(moments.variance(i)) });
  }
  return groups;
}

/** The mean losses of both halves of the positions; undefined if there is only one position. */
function early(byPosition: Moments): { readonly early: number; readonly late: number } | undefined {
  const used = Array.from({ length: byPosition.length }, (_, i) => i).filter((i) => byPosition.count(i) > 0);
  const middle = Math.floor(used.length / 2);
  if (middle === 0) return undefined;
  const meanOf = (positions: readonly number[]) => {
    const total = positions.reduce((n, i) => n + byPosition.count(i), 0);
    return positions.reduce((sum, i) => sum + byPosition.mean(i) * byPosition.count(i), 0) / total;
  };
  return { early: meanOf(used.slice(0, middle)), late: meanOf(used.slice(middle)) };
}

function baselinesOf({ cfg }: Model, byToken: Moments, early: number | undefined): Baseline[] {
  const counts = Array.from({ length: byToken.length }, (_, id) => byToken.count(id));
  const total = counts.reduce((a, b) => a + b, 0);
  const entropy = counts.reduce((sum, n) => (n === 0 ? sum : sum - (n / total) * Math.log(n / total)), 0);
  return [
    {
      name: UNIFORM,
      kind: "reference value",
      text: "The loss if all tokens of the vocabulary had the same probability.",
      ...{ value: Math.log(cfg.dVocabOut), unit: "nats" },
    },
    {
      name: UNIGRAM,
      kind: "control",
      text: "The loss of predicting each token by how often it occurs in this corpus, whatever comes before.",
      ...{ value: entropy, unit: "nats" },
    },
    ...(early === undefined
      ? []
      : [
          {
            name: EARLY,
            kind: "control",
            text: "The mean loss in the first half of the positions, which have less text before them.",
            ...{ value: early, unit: "nats" },
          } as const,
        ]),
  ];
}

const COUNT = column("count", "How many tokens.", { format: "integer" });
const MEAN = as(LOSS, { title: "mean loss", description: "The mean loss, −log probability." });
const SD = column("sd", "The standard deviation of the loss.", { unit: "nats", digits: 3 });

type TokenGroup = Group & { readonly token: string; readonly share: number };

function tokensTable(tokens: readonly TokenGroup[]): Table {
  const about = {
    name: "tokens",
    title: "Tokens with most of the loss",
    caption: "By the token that is predicted: how often it occurs, times its mean loss, as a share of the whole.",
    comparedWith: [UNIGRAM],
  };
  return tableOf(about, tokens, [
    as(TOKEN, "The token that is predicted."),
    COUNT,
    MEAN,
    SD,
    column("share", "Its share of the loss of all tokens.", { format: "percent" }),
  ]);
}

function sourcesTable(rows: readonly (Group & { readonly name: string })[]): Table {
  return tableOf({ name: "sources", title: "Sources" }, rows, [
    column("name", "The source.", { title: "source", format: "text" }),
    COUNT,
    MEAN,
    SD,
  ]);
}

function positionsTable(rows: readonly (Group & { readonly pos: number })[]): Table {
  const about = { name: "positions", title: "Loss by position", detail: true };
  return tableOf(about, rows, [
    as(POS, "The position of the token that predicts; 0 is BOS, where the model has one."),
    COUNT,
    MEAN,
    SD,
  ]);
}

const POSITIONS: View = {
  ...{ kind: "line", name: "loss-by-position", table: "positions" },
  title: "Loss by position",
  caption: "The more text before a token, the better it is predicted, as far as the model uses it.",
  x: "pos",
  y: { column: "loss", label: "mean loss" },
};
