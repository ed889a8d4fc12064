/** Which heads attend as a known kind of head would. Source: TransformerLens' `head_detector.detect_head`. */
import { showShape } from "../../graph/axes.ts";
import { Tensor } from "../../graph/tensor.ts";
import { ActivationCache } from "../../lens/activation-cache.ts";
import { checkModel } from "../../lens/check.ts";
import { checkTensor } from "../../lens/check-tensor.ts";
import type { Model } from "../../lens/model.ts";
import { type InputOptions, type PreparedInput, paddedOn, prepareInput } from "../../lens/model-input.ts";
import type { ModelInput } from "../../lens/tokens.ts";
import { type NDArray, ndarray, sizeOf } from "../../tensor/array.ts";
import { ArgumentError, InputError, ShapeError } from "../../tensor/errors.ts";
import { ANYTHING, FLAG, instanceOf, oneOf, SIGNAL } from "../../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../../tensor/options.ts";
import { shown } from "../../tensor/show.ts";
import { counted } from "../../tensor/words.ts";
import { computeInParts, passBytes } from "../in-parts.ts";
import { detectionPattern, type HeadName } from "./detection-patterns.ts";

/** How an attention pattern A [query key] is compared with the detection pattern D. @see detectHead */
export type ErrorMeasure = "mul" | "abs";

/** Options of `detectHead`. */
export interface DetectHeadOptions extends Pick<InputOptions, "prependBos"> {
  /** The heads to score, `[layer, head]` or the heads of each layer; default: all. The others get -1. */
  readonly heads?:
    | readonly (readonly [layer: number, head: number])[]
    | Readonly<Record<number, readonly number[]>>
    | undefined;
  /** The patterns of a run on the same input, to save another one. It is read, never changed. */
  readonly cache?: ActivationCache | undefined;
  /** Leave out the attention to the first token. */
  readonly excludeBos?: boolean | undefined;
  /** Leave out the attention of each token to itself. */
  readonly excludeCurrentToken?: boolean | undefined;
  /** Default `"mul"`. */
  readonly errorMeasure?: ErrorMeasure | undefined;
  readonly signal?: AbortSignal | undefined;
}

const KINDS: OptionKinds<DetectHeadOptions> = {
  prependBos: FLAG,
  heads: ANYTHING,
  cache: instanceOf(ActivationCache, "an ActivationCache"),
  excludeBos: FLAG,
  excludeCurrentToken: FLAG,
  errorMeasure: oneOf(["mul", "abs"]),
  signal: SIGNAL,
};

/**
 * How much each head attends as the detection pattern says, [layer head]; -1 for heads that are not scored. For
 * several sequences it is the mean.
 *
 * `"mul"`: the part of the attention that goes where D says, `Σ A·D / Σ A`, from 0 to 1; D should be of ones and zeros.
 * `"abs"`: `1 - mean|A - D| · size`, from -1 to 1, of each sequence, rounded to three decimals as TransformerLens does.
 *
 * Every argument means the same for one sequence and for several; TransformerLens drops all but the first two for
 * lists. A head that does not attend at all to what the exclusions leave scores 0 with `"mul"`.
 * @param pattern a kind of head, or D itself, [query key], with 0 above the diagonal
 * @throws ShapeError for a pattern that does not fit the input; InputError for a sequence too short to compare;
 * ArgumentError for heads that do not exist.
 */
