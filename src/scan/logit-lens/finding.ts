/** The summaries of the logit lens as a finding, and as a table of all kinds of tokens. */
import { randomRank } from "../../analyses/baselines.ts";
import { PROBABILITY, RANK, STREAM } from "../../analyses/logit-lens/cells.ts";
import { modelFacts } from "../../analyses/model-facts.ts";
import { LOGIT_LENS, TUNED_LENS } from "../../analyses/papers.ts";
import { LOG_PROB, TOKEN } from "../../finding/columns.ts";
import { type Baseline, type Finding, finding } from "../../finding/finding.ts";
import { as, column, type Table, tableOf } from "../../finding/table.ts";
import type { View } from "../../finding/view.ts";
import type { Model } from "../../lens/model.ts";
import { tokenText } from "../../measures/prompt.ts";
import { listed, percent, quoted } from "../../tensor/words.ts";
import { PLACE_CELLS, placeOf } from "../context.ts";
import type { ScanAbout } from "../scan.ts";
import type { TopK } from "../summaries/top-k.ts";
import { notedOf } from "./noted.ts";
import { LENS_QUANTITIES, type LogitLensSummaries, RANKS, streamsForTypes } from "./summaries.ts";

const UNIFORM = "guessing";
const FREQUENCIES = "token frequencies";
const LAST = "the model's own output";
const START = "before the first layer";
/** A kind of token is listed if it was seen this often. */
const SEEN_OFTEN = 50;
const NAMED = 3;
/** Classes of ranks: each begins at one of these, where a bin does. */
const CLASSES = [0, 1, 8, 64, 512, 4096, 32_768, 262_144] as const;

type Quantity = (typeof LENS_QUANTITIES)[number];

/** A stream over the corpus. */
interface StreamRow {
  readonly layer: string;
  readonly rank: number;
  readonly rank_p25: number;
  readonly rank_median: number;
  readonly rank_p75: number;
  readonly log_prob: number;
  /** How much higher the mean log probability is than at the stream before; null at the first. */
  readonly gain: number | null;
  readonly probability: number;
  readonly probability_median: number;
  readonly probability_p95: number;
  readonly right: number;
  readonly settled: number;
  readonly kl: number;
  readonly kl_median: number;
  readonly kl_p95: number;
}

