/** Turns the files of `glassformer train` into texts, a tokenizer, and rows of tokens. */
import { dirname, join } from "node:path";
import { loadTokenizer } from "../lens/from-pretrained.ts";
import type { ByteSource } from "../load/bytes.ts";
import { parseJsonObject, urlSource } from "../load/index.ts";
import { fileSource } from "../load/node.ts";
import { readText } from "../load/text-pieces.ts";
import type { NDArray } from "../tensor/array.ts";
import { InputError } from "../tensor/errors.ts";
import { counted } from "../tensor/words.ts";
import { Tokenizer, type TokenRules } from "../text/index.ts";
import { readTexts } from "../training/data/texts.ts";
import { tokenizeAndConcatenate } from "../training/data/tokenize-and-concatenate.ts";
import { trainBpe } from "../training/data/train-bpe.ts";
import { inputSource } from "./input-files.ts";
import type { TrainFlags } from "./train-options.ts";

/** Where to report while files are read. */
export interface SetupContext {
  /** Reports what was read and decided, one line each. */
  readonly say: (line: string) => void;
}

const number = (n: number): string => n.toLocaleString("en");

/** The texts of all files, in order. @throws InputError for a file without any text */
export async function textsOf(
  paths: readonly string[],
  { column, maxTexts }: Pick<TrainFlags, "column" | "maxTexts">,
  { say }: SetupContext,
): Promise<string[]> {
  const all: string[][] = [];
  for (const path of paths) {
    const texts = await readTexts(await sourceOf(path), { column, maxTexts });
    const letters = texts.reduce((n, text) => n + text.length, 0);
    say(`${path}: ${counted(texts.length, "text")}, ${number(letters)} characters`);
    if (texts.length === 0) throw new InputError(`${path} is empty: it has no text to train on.`, { asked: path });
    all.push(texts);
  }
  return all.flat();
}

/** A path, a URL, or "-" for standard input. */
async function sourceOf(path: string): Promise<ByteSource> {
  return /^https?:\/\//i.test(path) ? urlSource(path) : inputSource(path);
}

/** A JSON file as an object. @throws InputError if it cannot be read, FileFormatError if it is not one */
export async function jsonFile(path: string): Promise<Record<string, unknown>> {
  return parseJsonObject(await readText(await fileSource(path)), path);
}

/** The tokenizer of a file (with the `tokenizer_config.json` next to it) or of a model, or else one made from the texts. */
export async function tokenizerFor(
  texts: readonly string[],
  { tokenizer: from, vocabSize = 4096 }: TrainFlags,
  { say }: SetupContext,
): Promise<Tokenizer> {
  if (from?.endsWith(".json")) {
    const config = await jsonFile(join(dirname(from), "tokenizer_config.json")).catch(() => undefined);
    return Tokenizer.fromJson(await jsonFile(from), config);
  }
  if (from !== undefined) return loadTokenizer(from);
  const tokenizer = Tokenizer.fromJson(trainBpe(texts, { vocabSize }));
  say(`a tokenizer of ${number(tokenizer.vocabSize)} tokens, made from the texts`);
  return tokenizer;
}

/** Rows of `maxLength` tokens. @throws InputError that names this command's options, if the texts do not fill one row */
export function rowsOf(texts: readonly string[], rules: TokenRules, maxLength: number): NDArray<"int32"> {
  try {
    return tokenizeAndConcatenate(texts, rules, { maxLength, addBosToken: rules.bosTokenId !== undefined });
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(error.message.replaceAll("maxLength", "--max-length"), {
      asked: error.asked,
      found: error.found,
    });
  }
}
