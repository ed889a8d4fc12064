/** "At which layer does the model arrive at its prediction?" */

import { ENTROPY, LOG_PROB } from "../finding/columns.ts";
import { type Finding, type FindingParts, finding } from "../finding/finding.ts";
import { as, column, type Table, tableOf } from "../finding/table.ts";
import type { View } from "../finding/view.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { fillsMasks } from "../lens/model-has.ts";
import {
  LOGIT_LENS_OPTIONS,
  type LogitLensMeasurement,
  type LogitLensOptions,
  measureLogitLens,
} from "../measures/logit-lens.ts";
import { settled } from "../measures/options.ts";
import { percent } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import { control, randomRank } from "./baselines.ts";
import { lens, lensTables, PROBABILITY, RANK, STREAM } from "./logit-lens/cells.ts";
import { modelFacts } from "./model-facts.ts";
import { LOGIT_LENS, TUNED_LENS } from "./papers.ts";

const QUESTION = "At which layer does the model arrive at its prediction?";
const UNIFORM = "guessing";
const BIAS = "unembedding's bias alone";
const OTHER = "another position's token";
const LAST = "the model's own output";

/**
 * The logit lens on a prompt: rank and probability of the token that comes next, and the most probable tokens, at each
 * layer and position. @see measureLogitLens
 */
export async function logitLens(model: HookedTransformer, options: LogitLensOptions = {}): Promise<Finding> {
  const measured = await measureLogitLens(model, settled("logitLens", model, options, LOGIT_LENS_OPTIONS));
  const { prompt, labels } = measured;
  return finding({
    analysis: "logit-lens",
    question: QUESTION,
    summary: summaryOf(model, measured),
    method: METHOD,
    model: modelFacts(model),
    settings: { prompt: prompt.text, tokens: prompt.ids.length, layers: labels.length },
    pictures: [lens(model), rankLine(model, measured)],
    tables: [layerTable(measured), ...lensTables(measured)],
    baselines: baselines(model, measured),
    caveats: [
      "The lens reads every layer as if it were the last. A token that it does not show may be present in another form, which a tuned lens (Belrose et al. 2023) would find; what it does show need not be what later layers use.",
      "Before the first layer the stream holds only the current token, so what the lens shows there is the direct path from embedding to unembedding: bigrams at best.",
      `One prompt of ${prompt.ids.length} tokens says little about the model in general.`,
      fillsMasks(model)
        ? "Except at masks the model sees the token that it should name, so a high probability there is no prediction."
        : model.cfg.attentionDir !== "causal" &&
          "This model's attention sees later tokens too, so the next token is not a prediction.",
      ...model.notes,
    ],
  });
}

const METHOD = {
  text:
    "Each residual stream x, before and after every attention layer and MLP, is read as if it were the last one: probabilities are softmax(ln_final(x) W_U + b_U), where the norm takes its scale from x itself.\n\n" +
    "The rank of a token is the number of tokens that are more probable, so 0 is the best. Means are over the positions that have a next token. Entropy is of the whole distribution.",
  references: [LOGIT_LENS, TUNED_LENS],
};

/** The first stream and the last, on average. */
const ends = ({ layers: { rows } }: LogitLensMeasurement) => [rows[0], rows[rows.length - 1]] as const;
/** What ranks are compared with. */
const ranksOf = (measured: LogitLensMeasurement): [string, ...string[]] =>
  ends(measured)[1].other_rank === null ? [UNIFORM, BIAS] : [UNIFORM, BIAS, OTHER];

