/** "Which heads are previous-token, duplicate-token or induction heads?" */

import { headCells } from "../finding/columns.ts";
import { type Baseline, type Finding, finding, type Statement } from "../finding/finding.ts";
import { type AboutTable, type Cell, type Table, tableOf } from "../finding/table.ts";
import type { View } from "../finding/view.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { HEAD_NAMES, type HeadName } from "../measures/head-detector/detection-patterns.ts";
import {
  HEAD_DETECTOR_OPTIONS,
  type HeadDetectorMeasurement,
  measureHeadDetector,
  REPEATING_TEXTS,
} from "../measures/head-detector.ts";
import { type AnalysisOptions, type GivenOptions, settled, topOf } from "../measures/options.ts";
import { listed, withArticle } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import { modelFacts, windowCaveats } from "./model-facts.ts";
import { DETECT_HEAD, INDUCTION_HEADS } from "./papers.ts";

/** The options of `headDetector`. */
export type HeadDetectorOptions = GivenOptions<typeof OPTIONS>;

const QUESTION = "Which heads are previous-token, duplicate-token or induction heads?";

const WORDS: Readonly<Record<HeadName, string>> = {
  previous_token_head: "previous-token",
  duplicate_token_head: "duplicate-token",
  induction_head: "induction",
};

const uniformName = (name: HeadName) => `uniform attention, ${WORDS[name]}`;

/** A head, and its score as each kind of head. */
interface ScoredHead {
  readonly name: string;
  readonly layer: number;
  readonly head: number;
  readonly scores: readonly number[];
}

/**
 * Scores every head against the three patterns of `detectHead`, as a mean over the prompts, compared with the score of a head
 * that attends equally to every token it can see.
 * @throws InputError for a prompt too short to compare.
 */
export async function headDetector(model: HookedTransformer, options: HeadDetectorOptions = {}): Promise<Finding> {
  const { top, ...asked } = settled("headDetector", model, options, OPTIONS);
  const { prompts, measure, excludeBos, excludeCurrentToken } = asked;
  const measured = await measureHeadDetector(model, asked);
  const { scores, chance } = measured;
  const heads = model.allHeadLabels().map((name, i) => ({
    name,
    layer: Math.floor(i / model.cfg.nHeads),
    head: i % model.cfg.nHeads,
    scores: scores.map(({ data }) => data[i] as number),
  }));
  return finding({
    analysis: "head-detector",
    question: QUESTION,
    summary: summaryOf(heads, chance),
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
    tables: tables(heads, chance, top),
    baselines: HEAD_NAMES.map(
      (name, k): Baseline => ({
        name: uniformName(name),
        kind: "null model",
        text: "The score of a head that attends equally to every token it can see, on the same prompts.",
        value: chance[k],
      }),
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
  readonly name: (typeof HEAD_NAMES)[number];
  readonly head: string;
  readonly score: number;
  readonly chance: number;
}

/** The best head of each kind, the one furthest above uniform attention first. */
function summaryOf(heads: readonly ScoredHead[], chance: readonly number[]): Finding["summary"] {
  const best = HEAD_NAMES.map((name, k): BestHead => {
    const head = heads.reduce((a, b) => (b.scores[k] > a.scores[k] ? b : a));
    return { name, head: head.name, score: head.scores[k], chance: chance[k] };
  });
  const found = best.filter(({ score, chance: uniform }) => score > uniform);
  const missing = best.filter((one) => !found.includes(one));
  found.sort((a, b) => b.score - b.chance - (a.score - a.chance));
  const statement = ({ name, head, score, chance: uniform }: BestHead): Statement => ({
    text: `The best ${WORDS[name]} head is ${head} with ${score.toFixed(2)}; uniform attention has ${uniform.toFixed(2)}.`,
    figure: { value: score, unit: "", comparedWith: [uniformName(name)] },
  });
  const all = [...found.map(statement), ...(missing.length > 0 ? [noneOf(missing)] : [])];
  return all as [Statement, ...Statement[]];
}

/** The kinds of which there is no head, in one sentence. */
function noneOf(missing: readonly BestHead[]): Statement {
  const scores = missing.map(
    ({ head, score, chance }) => `${score.toFixed(2)} (${head}; uniform ${chance.toFixed(2)})`,
  );
  const [first, ...others] = missing.map(({ name }) => uniformName(name));
  return {
    text: `No head is ${withArticle(
      listed(
        missing.map(({ name }) => WORDS[name]),
        "or",
      ),
    )} head: the highest ${missing.length === 1 ? "score is" : "scores are"} ${listed(scores)}, no more than uniform attention has.`,
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

function heatmaps({ scores, chance }: HeadDetectorMeasurement): View {
  const uniform = HEAD_NAMES.map((name, k) => `${WORDS[name]} ${chance[k].toFixed(3)}`).join(", ");
  const lowest = Math.min(0, ...scores.flatMap(({ data }) => [...data]));
  return {
    kind: "imshow",
    name: "scores",
    title: "How closely each head matches each kind of head",
    caption: `Uniform attention scores ${uniform}.`,
    table: "heads",
    x: "head",
    y: "layer",
    color: { column: HEAD_NAMES, label: "score", scheme: "Blues", domain: [lowest, 1] },
  };
}

function tables(heads: readonly ScoredHead[], chance: readonly number[], top: number): Table[] {
  const above = ({ scores }: ScoredHead) => Math.max(...scores.map((score, k) => score - chance[k]));
  const highest = [...heads].sort((a, b) => above(b) - above(a)).slice(0, top);
  const title = `The ${highest.length} heads furthest above uniform attention`;
  return [
    headTable({ name: "top", title, comparedWith: HEAD_NAMES.map(uniformName) }, highest),
    headTable({ name: "heads", title: "All heads", detail: true }, heads),
  ];
}

function headTable(about: AboutTable, heads: readonly ScoredHead[]): Table {
  return tableOf(about, heads, [
    ...headCells<ScoredHead>(),
    ...HEAD_NAMES.map((name, k): Cell<ScoredHead> => {
      const description = `Its score as a ${WORDS[name]} head.`;
      return [{ name, title: WORDS[name], format: { digits: 3 }, description }, ({ scores }) => scores[k]];
    }),
  ]);
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