export function logitLensFinding(
  model: Model,
  labels: readonly string[],
  { top }: { readonly top: number },
  summaries: LogitLensSummaries,
  about: ScanAbout,
): Finding {
  const streams = streamsOf(labels, summaries);
  const [first, last] = [streams[0], streams[streams.length - 1]];
  const late = notedRows(model, labels, summaries.late);
  const lost = notedRows(model, labels, summaries.lost);
  const frequencies = rankByFrequency(summaries);
  const gained = [...streams].sort((a, b) => (b.gain ?? -Infinity) - (a.gain ?? -Infinity))[0];
  const before = streams[streams.indexOf(gained) - 1];
  const half = streams.find(({ settled }) => settled >= last.settled / 2)!;
  const types = typesOf(model, summaries, labels.length).filter(({ count }) => count >= SEEN_OFTEN);
  const gain = (type: TypeRow) => type.logProbs[type.logProbs.length - 1] - type.logProbs[0];
  const byGain = [...types].sort((a, b) => gain(b) - gain(a) || a.id - b.id);
  return finding({
    analysis: "scan",
    question: "At which layer does the model arrive at its predictions?",
    summary: [
      {
        text:
          (before && gained.gain! > 0
            ? `Between ${before.layer} and ${gained.layer} the right token gains most, ${gained.gain!.toFixed(2)} nats of log probability on average;`
            : "Nowhere does the right token gain log probability on average;") +
          ` its mean rank goes from ${first.rank.toFixed(1)} at ${first.layer} to ${last.rank.toFixed(1)} at the end (0 is the most probable of ${model.cfg.dVocabOut} tokens), its median from ${first.rank_median} to ${last.rank_median}.`,
        figure: { value: last.rank, unit: "tokens", comparedWith: [UNIFORM, FREQUENCIES] },
      },
      {
        text: `The model's most probable token is the right one at ${percent(last.right)} of the tokens; of these, half are the most probable from ${half.layer} on.`,
        figure: { value: 100 * last.right, unit: "%", comparedWith: [START] },
      },
      ...(streams.length > 1
        ? [
            {
              text: `One step before the end the distribution is ${streams[streams.length - 2].kl.toFixed(2)} nats from the model's own on average, and ${first.kl.toFixed(2)} nats at ${first.layer}.`,
              figure: { value: streams[streams.length - 2].kl, unit: "nats", comparedWith: [LAST] as [string] },
            },
          ]
        : []),
      ...(lost.length > 0
        ? [
            {
              text: `Most lost between a stream and the end: ${listed(lost.slice(0, NAMED).map((row) => `${quoted(row.next)} after ${quoted(row.token)} (${percent(Math.exp(row.there))} at ${row.layer}, ${percent(Math.exp(row.atEnd))} at the end)`))}.`,
            },
          ]
        : []),
      ...(byGain.length > 1
        ? [
            {
              text: `By the token that is predicted, the layers add most to ${listed(byGain.slice(0, NAMED).map((type) => `${quoted(type.token)} (${gain(type).toFixed(1)} nats)`))}.`,
            },
          ]
        : []),
    ],
    method: {
      text:
        "The corpus is cut into rows of tokens, none of which has parts of two texts, and every token that is followed by another in its row is measured. Each residual stream x, before and after every attention layer and MLP, is read as if it were the last one: probabilities are softmax(ln_final(x) W_U + b_U), where the norm takes its scale from x itself.\n\n" +
        "The rank of a token is the number of tokens that are more probable, so 0 is the best. KL is Σ p_own (log p_own − log p_stream), over the vocabulary, where p_own is what the model itself predicts. A token is settled at a stream if it is the most probable there and at every later one.",
      references: [LOGIT_LENS, TUNED_LENS],
    },
    model: modelFacts(model),
    settings: { scan: "logit-lens", layers: labels.length, top, ...about.settings },
    pictures: [RANKS_LINE, CLASSES_MAP, KL_LINE],
    answerPicture: "ranks",
    tables: [
      streamsTable(streams),
      notedTable("lost", "Tokens that were more probable before the end", lost),
      notedTable("late", "Tokens that the last step makes probable", late),
      typesTable(byGain.slice(0, top), labels),
      classesTable(labels, summaries, model.cfg.dVocabOut),
    ],
    baselines: [
      randomRank(UNIFORM, model.cfg.dVocabOut),
      ...frequencies,
      {
        name: START,
        kind: "control",
        text: "How often the most probable token is the right one before the first layer, where the stream has only the current token.",
        ...{ value: 100 * first.right, unit: "%" },
      },
      {
        name: LAST,
        kind: "reference value",
        text: "The divergence of the model's own distribution from itself.",
        ...{ value: 0, unit: "nats" },
      },
    ],
    caveats: [
      "The lens reads every layer as if it were the last. A token that it does not show may be present in another form, which a tuned lens (Belrose et al. 2023) would find.",
      "Quantiles of ranks are exact below 64, and otherwise to 1.6 % of themselves.",
      ...(about.skipped > 0
        ? [`${about.skipped} of ${about.texts} texts are too short to predict a token from another, and were left out.`]
        : []),
      ...model.notes,
    ],
  });
}

/** Every kind of token that was seen, at the streams that kinds are compared at. */
export function logitLensTables(model: Model, labels: readonly string[], summaries: LogitLensSummaries): Table[] {
  return [{ ...typesTable(typesOf(model, summaries, labels.length), labels), name: "types", title: "Kinds of tokens" }];
}

