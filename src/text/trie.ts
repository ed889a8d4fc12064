/** A set of strings that finds those starting at a position of a text. */
import { FileFormatError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import { PairTable } from "./pair-table.ts";

/** The longest token: time grows with its length at each position of a text. */
const LONGEST_TOKEN = 1000;

export class Trie {
  readonly #branches = new PairTable();
  readonly #values: number[] = [-1];
  readonly #begins = new Uint8Array(0x10000);

  /**
   * A later value replaces an earlier one for the same string.
   * @throws FileFormatError for a string that is too long
   */
  add(text: string, value: number): void {
    if (text.length > LONGEST_TOKEN) {
      throw new FileFormatError(
        `The token ${shown(text)} of the tokenizer.json has ${text.length} characters, but at most ${LONGEST_TOKEN} are allowed, because longer ones slow down every text.`,
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

  /** Calls back with the end and the value of each string that starts at a position of the text, the shortest first. */
  each(text: string, from: number, visit: (end: number, value: number) => void): void {
    let node = 0;
    for (let at = from; at < text.length; ) {
      node = this.#branches.get(node, text.charCodeAt(at++));
      if (node < 0) return;
      const value = this.#values[node];
      if (value >= 0) visit(at, value);
    }
  }

  /** The longest string that starts at a position of the text; undefined if there is none. */
  longest(text: string, from: number): { readonly end: number; readonly value: number } | undefined {
    if (from >= text.length || !this.begins(text.charCodeAt(from))) return undefined;
    let found: { end: number; value: number } | undefined;
    this.each(text, from, (end, value) => {
      found = { end, value };
    });
    return found;
  }
}
