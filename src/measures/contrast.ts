/**
 * Two prompts that differ in one thing, and two answers that the model decides between because of it: what patching compares.
 * The clean prompt should make the right answer likelier, the corrupted one the wrong answer.
 */

import type { Metric } from "../lens/metric.ts";
import type { Model } from "../lens/model.ts";
import { InputError } from "../tensor/errors.ts";
import { quoted } from "../tensor/words.ts";
import type { TokenIds } from "../text/index.ts";
import { answerPlace, answerPlaceName, answerToken, type Prompt, readPrompt, tokenText } from "./prompt.ts";

/** Two prompts with the same number of tokens, and two answers of one token each. */
export interface ContrastOptions {
  readonly clean?: string | TokenIds | undefined;
  readonly corrupted?: string | TokenIds | undefined;
  /** The answer to the clean prompt. */
  readonly answer?: string | number | undefined;
  /** The answer to the corrupted prompt. */
  readonly wrong?: string | number | undefined;
}

/** A contrast that small models already know: a pronoun's gender. */
export const DEFAULT_CONTRAST = {
  clean: "The lady was so tired that",
  corrupted: "The gentleman was so tired that",
  answer: " she",
  wrong: " he",
} as const;

/** The contrast, ready to run, with the results of the two unchanged runs. */
export interface Contrast {
  readonly clean: Prompt;
  readonly corrupted: Prompt;
  /** The answers' texts. */
  readonly answer: string;
  readonly wrong: string;
  /** Where the answers are read, in words: "the last position". */
  readonly place: string;
  /** `logit[answer] - logit[wrong]` there, in logits. */
  readonly metric: Metric;
  readonly cleanMetric: number;
  readonly corruptedMetric: number;
  /** A metric as a fraction of the distance from the corrupted run's (0) to the clean run's (1). */
  readonly normalized: (metric: number) => number;
}

/** The difference of two tokens' logits at a position, in logits. */
export function logitDifference(answer: number, wrong: number, pos: number): Metric {
  return (logits) => {
    const last = logits.at({ pos });
    return last
      .at({ d_vocab: answer })
      .sub(last.at({ d_vocab: wrong }))
      .mean();
  };
}

/** If the two runs' metrics differ by less than this, the difference is rounding and chance, so it cannot be divided up. In logits. */
const LEAST_DIFFERENCE = 0.01;

/**
 * Reads and runs a contrast.
 * @throws InputError for prompts of different lengths or alike, answers of several tokens or the same, or a model that
 * does not distinguish the prompts.
 */
export async function readContrast(model: Model, options: ContrastOptions, signal?: AbortSignal): Promise<Contrast> {
  const clean = readPrompt(model, options.clean ?? DEFAULT_CONTRAST.clean);
  const corrupted = readPrompt(model, options.corrupted ?? DEFAULT_CONTRAST.corrupted);
  checkAlike(clean, corrupted);
  const answer = answerToken(model, options.answer ?? DEFAULT_CONTRAST.answer);
  const wrong = answerToken(model, options.wrong ?? DEFAULT_CONTRAST.wrong);
  if (answer === wrong) {
    throw new InputError(
      `Both answers are the token ${quoted(tokenText(model, answer))}: give two different answers that the prompts decide between.`,
      { asked: answer },
    );
  }
  const [pos, other] = [answerPlace(model, clean), answerPlace(model, corrupted)];
  if (pos !== other) {
    throw new InputError(
      `The clean prompt's mask is at ${pos} and the corrupted one's at ${other}: mask the same place.`,
      {
        asked: [pos, other],
      },
    );
  }
  const metric = logitDifference(answer, wrong, pos);
  const graphs = [clean, corrupted].map(({ input }) => model.graph(input));
  const [cleanMetric, corruptedMetric] = (
    await model.compute(
      graphs.map((graph) => metric(graph.output, graph)),
      { signal },
    )
  ).map((found) => found.item());
  const difference = cleanMetric - corruptedMetric;
  if (!(Math.abs(difference) >= LEAST_DIFFERENCE)) {
    throw new InputError(
      `The model does not distinguish the two prompts: ${quoted(tokenText(model, answer))} over ${quoted(tokenText(model, wrong))} is ${cleanMetric.toFixed(3)} logits for the clean one and ${corruptedMetric.toFixed(3)} for the corrupted one. Give prompts or answers that make a difference.`,
      { asked: LEAST_DIFFERENCE, found: difference },
    );
  }
  return {
    clean,
    corrupted,
    answer: tokenText(model, answer),
    wrong: tokenText(model, wrong),
    place: answerPlaceName(model),
    metric,
    cleanMetric,
    corruptedMetric,
    // Rounded to the precision of float32 logits, so that a place that changes nothing has 0.
    normalized: (value) => Math.round(((value - corruptedMetric) / difference) * 1e5) / 1e5 + 0,
  };
}

/** @throws InputError unless the prompts have equally many tokens and differ. */
function checkAlike(clean: Prompt, corrupted: Prompt): void {
  if (clean.ids.length !== corrupted.ids.length) {
    const listed = (prompt: Prompt) => prompt.tokens.map((token) => JSON.stringify(token)).join(" ");
    throw new InputError(
      `The clean prompt has ${clean.ids.length} tokens and the corrupted one ${corrupted.ids.length}, but patching copies position by position: reword one until the numbers match. They are ${listed(clean)} and ${listed(corrupted)}.`,
      { asked: clean.ids.length, found: corrupted.ids.length },
    );
  }
  if (clean.ids.every((id, i) => id === corrupted.ids[i])) {
    throw new InputError(
      "The clean and the corrupted prompt are the same: change the word that the answer depends on.",
      {
        asked: clean.tokens.join(""),
      },
    );
  }
}

/** A contrast's options, as measures and analyses take them. */
export const contrastOptions = {
  clean: { type: "prompt", description: "the prompt that calls for the answer", default: DEFAULT_CONTRAST.clean },
  corrupted: {
    type: "prompt",
    description: "the prompt that calls for the other, of as many tokens",
    default: DEFAULT_CONTRAST.corrupted,
  },
  answer: { type: "answer", description: "the clean prompt's answer, one token", default: DEFAULT_CONTRAST.answer },
  wrong: { type: "answer", description: "the corrupted prompt's answer, one token", default: DEFAULT_CONTRAST.wrong },
} as const;
