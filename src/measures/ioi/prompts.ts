/**
 * Prompts for indirect object identification: two people, one of whom gives something to the other. Modelled
 * on the templates of Wang et al. 2022 (arxiv.org/abs/2211.00593), in both orders of the names.
 */

import type { Model } from "../../lens/model.ts";
import { needText } from "../../lens/tokens.ts";
import { InputError } from "../../tensor/errors.ts";
import type { Random } from "../statistics/random.ts";

/** Which of the two names comes first: the receiver (A) or the giver (B). */
export type IoiOrder = "ABBA" | "BABA";

/** `[A]` and `[B]` are the two names, in the order they appear; `[S]` is the giver. The other name comes next. */
const TEMPLATES: readonly string[] = [
  "When [A] and [B] went to the [PLACE], [S] gave a [OBJECT] to",
  "When [A] and [B] were at the [PLACE], [S] gave the [OBJECT] to",
  "After [A] and [B] came to the [PLACE], [S] handed a [OBJECT] to",
  "While [A] and [B] were in the [PLACE], [S] showed a [OBJECT] to",
  "Then, [A] and [B] went to the [PLACE]. [S] gave a [OBJECT] to",
  "Then, [A] and [B] had a long talk at the [PLACE]. [S] gave the [OBJECT] to",
  "The [PLACE] that [A] and [B] went to had a [OBJECT]. [S] gave it to",
  "Friends [A] and [B] found a [OBJECT] at the [PLACE]. [S] gave it to",
  "One day [A] and [B] worked at the [PLACE]. [S] decided to give a [OBJECT] to",
  "After the lunch, [A] and [B] walked to the [PLACE]. [S] brought a [OBJECT] for",
];

/** First names that are one token in most vocabularies. */
export const IOI_NAMES: readonly string[] = [
  ..."Mary John Tom James George William Charles Henry Robert Richard Peter Harry Jack Paul David Michael".split(" "),
  ..."Martin Daniel Simon Andrew Jane Kate Lucy Margaret Anna Alice Emma Sarah Laura Rose Susan Helen".split(" "),
  ..."Frank Fred Edward Thomas Joseph Samuel Philip Ben Sam Max Adam Mark Luke Steven Kevin Jason".split(" "),
  ..."Linda Lisa Amy Julia Ruth Grace Victoria Elizabeth Christina Rachel Jessica Michelle".split(" "),
];

const PLACES: readonly string[] = ["store", "garden", "school", "house", "station", "church", "office", "hospital"];
const OBJECTS: readonly string[] = ["ring", "book", "letter", "drink", "basket", "bone", "computer", "kiss"];

/** A prompt, the name that should come next and the one that should not. */
export interface IoiPrompt {
  readonly text: string;
  /** The prompt with a third name in place of the giver, so that nothing says which of the two is meant. */
  readonly control: string;
  readonly order: IoiOrder;
  /** Indirect object and subject, with the leading space that they have within a text. */
  readonly io: string;
  readonly s: string;
}

/** The names that are a single token for this model. @throws InputError if there are fewer than three. */
export function singleTokenNames(model: Model, names: readonly string[]): string[] {
  const usable = [...new Set(names)].filter((name) => {
    const { data } = needText(model).toTokens(` ${name}`, { prependBos: false });
    return data.length === 1;
  });
  if (usable.length >= 3) return usable;
  throw new InputError(
    `Only ${usable.length} of the ${names.length} names are one token for this model, but three are needed: give other names.`,
    { asked: names, found: usable },
  );
}

/** `count` prompts, ABBA and BABA in turn, everything else drawn at random. */
export function ioiPrompts(count: number, names: readonly string[], random: Random): IoiPrompt[] {
  const one = <T>(list: readonly T[]): T => list[random.integer(list.length)];
  return Array.from({ length: count }, (_, i) => {
    const order = i % 2 === 0 ? "ABBA" : "BABA";
    const [io, s, third] = Array.from(random.sample(names.length, 3), (k) => names[k]);
    const [first, second] = order === "ABBA" ? [io, s] : [s, io];
    const filled = one(TEMPLATES)
      .replace("[PLACE]", one(PLACES))
      .replace("[OBJECT]", one(OBJECTS))
      .replace("[A]", first)
      .replace("[B]", second);
    return {
      text: filled.replace("[S]", s),
      control: filled.replace("[S]", third),
      order,
      io: ` ${io}`,
      s: ` ${s}`,
    };
  });
}
