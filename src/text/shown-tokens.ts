/**
 * Tokens as a reader sees them. A vocabulary of bytes may split a character over several tokens, none of which is text by itself:
 * each shows the whole character and which part of it the token is, 日¹⁄₃ 日²⁄₃ 日³⁄₃. Bytes that form no character are shown as \xE6.
 */

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The texts of consecutive tokens, from the bytes of UTF-8 that each stands for. */
export function shownTokens(tokens: readonly Uint8Array[]): string[] {
  const bytes = Uint8Array.from(tokens.flatMap((token) => Array.from(token)));
  const tokenOf = tokens.flatMap((token, i) => new Array<number>(token.length).fill(i));
  const texts = tokens.map(() => "");
  for (let at = 0; at < bytes.length; ) {
    const character = characterAt(bytes, at);
    if (character === undefined) {
      texts[tokenOf[at]] += escaped(bytes[at]);
      at++;
      continue;
    }
    const { text, length } = character;
    const parts = [...new Set(tokenOf.slice(at, at + length))];
    parts.forEach((token, i) => {
      texts[token] += parts.length === 1 ? text : text + partMark(i + 1, parts.length);
    });
    at += length;
  }
  return texts;
}

/** The character whose bytes begin at a place, and how many they are. */
function characterAt(bytes: Uint8Array, at: number): { readonly text: string; readonly length: number } | undefined {
  const first = bytes[at];
  if (first < 0x80) return { text: String.fromCharCode(first), length: 1 };
  const length = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  try {
    return { text: decoder.decode(bytes.subarray(at, at + length)), length };
  } catch {
    return undefined;
  }
}

/** `\xE6`, as Python writes bytes. */
function escaped(byte: number): string {
  return `\\x${byte.toString(16).toUpperCase().padStart(2, "0")}`;
}

/** Which part of a character a token is: `¹⁄₃` is the first of three. */
function partMark(part: number, parts: number): string {
  return `${"⁰¹²³⁴"[part]}⁄${"₀₁₂₃₄"[parts]}`;
}
