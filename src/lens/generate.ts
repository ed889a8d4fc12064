/** Continuing a prompt, token by token. */
import { Tensor } from "../graph/tensor.ts";
import { compose } from "../models/compose.ts";
import { kindsOf } from "../options/kinds.ts";
import type { OptionRecords } from "../options/records.ts";
import { untilAborted } from "../tensor/abort.ts";
import { type NDArray, ndarray } from "../tensor/array.ts";
import { ArgumentError, InputError } from "../tensor/errors.ts";
import { needMemory } from "../tensor/free-memory.ts";
import { ANYTHING, FLAG, oneOf, SIGNAL } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { uniform } from "../tensor/random.ts";
import { notePadding } from "../text/padding.ts";
import { idRows } from "../text/token-ids.ts";
import { decoder } from "./decode.ts";
import type { Hook } from "./hooks.ts";
import { KeyValueCache } from "./key-value-cache.ts";
import type { HookedModel } from "./model.ts";
import { longAbove, needNextToken } from "./model-has.ts";
import { type InputOptions, inputOptions, paddedOn, prepareInput } from "./model-input.ts";
import { INPUT } from "./option-kinds.ts";
import { checkSampling, SAMPLING, SAMPLING_OPTIONS, type SamplingOptions, sampled } from "./sampling.ts";
import type { ModelInput } from "./tokens.ts";

