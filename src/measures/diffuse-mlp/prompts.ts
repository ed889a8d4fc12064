/** Turns prompts into batches of tokens that fit in memory. */

import { Tensor } from "../../graph/tensor.ts";
import type { Model } from "../../lens/model.ts";
import { batchOf, readTokens } from "../../lens/tokens.ts";
import { ndarray } from "../../tensor/array.ts";
import { InputError } from "../../tensor/errors.ts";
import { idRows, type TokenIds } from "../../text/token-ids.ts";
import { checkPrompts, shownPrompt } from "../prompt.ts";

/** A prompt, as the model reads it. */
export interface TokenizedPrompt {
  readonly text: string;
  readonly ids: readonly number[];
  readonly tokens: readonly string[];
  readonly startsWithBos: boolean;
}

/**
 * The tokens of each prompt, with BOS in front where the model expects it. Nothing is cut off.
 * @throws InputError, naming the prompt, if it is longer than `nCtx` or has no second token to predict.
 */
export function tokenizePrompts(model: Model, prompts: readonly (string | TokenIds)[]): readonly TokenizedPrompt[] {
  checkPrompts(prompts);
  return prompts.map((prompt, i) => {
    const given = typeof prompt === "string";
    const ids = given
      ? Array.from(readTokens(prompt, model, { truncate: false }).data)
      : idRows(prompt, model.cfg.dVocab).rows.flatMap((row) => Array.from(row));
    const called = `Prompt ${i}${given ? ` (${excerpt(prompt)})` : ""}`;
    const { nCtx } = model.cfg;
    if (ids.length > nCtx) {
      throw new InputError(
        `${called} has ${ids.length} tokens, BOS included, but the model's context holds only ${nCtx}: shorten or split it.`,
        { asked: ids.length, found: nCtx },
      );
    }
    if (ids.length < 2) {
      throw new InputError(
        `${called} has ${ids.length} token, so there is none to predict from another: give a longer prompt.`,
        { asked: prompt, found: ids.length },
      );
    }
    return { ids, ...shownPrompt(model, prompt, ids) };
  });
}

function excerpt(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 39)}…` : text);
}

/** Prompts that run together, padded on the right: in a causal model no real token sees the padding after it. */
export interface Batch extends RowsBatch {
  /** Indices of the prompts. */
  readonly prompts: readonly number[];
}

/** The same, whatever its rows are. */
export interface RowsBatch {
  /** int32 [batch pos]. */
  readonly tokens: Tensor;
  /** [batch pos] of each real token, prompt by prompt: int32 [row 2]. */
  readonly places: Tensor;
  /** The same without the last token of each prompt: the tokens that have a next one. */
  readonly predicting: Tensor;
  /** The next token of each of `predicting`. */
  readonly targets: Tensor;
}

/** Packs prompts of similar length together, as many as `maxTokens` (padding included) allows. */
export function batches(model: Model, prompts: readonly TokenizedPrompt[], maxTokens: number): readonly Batch[] {
  const length = (i: number) => prompts[i].ids.length;
  const byLength = prompts.map((_, i) => i).sort((a, b) => length(a) - length(b));
  const groups: number[][] = [];
  for (const i of byLength) {
    const group = groups.at(-1);
    if (group && (group.length + 1) * length(i) <= maxTokens) group.push(i);
    else groups.push([i]);
  }
  return groups.map((group) => batch(model, prompts, group));
}

function batch(model: Model, all: readonly TokenizedPrompt[], prompts: readonly number[]): Batch {
  return {
    prompts,
    ...batchOfRows(
      model,
      prompts.map((i) => all[i].ids),
    ),
  };
}

/** Rows of tokens that run together, padded on the right. */
export function batchOfRows(model: Model, rows: readonly (readonly number[])[]): RowsBatch {
  const places = rows.flatMap((ids, b) => ids.map((_, p) => [b, p]));
  const predicting = places.filter(([b, p]) => p < rows[b].length - 1);
  return {
    tokens: batchOf(rows, model, { masked: false }),
    places: indexOf(places),
    predicting: indexOf(predicting),
    targets: Tensor.leaf(
      ndarray(
        "int32",
        [predicting.length],
        Int32Array.from(predicting, ([b, p]) => rows[b][p + 1]),
      ),
      ["row"],
    ),
  };
}

/** An index for `gatherRows`, int32 [row k]. */
export function indexOf(places: readonly (readonly number[])[]): Tensor {
  return Tensor.leaf(ndarray("int32", [places.length, places[0].length], Int32Array.from(places.flat())), ["row"]);
}
