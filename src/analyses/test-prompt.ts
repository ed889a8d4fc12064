/** "Does the model know the answer?" */

import { TOKEN } from "../finding/columns.ts";
import { type Finding, type FindingParts, finding, type Statement } from "../finding/finding.ts";
import { as, column, tableOf } from "../finding/table.ts";
import type { View } from "../finding/view.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { settled } from "../measures/options.ts";
import {
  measureTestPrompt,
  READING,
  TEST_PROMPT_OPTIONS,
  type TestPromptMeasurement,
  type TestPromptOptions,
} from "../measures/test-prompt.ts";
import { fixed, percent, quoted } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import { control, randomRank } from "./baselines.ts";
import { modelFacts } from "./model-facts.ts";
import { TEST_PROMPT } from "./papers.ts";

const QUESTION = "Does the model know the answer?";
const UNIFORM = "guessing";
const UNIFORM_RANK = "rank by guessing";
const WITHOUT = "without the prompt";

const METHOD = {
  text:
    "The model reads the prompt, followed by all tokens but the last of a single answer. Wherever a token of the answer comes next, its logit, its probability and its rank are read off; the rank is the number of tokens that are more probable.\n\n" +
    "Several answers are compared by the log-probability of each as a whole: the sum of the log-probabilities of its tokens, each given the prompt and the tokens before it.",
  references: [TEST_PROMPT],
};

/**
 * A tested prompt as a finding: rank, logit and probability of each token of the answers, compared with the most probable tokens
 * and with the model's prediction without the prompt; of several answers, the log-probability of each as a whole.
 * @see measureTestPrompt
 */
export async function testPrompt(model: HookedTransformer, options: TestPromptOptions = {}): Promise<Finding> {
  const asked = settled("testPrompt", model, options, TEST_PROMPT_OPTIONS, READING);
  const measured = await measureTestPrompt(model, asked);
  return finding({
    analysis: "test-prompt",
    question: QUESTION,
    summary: summaryOf(measured),
    method: METHOD,
    model: modelFacts(model),
    settings: {
      prompt: measured.text,
      "tokens of the prompt": measured.prompt.length,
      answers: measured.answers.map((tokens) => tokens.join("|")).join(", "),
    },
    pictures: [topTokens(measured)],
    tables: tables(measured),
    baselines: baselines(measured, model.cfg.dVocabOut),
    caveats: [
      "A logit alone means nothing: only differences between logits change probabilities.",
      areSequences(measured) &&
        "The answers have different numbers of tokens, or several. A longer one is a product of more probabilities, and the probability of each includes every way in which the text may go on after it.",
      "Rank and probability depend on how the prompt is worded and tokenized; the answer with a leading space is a different token from the answer without one.",
      ...model.notes,
    ],
  });
}

const areSeveral = ({ wholes }: TestPromptMeasurement) => wholes.length > 1;
/** Whether some of several answers are of several tokens. */
const areSequences = ({ wholes }: TestPromptMeasurement) =>
  wholes.length > 1 && wholes.rows.some((one) => one.tokens > 1);

/** The only answer, or the most probable of several. */
const bestOf = ({ wholes }: TestPromptMeasurement) => wholes.top(1, "log_prob").rows[0];

function summaryOf(measured: TestPromptMeasurement): FindingParts["summary"] {
  const best = bestOf(measured);
  const [{ token, rank, logit, prob }] = measured.where({ answer: best.answer });
  const [predicted] = measured.steps[0].top;
  const comparedWith: [string, ...string[]] = measured.alone ? [UNIFORM, WITHOUT] : [UNIFORM];
  const instead =
    rank === 0 ? "." : `; the model would predict ${quoted(predicted.token)}, ${percent(predicted.prob)}.`;
  if (areSequences(measured)) {
    return [
      {
        text: `Of the ${measured.wholes.length} answers ${quoted(best.answer)} is the most probable: as a whole it has a log-probability of ${fixed(best.log_prob, 2)} nats, ${percent(best.prob)}. Its first token has rank ${rank} (0 is the most probable)${instead}`,
        figure: { value: 100 * best.prob, unit: "%", comparedWith },
      },
      ...leads(measured, "nats"),
    ];
  }
  return [
    {
      text: `${quoted(token)} has rank ${rank} (0 is the most probable), a logit of ${fixed(logit, 2)} and a probability of ${percent(prob)}${instead}`,
      figure: { value: 100 * prob, unit: "%", comparedWith },
    },
    ...leads(measured, "logits"),
    best.tokens > 1 && {
      text: `The ranks of the answer's ${best.tokens} tokens are ${measured.rows.map((row) => row.rank).join(", ")}; the whole answer has a log-probability of ${fixed(best.log_prob, 3)} nats, its first token ${fixed(Math.log(prob), 3)}.`,
    },
  ];
}

