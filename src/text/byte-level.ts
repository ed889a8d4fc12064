/**
 * The byte-level alphabet of GPT-2's BPE: each of the 256 bytes is represented by one printable character in the
 * vocabulary (a space is "Ġ", a newline "Ċ"), so that any text is a sequence of tokens.
 * Source: `bytes_to_unicode` of openai/gpt-2, and `ByteLevel` of huggingface/tokenizers.
 */

/** Bytes whose own Latin-1 character is printable stand for themselves; the others follow from U+0100 on, in order. */
const CHAR_OF_BYTE: readonly string[] = (() => {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    return String.fromCharCode(printable ? byte : next++);
  });
})();

const BYTE_OF_CHAR: ReadonlyMap<string, number> = new Map(CHAR_OF_BYTE.map((char, byte) => [char, byte]));

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * The bytes that a token of a byte-level vocabulary stands for. A token with any character outside the alphabet (an
 * added token such as two plain spaces) stands for its own UTF-8.
 */
export function bytesOfToken(token: string): Uint8Array {
  const bytes = new Uint8Array(token.length);
  for (let i = 0; i < token.length; i++) {
    const byte = BYTE_OF_CHAR.get(token[i]);
    if (byte === undefined) return encoder.encode(token);
    bytes[i] = byte;
  }
  return bytes;
}

const SPELLS_ITSELF = /^[!-~]*$/;

/** A text with each byte of its UTF-8 as the character that represents it. */
export function byteLevelSpelling(text: string): string {
  return SPELLS_ITSELF.test(text) ? text : tokenOfBytes(encoder.encode(text));
}

/** Bytes as a token of a byte-level vocabulary: `bytesOfToken`'s inverse. */
export function tokenOfBytes(bytes: Uint8Array): string {
  let token = "";
  for (const byte of bytes) token += CHAR_OF_BYTE[byte];
  return token;
}

/** The text of a sequence of byte-level tokens; invalid UTF-8 becomes U+FFFD, as in Python and Rust. */
export function textOfTokens(tokens: readonly string[]): string {
  const parts = tokens.map(bytesOfToken);
  const bytes = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return decoder.decode(bytes);
}