function summaryOf(model: HookedTransformer, measured: LogitLensMeasurement): Finding["summary"] {
  const { rows } = measured.layers;
  const [first, last] = ends(measured);
  const [{ layer: to, gain }] = measured.layers.top(1, "gain");
  const from = rows[rows.findIndex(({ layer }) => layer === to) - 1].layer;
  const right = fillsMasks(model) ? "token that stands there" : "right next token";
  return [
    {
      text:
        (gain! > 0
          ? `Between ${from} and ${to} the ${right} gains most, ${gain!.toFixed(2)} nats of log probability on average, and its mean rank`
          : `Nowhere does the ${right} gain log probability on average; its mean rank`) +
        ` goes from ${first.rank.toFixed(1)} at ${first.layer} to ${last.rank.toFixed(1)} at ${last.layer} (0 is the most probable of ${model.cfg.dVocabOut} tokens).`,
      figure: { value: last.rank, unit: "tokens", comparedWith: ranksOf(measured) },
    },
    {
      text: `The most probable token is the right one at ${percent(first.right)} of the positions at ${first.layer}, and at ${percent(last.right)} of them at the end.`,
      figure: { value: 100 * first.right, unit: "%", comparedWith: [LAST] },
    },
  ];
}

function baselines({ cfg }: HookedTransformer, measured: LogitLensMeasurement): FindingParts["baselines"] {
  const [, { other_rank, right }] = ends(measured);
  return [
    randomRank(UNIFORM, cfg.dVocabOut),
    control(
      BIAS,
      "The mean rank of the same next tokens by b_U alone, which reflects how common tokens are and nothing about the prompt.",
      measured.biasRank,
      "tokens",
    ),
    other_rank !== null &&
      control(
        OTHER,
        "The mean rank, at the last layer, of the tokens that come next half a prompt away: as common as the right ones, but in the wrong place.",
        other_rank,
        "tokens",
      ),
    {
      name: LAST,
      kind: "reference value",
      text: "How often the model itself is right on this prompt, which is what the last layer shows.",
      value: 100 * right,
      unit: "%",
    },
    control(
      "agreement at the end",
      "The largest difference of any token's log probability between the lens at the last layer and the model's own output: only rounding, as they are the same computation.",
      measured.error,
      "nats",
    ),
  ];
}

const OTHER_RANK = column("other_rank", "The mean rank of the tokens that come next half a prompt away.", {
  title: OTHER,
  digits: 1,
});

function layerTable(measured: LogitLensMeasurement): Table {
  const about = { name: "layers", title: "By layer, means over positions", comparedWith: ranksOf(measured) };
  return tableOf(about, measured.layers.rows, [
    STREAM,
    as(RANK, { title: "mean rank", digits: 1 }),
    column("median_rank", "The median of the ranks.", { title: "median", digits: 1 }),
    LOG_PROB,
    as(PROBABILITY, "The mean probability of the right token."),
    column("right", "How often the top token is the right one.", { title: "top is right", format: "percent" }),
    ENTROPY,
    OTHER_RANK,
  ]);
}

function rankLine({ cfg }: HookedTransformer, { biasRank }: LogitLensMeasurement): View {
  return {
    kind: "line",
    name: "mean-rank",
    title: "The rank of the right token, layer by layer",
    caption: "Lower is better; 1 is added to each rank, so the most probable token has 1.",
    table: "layers",
    x: { column: STREAM.name, label: "residual stream" },
    y: { column: [RANK.name, OTHER_RANK.name], label: "mean rank + 1", unit: "tokens", scale: "log", plus: 1 },
    references: [
      { kind: "y", at: (cfg.dVocabOut + 1) / 2, label: UNIFORM },
      { kind: "y", at: biasRank + 1, label: BIAS },
    ],
  };
}

/** `logitLens` for the index. */
export const logitLensAnalysis = analysis({
  name: "logit-lens",
  model: "gelu-3l-novels",
  question: QUESTION,
  description:
    "The logit lens (nostalgebraist 2020): the residual stream of every layer and position, read through the final norm and the unembedding. " +
    "Shows the rank and the probability of the token that actually comes next, and the tokens that each layer finds most probable.",
  example: { prompt: "She opened the door and went into the room." },
  options: LOGIT_LENS_OPTIONS,
  run: logitLens,
});
