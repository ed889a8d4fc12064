/** Byte-level vocabularies: `vocab.json` with `merges.txt`, and tiktoken's ranks. */
import { FileFormatError } from "../../tensor/errors.ts";
import { shown } from "../../tensor/show.ts";
import { tokenOfBytes } from "../byte-level.ts";
import { byteLevelPipeline, GPT2, QWEN2_WORDS, wordsOf } from "../classes/byte-level.ts";
import { tokenizerClass } from "../classes/index.ts";
import type { Settings } from "../classes/settings.ts";
import type { Fields } from "../component.ts";
import { type Assembled, addedToken, assemble } from "./assembled.ts";
import { mergesOfTokens } from "./merges.ts";

/** @param className GPT-2's is the default */
export function assembleBpe(
  vocab: Fields,
  mergesTxt: string,
  className: string | undefined,
  settings: Settings,
): Assembled {
  const own = tokenizerClass(className);
  const { usual, pipeline, around, addsBos } = own?.pipeline?.(settings).model.type === "BPE" ? own : GPT2;
  const merges = mergesTxt.split(/\r?\n/).filter((line) => line !== "" && !line.startsWith("#version"));
  return assemble({
    pipeline: pipeline!(settings),
    vocabulary: { vocab, merges },
    usual,
    around,
    settings: { ...settings, addBos: settings.addBos ?? addsBos },
  });
}

/** Qwen's special tokens follow its vocabulary in this order. Source: its tokenizer, `tokenization_qwen.py`. */
const QWEN_SPECIAL = [
  "<|endoftext|>",
  "<|im_start|>",
  "<|im_end|>",
  ...Array.from({ length: 205 }, (_, i) => `<|extra_${i}|>`),
];

/**
 * The first Qwen's tokenizer from its `qwen.tiktoken`: each line has a token in base64 and its rank, which is its id.
 * @param what the file's name, for errors
 */
export function assembleTiktoken(ranks: string, settings: Settings, what: string): Assembled {
  const tokens: { token: string; rank: number }[] = [];
  for (const line of ranks.split(/\r?\n/)) {
    if (line === "") continue;
    const [, base64, rank] = /^([A-Za-z0-9+/]+={0,2}) (\d{1,7})$/.exec(line) ?? [];
    if (base64 === undefined || base64.length % 4 !== 0) {
      throw new FileFormatError(
        `${what} has the line ${shown(line)}, but each must have a token in base64 and its rank: download the file again.`,
        { asked: what, found: line },
      );
    }
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    tokens.push({ token: tokenOfBytes(bytes), rank: Number(rank) });
  }
  tokens.sort((a, b) => a.rank - b.rank);
  const pipeline = byteLevelPipeline(settings.addPrefixSpace, {
    normalizer: { type: "NFC" },
    first: wordsOf(QWEN2_WORDS),
  });
  const next = (tokens.at(-1)?.rank ?? -1) + 1;
  const special = QWEN_SPECIAL.map((content, i) => ({ content, id: next + i }));
  return assemble({
    pipeline: { ...pipeline, model: { ...pipeline.model, ignore_merges: true } },
    vocabulary: {
      vocab: Object.fromEntries([
        ...tokens.map(({ token, rank }) => [token, rank]),
        ...special.map(({ content, id }) => [content, id]),
      ]),
      merges: mergesOfTokens(tokens.map(({ token }) => token)),
    },
    addedTokens: special.map(({ content, id }) => addedToken(id, content, true)),
    usual: { eos: "<|endoftext|>", pad: "<|endoftext|>" },
    around: undefined,
    settings,
  });
}
