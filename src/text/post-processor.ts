/** What a `tokenizer.json` puts around every text: BOS before it, EOS behind it, or nothing. */
import { FileFormatError } from "../tensor/errors.ts";
import { type Fields, isFields } from "./tokenizer-json.ts";

/** The ids that go before and behind the tokens of one text. */
export interface Frame {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/**
 * The frame that a `post_processor` describes. Ids are the file's own, as in Hugging Face's library.
 * @throws FileFormatError for a post-processor that is none of Hugging Face's, or garbled.
 */
export function frameOf(postProcessor: Fields | null): Frame {
  if (postProcessor === null) return { before: [], after: [] };
  switch (postProcessor.type) {
    case "ByteLevel": // moves offsets alone
      return { before: [], after: [] };
    case "BertProcessing":
    case "RobertaProcessing":
      return { before: [pairId(postProcessor, "cls")], after: [pairId(postProcessor, "sep")] };
    case "TemplateProcessing":
      return templateFrame(postProcessor);
    case "Sequence":
      return list(postProcessor, "processors")
        .map((inner) => frameOf(isFields(inner) ? inner : garbled("processors")))
        .reduce(
          (inner, outer) => ({
            before: [...outer.before, ...inner.before],
            after: [...inner.after, ...outer.after],
          }),
          { before: [], after: [] } as Frame,
        );
    default:
      throw new FileFormatError(
        `The tokenizer.json has a post_processor of type "${String(postProcessor.type)}"; known are ByteLevel, TemplateProcessing, BertProcessing, RobertaProcessing and Sequence.`,
        { asked: postProcessor.type },
      );
  }
}

/** `single` is a list such as `[{SpecialToken: {id: "<s>"}}, {Sequence: {id: "A"}}]`; the ids stand in `special_tokens`. */
function templateFrame(template: Fields): Frame {
  const special = isFields(template.special_tokens) ? template.special_tokens : {};
  const before: number[] = [];
  const after: number[] = [];
  let seenText = false;
  for (const item of list(template, "single")) {
    if (!isFields(item)) garbled("single");
    else if (isFields(item.Sequence)) {
      if (seenText) garbled("single");
      seenText = true;
    } else if (isFields(item.SpecialToken)) {
      const entry = special[String(item.SpecialToken.id)];
      if (!isFields(entry)) garbled("special_tokens");
      else (seenText ? after : before).push(...list(entry, "ids").map(Number));
    } else garbled("single");
  }
  return seenText ? { before, after } : garbled("single");
}

function pairId(fields: Fields, name: string): number {
  const id = list(fields, name)[1];
  return typeof id === "number" ? id : garbled(name);
}

function list(fields: Fields, name: string): unknown[] {
  const value = fields[name];
  return Array.isArray(value) ? value : garbled(name);
}

function garbled(part: string): never {
  throw new FileFormatError(
    `The post_processor of the tokenizer.json cannot be read: its "${part}" is not what Hugging Face writes there.`,
    { asked: part },
  );
}
