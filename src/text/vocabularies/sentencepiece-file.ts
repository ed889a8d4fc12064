/**
 * Reads SentencePiece's `tokenizer.model`, a protobuf message: the pieces with their scores and types, how they were
 * trained, and how texts are normalized. Source: `sentencepiece_model.proto` of google/sentencepiece.
 */
import { FileFormatError } from "../../tensor/errors.ts";
import { isWellFormed } from "../well-formed.ts";
import { eachField } from "./protobuf.ts";

export const PIECE_TYPES = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

export interface Piece {
  readonly piece: string;
  readonly score: number;
  /** One of `PIECE_TYPES`. */
  readonly type: number;
}

export interface SentencePieceFile {
  /** By id. */
  readonly pieces: readonly Piece[];
  readonly model: "unigram" | "bpe";
  readonly byteFallback: boolean;
  readonly unkId: number;
  readonly unkPiece: string;
  /** Undefined where the id is -1: there is no such token. */
  readonly bosPiece: string | undefined;
  readonly eosPiece: string | undefined;
  readonly padPiece: string | undefined;
  /** The map of normalization, for `Precompiled`; empty for the rule "identity". */
  readonly charsmap: Uint8Array;
  readonly addDummyPrefix: boolean;
  readonly removeExtraWhitespaces: boolean;
}

const MODEL_TYPES: Readonly<Record<number, string>> = { 1: "unigram", 2: "bpe", 3: "word", 4: "char" };
/** Published models have at most some hundred thousand. */
const MOST_PIECES = 10_000_000;

/** The fields of a message, by number: a later one replaces an earlier one, as protobuf has it. */
type Message = Map<number, unknown>;

/** @param what the file's name, for errors. @throws FileFormatError if it is not such a file, or of a type that is not read */
export function readSentencePiece(bytes: Uint8Array, what: string): SentencePieceFile {
  const pieces: Piece[] = [];
  let trainer: Message = new Map();
  let normalizer: Message = new Map();
  try {
    eachField(bytes, (field, value) => {
      if (!(value instanceof Uint8Array)) return;
      if (field === 1) {
        if (pieces.push(pieceOf(fieldsOf(value))) > MOST_PIECES) throw new Error("it has too many pieces");
      } else if (field === 2) trainer = new Map([...trainer, ...fieldsOf(value)]);
      else if (field === 3) normalizer = new Map([...normalizer, ...fieldsOf(value)]);
    });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : `${cause}`;
    throw new FileFormatError(
      `${what} is not a SentencePiece model, or is damaged (${why}): download it again, or put a tokenizer.json next to it.`,
      { asked: what, found: why, cause },
    );
  }
  if (pieces.length === 0) {
    throw new FileFormatError(
      `${what} has no pieces, so it is not a SentencePiece model: download it again, or put a tokenizer.json next to it.`,
      { asked: what },
    );
  }
  const type = MODEL_TYPES[whole(trainer, 3, 1)];
  if (type !== "unigram" && type !== "bpe") {
    throw new FileFormatError(
      `${what} is a SentencePiece model of the type "${type ?? whole(trainer, 3, 1)}", but only unigram and bpe can be read.`,
      { asked: what, found: type },
    );
  }
  if (flag(trainer, 24, false)) {
    throw new FileFormatError(
      `${what} puts the space of a word after it (treat_whitespace_as_suffix), which is not supported: use a tokenizer.json.`,
      { asked: what, found: "treat_whitespace_as_suffix" },
    );
  }
  const named = (idField: number, usualId: number, pieceField: number, usual: string) =>
    whole(trainer, idField, usualId) < 0 ? undefined : text(trainer, pieceField, usual);
  const unkId = whole(trainer, 40, 0);
  if (unkId < 0 || unkId >= pieces.length) {
    throw new FileFormatError(
      `${what} says that unknown text has the id ${unkId}, but it has ${pieces.length} pieces.`,
      {
        asked: unkId,
        found: pieces.length,
      },
    );
  }
  return {
    pieces,
    model: type,
    byteFallback: flag(trainer, 35, false),
    unkId,
    unkPiece: text(trainer, 45, "<unk>"),
    bosPiece: named(41, 1, 46, "<s>"),
    eosPiece: named(42, 2, 47, "</s>"),
    padPiece: named(43, -1, 48, "<pad>"),
    charsmap: bytesOf(normalizer, 2),
    addDummyPrefix: flag(normalizer, 3, true),
    removeExtraWhitespaces: flag(normalizer, 4, true),
  };
}

function pieceOf(fields: Message): Piece {
  const score = fields.get(2) ?? 0;
  const piece = text(fields, 1, "");
  if (typeof score !== "number" || !Number.isFinite(score)) throw new Error("a piece's score is not a number");
  if (!isWellFormed(piece)) throw new Error("a piece is not text");
  return { piece, score, type: whole(fields, 3, PIECE_TYPES.normal) };
}

function fieldsOf(bytes: Uint8Array): Message {
  const fields: Message = new Map();
  eachField(bytes, (field, value) => fields.set(field, value));
  return fields;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function text(fields: Message, field: number, fallback: string): string {
  const value = fields.get(field);
  return value instanceof Uint8Array ? decoder.decode(value) : fallback;
}

function bytesOf(fields: Message, field: number): Uint8Array {
  const value = fields.get(field);
  return value instanceof Uint8Array ? value : new Uint8Array();
}

function whole(fields: Message, field: number, fallback: number): number {
  const value = fields.get(field);
  return typeof value === "number" && Number.isSafeInteger(value) ? value : fallback;
}

function flag(fields: Message, field: number, fallback: boolean): boolean {
  return whole(fields, field, fallback ? 1 : 0) !== 0;
}
