/** The tokenizer that a GGUF file describes in its metadata, under llama.cpp's names. Source: llama.cpp; transformers 5.18. */
import { FileFormatError } from "../../tensor/errors.ts";
import { shown } from "../../tensor/show.ts";
import { byteLevelSpelling, tokenOfBytes } from "../byte-level.ts";
import { byteLevelPipeline, wordsOf } from "../classes/byte-level.ts";
import { GEMMA, LLAMA, T5 } from "../classes/sentencepiece.ts";
import { type Settings, settingsOf } from "../classes/settings.ts";
import { inSequence, type Pipeline, REPLACED_SPACES, type Role } from "../classes/tokenizer-class.ts";
import type { Fields } from "../component.ts";
import { Tokenizer } from "../tokenizer.ts";
import { addedToken, assemble } from "./assembled.ts";
import { base64Of } from "./base64.ts";
import { KNOWN_WORDS, WHOLE_WORDS, wordPatterns } from "./gguf-words.ts";
import { mergesByScore, type Scored } from "./merges.ts";
import { PIECE_TYPES } from "./sentencepiece-file.ts";

/** What a GGUF file says about its tokenizer: `tokenizer.ggml.…`. */
export interface GgufVocabulary {
  /** "gpt2" (byte-level BPE), "llama" (SentencePiece' BPE) or "t5" (unigram). */
  readonly model: string;
  /** How byte-level texts are split into words. */
  readonly pre?: string | undefined;
  /** By id. */
  readonly tokens: readonly string[];
  readonly scores?: ArrayLike<number> | undefined;
  /** As SentencePiece's. */
  readonly tokenTypes?: ArrayLike<number> | undefined;
  /** Pairs with a space between them. */
  readonly merges?: readonly string[] | undefined;
  readonly bosTokenId?: number | undefined;
  readonly eosTokenId?: number | undefined;
  readonly unknownTokenId?: number | undefined;
  readonly paddingTokenId?: number | undefined;
  readonly addBosToken?: boolean | undefined;
  readonly addEosToken?: boolean | undefined;
  readonly addSpacePrefix?: boolean | undefined;
  readonly precompiledCharsmap?: Uint8Array | undefined;
  /** `general.architecture`, "llama" or "gemma2": Gemma's and Phi 3's spaces differ from Llama's. */
  readonly architecture?: string | undefined;
  /** `tokenizer.chat_template`, and others by name, `tokenizer.chat_template.NAME`. */
  readonly chatTemplates?: ReadonlyMap<string, string> | undefined;
}

/** @throws FileFormatError for a kind of tokenizer that is not known, or one that contradicts itself */
export function tokenizerOfGguf(gguf: GgufVocabulary): Tokenizer {
  const makers: Readonly<Record<string, (gguf: GgufVocabulary) => Made>> = { gpt2: byteLevel, llama: bpe, t5: unigram };
  if (typeof gguf.model !== "string" || !Object.hasOwn(makers, gguf.model)) {
    throw new FileFormatError(
      `The GGUF file has a tokenizer of the kind ${shown(gguf.model)}, but only ${Object.keys(makers).join(", ")} can be read: pass a \`tokenizer\`.`,
      { asked: gguf.model, found: Object.keys(makers) },
    );
  }
  checkFields(gguf);
  const { pipeline, vocabulary, spelled, settings, notes } = makers[gguf.model](gguf);
  return Tokenizer.assembled(
    assemble({
      pipeline,
      vocabulary,
      addedTokens: addedTokens(gguf, spelled),
      usual: usualTokens(gguf, spelled),
      around: undefined,
      settings: {
        addBos: gguf.addBosToken ?? settings.addBos,
        addEos: gguf.addEosToken ?? settings.addEos,
      },
      notes: notes ?? [],
    }),
    { chatTemplates: gguf.chatTemplates },
  );
}

const everyText = (list: unknown): boolean => Array.isArray(list) && list.every((v) => typeof v === "string");
const everyNumber = (list: unknown): boolean =>
  ArrayBuffer.isView(list) || (Array.isArray(list) && list.every((v) => typeof v === "number" && Number.isFinite(v)));

