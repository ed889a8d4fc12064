/** What a model that fills in masked tokens finds most probable at each mask. */
import { Tensor } from "../graph/tensor.ts";
import { ndarray } from "../tensor/array.ts";
import { ArgumentError, InputError } from "../tensor/errors.ts";
import { COUNT, NOT_NEGATIVE_WHOLE, SIGNAL } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { maskToken, maskTokenId } from "../text/mask-token.ts";
import type { CachedModel } from "./cached.ts";
import { checkModel } from "./check.ts";
import type { HookedModel } from "./model.ts";
import { fillsMasks } from "./model-has.ts";
import { type InputOptions, inputOptions, prepareInput } from "./model-input.ts";
import { INPUT } from "./option-kinds.ts";
import type { ModelInput } from "./tokens.ts";

/** Options of `fillMask`. */
export interface FillMaskOptions extends InputOptions {
  /** How many tokens to return for each mask. Default 5. */
  readonly top?: number | undefined;
  /** The id of the mask; default: the tokenizer's. */
  readonly maskTokenId?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A masked place, and the tokens for it. */
export interface FilledMask {
  /** Which prompt. */
  readonly row: number;
  readonly pos: number;
  /** The most probable first; `text` is "" without a tokenizer. */
  readonly tokens: readonly { readonly id: number; readonly text: string; readonly probability: number }[];
}

const KINDS: OptionKinds<FillMaskOptions> = {
  ...INPUT,
  top: COUNT,
  maskTokenId: NOT_NEGATIVE_WHOLE,
  signal: SIGNAL,
};

/** Where a prompt's masks are, in each row. @throws InputError for a prompt without one, or a mask that is not known */
export function maskedPlaces(
  tokens: Tensor,
  { text, cfg }: Pick<CachedModel, "text" | "cfg">,
  given?: number,
): { readonly row: number; readonly pos: number }[] {
  const mask = given ?? (text && maskTokenId(text.tokenizer));
  if (mask === undefined) {
    throw new InputError(
      text
        ? `The tokenizer's vocabulary has no "${maskToken(text.tokenizer)}": pass maskTokenId.`
        : `${cfg.modelName} has no tokenizer that says which token is the mask: pass maskTokenId.`,
      { asked: "maskTokenId" },
    );
  }
  const [, pos] = tokens.shape;
  const places = Array.from(tokens.data, (id, i) => ({ id, row: Math.floor(i / pos), pos: i % pos })).filter(
    ({ id }) => id === mask,
  );
  if (places.length > 0) return places.map(({ row, pos }) => ({ row, pos }));
  throw new InputError(
    `There is no mask (${text ? `"${text.toSingleStrToken(mask)}", ` : ""}token ${mask}) in the input: put one where a token is to be filled in.`,
    { asked: mask },
  );
}

/**
 * The most probable tokens at each masked place, with their probabilities; hooks of the model take part.
 *
 * ```
 * const [{ tokens }] = await fillMask(model, "The capital of France is [MASK].");
 * ```
 * Source: TransformerLens' `HookedEncoder.forward(…, return_type="predictions")`, which returns the first of each.
 * @throws ArgumentError for a model that predicts the next token; InputError for an input without a mask
 */
export async function fillMask(
  model: HookedModel,
  input: ModelInput,
  options: FillMaskOptions = {},
): Promise<FilledMask[]> {
  checkModel("fillMask", model);
  checkOptions("fillMask", options, KINDS);
  if (!fillsMasks(model)) {
    throw new ArgumentError(
      `${model.cfg.modelName} predicts next tokens, and fills in no masks: use generate, or a model such as BERT.`,
      { asked: model.cfg.modelName },
    );
  }
  const { top = 5, signal } = options;
  const prepared = prepareInput(input, inputOptions(options), model.cfg, model.text);
  const places = maskedPlaces(prepared.tokens, model, options.maskTokenId);
  const columns = [...new Set(places.map(({ pos }) => pos))];
  const logits = await model.runWithHooks(prepared.tokens, {
    ...{ attentionMask: prepared.attentionMask, tokenTypeIds: prepared.tokenTypes },
    ...{ logitsPos: columns, signal },
  });
  const rows = Int32Array.from(places, ({ row, pos }) => row * columns.length + columns.indexOf(pos));
  const chosen = logits.mergeAxes(0, 2).gather(0, Tensor.leaf(ndarray("int32", [rows.length], rows), ["row"]));
  const { values, indices } = chosen.softmax().topK(Math.min(top, model.cfg.dVocabOut));
  const [probabilities, ids] = await model.compute([values, indices], { signal });
  return places.map((place, i) => ({
    ...place,
    tokens: Array.from({ length: ids.shape[1] }, (_, k) => ({
      id: ids.get(i, k),
      text: model.text?.toSingleStrToken(ids.get(i, k)) ?? "",
      probability: probabilities.get(i, k),
    })),
  }));
}