function streamsOf(
  labels: readonly string[],
  { numbers, ranks, divergences, probabilities, settled }: LogitLensSummaries,
): StreamRow[] {
  const of = (stream: number, quantity: Quantity) =>
    numbers.mean(stream * LENS_QUANTITIES.length + LENS_QUANTITIES.indexOf(quantity));
  let settledBy = 0;
  return labels.map((layer, s): StreamRow => {
    const count = numbers.count(s * LENS_QUANTITIES.length);
    settledBy += settled.values[s];
    const rank = (share: number) => Math.floor(ranks.quantile(share, s));
    return {
      layer,
      ...{ rank: of(s, "rank"), rank_p25: rank(0.25), rank_median: rank(0.5), rank_p75: rank(0.75) },
      log_prob: of(s, "log_prob"),
      gain: s === 0 ? null : of(s, "log_prob") - of(s - 1, "log_prob"),
      probability: of(s, "probability"),
      ...{ probability_median: probabilities.quantile(0.5, s), probability_p95: probabilities.quantile(0.95, s) },
      right: ranks.of(s)[RANKS.indexOf(0)] / count,
      settled: settledBy / count,
      ...{ kl: of(s, "kl"), kl_median: divergences.quantile(0.5, s), kl_p95: divergences.quantile(0.95, s) },
    };
  });
}

/** The mean rank of the predicted tokens if each were ranked by how often it is predicted in the corpus. */
function rankByFrequency({ types }: LogitLensSummaries): [Baseline] {
  const counts = Array.from(types.values).filter((n) => n > 0);
  const total = counts.reduce((a, b) => a + b, 0);
  const sorted = counts.sort((a, b) => b - a);
  const value = sorted.reduce((sum, count, rank) => sum + count * rank, 0) / total;
  const text = "The mean rank if tokens are ranked by how often they occur in this corpus, whatever comes before.";
  return [{ name: FREQUENCIES, kind: "control", text, value, unit: "tokens" }];
}

interface TypeRow {
  readonly id: number;
  readonly token: string;
  readonly count: number;
  /** Its mean log probability at each stream that kinds are compared at. */
  readonly logProbs: readonly number[];
}

function typesOf(model: Model, { types, typeLogProbs }: LogitLensSummaries, streams: number): TypeRow[] {
  const width = streamsForTypes(streams).length;
  const rows: TypeRow[] = [];
  for (let id = 0; id < types.values.length; id++) {
    const count = types.values[id];
    if (count === 0) continue;
    const logProbs = Array.from({ length: width }, (_, c) => typeLogProbs.value(id * width + c) / count);
    rows.push({ id, token: tokenText(model, id), count, logProbs });
  }
  return rows;
}

function typesTable(types: readonly TypeRow[], labels: readonly string[]): Table {
  const about = {
    name: "types",
    title: "Kinds of tokens that the layers add most to",
    caption: `By the token that is predicted: its mean log probability at some of the streams. Listed are tokens that were seen at least ${SEEN_OFTEN} times.`,
  };
  return tableOf(about, types, [
    as(TOKEN, "The token that is predicted."),
    column("count", "How often it is predicted.", { format: "integer" }),
    ...streamsForTypes(labels.length).map(
      (stream, c) =>
        [
          column(`log_prob_${labels[stream]}`, `Its mean log probability at stream ${labels[stream]}.`, {
            title: `log prob at ${labels[stream]}`,
            unit: "nats",
            digits: 2,
          }),
          (row: TypeRow) => row.logProbs[c],
        ] as const,
    ),
  ]);
}

function notedRows(model: Model, labels: readonly string[], list: TopK) {
  return list
    .of()
    .filter(({ value }) => value > 0)
    .map(({ value, payload }) => {
      const { stream, there, atEnd } = notedOf(payload);
      return { ...placeOf(model, payload), layer: labels[stream], there, atEnd, difference: value };
    });
}

function notedTable(name: string, title: string, rows: ReturnType<typeof notedRows>): Table {
  return tableOf({ name, title }, rows, [
    ...PLACE_CELLS,
    as(
      STREAM,
      name === "lost" ? "Where the next token is most probable before the end." : "The last stream before the end.",
    ),
    [
      as(PROBABILITY, { title: "there", description: "The next token's probability there." }),
      (row) => Math.exp(row.there),
    ],
    [
      column("probability_at_end", "Its probability at the end.", { title: "at the end", format: "percent" }),
      (row) => Math.exp(row.atEnd),
    ],
    column("difference", "The difference of the two log probabilities.", { unit: "nats", digits: 2 }),
  ]);
}

