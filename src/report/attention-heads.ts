import { isPacked, storedHeads } from "../finding/attention-weights.ts";
import type { AttentionSpec } from "../finding/picture.ts";
import { headName } from "../lens/components.ts";
import { patternMetrics, patternSummary } from "../measures/pattern-summary.ts";
import { sizeOf } from "../tensor/array.ts";
import { ShapeError, UnknownNameError } from "../tensor/errors.ts";
import { either, listOf, OBJECT, TEXT, WHOLE } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { headWeights } from "./attention-input.ts";
import { pictureOf } from "./deferred.ts";
import { checkWeights } from "./draw/attention-focus.ts";
import { type Numbers, toShaped, withoutUnitAxes } from "./numbers.ts";
import { checkTokens, DOMAIN, PICTURE, TEXTS } from "./option-kinds.ts";
import { baseOf, defined, type Picture, type PictureOptions } from "./picture.ts";

/** How attention heads are named, and which one is shown first. */
export interface AttentionHeadsOptions extends PictureOptions {
  /** The layer of the patterns, or one for each of several: names the heads "L5H0", "L5H1", ... */
  readonly layers?: number | readonly number[] | undefined;
  /** Names of all heads, in order, instead. */
  readonly headNames?: readonly string[] | undefined;
  /**
   * The name of the head shown large. Default: up to eight heads together, mixed by hue; of more, the one with the most
   * attention to what followed the same token earlier if a token repeats, and else to the previous token.
   */
  readonly focus?: string | undefined;
  /** The weights that are drawn without colour and with full colour. Default: 0, and for each head the weight that one in ten queries reaches, the first token left aside. */
  readonly domain?: readonly [number, number] | undefined;
  /** What the numbers are. Default: "attention". */
  readonly label?: string | undefined;
}

const KINDS: OptionKinds<AttentionHeadsOptions> = {
  ...PICTURE,
  layers: either(WHOLE, listOf(WHOLE, "whole numbers")),
  headNames: TEXTS,
  focus: TEXT,
  domain: DOMAIN,
  label: TEXT,
};

/**
 * Attention heads over one text, as CircuitsVis shows them: a small pattern for each head, one of them large, and the tokens
 * coloured by what one attends to. On the page, pointing at a head or token focuses it and a click locks it; the tokens
 * show what the focused one attends to, or what attends to it. `patterns` is one layer's `[head, query, key]` (possibly with
 * batch axes of size 1 in front), several layers' `[layer, head, query, key]`, or a list of the former. Heads of
 * several layers are named from layer 0 on, unless `layers` says otherwise.
 *
 * Tensors that have not been computed are computed when the picture is drawn.
 *
 * More than 40 000 weights of 0 or more are kept in few bytes, rounded within 2 % (`AttentionSpec`), up to 200 million; other numbers
 * up to 4 million.
 *
 * @throws ArgumentError for more.
 * @throws ShapeError if the numbers of queries, keys and tokens differ, or the numbers of names and heads.
 * @throws UnknownNameError if `focus` is not the name of a head.
 */
export function attentionHeads(
  strTokens: readonly string[],
  patterns: Numbers,
  options: AttentionHeadsOptions = {},
): Picture {
  checkTokens(strTokens);
  checkOptions("attentionHeads", options, KINDS);
  if (OBJECT.accepts(patterns) && "shape" in patterns && Array.isArray(patterns.shape)) {
    checkWeights(sizeOf(patterns.shape) / strTokens.length ** 2, strTokens.length);
  }
  return pictureOf(patterns, (numbers) => specOf(strTokens, numbers, options));
}

function specOf(strTokens: readonly string[], patterns: Numbers, options: AttentionHeadsOptions): AttentionSpec {
  const { weights, shape } = headWeights(patterns, strTokens.length);
  const perLayer = shape.at(-3)!;
  const names = options.headNames ?? namesOf(shape, options.layers);
  if (names.length !== weights.length) {
    throw new ShapeError(`There are ${weights.length} heads, but ${names.length} names for them.`, {
      asked: weights.length,
      found: names.length,
    });
  }
  const { focus, domain, label } = options;
  if (focus !== undefined && !names.includes(focus)) throw new UnknownNameError("head", focus, names);
  const heads = storedHeads(
    weights.map((some, i) => ({ name: names[i], weights: some })),
    strTokens.length,
  );
  if (!heads.every(({ pattern }) => isPacked(pattern))) checkWeights(heads.length, strTokens.length, false);
  return {
    kind: "attention",
    ...baseOf("attention", options),
    tokens: strTokens,
    heads,
    ...defined({ metrics: metricsOf(weights, strTokens) }),
    ...defined({ perRow: weights.length > perLayer ? perLayer : undefined, focus, domain, label }),
  };
}

/** What heads can be sorted by; `undefined` if the numbers are not shares of attention. */
function metricsOf(weights: readonly ArrayLike<number | null>[], tokens: readonly string[]) {
  const areShares = weights.every((head) => {
    for (let i = 0; i < head.length; i++) if (!(head[i] !== null && head[i]! >= 0 && head[i]! <= 1.001)) return false;
    return true;
  });
  if (!areShares || weights.length < 2 || tokens.length < 2) return undefined;
  return patternMetrics(weights.map((head) => patternSummary(head as ArrayLike<number>, tokens)));
}

/**
 * One attention pattern `[query, key]` over one text: `attentionHeads` with a single head.
 *
 * @throws ShapeError if the numbers of queries, keys and tokens differ.
 */
export function attentionPattern(
  strTokens: readonly string[],
  pattern: Numbers,
  options: Omit<AttentionHeadsOptions, "layers" | "focus"> = {},
): Picture {
  const { layers: _layers, focus: _focus, ...own } = KINDS;
  checkTokens(strTokens);
  checkOptions("attentionPattern", options, own);
  const name = options.title ?? options.label ?? "pattern";
  return pictureOf(pattern, (numbers) => {
    const { data, shape } = withoutUnitAxes(toShaped(numbers), 2);
    return specOf(strTokens, { data, shape: [1, ...shape] }, { headNames: [name], ...options });
  });
}

function namesOf(shape: readonly number[], layers: number | readonly number[] | undefined): string[] {
  const heads = Array.from({ length: shape.at(-3)! }, (_, h) => h);
  if (shape.length === 3 && layers === undefined) return heads.map((head) => `H${head}`);
  const first = typeof layers === "number" ? layers : 0;
  const count = shape.length === 3 ? 1 : shape[0];
  const numbers = typeof layers === "object" ? layers : Array.from({ length: count }, (_, i) => first + i);
  return numbers.flatMap((layer) => heads.map((head) => headName(layer, head)));
}
