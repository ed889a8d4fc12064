/** How closely every head's attention matches the pattern of each kind of head, and how closely uniform attention does. */

import { Tensor } from "../graph/tensor.ts";
import { ActivationCache } from "../lens/activation-cache.ts";
import { headName } from "../lens/components.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { paddedOn, prepareInput } from "../lens/model-input.ts";
import { batchOf, type ModelInput } from "../lens/tokens.ts";
import { ndarray } from "../tensor/array.ts";
import { checkSequences, type DetectHeadOptions, detectHead } from "./head-detector/detect-head.ts";
import { HEAD_NAMES, type HeadName } from "./head-detector/detection-patterns.ts";
import { Measured } from "./measured.ts";
import { type AnalysisOptions, type GivenOptions, settled } from "./options.ts";
import { checkPrompts } from "./prompt.ts";

/** Texts that repeat words, so that duplicate-token and induction heads have something to look at. */
export const REPEATING_TEXTS: readonly string[] = [
  "The cat sat by the door, and the dog sat by the cat.",
  "He went to the house on the hill, and she went to the house on the hill too.",
  "The old man saw the young man, and the young man saw the old man.",
  "One day the sun came out, and the next day the sun came out again.",
];

export const HEAD_DETECTOR_OPTIONS = {
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
} as const satisfies AnalysisOptions;

/** The options of `measureHeadDetector`. */
export type MeasureHeadDetectorOptions = GivenOptions<typeof HEAD_DETECTOR_OPTIONS>;

/** The most bytes of patterns, of all heads, that are held at a time while the three kinds are scored. */
const MOST_NUMBERS = 32e6;

/** A head's score as each kind of head. */
export type KindScores = Readonly<Record<HeadName, number>>;

/** A head and its scores. */
export interface HeadDetectorRow extends KindScores {
  readonly layer: number;
  readonly head: number;
  /** `L0H3` */
  readonly component: string;
}

/** The result of `measureHeadDetector`: a row for each head. */
export interface HeadDetectorMeasurement extends Measured<HeadDetectorRow> {
  /** The scores of a head that attends equally to every token it can see. */
  readonly uniform: KindScores;
}

/**
 * How closely every head's attention matches the three patterns of `detectHead`, and how closely that of a head does which
 * attends equally to every token it can see: means over the prompts, a few at a time.
 * @throws InputError for a prompt too short to compare
 */
export async function measureHeadDetector(
  model: HookedTransformer,
  options: MeasureHeadDetectorOptions = {},
): Promise<HeadDetectorMeasurement> {
  const given = settled("measureHeadDetector", model, options, HEAD_DETECTOR_OPTIONS);
  const { prompts, measure: errorMeasure, excludeBos, excludeCurrentToken, signal, onProgress } = given;
  checkPrompts(prompts);
  const asked: DetectHeadOptions = { errorMeasure, excludeBos, excludeCurrentToken, signal };
  const { nLayers, nHeads } = model.cfg;
  const all = prepareInput(prompts as ModelInput, paddedOn("right", prompts), model.cfg, model.text);
  const lengths = checkSequences(all, asked);
  const [count, longest] = all.tokens.shape;
  const rows = lengths.map((length, b) => all.tokens.row(b).data.subarray(0, length) as Int32Array);
  const together = Math.max(1, Math.floor(MOST_NUMBERS / (nLayers * nHeads * longest ** 2)));
  const names = Array.from({ length: nLayers }, (_, l) => `blocks.${l}.attn.hook_pattern`);
  const run = { namesFilter: names, returnType: null, signal } as const;
  const sums = HEAD_NAMES.map(() => new Float64Array(nLayers * nHeads));
  const uniformSums = HEAD_NAMES.map(() => 0);
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
      uniformSums[k] += share * even.get(0, 0);
      const each = HEAD_NAMES.length;
      onProgress?.({ done: from * each + some.length * (k + 1), total: count * each, unit: "patterns" });
    }
  }
  const kinds = (score: (k: number) => number) =>
    Object.fromEntries(HEAD_NAMES.map((name, k) => [name, score(k)])) as KindScores;
  const heads = Array.from({ length: nLayers * nHeads }, (_, i): HeadDetectorRow => {
    const [layer, head] = [Math.floor(i / nHeads), i % nHeads];
    return { layer, head, component: headName(layer, head), ...kinds((k) => sums[k][i]) };
  });
  return Measured.of(heads, { uniform: kinds((k) => uniformSums[k]) });
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
