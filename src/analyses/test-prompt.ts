/** "Does the model know the answer?" */

import { TOKEN } from "../finding/columns.ts";
import { type Baseline, type Finding, finding } from "../finding/finding.ts";
import { as, type Cell, column, type Table, tableOf } from "../finding/table.ts";
import type { View } from "../finding/view.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { needText } from "../lens/tokens.ts";
import { settled } from "../measures/options.ts";
import {
  afterBosAlone,
  measureTestPrompt,
  READING,
  type ScoredToken,
  TEST_PROMPT_OPTIONS,
  type TestPromptMeasurement,
  type TestPromptOptions,
} from "../measures/test-prompt.ts";
import { percent, quoted } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
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

/** A tested prompt, and the answer that the finding is about. */
interface Tested extends Pick<TestPromptMeasurement, "scored" | "steps" | "logProbs"> {
  /** Each answer in quotes. */
  readonly names: readonly string[];
  readonly several: boolean;
  /** Whether some of several answers are of several tokens. */
  readonly sequences: boolean;
  /** The index of the only answer, or of the most probable of several. */
  readonly best: number;
  /** What the model predicts for it after BOS alone; undefined without a BOS. */
  readonly alone: { readonly prob: number; readonly rank: number } | undefined;
}

/**
 * A tested prompt as a finding: rank, logit and probability of each token of the answers, compared with the most probable tokens
 * and with the model's prediction without the prompt; of several answers, the log-probability of each as a whole.
 * @see measureTestPrompt
 */
export async function testPrompt(model: HookedTransformer, options: TestPromptOptions = {}): Promise<Finding> {
  const asked = settled("testPrompt", model, options, TEST_PROMPT_OPTIONS, READING);
  const result = await measureTestPrompt(model, asked);
  const { prompt: tokens, answers, scored, steps, logProbs } = result;
  const ids = scored.map((answer) => answer.map(({ id }) => id));
  const several = answers.length > 1;
  const best = logProbs.indexOf(Math.max(...logProbs));
  const judged = several ? ids[best] : ids[best].slice(0, 1);
  const tested: Tested = {
    ...{ scored, steps, logProbs, several, best },
    names: ids.map((answer) => quoted(needText(model).decode(answer))),
    sequences: several && answers.some((answer) => answer.length > 1),
    alone: await afterBosAlone(model, judged, asked.signal),
  };
  return finding({
    analysis: "test-prompt",
    question: QUESTION,
    summary: summaryOf(tested),
    method: METHOD,
    model: modelFacts(model),
    settings: {
      prompt: result.text,
      "tokens of the prompt": tokens.length,
      answers: answers.map((ids) => ids.join("|")).join(", "),
    },
    pictures: [topTokens(tested)],
    tables: tables(tested),
    baselines: baselines(tested, model.cfg.dVocabOut),
    caveats: [
      "A logit alone means nothing: only differences between logits change probabilities.",
      ...(tested.sequences
        ? [
            "The answers have different numbers of tokens, or several. A longer one is a product of more probabilities, and the probability of each includes every way in which the text may go on after it.",
          ]
        : []),
      "Rank and probability depend on how the prompt is worded and tokenized; the answer with a leading space is a different token from the answer without one.",
      ...model.notes,
    ],
  });
}

function summaryOf(tested: Tested): Finding["summary"] {
  const { names, scored, best, alone, steps, logProbs, several, sequences } = tested;
  const [predicted] = steps[0].top;
  const [first] = scored[best];
  const comparedWith: [string, ...string[]] = [UNIFORM, ...(alone ? [WITHOUT] : [])];
  const instead =
    first.rank === 0 ? "." : `; the model would predict ${quoted(predicted.token)}, ${percent(predicted.prob)}.`;
  if (sequences) {
    const prob = Math.exp(logProbs[best]);
    return [
      {
        text: `Of the ${names.length} answers ${names[best]} is the most probable: as a whole it has a log-probability of ${minus(logProbs[best], 2)} nats, ${percent(prob)}. Its first token has rank ${first.rank} (0 is the most probable)${instead}`,
        figure: { value: 100 * prob, unit: "%", comparedWith },
      },
      ...comparisons(tested),
    ];
  }
  return [
    {
      text: `${quoted(first.token)} has rank ${first.rank} (0 is the most probable), a logit of ${first.logit.toFixed(2)} and a probability of ${percent(first.prob)}${instead}`,
      figure: { value: 100 * first.prob, unit: "%", comparedWith },
    },
    ...(several ? comparisons(tested) : wholeAnswer(scored[0])),
  ];
}

