/** Weights as colours of the page, light or dark: by sign, or the hue of a head, or of several heads mixed. They match those of attention-colors.ts. */

import { hex, inkOn } from "../../../color.ts";
import { ALL_HEADS, STEPS } from "../../../draw/attention-colors.ts";
import { scaleEnd } from "../../../draw/attention-scale.ts";
import { mix, oklabRgb, rounded, type Tint, tintCss } from "../../../hue.ts";
import type { AttentionData, Switches } from "./data.ts";
import type { Weights } from "./weights.ts";

/** Up to this strength the page's own ink is legible on a colour, light or dark. */
const LEGIBLE = 0.4;
/** How many powers of ten a logarithmic scale has. */
const DECADES = 3;

type Ends = readonly [low: number, high: number];

/** A token's colour, and its ink where the page's own would not be legible on it. */
export interface Paint {
  readonly color: string;
  readonly ink?: string;
}

export class Colors {
  /** Changes with everything that changes colours. */
  version = 0;
  /** Those of the page: of its text, of secondary text, of lines, and of what is marked. */
  ink = "";
  soft = "";
  rule = "";
  accent = "";
  #lightness: readonly [base: number, reach: number] = [1, 0];
  #ramp: readonly number[] = [];
  readonly #hues: readonly { readonly a: number; readonly b: number }[];
  readonly #tables = new Map<number, Uint32Array>();
  readonly #paints = new Map<string, Paint>();
  readonly #ends = new Map<number, Ends>();
  readonly #box: HTMLElement;
  readonly #data: AttentionData;
  readonly #weights: Weights;
  readonly #switches: Readonly<Switches>;

  constructor(box: HTMLElement, data: AttentionData, weights: Weights, switches: Readonly<Switches>) {
    this.#box = box;
    this.#data = data;
    this.#weights = weights;
    this.#switches = switches;
    this.#hues = data.hues.map(([a, b]) => ({ a, b }));
  }

