/**
 * sentencepiece's precompiled character map: a double array from UTF-8 to replacements.
 * Source: Darts-clone's format; `spm_precompiled`, whose quirks (the shortest entry that a cluster begins with replaces the
 * whole cluster) Hugging Face's library shares.
 */
import type { Component } from "../component.ts";
import type { Normalizer } from "./normalizer.ts";

/** Clusters with more bytes than this are looked up character by character. */
const LONGEST_CLUSTER = 5;

const encoder = new TextEncoder();

export function precompiled(component: Component): Normalizer {
  const lookUp = mapOf(component);
  const known = new Map<string, string | undefined>();
  const replacement = (part: string): string | undefined => {
    if (known.has(part)) return known.get(part);
    const found = lookUp(part);
    if (known.size < 10_000) known.set(part, found);
    return found;
  };
  const parts = function* (text: string): Generator<[given: string, normalized: string]> {
    for (const segment of clusters(text)) {
      const whole = byteLength(segment) <= LONGEST_CLUSTER ? replacement(segment) : undefined;
      if (whole !== undefined) yield [segment, whole];
      else if (segment.length === 1) yield [segment, segment];
      else for (const char of segment) yield [char, replacement(char) ?? char];
    }
  };
  return {
    apply: (text) => {
      let out = "";
      let from = 0;
      for (let at = 0; at < text.length; ) {
        if (standsAlone(text, at)) {
          const other = replacement(text[at]);
          if (other !== undefined) {
            out += text.slice(from, at) + other;
            from = at + 1;
          }
          at++;
          continue;
        }
        const start = at;
        while (at < text.length && !standsAlone(text, at)) at++;
        out += text.slice(from, start);
        for (const [, normalized] of parts(text.slice(start, at))) out += normalized;
        from = at;
      }
      return out + text.slice(from);
    },
    leading: (text, leading) => {
      // The library matches old characters with new ones, and counts how many more a new one stands for.
      const changes: number[] = [];
      const widths: number[] = [];
      const firsts = Array.from(text.slice(0, leading)).length;
      let seen = 0;
      for (const [given, normalized] of parts(text)) {
        const before = changes.length;
        for (const char of normalized) {
          changes.push(0);
          widths.push(char.length);
        }
        const more = changes.length - before - Array.from(given).length;
        if (more > 0) changes.fill(1, changes.length - more);
        else if (more < 0 && changes.length > 0) changes[changes.length - 1] += more;
        // What comes after a character that stays cannot change what is before it.
        if (seen > firsts && normalized !== "") break;
        seen += Array.from(given).length;
      }
      let old = 0;
      let count = 0;
      for (let i = 0; i < changes.length; i++) {
        if ((changes[i] > 0 ? old - 1 : old) >= firsts) break;
        count += widths[i];
        if (changes[i] <= 0) old += 1 - changes[i];
      }
      return firsts === 0 ? 0 : count;
    },
  };
}

/** The longest piece of text whose grapheme clusters are asked for at a time: Intl.Segmenter takes quadratic time. */
const PIECE = 200;

/** Characters that are clusters, if their neighbours are such characters too. */
const PLAIN =
  /^(?![\p{M}\p{Grapheme_Extend}\p{Extended_Pictographic}])[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{P}]$/u;
/** By UTF-16 unit: 1 for plain ones, 2 for others, 0 for those that have not been seen. All of ASCII is plain but CR. */
const plain = Uint8Array.from({ length: 0x10000 }, (_, code) => (code >= 0x80 ? 0 : code === 13 ? 2 : 1));

function isPlain(code: number): boolean {
  if (plain[code] === 0) plain[code] = PLAIN.test(String.fromCharCode(code)) ? 1 : 2;
  return plain[code] === 1;
}

/** Whether a character is a cluster because it and its neighbours are plain. */
function standsAlone(text: string, at: number): boolean {
  if (!isPlain(text.charCodeAt(at))) return false;
  if (at + 1 < text.length && !isPlain(text.charCodeAt(at + 1))) return false;
  return at === 0 || isPlain(text.charCodeAt(at - 1));
}

/** The grapheme clusters of a text. Between two plain characters there is always a boundary. */
function* clusters(text: string): Generator<string> {
  const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });
  for (let at = 0; at < text.length; ) {
    if (standsAlone(text, at)) {
      yield text[at++];
      continue;
    }
    let size = PIECE;
    let done = 0;
    while (done === 0) {
      const piece = text.slice(at, at + size);
      const whole = at + size >= text.length;
      for (const { segment, index } of segmenter.segment(piece)) {
        // The last one may go on after the piece.
        if (!whole && index + segment.length === piece.length) break;
        yield segment;
        done = index + segment.length;
        if (segment.length === 1 && isPlain(segment.charCodeAt(0))) break; // plain again
      }
      size *= 2;
    }
    at += done;
  }
}

function byteLength(text: string): number {
  return text.length > LONGEST_CLUSTER ? text.length : encoder.encode(text).length;
}

/** The replacement for a piece of text, if the map has one. */
function mapOf(component: Component): (part: string) => string | undefined {
  const base64 = component.text("precompiled_charsmap");
  const refused = () => component.refused("precompiled_charsmap", base64, "sentencepiece's map in base64");
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  } catch {
    throw refused();
  }
  const view = new DataView(bytes.buffer);
  const size = bytes.length >= 4 ? view.getUint32(0, true) : 0;
  if (size === 0 || size % 4 !== 0 || 4 + size > bytes.length) throw refused();
  const units = Uint32Array.from({ length: size / 4 }, (_, i) => view.getUint32(4 + 4 * i, true));
  const replacements = bytes.subarray(4 + size);
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const offset = (unit: number) => (unit >>> 10) << ((unit & 0x200) >>> 6);

  return (part) => {
    let node = 0;
    node ^= offset(units[0]);
    for (const byte of encoder.encode(part)) {
      if (byte === 0) return undefined;
      node ^= byte;
      if (node < 0 || node >= units.length) return undefined;
      const unit = units[node];
      if ((unit & 0x800000ff) >>> 0 !== byte) return undefined;
      node ^= offset(unit);
      if ((unit >>> 8) & 1) {
        const start = units[node] & 0x7fffffff;
        const end = replacements.indexOf(0, start);
        try {
          return decoder.decode(replacements.subarray(start, end < 0 ? replacements.length : end));
        } catch {
          throw refused();
        }
      }
    }
    return undefined;
  };
}
