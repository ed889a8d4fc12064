/** "Which heads are previous-token, duplicate-token or induction heads?" */

import { HEAD_PLACE } from "../finding/columns.ts";
import { type Finding, finding, type Statement } from "../finding/finding.ts";
import { column, type Table, tableOf } from "../finding/table.ts";
import type { View } from "../finding/view.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { HEAD_NAMES, type HeadName } from "../measures/head-detector/detection-patterns.ts";
import {
  HEAD_DETECTOR_OPTIONS,
  type HeadDetectorMeasurement,
  type HeadDetectorRow,
  measureHeadDetector,
  REPEATING_TEXTS,
} from "../measures/head-detector.ts";
import { type AnalysisOptions, type GivenOptions, settled, topOf } from "../measures/options.ts";
import { fixed, listed, withArticle } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import { UNIFORM_ATTENTION, uniformAttention } from "./baselines.ts";
import { modelFacts, windowCaveats } from "./model-facts.ts";
import { DETECT_HEAD, INDUCTION_HEADS } from "./papers.ts";
import { headMap } from "./views.ts";

/** The options of `headDetector`. */
export type HeadDetectorOptions = GivenOptions<typeof OPTIONS>;

const QUESTION = "Which heads are previous-token, duplicate-token or induction heads?";

const WORDS: Readonly<Record<HeadName, string>> = {
  previous_token_head: "previous-token",
  duplicate_token_head: "duplicate-token",
  induction_head: "induction",
};

const uniformName = (name: HeadName) => `${UNIFORM_ATTENTION}, ${WORDS[name]}`;

/**
 * Scores every head against the three patterns of `detectHead`, as a mean over the prompts, compared with the score of a head
 * that attends equally to every token it can see.
 * @throws InputError for a prompt too short to compare.
 */
export async function headDetector(model: HookedTransformer, options: HeadDetectorOptions = {}): Promise<Finding> {
  const { top, ...asked } = settled("headDetector", model, options, OPTIONS);
  const { prompts, measure, excludeBos, excludeCurrentToken } = asked;
  const measured = await measureHeadDetector(model, asked);
  return finding({
    analysis: "head-detector",
    question: QUESTION,
    summary: summaryOf(measured),
    method: methodOf(measure),
    model: modelFacts(model),
    settings: {
      measure,
      "exclude BOS": excludeBos,
      "exclude current token": excludeCurrentToken,
      prompts: prompts === REPEATING_TEXTS ? `${prompts.length} with repetitions` : prompts.length,
      top,
    },
    pictures: [heatmaps(measured)],
    tables: tables(measured, top),
    baselines: HEAD_NAMES.map((name) =>
      uniformAttention(measured.uniform[name], { name: uniformName(name), on: "the same prompts" }),
    ),
    caveats: [
      "A pattern is not a function: a head that looks at the right place may copy nothing useful from there. Patch or ablate it to see.",
      "Attention that a head does not need often rests on the first token, which lowers all scores; --exclude-bos leaves it out.",
      "On ordinary text a head may look at a token for its meaning and match a pattern by chance. Repeated random tokens (induction-score) rule that out.",
      ...windowCaveats(model),
      ...model.notes,
    ],
  });
}

/** The head with the highest score of a kind. */
interface BestHead {
  readonly kind: HeadName;
  readonly head: string;
  readonly score: number;
  readonly uniform: number;
}

/** The best head of each kind, the one furthest above uniform attention first. */
function summaryOf(measured: HeadDetectorMeasurement): Finding["summary"] {
  const best = HEAD_NAMES.map((kind): BestHead => {
    const [head] = measured.top(1, kind);
    return { kind, head: head.component, score: head[kind], uniform: measured.uniform[kind] };
  });
  const found = best.filter(({ score, uniform }) => score > uniform);
  const missing = best.filter((one) => !found.includes(one));
  found.sort((a, b) => b.score - b.uniform - (a.score - a.uniform));
  const statement = ({ kind, head, score, uniform }: BestHead): Statement => ({
    text: `The best ${WORDS[kind]} head is ${head} with ${fixed(score, 2)}; uniform attention has ${fixed(uniform, 2)}.`,
    figure: { value: score, unit: "", comparedWith: [uniformName(kind)] },
  });
  const all = [...found.map(statement), ...(missing.length > 0 ? [noneOf(missing)] : [])];
  return all as [Statement, ...Statement[]];
}

/** The kinds of which there is no head, in one sentence. */
function noneOf(missing: readonly BestHead[]): Statement {
  const scores = missing.map(
    ({ head, score, uniform }) => `${fixed(score, 2)} (${head}; uniform ${fixed(uniform, 2)})`,
  );
  const kinds = missing.map(({ kind }) => WORDS[kind]);
  const [first, ...others] = missing.map(({ kind }) => uniformName(kind));
  return {
    text: `No head is ${withArticle(listed(kinds, "or"))} head: the highest ${missing.length === 1 ? "score is" : "scores are"} ${listed(scores)}, no more than uniform attention has.`,
    figure: { value: missing[0].score, unit: "", comparedWith: [first, ...others] },
  };
}

function methodOf(measure: "mul" | "abs"): Finding["method"] {
  return {
    text: `Each head's attention A is compared with the pattern D of a kind of head: 1 on the token before (previous-token), on earlier tokens equal to the current one (duplicate-token), or on the tokens after those (induction); 0 elsewhere. ${
      measure === "mul"
        ? "The score is the share of the attention that goes where D says, Σ A·D / Σ A."
        : "The score is 1 − mean |A − D| · size, from −1 to 1."
    } It is the mean over the prompts.`,
    references: [DETECT_HEAD, INDUCTION_HEADS],
  };
}

function heatmaps({ rows, uniform }: HeadDetectorMeasurement): View {
  const lowest = Math.min(0, ...rows.flatMap((row) => HEAD_NAMES.map((kind) => row[kind])));
  const scores = HEAD_NAMES.map((kind) => `${WORDS[kind]} ${fixed(uniform[kind], 3)}`);
  const color = { column: HEAD_NAMES, label: "score", scheme: "Blues", domain: [lowest, 1] } as const;
  const caption = `Uniform attention scores ${scores.join(", ")}.`;
  return headMap("scores", "How closely each head matches each kind of head", color, { caption });
}

const COLUMNS = [
  ...HEAD_PLACE,
  ...HEAD_NAMES.map((kind) => column(kind, `Its score as a ${WORDS[kind]} head.`, { title: WORDS[kind], digits: 3 })),
];

function tables(measured: HeadDetectorMeasurement, top: number): Table[] {
  const above = (row: HeadDetectorRow) => Math.max(...HEAD_NAMES.map((kind) => row[kind] - measured.uniform[kind]));
  const { rows: highest, length } = measured.top(top, above);
  const title = `The ${length} heads furthest above uniform attention`;
  return [
    tableOf({ name: "top", title, comparedWith: HEAD_NAMES.map(uniformName) }, highest, COLUMNS),
    tableOf({ name: "heads", title: "All heads", detail: true }, measured.rows, COLUMNS),
  ];
}

const OPTIONS = { ...HEAD_DETECTOR_OPTIONS, top: topOf("heads") } as const satisfies AnalysisOptions;

/** `headDetector` for the index. */
export const headDetectorAnalysis = analysis({
  name: "head-detector",
  model: "gelu-3l-novels",
  question: QUESTION,
  description:
    "Compares each head's attention with the pattern of a kind of head, as TransformerLens' detect_head does, and with a head that attends uniformly.",
  example: { excludeBos: true, measure: "abs" },
  options: OPTIONS,
  run: headDetector,
});
