/** "Which heads are previous-token, duplicate-token or induction heads?" */

import { type Baseline, type Finding, finding, type Statement } from "../finding/finding.ts";
import type { PictureSpec } from "../finding/picture.ts";
import type { Column } from "../finding/table.ts";
import { Tensor } from "../graph/tensor.ts";
import { ActivationCache } from "../lens/activation-cache.ts";
import { HEAD_NAMES, type HeadName } from "../lens/detection-patterns.ts";
import { checkSequences, type DetectHeadOptions, detectHead } from "../lens/head-detector.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { paddedOn, prepareInput } from "../lens/model-input.ts";
import { batchOf } from "../lens/tokens.ts";
import { ndarray } from "../tensor/array.ts";
import type { TokenIds } from "../text/index.ts";
import { analysis } from "./analysis.ts";
import { type AnalysisContext, type AnalysisOptions, type GivenOptions, settled, topOption } from "./options.ts";
import { checkPrompts, modelFacts, windowCaveats } from "./prompt.ts";

/** The options of `headDetector`. */
export type HeadDetectorOptions = GivenOptions<typeof OPTIONS, "prompts">;

const QUESTION = "Which heads are previous-token, duplicate-token or induction heads?";

/** Texts that repeat words, so that duplicate-token and induction heads have something to look at. */
const REPEATING_TEXTS: readonly string[] = [
  "The cat sat by the door, and the dog sat by the cat.",
  "He went to the house on the hill, and she went to the house on the hill too.",
  "The old man saw the young man, and the young man saw the old man.",
  "One day the sun came out, and the next day the sun came out again.",
];

const WORDS: Readonly<Record<HeadName, string>> = {
  previous_token_head: "previous-token",
  duplicate_token_head: "duplicate-token",
  induction_head: "induction",
};

const uniformName = (name: HeadName) => `uniform attention, ${WORDS[name]}`;

/**
 * Scores every head against the three patterns of `detectHead`, as a mean over the prompts, compared with the score of a head
 * that attends equally to every token it can see.
 * @throws InputError for a prompt too short to compare.
 */