export async function detectHead(
  model: Model,
  input: ModelInput,
  pattern: HeadName | Tensor,
  options: DetectHeadOptions = {},
): Promise<Tensor> {
  checkModel("detectHead", model);
  checkOptions("detectHead", options, KINDS);
  const { errorMeasure = "mul", signal, prependBos } = options;
  const { cfg } = model;
  const chosen = chosenHeads(options.heads, model);
  const read = { prependBos, ...paddedOn("right", input) };
  const { tokens, attentionMask } = prepareInput(input, read, cfg, model.text);
  const lengths = checkSequences({ tokens, attentionMask }, options);
  const whole = typeof pattern === "string" ? undefined : given(pattern, lengths);

  const layers = [...new Set(chosen.map(([layer]) => layer))];
  const [batch, pos] = tokens.shape;
  const scores = await computeInParts(
    model,
    batch,
    (from, to) => {
      const some = rowsOf(tokens, from, to);
      const mask = attentionMask && rowsOf(attentionMask, from, to);
      const graph = model.graph(some, { attentionMask: mask });
      const expected = (whole ?? detectionPattern(pattern as HeadName, some)).unsqueeze(-3, "head");
      const counted = countedPairs(lengths.slice(from, to), pos, options);
      return layers.map((layer) => {
        const name = `blocks.${layer}.attn.hook_pattern`;
        const attention = options.cache
          ? rowsOf(cached(options.cache, name, tokens, cfg.nHeads), from, to)
          : graph.at(name);
        return errorMeasure === "mul" ? share(attention, expected, counted) : difference(attention, expected, counted);
      });
    },
    { signal, most: passBytes(model) },
  );

  const found = new Float32Array(cfg.nLayers * cfg.nHeads).fill(-1);
  for (const [layer, head] of chosen) {
    const each = lengths.map((size, b) => {
      const value = scores[layers.indexOf(layer)].get(b, head);
      return errorMeasure === "mul" ? value : 1 - Math.round((value / size) * 1000) / 1000;
    });
    found[layer * cfg.nHeads + head] = each.reduce((sum, x) => sum + x, 0) / each.length;
  }
  return Tensor.leaf(ndarray("float32", [cfg.nLayers, cfg.nHeads], found), ["layer", "head"]);
}

/** Rows `from` to `to` of a batch's numbers, or of a value that is still to be computed. */
function rowsOf(x: Tensor, from: number, to: number): Tensor {
  if (from === 0 && to === x.shape[0]) return x;
  if (!x.array) return x.slice(0, from, to);
  const each = sizeOf(x.shape.slice(1));
  const data = x.data.subarray(from * each, to * each);
  return Tensor.leaf({ ...x.array, shape: [to - from, ...x.shape.slice(1)], data } as NDArray, x.axes);
}

/** `Σ A·D / Σ A` over the pairs that count, [batch head]. */
function share(A: Tensor, D: Tensor, counted: Tensor): Tensor {
  const kept = A.mul(counted);
  const total = kept.sum(["query", "key"]);
  const none = total.equal(0);
  return kept
    .mul(D)
    .sum(["query", "key"])
    .div(total.constant(1).where(none, total))
    .mul(total.constant(0).where(none, total.constant(1)));
}

/** `Σ |A - D|` over the pairs that count, [batch head]. */
function difference(A: Tensor, D: Tensor, counted: Tensor): Tensor {
  return A.sub(D).abs().mul(counted).sum(["query", "key"]);
}

/** How many tokens of each row are not padding; padding is on the right. */
function lengthsOf(tokens: Tensor, mask: Tensor | undefined): number[] {
  const [batch, pos] = tokens.shape;
  if (!mask) return new Array<number>(batch).fill(pos);
  return Array.from({ length: batch }, (_, b) => {
    const row = mask.data.subarray(b * pos, (b + 1) * pos);
    const length = row.filter((x) => x).length;
    if (!row.subarray(length).includes(1)) return length;
    throw new InputError(
      `detectHead compares from the first token on, but row ${b} is padded on the left: use texts, or make tokens with paddingSide: "right".`,
      { asked: b },
    );
  });
}

/** How many tokens each sequence has. @throws InputError for one in which no pair of tokens is left to look at */
export function checkSequences(
  { tokens, attentionMask }: PreparedInput,
  { excludeBos, excludeCurrentToken }: DetectHeadOptions,
): readonly number[] {
  const lengths = lengthsOf(tokens, attentionMask);
  const least = excludeBos && excludeCurrentToken ? 3 : 2;
  const short = lengths.findIndex((length) => length < least);
  if (short < 0) return lengths;
  const which = lengths.length > 1 ? `Sequence ${short}` : "The sequence";
  throw new InputError(
    `${which} has ${counted(lengths[short], "token")}, BOS included, but comparing attention takes at least ${least}.`,
    { asked: lengths[short], found: least },
  );
}

/** 1 for each pair of tokens that counts, [batch head query key], with one head. */
function countedPairs(
  lengths: readonly number[],
  pos: number,
  { excludeBos, excludeCurrentToken }: DetectHeadOptions,
): Tensor {
  const data = new Float32Array(lengths.length * pos * pos);
  lengths.forEach((length, b) => {
    for (let query = 0; query < length; query++) {
      for (let key = 0; key < length; key++) {
        const excluded = (excludeBos && key === 0) || (excludeCurrentToken && key === query);
        data[(b * pos + query) * pos + key] = excluded ? 0 : 1;
      }
    }
  });
  return Tensor.leaf(ndarray("float32", [lengths.length, 1, pos, pos], data), ["batch", "head", "query", "key"]);
}