  /** Reads the page's colours again, and fits the scales to the switches. */
  renew(): void {
    const style = getComputedStyle(this.#box);
    const variable = (name: string) => style.getPropertyValue(name).trim();
    this.ink = style.color;
    [this.soft, this.rule, this.accent] = ["--soft", "--rule", "--accent"].map(variable);
    this.#ends.clear();
    this.#paints.clear();
    this.#lightness = [Number(variable("--l0")), Number(variable("--l1"))];
    this.#tables.clear();
    this.version++;
    if (!this.#data.signed) return;
    const channels = (color: string) => [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
    this.#ramp = Array.from({ length: 101 }, (_, i) => wordOf(channels(variable(`--RdBu${i}`))));
  }

  /** The ends of a head's scale as they are written, and whether there are weights beyond the upper one. */
  ends(head: number): { readonly low: number; readonly high: number; readonly more: boolean } {
    const [low, high] = this.#range(head);
    const heads = head === ALL_HEADS ? this.#weights.heads : [head];
    const more = heads.some((one) => this.#weights.largest(one) > high);
    return { low: this.#switches.log ? high / 10 ** DECADES : low, high, more };
  }

  /** The colour of a token with these weights: one of a head, or one of each head. */
  paint(head: number, values: readonly number[]): Paint | undefined {
    if (this.#data.signed) {
      const value = mean(values);
      const level = this.#level(value, this.#range(head));
      return value ? { color: `var(--RdBu${level})`, ink: `var(--RdBu${level}i)` } : undefined;
    }
    return this.#paintOf(this.#tint(head, values));
  }

  /** The colour of an arrow for these weights: how large they are is said by its width. */
  arrow(head: number, values: readonly number[]): string {
    if (this.#data.signed) return `var(--RdBu${mean(values) < 0 ? 10 : 90})`;
    return this.#paintOf({ ...this.#tint(head, values), strength: 1 })!.color;
  }

  /** The colour at a tenth of the scale, for its legend. */
  stop(head: number, tenth: number): string {
    if (this.#data.signed) return `var(--RdBu${10 * tenth})`;
    const hue = head === ALL_HEADS ? { a: 0, b: 0 } : this.#hues[head];
    return tintCss({ strength: tenth / 10, ...hue });
  }

  /** What paints a pixel, by the head: from one weight of each part to the bytes of a canvas; 0 for the page's own colour. */
  pixel(head: number): (parts: readonly Float32Array[], at: number) => number {
    if (this.#data.signed) {
      const ends = this.#range(head);
      return (parts, at) => {
        const value = mean(parts.map((part) => part[at]));
        return value ? this.#ramp[this.#level(value, ends)] : 0;
      };
    }
    if (head === ALL_HEADS)
      return (parts, at) =>
        this.#word(
          this.#tint(
            head,
            parts.map((part) => part[at]),
          ),
        );
    const [table, ends] = [this.#table(head), this.#range(head)];
    return ([one], at) => (one[at] ? table[Math.round(STEPS * this.#strength(one[at], ends))] : 0);
  }

  /** The ends of a head's scale: its own, or those of all heads where they were chosen, are signed or logarithmic. */
  #range(head: number): Ends {
    const { first, log, values } = this.#switches;
    const { domain, signed } = this.#data;
    if (domain && !first && !values) return domain;
    const shared = signed || log || domain !== undefined;
    const key = shared ? ALL_HEADS : head;
    const found = this.#ends.get(key) ?? (shared ? this.#wholeRange() : ([0, this.#end(head)] as const));
    this.#ends.set(key, found);
    return found;
  }

  #wholeRange(): Ends {
    const most = this.#weights.heads.reduce((sofar, head) => Math.max(sofar, this.#weights.largest(head)), 0);
    return [this.#data.signed ? -most : 0, most || 1];
  }

  #end(head: number): number {
    const { heads, tokens } = this.#weights;
    if (head !== ALL_HEADS) return scaleEnd(this.#weights.of(head), tokens);
    return heads.reduce((sofar, one) => Math.max(sofar, this.#range(one)[1]), 0);
  }

  #strength(weight: number, [low, high]: Ends): number {
    if (this.#switches.log) return weight > 0 ? unit(1 + Math.log10(weight / high) / DECADES) : 0;
    return unit((weight - low) / (high - low || 1)) || 0;
  }

  #level(value: number, [low, high]: Ends): number {
    return Math.round(100 * unit((value - low) / (high - low)));
  }

  #tint(head: number, values: readonly number[]): Tint {
    const ends = this.#range(head);
    const strengths = values.map((value) => this.#strength(value, ends));
    const tint = head === ALL_HEADS ? mix(strengths, this.#hues) : { strength: strengths[0], ...this.#hues[head] };
    return rounded(tint, STEPS);
  }

  #table(head: number): Uint32Array {
    let table = this.#tables.get(head);
    if (!table) {
      const tint = (i: number) => rounded({ strength: i / STEPS, ...this.#hues[head] }, STEPS);
      table = Uint32Array.from({ length: STEPS + 1 }, (_, i) => this.#word(tint(i)));
      this.#tables.set(head, table);
    }
    return table;
  }

  /** As hex, which is the fastest to set: it is done for every token at every move of the pointer. */
  #paintOf(tint: Tint): Paint | undefined {
    if (tint.strength === 0) return undefined;
    const key = `${tint.strength} ${tint.a} ${tint.b}`;
    let paint = this.#paints.get(key);
    if (!paint) {
      const color = hex(this.#rgb(tint));
      paint = { color, ...(tint.strength > LEGIBLE ? { ink: inkOn(color) } : {}) };
      this.#paints.set(key, paint);
    }
    return paint;
  }

  #word(tint: Tint): number {
    return tint.strength === 0 ? 0 : wordOf(this.#rgb(tint));
  }

  #rgb({ strength, a, b }: Tint): number[] {
    const [base, reach] = this.#lightness;
    return oklabRgb(base + reach * strength, a * strength, b * strength);
  }
}

/** Red, green and blue as a canvas stores them. */
function wordOf([r, g, b]: readonly number[]): number {
  return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + (value || 0), 0) / values.length;
}

function unit(value: number): number {
  return Math.max(0, Math.min(1, value));
}
