/** Where in a text a neuron, or a feature, is most active. */
import type { HookedTransformer } from "../../lens/hooked-transformer.ts";
import { Measured } from "../measured.ts";
import { tokenTexts } from "../prompt.ts";

/** A place in the text where it fires. */
export interface ExampleRow {
  readonly activation: number;
  /** The position among the text's tokens. */
  readonly at: number;
  /** The words before it: at most six tokens. */
  readonly before: string;
  readonly token: string;
  readonly next: string | null;
  /** What one unit of activation adds to the next token's logit. */
  readonly next_effect: number | null;
}

/** A token around an example. */
export interface ContextRow {
  /** Which example, from 0. */
  readonly example: number;
  readonly token: string;
  readonly activation: number;
  /** Whether it is the example's place. */
  readonly strongest: boolean;
}

/** How many tokens before an example say where it is. */
const BEFORE = 6;

/**
 * The places with the largest activations, the strongest first, and the tokens around each.
 * @param rows the text's tokens with its activations
 * @param around how many tokens on each side; nothing within them is another example
 * @param effectOn what one unit of activation adds to a token's logit; null where that is not defined
 */
export function examplesOf(
  model: HookedTransformer,
  ids: readonly number[],
  rows: readonly { readonly pos: number; readonly token: string; readonly activation: number }[],
  count: number,
  around: number,
  effectOn: (id: number) => number | null,
): { readonly examples: Measured<ExampleRow>; readonly contexts: Measured<ContextRow> } {
  const places = strongestPlaces(
    rows.map(({ activation }) => activation),
    count,
    around,
  );
  const examples = places.map((at): ExampleRow => {
    const { activation, token } = rows[at];
    const before = textOf(model, ids.slice(Math.max(0, at - Math.min(around, BEFORE)), at));
    const next = rows[at + 1]?.token ?? null;
    return { activation, at, before, token, next, next_effect: next === null ? null : effectOn(ids[at + 1]) };
  });
  const contexts = places.flatMap((at, example) =>
    rows.slice(Math.max(0, at - around), at + around + 1).map(({ pos, token, activation }): ContextRow => {
      return { example, token, activation, strongest: pos === at };
    }),
  );
  return { examples: new Measured(examples), contexts: new Measured(contexts) };
}

/** The places with the largest activations, none within `around` of a stronger one. */
function strongestPlaces(activations: readonly number[], count: number, around: number): readonly number[] {
  const order = activations.map((_, i) => i).sort((a, b) => activations[b] - activations[a]);
  const chosen: number[] = [];
  for (const at of order) {
    if (chosen.length === count) break;
    if (chosen.every((other) => Math.abs(other - at) > around)) chosen.push(at);
  }
  return chosen;
}

/** Tokens as a line of words, without a part of a character at an end. */
function textOf(model: HookedTransformer, ids: readonly number[]): string {
  const text = model.text?.decode(ids).replace(/^\ufffd+|\ufffd+$/g, "") ?? tokenTexts(model, ids).join("");
  return text.replace(/\s+/g, " ").trim();
}