/** How to sample: how many tokens, and from which distribution. */
export interface GenerateOptions extends SamplingOptions, Omit<InputOptions, "paddingSide"> {
  /** Most tokens to add. Default 10. */
  readonly maxNewTokens?: number | undefined;
  /** Whether a new end-of-text token finishes a prompt. Default true if one is known. */
  readonly stopAtEos?: boolean | undefined;
  /** Which new tokens finish a prompt, instead of the tokenizer's own end of text. */
  readonly eosTokenId?: number | readonly number[] | undefined;
  /** Seed of the sampling. Default 0, so the same call gives the same text. */
  readonly seed?: number | undefined;
  /** Whether to keep keys and values, so that a token costs one position. Default true. */
  readonly usePastKvCache?: boolean | undefined;
  /** Hooks on every step; `hook.step` says which step it is, 0 for the prompt. */
  readonly fwdHooks?: readonly Hook[] | undefined;
  /** Shorter texts are always padded on the left, so that a continuation can follow them. */
  readonly paddingSide?: "left" | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How many tokens, and how they are drawn, as records. */
export const GENERATION_OPTIONS = {
  maxNewTokens: { type: "integer", least: 1, default: 10, placeholder: "N", description: "the most tokens to add" },
  ...SAMPLING_OPTIONS,
  seed: {
    type: "integer",
    least: Number.MIN_SAFE_INTEGER,
    default: 0,
    placeholder: "N",
    description: "seed of the drawing; the same seed gives the same text",
  },
} as const satisfies OptionRecords;

/** The kinds of `GenerateOptions`. */
export const GENERATE: OptionKinds<GenerateOptions & { readonly returnType?: "input" | "str" | "tokens" }> = {
  ...SAMPLING,
  ...INPUT,
  paddingSide: oneOf(["left"]),
  ...kindsOf(GENERATION_OPTIONS),
  stopAtEos: FLAG,
  eosTokenId: ANYTHING,
  usePastKvCache: FLAG,
  fwdHooks: ANYTHING,
  signal: SIGNAL,
  returnType: oneOf(["input", "str", "tokens"]),
};

/** One step's result. */
export interface GeneratedStep {
  /** 0 for the first new token. */
  readonly step: number;
  /** The new token of each prompt; a finished prompt gets its end-of-text token again. */
  readonly tokens: readonly number[];
  /** The text of each new token; "" where a prompt is finished, or without a tokenizer. */
  readonly texts: readonly string[];
  /** Which prompts are finished. */
  readonly finished: readonly boolean[];
}

/**
 * Continues one or several prompts, yielding each step as it is made. Prompts of different lengths are padded on the left and
 * the padding is masked (TransformerLens' is not). Each prompt continues as it would alone: an end-of-text token within it does
 * not finish it, and padding does not count as a token seen. At the end it returns int32 [batch pos], prompts and what was added, with
 * finished rows filled with the end-of-text token.
 * @throws ArgumentError for sampling options out of range; InputError for a prompt and new tokens beyond the context
 */
export async function* generateSteps(
  model: HookedModel,
  input: ModelInput,
  options: GenerateOptions = {},
): AsyncGenerator<GeneratedStep, Tensor> {
  checkOptions("generate", options, GENERATE);
  checkSampling(options);
  needNextToken("Generating", model);
  const { usePastKvCache = true, signal } = options;
  const { maxNewTokens = GENERATION_OPTIONS.maxNewTokens.default } = options;
  const read = { ...inputOptions(options), ...paddedOn("left", input) };
  const prompt = prepareInput(input, read, model.cfg, model.text);
  const [batch, length] = prompt.tokens.shape;
  checkLength(length, maxNewTokens, model.cfg.nCtx);
  if (usePastKvCache) needCache(model, batch, length + maxNewTokens);
  checkEnds(prompt.attentionMask);
  const rows = Array.from({ length: batch }, (_, b) => [...prompt.tokens.row(b).data]);
  // Which tokens of a row are text: padding in front and the filling after its end are not.
  const isText = rows.map((row, b) => row.map((_, p) => prompt.attentionMask?.data[b * length + p] !== 0));
  let cache = new KeyValueCache();
  let mask = prompt.attentionMask;
  // Without hooks or padding a step is the same graph each time, and nobody asks how the keys were before their norms and turns.
  const planned = usePastKvCache && !mask && !model.isHooked && (options.fwdHooks ?? []).length === 0;
  let decode = planned ? decoder(model) : undefined;
  const lengths = isText.map((row) => row.filter(Boolean).length);
  const above = longAbove(model) ?? Number.POSITIVE_INFINITY;
  const logitsOf = async (step: number, added: readonly number[] | undefined) => {
    let next = !added ? prompt.tokens : usePastKvCache ? table(added.map((id) => [id])) : table(rows);
    if (added) mask = usePastKvCache ? undefined : mask && withOnes(mask, 1);
    if (usePastKvCache && step > 0 && lengths.some((n) => n + step - 1 <= above && n + step > above)) {
      // What was kept is of a short text, and this one is long.
      cache = new KeyValueCache();
      decode = decode && decoder(model);
      next = table(rows);
      mask = prompt.attentionMask && withOnes(prompt.attentionMask, step);
    }
    if (decode) return untilAborted(decode(next), signal);
    return model.runWithHooks(next, {
      fwdHooks: options.fwdHooks ?? [],
      logitsPos: -1,
      step,
      attentionMask: mask,
      pastKvCache: usePastKvCache ? cache : undefined,
      signal,
    });
  };
  return yield* continued(model, { rows, isText }, options, logitsOf);
}

/** Rows of tokens that grow, and which of them are text. */
export interface GrowingRows {
  readonly rows: readonly number[][];
  readonly isText: readonly boolean[][];
}

/**
 * Continues rows step by step. @param logitsOf the logits of each row's next token, [batch 1 d_vocab], given the tokens that the last
 * step added, none in the first
 */
export async function* continued(
  model: Pick<HookedModel, "cfg" | "text">,
  { rows, isText }: GrowingRows,
  options: GenerateOptions,
  logitsOf: (step: number, added: readonly number[] | undefined) => Promise<Tensor>,
): AsyncGenerator<GeneratedStep, Tensor> {
  const { maxNewTokens, seed } = GENERATION_OPTIONS;
  const { signal } = options;
  const most = options.maxNewTokens ?? maxNewTokens.default;
  const stops = stopTokens(model, options);
  const random = uniform(options.seed ?? seed.default);
  const finished = rows.map(() => false);
  let added: readonly number[] | undefined;
  for (let step = 0; step < most && finished.includes(false); step++) {
    signal?.throwIfAborted();
    const logits = await logitsOf(step, added);
    const tokens = rows.map((row, b) =>
      finished[b]
        ? stops[0]
        : sampled(
            logits.row(b).data as Float32Array,
            row.filter((_, p) => isText[b][p]),
            options,
            random,
          ),
    );
    const words = tokens.map((id, b) => (finished[b] || !model.text ? "" : model.text.toSingleStrToken(id)));
    tokens.forEach((id, b) => {
      rows[b].push(id);
      isText[b].push(!finished[b]);
      finished[b] ||= stops.includes(id);
    });
    added = tokens;
    yield { step, tokens, texts: words, finished: [...finished] };
  }
  const made = table(rows);
  const kept = ndarray("bool", made.shape, Uint8Array.from(isText.flat(), Number));
  notePadding(made.array as NDArray<"int32">, kept);
  return made;
}

/** @throws InputError for a prompt that ends in padding: its continuation would come after that */
function checkEnds(mask: Tensor | undefined): void {
  if (!mask) return;
  const [batch, pos] = mask.shape;
  const bad = Array.from({ length: batch }, (_, b) => b).find((b) => mask.data[(b + 1) * pos - 1] === 0);
  if (bad === undefined) return;
  throw new InputError(
    `Prompt ${bad} ends in padding, and its continuation would come after that: pass the texts, or make their tokens with paddingSide: "left".`,
    { asked: bad },
  );
}

function checkLength(length: number, maxNewTokens: number, nCtx: number): void {
  if (length + maxNewTokens > nCtx) {
    throw new InputError(
      `A prompt of ${length} tokens and ${maxNewTokens} new ones are ${length + maxNewTokens}, but the model's context holds ${nCtx}: ask for at most ${Math.max(nCtx - length, 0)} new tokens.`,
      { asked: length + maxNewTokens, found: nCtx },
    );
  }
}

/** The cache as it is at the end: what was kept, what the engine makes of it, and the copy that is kept next. */
function needCache({ cfg, engine }: HookedModel, batch: number, length: number): void {
  const numbers = compose(cfg).blocks.map(
    ({ attention }) => attention.keyValueHeads * attention.d_head * Math.min(length, attention.window ?? length),
  );
  const bytes = 3 * 2 * 4 * batch * numbers.reduce((sum, each) => sum + each, 0);
  needMemory({
    what: `Generating for ${batch} prompts up to ${length} tokens each`,
    ...{ bytes, limit: engine.memoryBytes },
    advice: "pass fewer prompts at a time, or ask for fewer new tokens, or keep no cache (usePastKvCache: false)",
  });
}

/** The tokens that finish a prompt. @throws ArgumentError for an end that does not stop anything; InputError for anything but an id */
function stopTokens(
  model: Pick<HookedModel, "cfg" | "text">,
  { stopAtEos = true, eosTokenId }: GenerateOptions,
): readonly number[] {
  if (!stopAtEos && eosTokenId !== undefined) {
    throw new ArgumentError("eosTokenId says where to stop, but stopAtEos: false says not to: leave out one of them.", {
      asked: eosTokenId,
    });
  }
  if (!stopAtEos) return [];
  if (eosTokenId === undefined) return model.text?.eosTokenId === undefined ? [] : [model.text.eosTokenId];
  const { rows, single } = idRows(typeof eosTokenId === "number" ? [eosTokenId] : eosTokenId, model.cfg.dVocabOut);
  if (!single) {
    throw new ArgumentError(
      "eosTokenId must be a token id, or a list of them, any of which finishes a prompt; it cannot be rows.",
      {
        asked: eosTokenId,
      },
    );
  }
  return Array.from(rows[0]);
}

/** Rows of equal length, int32 [batch pos]. */
export function table(rows: readonly (readonly number[])[]): Tensor {
  return Tensor.leaf(ndarray("int32", [rows.length, rows[0].length], Int32Array.from(rows.flat())), ["batch", "pos"]);
}

/** A mask that also covers positions after it, which are never padding. */
function withOnes(mask: Tensor, more: number): Tensor {
  const [batch, pos] = mask.shape;
  const data = new Uint8Array(batch * (pos + more)).fill(1);
  for (let b = 0; b < batch; b++) data.set(mask.row(b).data as Uint8Array, b * (pos + more));
  return Tensor.leaf(ndarray("bool", [batch, pos + more], data), ["batch", "pos"]);
}
