/** Texts as rows of tokens, as they come: each text is cut into rows of at most the context, and no row has parts of two texts. */
import { InputError } from "../tensor/errors.ts";
import type { TokenRules } from "../text/index.ts";

/** A stretch of a text that runs as one row. */
export interface TextRow {
  /** BOS first, where the model expects it. */
  readonly ids: readonly number[];
  /** Which text of its shard, from 0. */
  readonly text: number;
  /** How many tokens of its text come before it. */
  readonly offset: number;
  /** How many tokens of its shard's rows come before it. */
  readonly at: number;
}

/** What was read. */
export interface Seen {
  texts: number;
  /** Texts without two tokens, of which none predicts the other. */
  skipped: number;
}

/** Longer texts are tokenized in parts of at most this many characters. */
const LONGEST = 2 ** 20;

/**
 * The rows of texts. A row that has no token to predict from another is left out.
 * @param seen counts the texts
 */
export async function* rowsOfTexts(
  texts: AsyncIterable<string>,
  rules: TokenRules,
  maxLength: number,
  seen: Seen,
): AsyncGenerator<TextRow> {
  const lead = leadOf(rules);
  const inRow = maxLength - lead.length;
  let at = 0;
  for await (const text of texts) {
    let offset = 0;
    const before = at;
    for (const part of partsOf(text)) {
      const ids = rules.tokenizer.encode(part, { addSpecialTokens: false });
      for (let from = 0; from < ids.length; from += inRow) {
        const row = [...lead, ...ids.slice(from, from + inRow)];
        if (row.length > 1) {
          yield { ids: row, text: seen.texts, offset: offset + from, at };
          at += row.length;
        }
      }
      offset += ids.length;
    }
    seen.texts++;
    if (at === before) seen.skipped++;
  }
}

/** What stands before each row: BOS, if the model's prompts begin with it. @throws InputError if the vocabulary lacks it */
function leadOf(rules: TokenRules): readonly number[] {
  if (!rules.defaultPrependBos) return [];
  if (rules.tokenizerPrependsBos) return rules.tokenizer.encode("").slice(0, 1);
  if (rules.bosTokenId === undefined) {
    throw new InputError(`The tokenizer has no token ${rules.bosToken}, with which the model's prompts begin.`, {
      asked: rules.bosToken,
    });
  }
  return [rules.bosTokenId];
}

/** A text in parts that end at a line's end, or else at a space. */
function* partsOf(text: string): Generator<string> {
  let from = 0;
  while (text.length - from > LONGEST) {
    const part = text.slice(from, from + LONGEST);
    const end = part.lastIndexOf("\n") + 1 || Math.max(0, part.lastIndexOf(" ")) || wholeCharacters(part);
    yield part.slice(0, end);
    from += end;
  }
  yield text.slice(from);
}

/** Where a text ends without the first half of a character. */
function wholeCharacters(text: string): number {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last < 0xdc00 ? text.length - 1 : text.length;
}
