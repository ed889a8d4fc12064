/**
 * SentencePiece's vocabulary with what its class has around it, as transformers 5.18 converts it; for a class that is not known,
 * with what the file itself says about normalization, as the SentencePiece library has it.
 */
import { tokenizerClass } from "../classes/index.ts";
import {
  bpeOfBytes,
  precompiledOf,
  spacedDecoder,
  T5,
  unigramOf,
  XGLM,
  XLM_ROBERTA,
} from "../classes/sentencepiece.ts";
import type { Settings } from "../classes/settings.ts";
import {
  inSequence,
  type Pipeline,
  REPLACED_SPACES,
  type Role,
  type TokenizerClass,
} from "../classes/tokenizer-class.ts";
import type { Fields } from "../component.ts";
import { type Assembled, addedToken, assemble } from "./assembled.ts";
import { base64Of } from "./base64.ts";
import { mergesByScore, mergesOfTokens, type Scored } from "./merges.ts";
import { PIECE_TYPES, type SentencePieceFile } from "./sentencepiece-file.ts";

export function assembleSentencePiece(
  file: SentencePieceFile,
  className: string | undefined,
  settings: Settings,
): Assembled {
  const charsmap = file.charsmap.length > 0 ? base64Of(file.charsmap) : undefined;
  const own = tokenizerClass(className);
  const built = own?.pipeline?.(settings, charsmap);
  if (!own || !built || !fits(built, file)) return asTheFileSays(file, className, charsmap, settings);
  const { vocab, extra } = vocabularyOf(own, file, settings);
  const added = [...addedPieces(file, vocab), ...extra];
  return assemble({
    pipeline: built,
    vocabulary:
      built.model.type === "BPE"
        ? { vocab: idsOf(vocab), merges: mergesOfTokens(vocab.map(([token]) => token)) }
        : { vocab },
    addedTokens: added,
    usual: own.usual,
    around: own.around,
    settings: { ...settings, addBos: settings.addBos ?? own.addsBos },
  });
}

/** Whether the class has this kind of vocabulary: GPT-2's has bytes instead of pieces. */
function fits({ model, decoder }: Pipeline, { model: kind }: SentencePieceFile): boolean {
  if (model.type === "Unigram") return kind === "unigram";
  return model.type === "BPE" && (decoder as Fields).type !== "ByteLevel";
}

/** The pieces, where the class puts them, and special tokens of its own. */
function vocabularyOf(
  own: TokenizerClass,
  { pieces }: SentencePieceFile,
  { extraIds }: Settings,
): { readonly vocab: readonly Scored[]; readonly extra: readonly Fields[] } {
  const scored = pieces.map(({ piece, score }): Scored => [piece, score]);
  const withSpecial = (vocab: readonly Scored[], special: readonly string[]) => ({
    vocab: [...vocab, ...special.map((token): Scored => [token, 0])],
    extra: special.map((token, i) => addedToken(vocab.length + i, token, true)),
  });
  if (own === T5) {
    return withSpecial(
      scored,
      Array.from({ length: extraIds }, (_, i) => `<extra_id_${extraIds - 1 - i}>`),
    );
  }
  if (own !== XGLM && own !== XLM_ROBERTA) return { vocab: scored, extra: [] };
  // fairseq's order of the first four.
  const first = ["<s>", "<pad>", "</s>", "<unk>"].map((token): Scored => [token, 0]);
  const madeUp = Array.from({ length: 7 }, (_, i) => `<madeupword${i}>`);
  return withSpecial([...first, ...scored.slice(3)], own === XGLM ? madeUp : ["<mask>"]);
}

/** Control symbols are special; user-defined ones are found whole in a text. */
function addedPieces({ pieces }: SentencePieceFile, vocab: readonly Scored[]): Fields[] {
  const ids = new Map(vocab.map(([token], id) => [token, id]));
  return pieces.flatMap(({ piece, type }) => {
    const id = ids.get(piece);
    if (id === undefined || piece === "" || (type !== PIECE_TYPES.control && type !== PIECE_TYPES.userDefined))
      return [];
    return [addedToken(id, piece, type === PIECE_TYPES.control)];
  });
}

const idsOf = (vocab: readonly Scored[]): Fields => Object.fromEntries(vocab.map(([token], id) => [token, id]));

function asTheFileSays(
  file: SentencePieceFile,
  className: string | undefined,
  charsmap: string | undefined,
  settings: Settings,
): Assembled {
  const { pieces, unkPiece, unkId, byteFallback, removeExtraWhitespaces, addDummyPrefix } = file;
  const scored = pieces.map(({ piece, score }): Scored => [piece, score]);
  const userDefined = pieces.some(({ type }) => type === PIECE_TYPES.userDefined);
  const oneSpace = { type: "Replace", pattern: { Regex: " {2,}" }, content: " " };
  // Between user-defined symbols, a stretch may begin and end with a space.
  const trimmed = userDefined
    ? [oneSpace]
    : [{ type: "Replace", pattern: { Regex: String.raw`\A +| +\z` }, content: "" }, oneSpace];
  // Only the first stretch between user-defined symbols begins with a space.
  const first = addDummyPrefix && userDefined;
  const pipeline: Pipeline = {
    model: file.model === "bpe" ? bpeOfBytes(unkPiece, byteFallback) : unigramOf(unkId, byteFallback),
    normalizer: inSequence("normalizers", [
      ...precompiledOf(charsmap),
      ...(removeExtraWhitespaces ? trimmed : []),
      ...(addDummyPrefix && !userDefined ? [{ type: "Prepend", prepend: "▁" }] : []),
      REPLACED_SPACES,
    ]),
    preTokenizer: first ? { type: "Metaspace", replacement: "▁", prepend_scheme: "first", split: false } : null,
    decoder: spacedDecoder(addDummyPrefix),
  };
  const named: Record<string, string | undefined> = {
    bos: file.bosPiece,
    eos: file.eosPiece,
    unk: unkPiece,
    pad: file.padPiece,
  };
  const usual = Object.fromEntries(Object.entries(named).filter(([, token]) => token !== undefined)) as Partial<
    Record<Role, string>
  >;
  return assemble({
    pipeline,
    vocabulary: file.model === "bpe" ? { vocab: idsOf(scored), merges: mergesByScore(scored) } : { vocab: scored },
    addedTokens: addedPieces(file, scored),
    usual,
    around: undefined,
    settings,
    notes: [
      `${className === undefined ? "No file names the tokenizer's class" : `The tokenizer's class ${className} is not one that is known for SentencePiece`}, so its tokenizer.model is read as the SentencePiece library does.`,
    ],
  });
}
