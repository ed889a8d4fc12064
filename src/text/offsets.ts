/** Where in the text each token comes from: token bytes are aligned with the text's bytes, then bytes with characters. */
import { bytesOfToken } from "./byte-level.ts";
import type { Stretch } from "./stretch.ts";

type Range = [start: number, end: number];

const encoder = new TextEncoder();
const SPACE = 0x20;

/** The range of each token in the original text, in UTF-16 units. See `Tokenizer.offsets`. */
export function offsetsOf(
  stretches: readonly Stretch[],
  tokenOf: (id: number) => string,
  normalize: (text: string) => string,
): Range[] {
  return stretches.flatMap(({ ids, added, section, from, to }) => {
    const given = givenRanges(section.given, section.normalized, normalize);
    const toText = ([start, end]: Range): Range => {
      if (start === end) {
        const at = section.start + (start < given.length ? given[start][0] : section.given.length);
        return [at, at];
      }
      return [section.start + given[start][0], section.start + given[end - 1][1]];
    };
    if (added) return [toText([from, to])];
    return tokenRanges(section.normalized.slice(from, to), ids.map(tokenOf)).map(([start, end]) =>
      toText([from + start, from + end]),
    );
  });
}

/**
 * The range of each byte-level token in the text that was tokenized. A space that the pre-tokenizer put before the text
 * is skipped, and so are bytes that the vocabulary lacks.
 */
function tokenRanges(text: string, tokens: readonly string[]): Range[] {
  const bytes = encoder.encode(text);
  const charOf = charactersOfBytes(text, bytes.length);
  let at = 0;
  return tokens.map((token) => {
    let start = -1;
    bytesOfToken(token).forEach((byte, i, all) => {
      const insertedSpace = byte === SPACE && bytes[at] !== SPACE && (i + 1 === all.length || all[i + 1] === bytes[at]);
      const found = insertedSpace ? -1 : bytes.indexOf(byte, at);
      if (found < 0) return;
      if (start < 0) start = found;
      at = found + 1;
    });
    if (start < 0) {
      const here = at < bytes.length ? charOf[at][0] : text.length;
      return [here, here];
    }
    return [charOf[start][0], charOf[at - 1][1]];
  });
}

/** For each byte of the text's UTF-8, the range of the character that it belongs to. */
function charactersOfBytes(text: string, byteCount: number): Range[] {
  const ranges = new Array<Range>(byteCount);
  let byte = 0;
  let start = 0;
  for (const char of text) {
    const range: Range = [start, start + char.length];
    const code = char.codePointAt(0)!;
    const length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    ranges.fill(range, byte, byte + length);
    byte += length;
    start += char.length;
  }
  return ranges;
}

/**
 * For each UTF-16 unit of the normalized text, the range of the original text that it comes from. Where normalizing changed
 * something, the two are aligned by what a reader calls a character (a letter with its accents); if
 * even that does not add up, every unit has the range of the whole text.
 */
function givenRanges(given: string, normalized: string, normalize: (text: string) => string): Range[] {
  if (given === normalized) return Array.from({ length: given.length }, (_, i): Range => [i, i + 1]);
  const ranges: Range[] = [];
  let joined = "";
  for (const { segment, index } of new Intl.Segmenter("en", { granularity: "grapheme" }).segment(given)) {
    const form = normalize(segment);
    joined += form;
    for (let i = 0; i < form.length; i++) {
      ranges.push(form === segment ? [index + i, index + i + 1] : [index, index + segment.length]);
    }
  }
  return joined === normalized ? ranges : Array.from({ length: normalized.length }, (): Range => [0, given.length]);
}
