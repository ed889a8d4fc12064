/** The decoders of Hugging Face's library: tokens, as the vocabulary writes them, to text. */
import { InputError } from "../../tensor/errors.ts";
import { textOfTokens } from "../byte-level.ts";
import { built, Component } from "../component.ts";
import { mayGrow } from "../growth.ts";
import { patternOf, replacedAll, substituted } from "../pattern.ts";
import { readMetaspace } from "../pre-tokenizers/metaspace.ts";

/** Consecutive parts of the text. */
export type Decoder = (tokens: readonly string[]) => readonly string[];

export const DECODERS: Readonly<Record<string, (component: Component) => Decoder>> = {
  BPEDecoder: (component) => {
    const suffix = component.text("suffix");
    return (tokens) => tokens.map((token, i) => replacedAll(token, suffix, i === tokens.length - 1 ? "" : " "));
  },
  ByteFallback: () => byteFallback,
  ByteLevel: (component) => {
    component.flag("add_prefix_space");
    component.flag("trim_offsets");
    component.flag("use_regex", true);
    return (tokens) => [textOfTokens(tokens)];
  },
  CTC: ctc,
  Fuse: () => (tokens) => [tokens.join("")],
  Metaspace: metaspace,
  Replace: replace,
  Sequence: (component) => {
    const decoders = component.components("decoders").map(make);
    return (tokens) => {
      const length = lengthOf(tokens);
      return decoders.reduce((now, decoder) => {
        const next = decoder(now);
        mayGrow(length, lengthOf(next));
        return next;
      }, tokens);
    };
  },
  Strip: strip,
  WordPiece: (component) => {
    const prefix = component.text("prefix");
    const cleans = component.flag("cleanup");
    return (tokens) =>
      tokens.map((token, i) => {
        const word = i === 0 ? token : token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`;
        return cleans ? cleaned(word) : word;
      });
  },
};

const lengthOf = (tokens: readonly string[]): number => tokens.reduce((n, token) => n + token.length, 0);

const make = (component: Component): Decoder => built(component, DECODERS, "decoder");

/** The decoder that a `tokenizer.json` describes; without one, tokens are words. */
export function decoderOf(json: unknown): Decoder {
  return json === null || json === undefined ? (tokens) => [tokens.join(" ")] : make(new Component(json, "decoder"));
}

/** Undoes the spaces that were inserted before punctuation and endings. */
const CLEANED: readonly (readonly [string, string])[] = [
  [" .", "."],
  [" ?", "?"],
  [" !", "!"],
  [" ,", ","],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [" do not", " don't"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
];

function cleaned(text: string): string {
  return CLEANED.reduce((now, [from, to]) => now.split(from).join(to), text);
}

function ctc(component: Component): Decoder {
  const pad = component.text("pad_token");
  const delimiter = component.text("word_delimiter_token");
  const cleans = component.flag("cleanup");
  return (tokens) =>
    tokens
      .filter((token, i) => token !== tokens[i - 1])
      .map((token) => replacedAll(token, pad, ""))
      .map((token) => (cleans ? replacedAll(cleaned(token), delimiter, " ") : token))
      .filter((token) => token !== "");
}

function metaspace(component: Component): Decoder {
  const { replacement, scheme } = readMetaspace(component);
  return (tokens) => tokens.map((token, i) => token.split(replacement).join(i === 0 && scheme !== "never" ? "" : " "));
}

function replace(component: Component): Decoder {
  const find = patternOf(component);
  const content = component.text("content");
  return (tokens) => tokens.map((token) => (token === "" ? "" : substituted(token, find(token), content)));
}

/** Consecutive tokens such as `<0x0A>` are the bytes of characters. */
function byteFallback(tokens: readonly string[]): readonly string[] {
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const out: string[] = [];
  let bytes: number[] = [];
  const flush = () => {
    if (bytes.length === 0) return;
    try {
      out.push(strict.decode(Uint8Array.from(bytes)));
    } catch {
      for (const _ of bytes) out.push("\uFFFD");
    }
    bytes = [];
  };
  for (const token of tokens) {
    const byte = /^<0x([0-9A-Fa-f]{2}|\+[0-9A-Fa-f])>$/.exec(token);
    if (byte) bytes.push(Number.parseInt(byte[1], 16));
    else {
      flush();
      out.push(token);
    }
  }
  flush();
  return out;
}

/** Removes a character from the ends of each token, at most this many times. */
function strip(component: Component): Decoder {
  const content = component.character("content");
  const most = { start: component.count("start"), stop: component.count("stop") };
  return (tokens) =>
    tokens.map((token) => {
      const chars = Array.from(token);
      let start = 0;
      while (start < Math.min(most.start, chars.length) && chars[start] === content) start++;
      let stop = chars.length;
      while (chars.length - stop < most.stop) {
        // Hugging Face's library fails if it would strip more than there is.
        if (stop === 0) throw tooShort(token, content);
        if (chars[stop - 1] !== content) break;
        stop--;
      }
      if (start > stop) throw tooShort(token, content);
      return chars.slice(start, stop).join("");
    });
}

function tooShort(token: string, content: string): InputError {
  return new InputError(
    `The decoder Strip cannot remove ${JSON.stringify(content)} from both ends of the token ${JSON.stringify(token)}: it is too short.`,
    { asked: token },
  );
}