/** The most probable answer's lead over each of the others. Of single tokens, it is the difference of their logits. */
function leads(measured: TestPromptMeasurement, unit: "nats" | "logits"): Statement[] {
  const best = bestOf(measured);
  const others = measured.wholes.rows.filter((row) => row !== best);
  return others.map(({ answer, log_prob }) => {
    const lead = best.log_prob - log_prob;
    return {
      text: `${quoted(best.answer)} leads ${quoted(answer)} by ${lead.toFixed(2)} ${unit}: it is ${Math.exp(lead).toPrecision(3)} times as probable.`,
    };
  });
}

function topTokens(measured: TestPromptMeasurement): View {
  return {
    kind: "topk",
    name: "top-tokens",
    title: "What the model would predict",
    caption: areSeveral(measured)
      ? "The most probable tokens after the prompt."
      : "The most probable tokens before each token of the answer.",
    of: "next token",
    table: "top",
    by: "before",
    top: ["token", "prob"],
    color: { scheme: "Blues" },
  };
}

const ANSWER = column("answer", "The answer that it is part of.", { format: "token" });
const LOG_PROB = column(
  "log_prob",
  "The sum of its tokens' log-probabilities, each given the prompt and the tokens before it.",
  {
    title: "log-probability",
    unit: "nats",
    digits: 3,
  },
);
const PROB = column("prob", "The token's probability.", { format: "percent" });

const scores = (what: string) =>
  [
    column("rank", `How many tokens are more probable than ${what}.`, { format: "integer" }),
    as(TOKEN, "The token's text."),
    column("logit", "The logit, before the softmax.", { unit: "logits", digits: 2 }),
    PROB,
  ] as const;

function tables(measured: TestPromptMeasurement): FindingParts["tables"] {
  const several = areSeveral(measured);
  const sequences = areSequences(measured);
  const predicted = measured.steps.flatMap(({ top, answers: [first] }, i) =>
    top.map((token) => ({ ...token, before: several ? "after the prompt" : `${i + 1}: ${quoted(first.token)}` })),
  );
  const before = column("before", "The token of the answer that comes there.", {
    title: several ? "where" : "before",
    format: "text",
    detail: several || measured.steps.length === 1,
  });
  const title = several ? "The answers' tokens" : "The answer's tokens";
  const own = scores("the answer's token");
  return [
    sequences &&
      tableOf({ name: "sequences", title: "The answers as wholes", comparedWith: [UNIFORM] }, measured.wholes.rows, [
        as(ANSWER, "The answer."),
        column("tokens", "How many tokens it is.", { format: "integer" }),
        LOG_PROB,
        as(PROB, "The probability of the whole answer."),
      ]),
    tableOf(
      { name: "answers", title, comparedWith: [UNIFORM, UNIFORM_RANK] },
      measured.rows,
      sequences ? [ANSWER, ...own] : own,
    ),
    tableOf({ name: "top", title: "The most probable tokens" }, predicted, [before, ...scores("the token")]),
  ];
}

function baselines(measured: TestPromptMeasurement, vocabulary: number): FindingParts["baselines"] {
  const { answer, tokens } = bestOf(measured);
  const several = areSeveral(measured);
  const length = several ? tokens : 1;
  const { alone } = measured;
  return [
    {
      name: UNIFORM,
      kind: "reference value",
      text: `The probability of ${length === 1 ? `each of ${vocabulary} tokens` : `${length} tokens in a row, of ${vocabulary},`} if all are equally likely.`,
      value: 100 / vocabulary ** length,
      unit: "%",
    },
    randomRank(UNIFORM_RANK, vocabulary),
    alone &&
      control(
        WITHOUT,
        `The probability of ${quoted(several ? answer : measured.rows[0].token)} after BOS alone: what the model predicts without having read the prompt. ${length === 1 ? "Its rank" : "The rank of its first token"} there is ${alone.rank}.`,
        100 * alone.prob,
        "%",
      ),
  ];
}

/** `testPrompt` for the index. */
export const testPromptAnalysis = analysis({
  name: "test-prompt",
  question: QUESTION,
  description:
    "Rank, logit and probability of an answer's tokens after a prompt, and the most probable tokens there, like TransformerLens' test_prompt. " +
    "Several answers are compared as wholes, by the log-probability of all their tokens.",
  example: { prompt: "Why did the elephant cross the", answers: ["road", "street"] },
  options: TEST_PROMPT_OPTIONS,
  run: testPrompt,
});
