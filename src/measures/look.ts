/** One text, from all sides: what comes next, how surprising each token was, the logit lens, attention, and what writes the prediction. */
import { mean } from "simple-statistics";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { needNextToken } from "../lens/model-has.ts";
import {
  type AttentionPatternsMeasurement,
  measureAttentionPatterns,
  type StrongestKeyRow,
} from "./attention-patterns.ts";
import { type DirectLogitAttributionMeasurement, measureDirectLogitAttribution } from "./direct-logit-attribution.ts";
import { type LogitLensMeasurement, measureLogitLens } from "./logit-lens.ts";
import { Measured } from "./measured.ts";
import { type AnalysisOptions, type GivenOptions, seedOption, settled } from "./options.ts";
import type { Prompt } from "./prompt.ts";
import { largestIndices } from "./top-tokens.ts";

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
  readonly token: string;
  readonly id: number;
  readonly probability: number;
  /** Its probability without the text. */
  readonly alone: number;
  /** How many times as probable it is as without the text; null if it is impossible there. */
  readonly times: number | null;
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

/** What the tokens that have some of the text before them mean together. */
export interface Surprise {
  /** The mean of −log probability, in nats. */
  readonly mean: number;
  /** The same without the text before them. */
  readonly alone: number;
  /** The most surprising of them. */
  readonly most: SurprisingToken;
}

/** The result of `measureLook`: the tokens of the text as rows, and what else was measured. */
export interface LookMeasurement extends Measured<SurprisingToken> {
  readonly prompt: Prompt;
  /** The most probable next tokens, the most probable first. */
  readonly next: Measured<NextToken>;
  /** Null if no token has any of the text before it. */
  readonly surprise: Surprise | null;
  /** What predicts without a text: the model after BOS alone, or in a model without BOS the unembedding's bias. */
  readonly without: "BOS" | "bias";
  /** The stream from which on the lens shows the prediction: `1_mid`. */
  readonly arrival: string;
  readonly lens: LogitLensMeasurement;
  readonly attention: AttentionPatternsMeasurement;
  /** The head that looks most at one token from the last position, BOS left aside. */
  readonly gaze: StrongestKeyRow;
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
  const { ids, tokens: texts, startsWithBos } = lens.prompt;
  const output = { layer: lens.labels[lens.labels.length - 1] };
  const { rows: candidates } = lens.tokens.where({ ...output, pos: ids.length - 1 });
  const attention = await measureAttentionPatterns(model, { prompt, signal });
  const attribution = await measureDirectLogitAttribution(model, {
    ...{ prompt, answer: candidates[0].id, single: true, seed, signal },
  });
  const { without, logProbs } = await withoutText(model, signal);
  const { rows: predicted } = lens.where(output);
  const rows = ids.map((id, pos): SurprisingToken => {
    const before = predicted[pos - 1] ?? { log_prob: null, rank: null };
    const surprise = before.log_prob === null ? null : -before.log_prob;
    const alone = surprise === null ? null : -logProbs(id);
    return { pos, token: texts[pos], id, surprise, alone, rank: before.rank };
  });
  const next = candidates.map(({ id, token, probability }): NextToken => {
    const alone = Math.exp(logProbs(id));
    return { token, id, probability, alone, times: alone > 0 ? probability / alone : null };
  });
  return Measured.of(rows, {
    ...{ prompt: lens.prompt, next: new Measured(next), without, lens, attention, attribution },
    surprise: surpriseOf(rows.slice(startsWithBos ? 2 : 1)),
    arrival: arrivalOf(lens, candidates[0].id),
    gaze: gazeOf(attention),
  });
}

function surpriseOf(rows: readonly SurprisingToken[]): Surprise | null {
  if (rows.length === 0) return null;
  const most = rows.reduce((a, b) => (b.surprise! > a.surprise! ? b : a));
  return { mean: mean(rows.map(({ surprise }) => surprise!)), alone: mean(rows.map(({ alone }) => alone!)), most };
}

/** From which stream on a token is the most probable one at the last position. */
function arrivalOf({ prompt, labels, tokens }: LogitLensMeasurement, id: number): string {
  const { rows } = tokens.where({ pos: prompt.ids.length - 1, place: 0 });
  return labels[rows.findLastIndex((row) => row.id !== id) + 1] ?? labels[0];
}

function gazeOf({ prompt, heads }: AttentionPatternsMeasurement): StrongestKeyRow {
  const query = prompt.ids.length - 1;
  const from = prompt.startsWithBos ? 1 : 0;
  const each = heads.map(({ layer, head, component, pattern }) => {
    const weights = pattern.row(query).data.subarray(from) as Float32Array;
    const [best] = largestIndices(weights, 1);
    return { layer, head, component, key: from + best, attention: weights[best] };
  });
  const most = each.reduce((a, b) => (b.attention > a.attention ? b : a));
  return { ...most, query, query_token: prompt.tokens[query], key_token: prompt.tokens[most.key] };
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
