/** "Does the model know the answer?" */

import { as, TOKEN } from "../finding/columns.ts";
import { type Baseline, type Finding, finding } from "../finding/finding.ts";
import { type Cell, type Column, type Table, tableOf } from "../finding/table.ts";
import type { View } from "../finding/view.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { settled } from "../measures/options.ts";
import {
  afterBosAlone,
  measureTestPrompt,
  READING,
  type ScoredToken,
  TEST_PROMPT_OPTIONS,
  type TestedPrompt,
  type TestPromptOptions,
} from "../measures/test-prompt.ts";
import { percent, quoted } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import { modelFacts } from "./model-facts.ts";

const QUESTION = "Does the model know the answer?";
const UNIFORM = "guessing";
const UNIFORM_RANK = "rank by guessing";
const WITHOUT = "without the prompt";

const METHOD = {
  text:
    "The model reads the prompt, followed by all tokens but the last of a single answer. Wherever a token of the answer comes next, its logit, its probability and its rank are read off; the rank is the number of tokens that are more probable.\n\n" +
    "With several answers, only their first tokens are compared, because they are alternatives at the same place.",
  references: [
    {
      title: "TransformerLens, utils.test_prompt",
      url: "https://github.com/TransformerLensOrg/TransformerLens",
      paper: "Nanda and Bloom, 2022",
    },
  ],
};

/** A tested prompt: the tokens that are scored, and the one that the finding is about. */
interface Tested extends TestedPrompt {
  readonly several: boolean;
  /** The tokens of one answer, or the first tokens of several. */
  readonly scored: readonly ScoredToken[];
  /** The first token of one answer, or the most probable of several. */
  readonly best: ScoredToken;
  /** What the model predicts for `best` after BOS alone; undefined without a BOS. */
  readonly alone: { readonly prob: number; readonly rank: number } | undefined;
}

/**
 * A tested prompt as a finding: rank, logit and probability of each token of the answer, or of the first tokens of several answers,
 * compared with the most probable tokens and with the model's prediction without the prompt. @see measureTestPrompt
 */
export async function testPrompt(model: HookedTransformer, options: TestPromptOptions = {}): Promise<Finding> {
  const asked = settled("testPrompt", model, options, TEST_PROMPT_OPTIONS, READING);
  const result = await measureTestPrompt(model, asked);
  const { prompt: tokens, answers, steps } = result;
  const several = answers.length > 1;
  const scored = several ? steps[0].answers : steps.map((step) => step.answers[0]);
  const best = several ? scored.toSorted((a, b) => a.rank - b.rank)[0] : scored[0];
  const alone = await afterBosAlone(model, best.id, asked.signal);
  const tested: Tested = { ...result, several, scored, best, alone };
  return finding({
    analysis: "test-prompt",
    question: QUESTION,
    summary: summaryOf(tested),
    method: METHOD,
    model: modelFacts(model),
    settings: {
      prompt: tokens.join(""),
      "tokens of the prompt": tokens.length,
      answers: answers.map((ids) => ids.join("|")).join(", "),
    },
    pictures: [topTokens(tested)],
    tables: tables(tested),
    baselines: baselines(tested, model.cfg.dVocabOut),
    caveats: [
      "A logit alone means nothing: only differences between logits change probabilities.",
      ...(several && answers.some((ids) => ids.length > 1)
        ? [
            `Only the first tokens of the answers are compared, but some answers have more: ${answers.map((a) => a.join("|")).join(", ")}.`,
          ]
        : []),
      "Rank and probability depend on how the prompt is worded and tokenized; the answer with a leading space is a different token from the answer without one.",
      ...model.notes,
    ],
  });
}

function summaryOf({ several, scored, best, alone, steps }: Tested): Finding["summary"] {
  const [predicted] = steps[0].top;
  return [
    {
      text:
        `${quoted(best.token)} has rank ${best.rank} (0 is the most probable), a logit of ${best.logit.toFixed(2)} and a probability of ${percent(best.prob)}` +
        (best.rank === 0 ? "." : `; the model would predict ${quoted(predicted.token)}, ${percent(predicted.prob)}.`),
      figure: { value: 100 * best.prob, unit: "%", comparedWith: [UNIFORM, ...(alone ? [WITHOUT] : [])] },
    },
    ...(several ? comparisons(scored) : wholeAnswer(scored)),
  ];
}