/** @throws FileFormatError for a field of the wrong kind, or of another length than the tokens */
function checkFields(gguf: GgufVocabulary): void {
  const fields: [field: string, value: unknown, right: (value: unknown) => boolean, wanted: string][] = [
    ["tokens", gguf.tokens, everyText, "a list of texts"],
    ["merges", gguf.merges, everyText, "a list of texts"],
    ["scores", gguf.scores, everyNumber, "a list of numbers"],
    ["token_type", gguf.tokenTypes, everyNumber, "a list of numbers"],
    ["pre", gguf.pre, (value) => typeof value === "string", "a text"],
  ];
  for (const [field, value, right, wanted] of fields) {
    if ((field !== "tokens" && value === undefined) || right(value)) continue;
    throw new FileFormatError(
      `tokenizer.ggml.${field} of the GGUF file must be ${wanted}, not ${shown(value).slice(0, 80)}.`,
      { asked: field, found: value },
    );
  }
  for (const [field, array] of [
    ["scores", gguf.scores],
    ["token_type", gguf.tokenTypes],
  ] as const) {
    if (array === undefined || array.length === gguf.tokens.length) continue;
    throw new FileFormatError(
      `The GGUF file has ${gguf.tokens.length} tokens, but ${array.length} entries in tokenizer.ggml.${field}.`,
      { asked: gguf.tokens.length, found: array.length },
    );
  }
}

interface Made {
  readonly pipeline: Pipeline;
  readonly vocabulary: Fields;
  /** The tokens as the vocabulary spells them. */
  readonly spelled: readonly string[];
  /** If the file does not say. */
  readonly settings: Pick<Settings, "addBos" | "addEos">;
  readonly notes?: readonly string[];
}

const ALPHABET = new Set(tokenOfBytes(Uint8Array.from({ length: 256 }, (_, byte) => byte)));
const isSpelled = (token: string) => [...token].every((char) => ALPHABET.has(char));

function byteLevel(gguf: GgufVocabulary): Made {
  const { pre = "default", tokens, merges } = gguf;
  const patterns = pre === "default" ? wordPatterns("gpt-2") : wordPatterns(pre);
  if (patterns === undefined) {
    throw new FileFormatError(
      `The GGUF file splits texts into words in the way that llama.cpp calls ${shown(pre)}, which is not known here, so its tokens would be wrong: pass a \`tokenizer\`, such as the original model's.`,
      { asked: pre, found: KNOWN_WORDS },
    );
  }
  if (merges === undefined) {
    throw new FileFormatError(
      "The GGUF file has no tokenizer.ggml.merges, which a byte-level tokenizer needs: convert the model again, or pass a `tokenizer`.",
      { asked: "tokenizer.ggml.merges" },
    );
  }
  const bytes = byteLevelPipeline(false);
  const words = patterns.map(wordsOf);
  const preTokenizer = inSequence("pretokenizers", [...words, { ...(bytes.preTokenizer as Fields), use_regex: false }]);
  const spelled = tokens.map((token) => (isSpelled(token) ? token : byteLevelSpelling(token)));
  const ignore_merges = WHOLE_WORDS.includes(pre);
  return {
    pipeline: { ...bytes, model: { ...bytes.model, ignore_merges }, preTokenizer },
    vocabulary: { vocab: idsOf(spelled), merges },
    spelled,
    settings: { addBos: ["llama3", "llama-v3", "llama-bpe"].includes(pre), addEos: false },
    notes:
      pre === "default"
        ? ["The GGUF file does not say how its tokenizer splits texts into words, so they are split as GPT-2's are."]
        : [],
  };
}

