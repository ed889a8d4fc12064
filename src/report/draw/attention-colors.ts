/** How attention weights become colours: hex for a standalone picture, CSS on a page, which may be light or dark. */
import type { AttentionSpec } from "../../finding/picture.ts";
import { type Coloring, coloring } from "../color.ts";
import { hueOf, mix, rounded, type Tint, tintCss, tintHex } from "../hue.ts";
import { extent } from "../numbers.ts";
import { atMost } from "./limits.ts";

/** Stands for all heads together, in place of a head's index. */
export const ALL_HEADS = -1;
/** How many colours from the page's to the darkest: few enough that cells share them. */
const STEPS = 64;

export interface AttentionColors {
  /** Whether there are values below 0, so that colours show the sign and not the head. */
  readonly signed: boolean;
  readonly domain: readonly [number, number];
  /** `null` for the page's own colour. */
  readonly hex: (head: number, query: number, key: number) => string | null;
  readonly css: (head: number, query: number, key: number) => string | null;
  /** The scale of one head, or of all, for the legend. */
  readonly scale: (head: number) => Coloring;
}

/** The most weights of all heads together. */
const MOST_WEIGHTS = 4_000_000;

/** @throws ArgumentError for more weights than a picture shows */
export function checkWeights(heads: number, tokens: number): void {
  const what = `weights (${heads} heads of ${tokens} x ${tokens})`;
  atMost(MOST_WEIGHTS, heads * tokens ** 2, what, "show fewer heads, or a part of the text");
}

export function attentionColors(spec: AttentionSpec): AttentionColors {
  checkWeights(spec.heads.length, spec.tokens.length);
  const patterns = spec.heads.map((head) => head.pattern);
  const [low, high] = extent(patterns.flat(2)) ?? [0, 1];
  const label = spec.label ?? "attention";
  const at = (head: number, query: number, key: number) => patterns[head][query]?.[key] ?? null;

  if (low < 0) {
    const scale = coloring({ label, ...(spec.domain ? { domain: spec.domain } : {}) }, [low, high]);
    const value = (head: number, query: number, key: number) => {
      if (head !== ALL_HEADS) return at(head, query, key);
      const all = patterns.map((pattern) => pattern[query]?.[key] ?? 0);
      return all.reduce((sum, v) => sum + v, 0) / all.length;
    };
    const painted = (color: (v: number) => string) => (head: number, query: number, key: number) => {
      const v = value(head, query, key);
      return v === null || v === 0 ? null : color(v);
    };
    return { signed: true, domain: scale.domain, hex: painted(scale.of), css: painted(scale.css), scale: () => scale };
  }

  const domain = spec.domain ?? ([0, high || 1] as const);
  const hues = patterns.map((_, head) => hueOf(head, patterns.length));
  const strength = (v: number | null) =>
    Math.max(0, Math.min(1, ((v ?? 0) - domain[0]) / (domain[1] - domain[0] || 1)));
  const tint = (head: number, query: number, key: number): Tint => {
    if (head !== ALL_HEADS) return { strength: strength(at(head, query, key)), ...hues[head] };
    return mix(
      patterns.map((pattern) => strength(pattern[query]?.[key] ?? null)),
      hues,
    );
  };
  const painted = (color: (tint: Tint) => string) => (head: number, query: number, key: number) => {
    const found = rounded(tint(head, query, key), STEPS);
    return found.strength === 0 ? null : color(found);
  };
  const scale = (head: number): Coloring => {
    const hue = head === ALL_HEADS ? { a: 0, b: 0 } : hues[head];
    const of = (value: number | null) => tintHex({ strength: strength(value), ...hue });
    return {
      label,
      domain,
      scheme: "Blues",
      of,
      css: (value) => tintCss({ strength: strength(value), ...hue }),
      steps: (count) => Array.from({ length: count }, (_, i) => tintHex({ strength: i / (count - 1), ...hue })),
    };
  };
  return { signed: false, domain, hex: painted(tintHex), css: painted(tintCss), scale };
}
