/** How attention weights become colours, for a white page. The script of a page paints them again, light or dark (client/attention/colors.ts). */
import { denseWeights, weightRange } from "../../finding/attention-weights.ts";
import type { AttentionSpec } from "../../finding/picture.ts";
import { type Coloring, coloring } from "../color.ts";
import { hueOf, mix, rounded, type Tint, tintCss, tintHex } from "../hue.ts";
import { scaleEnd } from "./attention-scale.ts";
import { largest } from "./limits.ts";

/** Stands for all heads together, in place of a head's index. */
export const ALL_HEADS = -1;
/** How many colours from the page's to the darkest: few enough that cells share them. */
export const STEPS = 64;

/** The colour of a cell; `null` for the page's own. */
export type CellColor = (query: number, key: number) => string | null;

export interface AttentionColors {
  /** Whether there are values below 0, so that colours show the sign and not the head. */
  readonly signed: boolean;
  /** The ends of all heads' scale; without them each head has its own (`scaleEnd`). */
  readonly domain: readonly [number, number] | undefined;
  /** A head's cells as a square of `side` x `side`. With fewer than there are tokens, a cell is the largest of a block. */
  readonly cells: (head: number, side: number) => CellColor;
  /** The scale of one head, or of all, for the legend. */
  readonly scale: (head: number) => Coloring;
}

export function attentionColors(spec: AttentionSpec): AttentionColors {
  const ranges = spec.heads.flatMap(({ pattern }) => [weightRange(pattern) ?? []]).flat();
  const low = ranges.reduce((a, b) => Math.min(a, b), 0);
  const high = largest(ranges, Number.NEGATIVE_INFINITY);
  return low < 0 ? signedColors(spec, low, high) : hueColors(spec, high);
}

/** One head's weights, or all heads', in blocks. */
function blocks(spec: AttentionSpec, head: number, side: number): Float32Array[] {
  const heads = head === ALL_HEADS ? spec.heads : [spec.heads[head]];
  return heads.map(({ pattern }) =>
    largestInBlocks(denseWeights(pattern, spec.tokens.length), spec.tokens.length, side),
  );
}

function signedColors(spec: AttentionSpec, low: number, high: number): AttentionColors {
  const label = spec.label ?? "attention";
  const scale = coloring({ label, ...(spec.domain ? { domain: spec.domain } : {}) }, [low, high]);
  const cells = (head: number, side: number): CellColor => {
    const values = blocks(spec, head, side);
    return (query, key) => {
      const at = query * side + key;
      const v =
        values.length === 1 ? values[0][at] : values.reduce((sum, some) => sum + (some[at] || 0), 0) / values.length;
      return Number.isNaN(v) || v === 0 ? null : scale.of(v);
    };
  };
  return { signed: true, domain: scale.domain, cells, scale: () => scale };
}

function hueColors(spec: AttentionSpec, high: number): AttentionColors {
  const all = new Map<number, readonly [number, number]>();
  const ends = (head: number): readonly [number, number] => {
    if (spec.domain) return spec.domain;
    const found = all.get(head) ?? [0, endOf(spec, head, ends)];
    all.set(head, found);
    return found;
  };
  const hues = spec.heads.map((_, head) => hueOf(head, spec.heads.length));
  const strengthOf = (head: number) => {
    const [from, to] = ends(head);
    return (v: number | null) => Math.max(0, Math.min(1, ((v || 0) - from) / (to - from || 1)));
  };
  const hexOf = (tint: Tint) => (tint.strength === 0 ? null : tintHex(tint));
  const cells = (head: number, side: number): CellColor => {
    const values = blocks(spec, head, side);
    const strength = strengthOf(head);
    if (head === ALL_HEADS) {
      return (query, key) => {
        const strengths = values.map((some) => strength(some[query * side + key]));
        return hexOf(rounded(mix(strengths, hues), STEPS));
      };
    }
    const [own] = values;
    const ramp = Array.from({ length: STEPS + 1 }, (_, i) =>
      hexOf(rounded({ strength: i / STEPS, ...hues[head] }, STEPS)),
    );
    return (query, key) => ramp[Math.round(STEPS * strength(own[query * side + key]))];
  };
  const scale = (head: number): Coloring => {
    const hue = head === ALL_HEADS ? { a: 0, b: 0 } : hues[head];
    const strength = strengthOf(head);
    const tint = (value: number | null) => ({ strength: strength(value), ...hue });
    const most = head === ALL_HEADS ? high : (weightRange(spec.heads[head].pattern)?.[1] ?? 0);
    const domain = ends(head);
    return {
      label: spec.label ?? "attention",
      ...{ domain, more: most > domain[1], scheme: "Blues" },
      of: (value) => tintHex(tint(value)),
      css: (value) => tintCss(tint(value)),
      steps: (count) => Array.from({ length: count }, (_, i) => tintHex({ strength: i / (count - 1), ...hue })),
    };
  };
  return { signed: false, domain: spec.domain, cells, scale };
}

/** Where a head's scale ends; that of all heads together where the last of them does. */
function endOf(
  { heads, tokens }: AttentionSpec,
  head: number,
  ends: (head: number) => readonly [number, number],
): number {
  if (head !== ALL_HEADS) return scaleEnd(denseWeights(heads[head].pattern, tokens.length), tokens.length);
  return largest(
    heads.map((_, one) => ends(one)[1]),
    0,
  );
}

/** The value furthest from 0 in each block, so that a single large weight stays visible in a small picture; of `causal` weights, none on later keys. */
export function largestInBlocks(weights: Float32Array, tokens: number, side: number, causal = false): Float32Array {
  if (side >= tokens) return weights;
  const blocks = new Float32Array(side * side);
  const block = Int32Array.from({ length: tokens }, (_, i) => Math.floor((i * side) / tokens));
  for (let query = 0; query < tokens; query++) {
    const row = block[query] * side;
    const keys = causal ? query + 1 : tokens;
    for (let key = 0; key < keys; key++) {
      const at = row + block[key];
      const v = weights[query * tokens + key];
      if (Math.abs(v) > Math.abs(blocks[at])) blocks[at] = v;
    }
  }
  return blocks;
}
