/** "Does the model know the answer?" */

import { as, TOKEN } from "../finding/columns.ts";
import { type Baseline, type Finding, finding } from "../finding/finding.ts";
import { type Cell, type Column, type Table, tableOf } from "../finding/table.ts";
import type { View } from "../finding/view.ts";
import { checkModel } from "../lens/check.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { readPrompt } from "../measures/prompt.ts";
import {
  type ScoredToken,
  TEST_PROMPT,
  type TestPromptOptions,
  type TestPromptResult,
  testPrompt,
} from "../measures/test-prompt.ts";
import { checkOptions } from "../tensor/options.ts";
import { percent, quoted } from "../tensor/words.ts";
import type { TokenIds } from "../text/index.ts";
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
interface Tested extends TestPromptResult {
  readonly several: boolean;
  /** The tokens of one answer, or the first tokens of several. */
  readonly scored: readonly ScoredToken[];
  /** The first token of one answer, or the most probable of several. */
  readonly best: ScoredToken;
  /** What the model predicts for `best` after BOS alone; undefined without a BOS. */
  readonly alone: { readonly prob: number; readonly rank: number } | undefined;
}

/**
 * `testPrompt` as a finding: rank, logit and probability of each token of the answer, or of the first tokens of several answers,
 * compared with the most probable tokens and with the model's prediction without the prompt. @see testPrompt
 */
export async function testPromptFinding(
  model: HookedTransformer,
  prompt: string | TokenIds = DEFAULT_PROMPT,
  answer: string | readonly string[] = DEFAULT_ANSWERS,
  options: TestPromptOptions = {},
): Promise<Finding> {
  checkModel("testPromptFinding", model);
  checkOptions("testPromptFinding", options, TEST_PROMPT);
  const { ids } = readPrompt(model, prompt, { prependBos: options.prependBos });
  const result = await testPrompt(model, ids, answer, options);
  const { prompt: tokens, answers, steps } = result;
  const several = answers.length > 1;
  const scored = several ? steps[0].answers : steps.map((step) => step.answers[0]);
  const best = several ? scored.toSorted((a, b) => a.rank - b.rank)[0] : scored[0];
  const alone = await withoutPrompt(model, best, options.signal);
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

/** What the model predicts for a token after BOS alone. */
async function withoutPrompt(
  model: HookedTransformer,
  { id }: ScoredToken,
  signal: AbortSignal | undefined,
): Promise<{ readonly prob: number; readonly rank: number } | undefined> {
  const bos = model.text?.bosTokenId;
  if (bos === undefined) return undefined;
  const logits = Array.from((await model.forward([bos], { logitsPos: -1, signal })).data);
  const sum = logits.reduce((total, x) => total + Math.exp(x - logits[id]), 0);
  return { prob: 1 / sum, rank: logits.filter((x) => x > logits[id]).length };
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

const DEFAULT_PROMPT = "The old man smiled, and shook his";
const DEFAULT_ANSWERS: readonly string[] = ["head", "hand"];

/** `testPromptFinding` for the index. */
export const testPromptAnalysis = analysis({
  name: "test-prompt",
  question: QUESTION,
  description:
    "Rank, logit and probability of an answer's tokens after a prompt, and the most probable tokens there, like TransformerLens' test_prompt. " +
    "Several answers are compared by their first tokens.",
  example: '--prompt "Why did the elephant cross the" --answers road street',
  options: {
    prompt: { type: "prompt", description: "the text before the answer", default: DEFAULT_PROMPT },
    answers: { type: "texts", placeholder: "answer", description: "one answer, or several", default: DEFAULT_ANSWERS },
    top: {
      type: "integer",
      placeholder: "K",
      description: "how many of the most probable tokens to show",
      default: 10,
      least: 1,
    },
    asIs: { type: "flag", description: "use the answers as they are, without adding a leading space" },
  },
  run: (model, { prompt, answers, top, asIs }, { signal }) =>
    testPromptFinding(model, prompt, answers?.length === 1 ? answers[0] : answers, {
      topK: top,
      prependSpaceToAnswer: !asIs,
      signal,
    }),
});