/** The first answer's lead over each of the others. */
function comparisons(scored: readonly ScoredToken[]) {
  const [first, ...others] = scored;
  return others.map((other) => ({
    text: `${quoted(first.token)} leads ${quoted(other.token)} by ${(first.logit - other.logit).toFixed(2)} logits: it is ${(first.prob / other.prob).toPrecision(3)} times as probable.`,
  }));
}

function wholeAnswer(scored: readonly ScoredToken[]) {
  if (scored.length === 1) return [];
  const logProb = scored.reduce((sum, { prob }) => sum + Math.log(prob), 0);
  return [
    {
      text: `The ranks of the answer's ${scored.length} tokens are ${scored.map((s) => s.rank).join(", ")}; the whole answer has a log probability of ${logProb.toFixed(3)} nats, its first token ${Math.log(scored[0].prob).toFixed(3)}.`,
    },
  ];
}

function topTokens({ several }: Tested): View {
  return {
    kind: "topk",
    name: "top-tokens",
    title: "What the model would predict",
    caption: several
      ? "The most probable tokens after the prompt."
      : "The most probable tokens before each token of the answer.",
    of: "next token",
    table: "top",
    by: "before",
    top: ["token", "prob"],
    color: { scheme: "Blues" },
  };
}

function tables({ several, scored, steps }: Tested): Table[] {
  const title = several ? "The answers' first tokens" : "The answer's tokens";
  const comparedWith = [UNIFORM, UNIFORM_RANK];
  const rows = steps.flatMap(({ top, answers: [first] }, i) =>
    top.map((token) => ({ ...token, before: several ? "after the prompt" : `${i + 1}: ${quoted(first.token)}` })),
  );
  const before: Column = {
    name: "before",
    title: several ? "where" : "before",
    format: "text",
    detail: several || steps.length === 1,
    description: "The token of the answer that comes there.",
  };
  return [
    tableOf({ name: "answers", title, comparedWith }, scored, scoreCells("the answer's token")),
    tableOf({ name: "top", title: "The most probable tokens" }, rows, [
      [before, (row) => row.before],
      ...scoreCells("the token"),
    ]),
  ];
}

function scoreCells(what: string): Cell<ScoredToken>[] {
  const rankDescription = `How many tokens are more probable than ${what}.`;
  return [
    [{ name: "rank", title: "rank", format: "integer", description: rankDescription }, ({ rank }) => rank],
    [as(TOKEN, { description: "The token's text." }), ({ token }) => token],
    [
      {
        name: "logit",
        title: "logit",
        unit: "logits",
        format: { digits: 2 },
        description: "The logit, before the softmax.",
      },
      ({ logit }) => logit,
    ],
    [{ name: "prob", title: "prob", format: "percent", description: "The token's probability." }, ({ prob }) => prob],
  ];
}

function baselines({ best, alone }: Tested, vocabulary: number): Baseline[] {
  return [
    {
      name: UNIFORM,
      kind: "reference value",
      text: `The probability of each of ${vocabulary} tokens if all are equally likely.`,
      value: 100 / vocabulary,
      unit: "%",
    },
    {
      name: UNIFORM_RANK,
      kind: "reference value",
      text: `The mean rank in random order, (${vocabulary} − 1) / 2.`,
      value: (vocabulary - 1) / 2,
      unit: "tokens",
    },
    ...(alone
      ? [
          {
            name: WITHOUT,
            kind: "control" as const,
            text: `The probability of ${quoted(best.token)} after BOS alone: what the model predicts without having read the prompt. Its rank there is ${alone.rank}.`,
            value: 100 * alone.prob,
            unit: "%",
          },
        ]
      : []),
  ];
}

/** `testPrompt` for the index. */
export const testPromptAnalysis = analysis({
  name: "test-prompt",
  question: QUESTION,
  description:
    "Rank, logit and probability of an answer's tokens after a prompt, and the most probable tokens there, like TransformerLens' test_prompt. " +
    "Several answers are compared by their first tokens.",
  example: { prompt: "Why did the elephant cross the", answers: ["road", "street"] },
  options: TEST_PROMPT_OPTIONS,
  run: testPrompt,
});