export async function headDetector(
  model: HookedTransformer,
  prompts: readonly string[] | readonly TokenIds[] = REPEATING_TEXTS,
  options: HeadDetectorOptions = {},
): Promise<Finding> {
  const given = settled("headDetector", model, options, OPTIONS, "prompts");
  const { measure, excludeBos, excludeCurrentToken, top, signal, onProgress } = given;
  checkPrompts(prompts);
  const asked: DetectHeadOptions = {
    errorMeasure: measure,
    excludeBos,
    excludeCurrentToken,
    signal,
  };
  const { scores, chance } = await scoresOf(model, prompts, asked, onProgress);

  const heads = model.allHeadLabels().map((name, i) => ({ name, scores: scores.map(({ data }) => data[i] as number) }));
  const above = (head: (typeof heads)[number]) => Math.max(...head.scores.map((score, k) => score - chance[k]));
  const ranked = [...heads].sort((a, b) => above(b) - above(a));
  const best = HEAD_NAMES.map((name, k) => {
    const head = heads.reduce((a, b) => (b.scores[k] > a.scores[k] ? b : a));
    return { name, head: head.name, score: head.scores[k], chance: chance[k] };
  });
  const answer = best.reduce((a, b) => (b.score - b.chance > a.score - a.chance ? b : a));
  const statement = ({ name, head, score, chance }: (typeof best)[number]): Statement => ({
    text: `The best ${WORDS[name]} head is ${head} with ${score.toFixed(2)}; uniform attention has ${chance.toFixed(2)}.`,
    figure: { value: score, unit: "", comparedWith: [uniformName(name)] },
  });
  const columns: Column[] = [
    { name: "head", title: "head", format: "text", description: "L0H3 is head 3 of layer 0." },
    ...HEAD_NAMES.map((name) => ({
      name,
      title: WORDS[name],
      format: { digits: 3 },
      description: `Its score as a ${WORDS[name]} head.`,
    })),
  ];
  const rows = (some: typeof heads) => some.map((head) => [head.name, ...head.scores]);
  return finding({
    analysis: "head-detector",
    question: QUESTION,
    summary: [statement(answer), ...best.filter((b) => b !== answer).map(statement)],
    method: {
      text: `Each head's attention A is compared with the pattern D of a kind of head: 1 on the token before (previous-token), on earlier tokens equal to the current one (duplicate-token), or on the tokens after those (induction); 0 elsewhere. ${
        measure === "mul"
          ? "The score is the share of the attention that goes where D says, Σ A·D / Σ A."
          : "The score is 1 − mean |A − D| · size, from −1 to 1."
      } It is the mean over the prompts.`,
      references: [
        {
          title: "TransformerLens, head_detector",
          url: "https://github.com/TransformerLensOrg/TransformerLens",
          paper: "2.18",
        },
        {
          title: "In-context Learning and Induction Heads",
          url: "https://transformer-circuits.pub/2022/in-context-learning-and-induction-heads",
          paper: "Olsson et al., 2022",
        },
      ],
    },
    model: modelFacts(model),
    settings: {
      measure,
      "exclude BOS": excludeBos,
      "exclude current token": excludeCurrentToken,
      prompts: prompts === REPEATING_TEXTS ? `${prompts.length} with repetitions` : prompts.length,
      top,
    },
    pictures: [heatmaps(scores, chance)],
    tables: [
      {
        name: "top",
        title: `The ${Math.min(top, ranked.length)} heads furthest above uniform attention`,
        columns,
        rows: rows(ranked.slice(0, top)),
        comparedWith: HEAD_NAMES.map(uniformName),
      },
      { name: "heads", title: "All heads", detail: true, columns, rows: rows(heads) },
    ],
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

/** The most bytes of patterns, of all heads, that are held at a time while the three kinds are scored. */
const MOST_NUMBERS = 32e6;

/** The scores [layer head] of each kind of head, and of uniform attention: the mean over the prompts, a few at a time. */
async function scoresOf(
  model: HookedTransformer,
  prompts: readonly string[] | readonly TokenIds[],
  asked: DetectHeadOptions,
  onProgress: AnalysisContext["onProgress"],
): Promise<{ readonly scores: readonly Tensor[]; readonly chance: readonly number[] }> {
  const { nLayers, nHeads } = model.cfg;
  const all = prepareInput(prompts, paddedOn("right", prompts), model.cfg, model.text);
  const lengths = checkSequences(all, asked);
  const [count, longest] = all.tokens.shape;
  const rows = lengths.map((length, b) => all.tokens.row(b).data.subarray(0, length) as Int32Array);
  const together = Math.max(1, Math.floor(MOST_NUMBERS / (nLayers * nHeads * longest ** 2)));
  const names = Array.from({ length: nLayers }, (_, l) => `blocks.${l}.attn.hook_pattern`);
  const { signal } = asked;
  const run = { namesFilter: names, returnType: null, signal } as const;
  const sums = HEAD_NAMES.map(() => new Float64Array(nLayers * nHeads));
  const chance = HEAD_NAMES.map(() => 0);
  for (let from = 0; from < count; from += together) {
    const some = rows.slice(from, from + together);
    const tokens = batchOf(some, model);
    const [, cache] = await model.runWithCache(tokens, run);
    const uniform = uniformCache(model, tokens);
    for (const [k, name] of HEAD_NAMES.entries()) {
      const { data } = await detectHead(model, tokens, name, { ...asked, cache });
      const even = await detectHead(model, tokens, name, { ...asked, heads: [[0, 0]], cache: uniform });
      const share = some.length / count;
      data.forEach((score: number, i: number) => {
        sums[k][i] += share * score;
      });
      chance[k] += share * even.get(0, 0);
      const kinds = HEAD_NAMES.length;
      onProgress?.({ done: from * kinds + some.length * (k + 1), total: count * kinds });
    }
  }
  const scores = sums.map((sum) =>
    Tensor.leaf(ndarray("float32", [nLayers, nHeads], Float32Array.from(sum)), ["layer", "head"]),
  );
  return { scores, chance };
}

/** A cache in which every head attends equally to every token it can see. */
function uniformCache(model: HookedTransformer, tokens: Tensor): ActivationCache {
  const [batch, pos] = tokens.shape;
  const { nHeads } = model.cfg;
  const data = new Float32Array(batch * nHeads * pos * pos);
  for (let row = 0; row < batch * nHeads * pos; row++)
    data.fill(1 / ((row % pos) + 1), row * pos, row * pos + (row % pos) + 1);
  const pattern = Tensor.leaf(ndarray("float32", [batch, nHeads, pos, pos], data), ["batch", "head", "query", "key"]);
  return new ActivationCache(new Map([["blocks.0.attn.hook_pattern", pattern]]), model);
}

function heatmaps(scores: readonly Tensor[], chance: readonly number[]): PictureSpec {
  const uniform = HEAD_NAMES.map((name, k) => `${WORDS[name]} ${chance[k].toFixed(3)}`).join(", ");
  const lowest = Math.min(0, ...scores.flatMap(({ data }) => [...data]));
  return {
    kind: "facets",
    name: "scores",
    title: "How closely each head matches each kind of head",
    caption: `Uniform attention scores ${uniform}.`,
    facets: HEAD_NAMES.map((name, k) => ({
      title: WORDS[name],
      values: Array.from({ length: scores[k].shape[0] }, (_, layer) => [...scores[k].row(layer).data]),
    })),
    x: { label: "head" },
    y: { label: "layer" },
    color: { label: "score", scheme: "Blues", domain: [lowest, 1] },
  };
}

const OPTIONS = {
  prompts: {
    type: "prompts",
    description: "the prompts to attend over",
    default: REPEATING_TEXTS,
    defaultText: `${REPEATING_TEXTS.length} sentences with repetitions`,
  },
  measure: {
    type: "choice",
    description: "share of the attention (mul) or distance from the pattern (abs)",
    choices: ["mul", "abs"],
    default: "mul",
  },
  excludeBos: { type: "flag", description: "leave out attention to the first token" },
  excludeCurrentToken: { type: "flag", description: "leave out attention of tokens to themselves" },
  top: topOption("heads"),
} as const satisfies AnalysisOptions;

/** `headDetector` for the index. */
export const headDetectorAnalysis = analysis({
  name: "head-detector",
  question: QUESTION,
  description:
    "Compares each head's attention with the pattern of a kind of head, as TransformerLens' detect_head does, and with a head that attends uniformly.",
  example: "--exclude-bos --measure abs --out report.html",
  counts: "patterns",
  options: OPTIONS,
  run: (model, { prompts, ...options }, context) =>
    headDetector(model, prompts as readonly string[] | undefined, { ...options, ...context }),
});