/** The most probable answer's lead over each of the others. */
function comparisons({ names, scored, logProbs, sequences, best }: Tested) {
  const others = names.map((_, i) => i).filter((i) => i !== best);
  return others.map((i) => {
    const lead = logProbs[best] - logProbs[i];
    const by = sequences
      ? `${lead.toFixed(2)} nats`
      : `${(scored[best][0].logit - scored[i][0].logit).toFixed(2)} logits`;
    return {
      text: `${names[best]} leads ${names[i]} by ${by}: it is ${Math.exp(lead).toPrecision(3)} times as probable.`,
    };
  });
}

const minus = (x: number, digits: number): string => x.toFixed(digits).replace("-", "−");

function wholeAnswer(scored: readonly ScoredToken[]) {
  if (scored.length === 1) return [];
  const logProb = scored.reduce((sum, { prob }) => sum + Math.log(prob), 0);
  return [
    {
      text: `The ranks of the answer's ${scored.length} tokens are ${scored.map((s) => s.rank).join(", ")}; the whole answer has a log-probability of ${minus(logProb, 3)} nats, its first token ${minus(Math.log(scored[0].prob), 3)}.`,
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

function tables({ names, several, sequences, scored, steps, logProbs }: Tested): Table[] {
  const title = several ? "The answers' tokens" : "The answer's tokens";
  const comparedWith = [UNIFORM, UNIFORM_RANK];
  const rows = steps.flatMap(({ top, answers: [first] }, i) =>
    top.map((token) => ({ ...token, before: several ? "after the prompt" : `${i + 1}: ${quoted(first.token)}` })),
  );
  const before = column("before", "The token of the answer that comes there.", {
    title: several ? "where" : "before",
    format: "text",
    detail: several || steps.length === 1,
  });
  const tokens = scored.flatMap((answer, a) => answer.map((token) => ({ ...token, of: names[a] })));
  const of = column("answer", "The answer that it is part of.", { format: "text" });
  const own: Cell<(typeof tokens)[number]>[] = sequences ? [[of, (row) => row.of]] : [];
  return [
    ...(sequences ? [wholeAnswers(names, scored, logProbs)] : []),
    tableOf({ name: "answers", title, comparedWith }, tokens, [...own, ...scoreCells("the answer's token")]),
    tableOf({ name: "top", title: "The most probable tokens" }, rows, [
      [before, (row) => row.before],
      ...scoreCells("the token"),
    ]),
  ];
}

/** A row for each answer as a whole. */
function wholeAnswers(
  names: readonly string[],
  scored: readonly (readonly ScoredToken[])[],
  logProbs: readonly number[],
): Table {
  const rows = names.map((name, i) => ({ name, tokens: scored[i].length, logProb: logProbs[i] }));
  return tableOf({ name: "sequences", title: "The answers as wholes", comparedWith: [UNIFORM] }, rows, [
    [column("answer", "The answer.", { format: "text" }), "name"],
    column("tokens", "How many tokens it is.", { format: "integer" }),
    [
      column("log_prob", "The sum of its tokens' log-probabilities, each given the prompt and the tokens before it.", {
        title: "log-probability",
        unit: "nats",
        digits: 3,
      }),
      "logProb",
    ],
    [column("prob", "The probability of the whole answer.", { format: "percent" }), ({ logProb }) => Math.exp(logProb)],
  ]);
}

function scoreCells(what: string): Cell<ScoredToken>[] {
  const rankDescription = `How many tokens are more probable than ${what}.`;
  return [
    column("rank", rankDescription, { format: "integer" }),
    as(TOKEN, "The token's text."),
    column("logit", "The logit, before the softmax.", { unit: "logits", digits: 2 }),
    column("prob", "The token's probability.", { format: "percent" }),
  ];
}

function baselines({ names, scored, several, best, alone }: Tested, vocabulary: number): Baseline[] {
  const judged = several ? scored[best] : scored[best].slice(0, 1);
  const length = judged.length;
  const what = several ? names[best] : quoted(judged[0].token);
  return [
    {
      name: UNIFORM,
      kind: "reference value",
      text: `The probability of ${length === 1 ? `each of ${vocabulary} tokens` : `${length} tokens in a row, of ${vocabulary},`} if all are equally likely.`,
      value: 100 / vocabulary ** length,
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
            text: `The probability of ${what} after BOS alone: what the model predicts without having read the prompt. ${length === 1 ? "Its rank" : "The rank of its first token"} there is ${alone.rank}.`,
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
    "Several answers are compared as wholes, by the log-probability of all their tokens.",
  example: { prompt: "Why did the elephant cross the", answers: ["road", "street"] },
  options: TEST_PROMPT_OPTIONS,
  run: testPrompt,
});
