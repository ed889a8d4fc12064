/** What a picture of attention says on a page, and what of it can be switched. */
import type { AttentionMetric, PackedPattern } from "../../../../finding/picture.ts";
import { fromBase64 } from "../../../../tensor/base64.ts";

/** A picture's `data-attention`. */
export interface AttentionData {
  /** The heads' names. */
  readonly names: readonly string[];
  readonly tokens: readonly string[];
  /** The tokens as they stand beside the cells, shortened. */
  readonly labels: readonly string[];
  /** The heads' hues in OKLab. */
  readonly hues: readonly (readonly [a: number, b: number])[];
  readonly metrics: readonly AttentionMetric[];
  /** The share of each head's attention that is drawn as means. */
  readonly left: readonly number[];
  /** The ends of all heads' scale; without them each head has its own. */
  readonly domain?: readonly [number, number];
  readonly signed: boolean;
  /** What the numbers are. */
  readonly label: string;
  /** The name of all heads together; empty if they are not drawn together. */
  readonly all: string;
  /** The head that is drawn large at first. */
  readonly focus: number;
}

/** A picture's data. */
export function dataOf(box: HTMLElement): AttentionData {
  return JSON.parse(box.dataset.attention!);
}

/** What changes the weights and their colours. */
export interface Switches {
  /** Leaves out the first token. */
  first: boolean;
  /** Colours follow the logarithm. */
  log: boolean;
  /** Weights times the norm of the value that is read. */
  values: boolean;
}

/** A head's weights as the page has them: packed, or base64 of float32. */
export type StoredPattern = PackedPattern | string;

/** All heads' weights, and the norms of their values where they are known. */
export interface StoredAttention {
  readonly patterns: readonly StoredPattern[];
  readonly norms: readonly Float32Array[];
}

/** What an element's attributes hold, which are then left empty: a page needs no second copy of what may be megabytes. */
export function takeAttention(box: HTMLElement): StoredAttention {
  return { patterns: takePatterns(box), norms: takeNorms(box) };
}

function takePatterns(box: HTMLElement): StoredPattern[] {
  const texts = box.dataset.patterns!.split(" ");
  delete box.dataset.patterns;
  return texts.map((text) => {
    const [weights, rest, largest, kind] = text.split(",");
    return rest === undefined ? text : { weights, rest, largest: Number(largest), causal: kind === "causal", left: 0 };
  });
}

function takeNorms(box: HTMLElement): readonly Float32Array[] {
  const texts = box.dataset.norms?.split(" ") ?? [];
  delete box.dataset.norms;
  return texts.map(floatsOf);
}

/** float32 in base64. */
export function floatsOf(text: string): Float32Array {
  return new Float32Array(fromBase64(text).buffer);
}
