/** A pre-tokenizer: how a text is split into the words that the model tokenizes. */
import { type Behaviour, cutAt } from "../splitting.ts";
import type { CodeSet } from "../unicode/classes.ts";

/** Receives a piece of the text. `leading`: how many of its first units come from the first character of the whole text. */
export type Emit = (piece: string, leading: number) => void;
export type PreTokenizer = (piece: string, leading: number, emit: Emit) => void;

/** Emits the pieces between these starts and ends, except empty ones. */
export function emitPieces(text: string, leading: number, bounds: readonly number[], emit: Emit): void {
  for (let i = 0; i < bounds.length; i += 2) {
    const start = bounds[i];
    const end = bounds[i + 1];
    if (start < end) emit(text.slice(start, end), leading > start ? Math.min(leading, end) - start : 0);
  }
}

/** Splits at each character of a set. */
export function atCharacters(set: CodeSet, behaviour: Behaviour): PreTokenizer {
  return (text, leading, emit) => {
    const found: number[] = [];
    for (let at = 0; at < text.length; ) {
      const code = text.codePointAt(at)!;
      const next = at + (code > 0xffff ? 2 : 1);
      if (set(code)) found.push(at, next);
      at = next;
    }
    emitPieces(text, leading, cutAt(text.length, found, behaviour), emit);
  };
}

/** Several pre-tokenizers, each applied to the pieces of the previous one. */
export function inTurn(preTokenizers: readonly PreTokenizer[]): PreTokenizer {
  return preTokenizers.reduceRight<PreTokenizer>(
    (after, one) => (text, leading, emit) => one(text, leading, (piece, first) => after(piece, first, emit)),
    (text, leading, emit) => emit(text, leading),
  );
}
