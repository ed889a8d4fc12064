/** How measures read prompts and answers, and report options out of range. */

import type { Tensor } from "../graph/tensor.ts";
import { maskedPlaces } from "../lens/fill-mask.ts";
import type { Model } from "../lens/model.ts";
import { fillsMasks } from "../lens/model-has.ts";
import { batchOf, needText, onePrompt, readTokens } from "../lens/tokens.ts";
import { InputError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import { counted, firstOf, quoted } from "../tensor/words.ts";
import type { TokenIds } from "../text/token-ids.ts";

/** One prompt's tokens. */
export interface Prompt {
  readonly ids: readonly number[];
  /** The prompt's text, without the BOS that was put in front. */
  readonly text: string;
  /** Each token as a reader sees it: a character that is split over tokens is whole in each, with a mark. */
  readonly tokens: readonly string[];
  /** int32 [batch pos], a batch of one. */
  readonly input: Tensor;
  readonly startsWithBos: boolean;
}

export interface PromptRules {
  /** How many tokens there must be. Default 1. */
  readonly least?: number;
  /** How many more tokens must fit into the context after it. Default 0. */
  readonly room?: number;
  readonly prependBos?: boolean | undefined;
}

/**
 * The tokens of a prompt, with BOS in front where the model expects it. Nothing is cut off.
 * @throws InputError if it is empty, too short for the analysis, or does not fit into the context.
 */
export function readPrompt(
  model: Model,
  prompt: string | TokenIds,
  { least = 1, room = 0, prependBos }: PromptRules = {},
): Prompt {
  const { nCtx } = model.cfg;
  const input =
    typeof prompt === "string"
      ? ofText(model, prompt, prependBos)
      : batchOf([onePrompt(prompt, model.cfg.dVocab)], model);
  const ids = Array.from(input.data);
  if (ids.length + room > nCtx) {
    throw new InputError(
      `The prompt has ${ids.length} tokens, BOS included${room > 0 ? `, and ${room} more must follow` : ""}, but the model's context holds only ${nCtx}: shorten it.`,
      { asked: ids.length, found: nCtx },
    );
  }
  if (ids.length < least) {
    throw new InputError(
      `The prompt has ${counted(ids.length, "token")}, BOS included, but needs at least ${least}: give a longer one.`,
      { asked: ids.length, found: least },
    );
  }
  return { ids, ...shownPrompt(model, prompt, ids), input };
}

/** A prompt's text and tokens, for a reader. @param prompt as it was given, a text or ids */
export function shownPrompt(
  model: Model,
  prompt: string | TokenIds,
  ids: readonly number[],
): Pick<Prompt, "text" | "tokens" | "startsWithBos"> {
  const startsWithBos = ids[0] === model.text?.bosTokenId;
  const tokens = tokenTexts(model, ids);
  const decoded = () => model.text?.decode(ids.slice(startsWithBos ? 1 : 0)) ?? tokens.join("");
  return { text: typeof prompt === "string" ? prompt : decoded(), tokens, startsWithBos };
}

function ofText(model: Model, text: string, prependBos: boolean | undefined): Tensor {
  if (text === "") throw new InputError("The prompt is empty: give a text of a few words.", { asked: text });
  return readTokens(text, model, { truncate: false, prependBos });
}

/**
 * The position at which a prompt's answer is read: the last one, or the mask's in a model that fills in masks.
 * @throws InputError for a prompt of such a model without a mask, or with several
 */
export function answerPlace(model: Model, { input }: Prompt): number {
  if (!fillsMasks(model)) return input.shape[1] - 1;
  const places = maskedPlaces(input, model);
  if (places.length === 1) return places[0].pos;
  throw new InputError(`The prompt has ${places.length} masks, but the answer is one token: mask only that one.`, {
    asked: places.map(({ pos }) => pos),
  });
}

/** Where answers are read, in words. */
export function answerPlaceName(model: Model): string {
  return fillsMasks(model) ? "the mask" : "the last position";
}

/** A list of prompts, at least one. @throws InputError for something that is not a list */
export function checkPrompts(prompts: unknown): asserts prompts is readonly (string | TokenIds)[] {
  if (Array.isArray(prompts) && prompts.length > 0) return;
  throw new InputError(
    Array.isArray(prompts)
      ? "There are no prompts to run on: give at least one."
      : `The prompts must be a list of texts, or of lists of token ids, not ${shown(prompts)}.`,
    { asked: prompts },
  );
}

/** The texts of consecutive tokens, or their ids in brackets where there is no tokenizer. */
export function tokenTexts(model: Model, ids: readonly number[]): string[] {
  return model.text ? model.text.shownTokens(ids) : ids.map((id) => `[${id}]`);
}

/** The text of a token that stands alone. */
export function tokenText(model: Model, id: number): string {
  return tokenTexts(model, [id])[0];
}

/**
 * The id of an answer, which must be one token: the rule of `answerIds`.
 * @throws InputError that lists the tokens if there are several
 */
export function answerToken(model: Model, answer: string | number): number {
  if (typeof answer !== "string") {
    if (Number.isInteger(answer) && answer >= 0 && answer < model.cfg.dVocabOut) return answer;
    throw new InputError(
      `The answer ${shown(answer)} is not a token that the model predicts: ids go from 0 to ${model.cfg.dVocabOut - 1}.`,
      { asked: answer, found: model.cfg.dVocabOut },
    );
  }
  const ids = answerIds(model, answer);
  if (ids.length === 1) return ids[0];
  const word = answer.trimStart();
  const alone = word !== answer && word !== "" && encoded(model, word).length === 1;
  throw new InputError(
    `The answer ${quoted(answer)} is ${ids.length} tokens for this model, ${firstOf(tokenTexts(model, ids).map(quoted))}, but must be one: ` +
      (alone
        ? `${quoted(word)} without the space is one.`
        : "choose a word that is one, or use test-prompt, which scores whole answers."),
    { asked: answer, found: ids },
  );
}

/**
 * The tokens of an answer, by one rule wherever there are answers. Within a text a word begins with a space, so a word without one
 * gets it, unless the tokenizer makes a token of that space alone, or a single token only of the word without it.
 * @throws InputError for an empty answer
 */
export function answerIds(model: Model, answer: string): readonly number[] {
  const own = encoded(model, answer);
  if (own.length === 0) throw new InputError("An answer is empty: use at least one word.", { asked: answer });
  if (/^\s/.test(answer)) return own;
  const spaced = encoded(model, ` ${answer}`);
  const spaceAlone = needText(model).decode(spaced.slice(0, 1)).trim() === "";
  return spaced.length > 1 && (own.length === 1 || spaceAlone) ? own : spaced;
}

function encoded(model: Model, text: string): readonly number[] {
  return needText(model).tokenizer.encode(text, { addSpecialTokens: false });
}
