/** Strings by their beginnings: which of them a text begins with at a place. */
import { FileFormatError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import { PairTable } from "./pair-table.ts";

/** Longer tokens would make time grow with their length at each place of a text. */
const LONGEST_TOKEN = 1000;

export class Trie {
  readonly #branches = new PairTable();
  readonly #values: number[] = [-1];
  readonly #begins = new Uint8Array(0x10000);

  /**
   * A later value takes the place of an earlier one for the same string.
   * @throws FileFormatError for one that is too long
   */
  add(text: string, value: number): void {
    if (text.length > LONGEST_TOKEN) {
      throw new FileFormatError(
        `The token ${shown(text)} of the tokenizer.json has ${text.length} characters, and at most ${LONGEST_TOKEN} are read, as longer ones make every text slow.`,
        { asked: text, found: text.length },
      );
    }
    let node = 0;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (i === 0) this.#begins[unit] = 1;
      let next = this.#branches.get(node, unit);
      if (next < 0) {
        next = this.#values.push(-1) - 1;
        this.#branches.set(node, unit, next);
      }
      node = next;
    }
    this.#values[node] = value;
  }

  /** Whether any string begins with the UTF-16 unit. */
  begins(unit: number): boolean {
    return this.#begins[unit] === 1;
  }

  /** Calls with the end and the value of each string that the text has from a place, the shortest first. */
  each(text: string, from: number, visit: (end: number, value: number) => void): void {
    let node = 0;
    for (let at = from; at < text.length; ) {
      node = this.#branches.get(node, text.charCodeAt(at++));
      if (node < 0) return;
      const value = this.#values[node];
      if (value >= 0) visit(at, value);
    }
  }

  /** The longest string that the text has from a place; undefined for none. */
  longest(text: string, from: number): { readonly end: number; readonly value: number } | undefined {
    if (from >= text.length || !this.begins(text.charCodeAt(from))) return undefined;
    let found: { end: number; value: number } | undefined;
    this.each(text, from, (end, value) => {
      found = { end, value };
    });
    return found;
  }
}