/** SentencePiece's BPE: Llama's, Gemma's or Phi 3's spaces. */
function bpe({ tokens, scores, architecture = "", addSpacePrefix, merges }: GgufVocabulary): Made {
  const gemma = /^gemma[23]?$/.test(architecture);
  // Gemma's tokens of spaces are written as spaces.
  const spelled = gemma ? tokens.map((token) => (/^ {2,}$/.test(token) ? "▁".repeat(token.length) : token)) : tokens;
  if (merges === undefined && scores === undefined) {
    throw new FileFormatError(
      "The GGUF file has neither tokenizer.ggml.scores nor tokenizer.ggml.merges, so it does not say which tokens are made first: pass a `tokenizer`.",
      { asked: "tokenizer.ggml.scores" },
    );
  }
  const settings = { ...settingsOf(undefined), addPrefixSpace: addSpacePrefix };
  const llama = LLAMA.pipeline!(settings);
  const phi3: Pipeline = {
    ...llama,
    normalizer: inSequence("normalizers", [{ type: "Prepend", prepend: "▁" }, REPLACED_SPACES]),
    preTokenizer: null,
  };
  // Gemma's scores do not follow the order of its merges; that of its tokens does.
  const scored = spelled.map((token, id): Scored => [token, gemma || !scores ? -id : scores[id]]);
  return {
    pipeline: gemma ? GEMMA.pipeline!(settings) : architecture === "phi3" && addSpacePrefix !== false ? phi3 : llama,
    vocabulary: { vocab: idsOf(spelled), merges: merges ?? mergesByScore(scored) },
    spelled,
    settings: { addBos: true, addEos: false },
  };
}

function unigram({ tokens, scores, precompiledCharsmap }: GgufVocabulary): Made {
  if (scores === undefined) {
    throw new FileFormatError("The GGUF file has no tokenizer.ggml.scores, which a unigram tokenizer needs.", {
      asked: "tokenizer.ggml.scores",
    });
  }
  // The file calls T5's blanks [PAD32000], …
  const blanks = tokens.flatMap((token, id) => (/^\[PAD\d+\]$/.test(token) ? [id] : []));
  const count = 100;
  const spelled = [...tokens];
  for (const [i, id] of blanks.slice(0, count).entries()) spelled[id] = `<extra_id_${count - 1 - i}>`;
  const charsmap = precompiledCharsmap?.length ? base64Of(precompiledCharsmap) : undefined;
  return {
    pipeline: T5.pipeline!(settingsOf(undefined), charsmap),
    vocabulary: { vocab: spelled.map((token, id): Scored => [token, scores[id]]) },
    spelled,
    settings: { addBos: false, addEos: true },
  };
}

/** Control tokens, and the one for unknown text, are special; user-defined ones are found whole in a text. */
function addedTokens({ model, tokens, tokenTypes }: GgufVocabulary, spelled: readonly string[]): Fields[] {
  return spelled.flatMap((content, id) => {
    const type = tokenTypes?.[id];
    const blank = model === "t5" && /^<extra_id_\d+>$/.test(content);
    const control = blank || type === PIECE_TYPES.control || (type === PIECE_TYPES.unknown && model !== "gpt2");
    if (content === "" || (!control && type !== PIECE_TYPES.userDefined)) return [];
    // A byte-level token that is not in the alphabet of bytes is a word of the vocabulary.
    if (model === "gpt2" && !isSpelled(tokens[id])) return [];
    return [addedToken(id, content, control)];
  });
}

function usualTokens(gguf: GgufVocabulary, spelled: readonly string[]): Partial<Record<Role, string>> {
  const ids: [Role, string, number | undefined][] = [
    ["bos", "bos_token_id", gguf.bosTokenId],
    ["eos", "eos_token_id", gguf.eosTokenId],
    ["unk", "unknown_token_id", gguf.unknownTokenId],
    ["pad", "padding_token_id", gguf.paddingTokenId],
  ];
  const named: Partial<Record<Role, string>> = {};
  for (const [role, field, id] of ids) {
    if (id === undefined) continue;
    if (!Number.isInteger(id) || id < 0 || id >= spelled.length) {
      throw new FileFormatError(
        `tokenizer.ggml.${field} of the GGUF file is ${shown(id)}, but it has ${spelled.length} tokens.`,
        { asked: field, found: id },
      );
    }
    named[role] = spelled[id];
  }
  return named;
}

function idsOf(tokens: readonly string[]): Fields {
  return Object.fromEntries(tokens.map((token, id) => [token, id]));
}
