/** How closely every head's attention matches the pattern of each kind of head, and how closely uniform attention does. */
import { Tensor } from "../graph/tensor.ts";
import { ActivationCache } from "../lens/activation-cache.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { paddedOn, prepareInput } from "../lens/model-input.ts";
import { batchOf } from "../lens/tokens.ts";
import { ndarray } from "../tensor/array.ts";
import type { TokenIds } from "../text/index.ts";
import { checkSequences, type DetectHeadOptions, detectHead } from "./head-detector/detect-head.ts";
import { HEAD_NAMES } from "./head-detector/detection-patterns.ts";
import type { AnalysisContext } from "./options.ts";

/** The most bytes of patterns, of all heads, that are held at a time while the three kinds are scored. */
const MOST_NUMBERS = 32e6;

/** How closely every head matches each kind of head, in the order of `HEAD_NAMES`. */
export interface HeadScores {
  /** [layer head] for each kind. */
  readonly scores: readonly Tensor[];
  /** The score for each kind of a head that attends equally to every token it can see. */
  readonly chance: readonly number[];
}

/** The scores [layer head] of each kind of head, and of uniform attention: the mean over the prompts, a few at a time. */
export async function scoreHeads(
  model: HookedTransformer,
  prompts: readonly string[] | readonly TokenIds[],
  asked: DetectHeadOptions,
  onProgress: AnalysisContext["onProgress"],
): Promise<HeadScores> {
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
