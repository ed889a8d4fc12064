/** One text, from all sides: what comes next, how surprising each token was, the logit lens, attention, and what writes the prediction. */
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { needNextToken } from "../lens/model-has.ts";
import { type AttentionPatternsMeasurement, measureAttentionPatterns } from "./attention-patterns.ts";
import { type DirectLogitAttributionMeasurement, measureDirectLogitAttribution } from "./direct-logit-attribution.ts";
import { type LogitLensMeasurement, measureLogitLens } from "./logit-lens.ts";
import { Measured } from "./measured.ts";
import { type AnalysisOptions, type GivenOptions, seedOption, settled } from "./options.ts";
import type { Prompt } from "./prompt.ts";

export const LOOK_OPTIONS = {
  prompt: { type: "prompt", description: "the text to look at", default: "The old man smiled, and shook his" },
  top: {
    type: "integer",
    placeholder: "K",
    description: "how many of the most probable tokens to show",
    default: 10,
    least: 1,
    most: ({ cfg }) => cfg.dVocabOut,
  },
  seed: seedOption("the random tokens that the attribution is compared with"),
} as const satisfies AnalysisOptions;

/** The options of `measureLook` and `look`. */
export type LookOptions = GivenOptions<typeof LOOK_OPTIONS>;

/** A token that may come next. */
export interface NextToken {
  readonly id: number;
  readonly probability: number;
  /** Its probability without the text. */
  readonly alone: number;
}

/** A token of the text, as the model saw it coming. */
export interface SurprisingToken {
  readonly pos: number;
  readonly token: string;
  readonly id: number;
  /** −log probability, in nats; null for the first token, which nothing predicts. */
  readonly surprise: number | null;
  /** The same without the text before it. */
  readonly alone: number | null;
  /** How many tokens were more probable. */
  readonly rank: number | null;
}

/** The result of `measureLook`: the tokens of the text as rows, and what else was measured. */
export interface LookMeasurement extends Measured<SurprisingToken> {
  readonly prompt: Prompt;
  /** The most probable next tokens, the most probable first. */
  readonly next: readonly NextToken[];
  readonly tokens: readonly SurprisingToken[];
  /** What predicts without a text: the model after BOS alone, or in a model without BOS the unembedding's bias. */
  readonly without: "BOS" | "bias";
  readonly lens: LogitLensMeasurement;
  readonly attention: AttentionPatternsMeasurement;
  /** Of the logit of the most probable next token. */
  readonly attribution: DirectLogitAttributionMeasurement;
}

/**
 * What a model makes of a text, by the measures of the logit lens, of attention patterns and of direct logit attribution. Its last
 * layer gives the probabilities of the next tokens, and −log p of each token of the text, in nats; both also without the text.
 * @throws InputError for a text of fewer than two tokens or of too many; ArgumentError for a model that fills in masks
 */
export async function measureLook(model: HookedTransformer, options: LookOptions = {}): Promise<LookMeasurement> {
  const { top, seed, signal, prompt } = settled("measureLook", model, options, LOOK_OPTIONS);
  needNextToken("measureLook", model);
  const lens = await measureLogitLens(model, { prompt, top, signal });
  const last = lens.cells[lens.cells.length - 1];
  const candidates = last[last.length - 1].top;
  const attention = await measureAttentionPatterns(model, { prompt, signal });
  const attribution = await measureDirectLogitAttribution(model, {
    ...{ prompt, answer: candidates[0].id, single: true, seed, signal },
  });
  const { without, logProbs } = await withoutText(model, signal);
  const { ids, tokens: texts } = lens.prompt;
  const tokens = ids.map((id, pos): SurprisingToken => {
    const right = pos === 0 ? null : last[pos - 1].right;
    const at = { pos, token: texts[pos], id };
    if (!right) return { ...at, surprise: null, alone: null, rank: null };
    return { ...at, surprise: -right.logProb, alone: -logProbs(id), rank: right.rank };
  });
  return Measured.of(tokens, {
    prompt: lens.prompt,
    next: candidates.map(({ id, probability }) => ({ id, probability, alone: Math.exp(logProbs(id)) })),
    tokens,
    ...{ without, lens, attention, attribution },
  });
}

/** Log probabilities of tokens that know nothing of the text. */
async function withoutText(model: HookedTransformer, signal: AbortSignal | undefined) {
  const bos = model.text?.bosTokenId;
  const logits = bos === undefined ? model.b_U : await model.forward([bos], { logitsPos: -1, signal });
  const data = Array.from(logits.data as Float32Array);
  const most = data.reduce((a, b) => Math.max(a, b), -Infinity);
  const total = most + Math.log(data.reduce((sum, x) => sum + Math.exp(x - most), 0));
  return { without: bos === undefined ? "bias" : "BOS", logProbs: (id: number) => data[id] - total } as const;
}