/** The caller's own detection pattern, [batch query key] with one row. @throws ShapeError */
function given(pattern: Tensor, lengths: readonly number[]): Tensor {
  checkTensor("The detection pattern", pattern, ["query", "key"]);
  const other = lengths.find((length) => pattern.shape.join() !== `${length},${length}`);
  if (other !== undefined) {
    throw new ShapeError(
      `The detection pattern must be [query key] of the sequence's ${other} tokens, BOS included, but it is ${showShape(pattern)}.`,
      { asked: [other, other], found: pattern.shape },
    );
  }
  const [size] = pattern.shape;
  for (let query = 0; query < size; query++) {
    for (let key = query + 1; key < size; key++) {
      if (pattern.get(query, key) === 0) continue;
      throw new ShapeError(
        `The detection pattern must be 0 above its diagonal, where keys come after their query, but it is ${pattern.get(query, key)} at query ${query}, key ${key}.`,
        { asked: [query, key], found: pattern.get(query, key) },
      );
    }
  }
  return pattern.rename(["query", "key"]).unsqueeze(0, "batch");
}

/** A layer's patterns in a cache, [batch head query key]. @throws ShapeError if they are of another input. */
function cached(cache: ActivationCache, name: string, tokens: Tensor, heads: number): Tensor {
  const [value] = cache.need("detectHead", [name]);
  const whole = value.shape.length === 3 ? value.unsqueeze(0, "batch") : value;
  const [batch, pos] = tokens.shape;
  const wanted = [batch, heads, pos, pos];
  if (whole.shape.join() === wanted.join()) return whole;
  throw new ShapeError(
    `"${name}" is ${showShape(value)} in the cache, but the input has ${counted(batch, "sequence")} of ${pos} tokens: pass the cache of a run on the same input.`,
    { asked: wanted, found: value.shape },
  );
}

/** The heads to score as `[layer, head]`. @throws ArgumentError for one that the model lacks. */
function chosenHeads(
  heads: DetectHeadOptions["heads"],
  { cfg }: Pick<Model, "cfg">,
): readonly (readonly [number, number])[] {
  const list = heads === undefined ? undefined : isPairs(heads) ? heads : pairs(heads);
  if (list && !Array.from(list).every((pair) => Array.isArray(pair) && pair.length === 2)) {
    throw new ArgumentError(
      `heads must be pairs [[layer, head]], or the heads of each layer { 0: [1, 2] }, not ${shown(heads)}.`,
      { asked: heads },
    );
  }
  if (list?.length === 0) throw new ArgumentError("heads is empty: leave it out to score all.", {});
  for (const [layer, head] of list ?? []) {
    if (inRange(layer, cfg.nLayers) && inRange(head, cfg.nHeads)) continue;
    throw new ArgumentError(
      `There is no head ${shown(head)} in layer ${shown(layer)}: layers are 0 to ${cfg.nLayers - 1}, heads 0 to ${cfg.nHeads - 1}.`,
      { asked: [layer, head], found: [cfg.nLayers, cfg.nHeads] },
    );
  }
  const all = Array.from({ length: cfg.nLayers * cfg.nHeads }, (_, i): [number, number] => [
    Math.floor(i / cfg.nHeads),
    i % cfg.nHeads,
  ]);
  return list ?? all;
}

function isPairs(
  heads: NonNullable<DetectHeadOptions["heads"]>,
): heads is readonly (readonly [layer: number, head: number])[] {
  return Array.isArray(heads);
}

function pairs(heads: Readonly<Record<number, readonly number[]>>): [number, number][] {
  const given = typeof heads === "object" && heads !== null ? Object.entries(heads) : [["heads", heads] as const];
  return given.flatMap(([layer, list]) => {
    if (Array.isArray(list)) return Array.from(list, (head): [number, number] => [Number(layer), head]);
    throw new ArgumentError(`The heads of a layer must be a list, { 0: [1, 2] }, not ${shown(list)}.`, {
      asked: heads,
    });
  });
}

function inRange(i: number, count: number): boolean {
  return Number.isInteger(i) && i >= 0 && i < count;
}