function streamsTable(rows: readonly StreamRow[]): Table {
  const about = { name: "streams", title: "By stream", comparedWith: [UNIFORM, FREQUENCIES, START] };
  return tableOf(about, rows, [
    STREAM,
    as(RANK, { title: "mean rank", description: "The mean of the ranks.", digits: 1 }),
    column("rank_p25", "A quarter of the ranks are at most this.", { title: "25 %", format: "integer" }),
    column("rank_median", "Half of the ranks are at most this.", { title: "median", format: "integer" }),
    column("rank_p75", "Three quarters of the ranks are at most this.", { title: "75 %", format: "integer" }),
    as(LOG_PROB, { title: "mean log prob", description: "The mean log probability of the right token." }),
    column("gain", "How much higher that is than at the stream before.", { unit: "nats", digits: 3, detail: true }),
    as(PROBABILITY, { title: "mean prob", description: "The mean probability of the right token." }),
    column("probability_median", "Half of the probabilities are at most this.", { format: "percent", detail: true }),
    column("probability_p95", "Nineteen of twenty probabilities are at most this.", {
      format: "percent",
      detail: true,
    }),
    column("right", "How often the most probable token is the right one.", {
      title: "top is right",
      format: "percent",
    }),
    column("settled", "How often it is the right one from here to the end.", { format: "percent" }),
    column("kl", "The mean divergence from the model's own distribution.", {
      title: "mean KL",
      unit: "nats",
      digits: 3,
    }),
    column("kl_median", "Half of the divergences are at most this.", {
      title: "median KL",
      unit: "nats",
      digits: 3,
      detail: true,
    }),
    column("kl_p95", "Nineteen of twenty divergences are at most this.", {
      title: "95 % KL",
      unit: "nats",
      digits: 3,
      detail: true,
    }),
  ]);
}

/** Which share of the ranks is in each class, a row for each stream and class. */
function classesTable(labels: readonly string[], { ranks, numbers }: LogitLensSummaries, vocabulary: number): Table {
  const classes = CLASSES.filter((from) => from < vocabulary);
  const rows = labels.flatMap((layer, s) => {
    const counts = ranks.of(s);
    const count = numbers.count(s * LENS_QUANTITIES.length);
    return classes.map((from, c) => {
      const [a, b] = [RANKS.indexOf(from), c + 1 < classes.length ? RANKS.indexOf(classes[c + 1]) : RANKS.bins];
      const share = counts.subarray(a, b).reduce((sum, n) => sum + n, 0) / count;
      return {
        layer,
        ranks: from === 0 ? "0" : `${from}–${Math.min(classes[c + 1] ?? vocabulary, vocabulary) - 1}`,
        share,
      };
    });
  });
  return tableOf({ name: "classes", title: "How large the ranks are", detail: true }, rows, [
    STREAM,
    column("ranks", "Ranks from one number to another; 0 is the most probable token.", {
      title: "rank",
      format: "text",
    }),
    column("share", "The share of all tokens whose next token has such a rank.", { format: "percent" }),
  ]);
}

const RANKS_LINE: View = {
  ...{ kind: "line", name: "ranks", table: "streams" },
  title: "The rank of the right token, stream by stream",
  caption: "Lower is better; 1 is added to each rank, so the most probable token has 1.",
  x: { column: "layer", label: "residual stream" },
  y: { column: ["rank_p75", "rank_median", "rank_p25"], label: "rank + 1", unit: "tokens", scale: "log", plus: 1 },
};

const CLASSES_MAP: View = {
  ...{ kind: "imshow", name: "classes", table: "classes" },
  title: "How large the ranks are at each stream",
  caption: "Each row has all tokens of the corpus.",
  x: "ranks",
  y: "layer",
  color: { column: "share", scheme: "Blues", label: "share of tokens" },
};

const KL_LINE: View = {
  ...{ kind: "line", name: "divergence", table: "streams" },
  title: "How far each stream is from the model's own distribution",
  caption: "KL(own ‖ stream), which is 0 at the end.",
  x: { column: "layer", label: "residual stream" },
  y: { column: ["kl_p95", "kl", "kl_median"], label: "KL" },
};
