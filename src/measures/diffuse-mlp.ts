/** Every number of the analysis, position by position. Other files turn them into a finding. */

import type { Model } from "../lens/model.ts";
import { InputError } from "../tensor/errors.ts";
import { sweepAblations } from "./diffuse-mlp/ablation-sweep.ts";
import {
  type AttributionValues,
  attributionValues,
  largest,
  sortedSizes,
  spreadOf,
} from "./diffuse-mlp/attribution.ts";
import { NullModel, type NullResult } from "./diffuse-mlp/null-model.ts";
import { DIFFUSE_MLP_OPTIONS, type MeasureDiffuseMlpOptions } from "./diffuse-mlp/options.ts";
import { type DiffuseMlpRow, isPredicting, type Predicting, type Spread } from "./diffuse-mlp/positions.ts";
import { type Prediction, prediction } from "./diffuse-mlp/prediction.ts";
import { type Batch, batches, type TokenizedPrompt, tokenizePrompts } from "./diffuse-mlp/prompts.ts";
import { type Site, siteOf } from "./diffuse-mlp/site.ts";
import { Measured } from "./measured.ts";
import { settled } from "./options.ts";

/** The result of `measureDiffuseMlp`: a row for each position of each prompt. */
export interface DiffuseMlpMeasurement extends Measured<DiffuseMlpRow> {
  readonly site: Site;
  readonly prompts: readonly TokenizedPrompt[];
  /** At index n - 1: the mean over predicting positions of the share of |a| that the n largest neurons have. */
  readonly cumulative: Float64Array;
  readonly nullModel: NullResult;
}

/** How many neurons are listed at each position. */
const LISTED_NEURONS = 24;
/** How many numbers the widest value of a run may hold: 128 MB. */
const MOST_NUMBERS = 2 ** 25;
/** Signals and screens are handled at least this often, in milliseconds. */
const PAUSE_AFTER_MS = 50;

/**
 * Runs the model and measures each position of each prompt: outlier scores, ablation, attribution per neuron.
 *
 * All prompts run in one batch padded on the right (several if they do not fit in memory), and only real tokens are
 * computed after the last op that mixes positions. If the MLP is in the last layer, ablating a position changes only its own
 * prediction, so one more pass from the ablated point on, with every position zeroed, contains all ablations.
 * @throws ArgumentError, InputError for a layer, model or prompt that cannot be analysed
 */
export async function measureDiffuseMlp(
  model: Model,
  options: MeasureDiffuseMlpOptions = {},
): Promise<DiffuseMlpMeasurement> {
  const asked = settled("measureDiffuseMlp", model, options, DIFFUSE_MLP_OPTIONS);
  const { cfg } = model;
  const site = siteOf(model, asked.layer);
  const tokenized = tokenizePrompts(model, asked.prompts);
  const maxTokens = Math.max(1, Math.floor(MOST_NUMBERS / Math.max(cfg.dVocabOut, 4 * cfg.dMlp!)));
  const predicting = tokenized.reduce((sum, { ids }) => sum + ids.length - 1, 0);
  const nullModel = new NullModel(cfg.dMlp!, predicting, asked.seed);
  const cumulative = new Float64Array(cfg.dMlp!);
  const byPrompt: DiffuseMlpRow[][] = [];

  const work = tokenized.map(({ ids }) => ids.length * (site.last ? 1 : ids.length));
  const total = work.reduce((a, b) => a + b, 0);
  const { signal } = options;
  let done = 0;
  let paused = performance.now();
  for (const batch of batches(model, tokenized, maxTokens)) {
    const clean = await runBatch(model, site, batch, signal);
    const ablations = site.last
      ? ablationsAlone(clean, batch, tokenized)
      : await ablationsSwept(model, site, clean, batch, tokenized, maxTokens, signal);
    let row = 0;
    let ahead = 0;
    for (const [b, prompt] of batch.prompts.entries()) {
      const { ids } = tokenized[prompt];
      byPrompt[prompt] = ids.map((_, pos) => {
        const isLast = pos === ids.length - 1;
        const attributed = isLast ? null : attributionAt(clean.attribution, ahead, nullModel, cumulative);
        const at = { prompt, pos, ...clean.mid(row++, cfg.eps), loss: isLast ? null : clean.loss[ahead] };
        if (!isLast) ahead++;
        return rowOf(at, tokenized[prompt], ablations[b][pos], attributed, model);
      });
      done += work[prompt];
      if (performance.now() - paused < PAUSE_AFTER_MS) continue;
      options.onProgress?.({ done, total, unit: "tokens" });
      await new Promise((resolve) => setTimeout(resolve));
      signal?.throwIfAborted();
      paused = performance.now();
    }
  }
  options.onProgress?.({ done, total, unit: "tokens" });
  const rows = byPrompt.flat();
  const shares = rows.filter(isPredicting).map(({ max_share }) => max_share);
  return Measured.of(rows, {
    site,
    prompts: tokenized,
    cumulative: cumulative.map((sum) => sum / shares.length),
    nullModel: nullModel.result(shares.reduce((a, b) => a + b, 0) / shares.length),
  });
}

/** What the pass up to the MLP says of a position. */
type Mid = Pick<
  DiffuseMlpRow,
  "outlier" | "inverse_outlier" | "largest_activation" | "outlier_after" | "scale" | "ratio" | "eps_share"
>;
/** What the neurons add to the next token's logit. */
type Attributed = Spread &
  Pick<Predicting, "attribution" | "bias" | "neurons" | "largest_neuron" | "shuffled_max_share">;

/** @throws InputError for a number that is not finite */
function rowOf(
  at: Mid & Pick<DiffuseMlpRow, "prompt" | "pos" | "loss">,
  { ids, tokens, startsWithBos }: TokenizedPrompt,
  { total, next }: PositionAblation,
  attributed: Attributed | null,
  { cfg }: Model,
): DiffuseMlpRow {
  const { prompt, pos, loss, outlier } = at;
  // Ranks, thresholds and tests mean nothing for NaN, and sorting would not terminate.
  if (!Number.isFinite(loss ?? 0) || !Number.isFinite(outlier) || !Number.isFinite(total)) {
    throw new InputError(
      `${cfg.modelName} gives no finite numbers at position ${pos} of prompt ${prompt} (loss ${loss}, outlier score ${outlier}): its weights contain NaN or infinities, or its values overflow. Load another checkpoint.`,
      { asked: prompt, found: loss },
    );
  }
  const ablation = total / (ids.length - 1);
  const changes = attributed && next && changesBeyond(next, attributed.attribution);
  return {
    ...at,
    ...{ token: tokens[pos], next: tokens[pos + 1] ?? null, target: ids[pos + 1] ?? null },
    bos: pos === 0 && startsWithBos,
    ...{ ablation, score: outlier === 0 ? null : ablation / outlier },
    ...(changes ?? NO_CHANGES),
    ...(attributed ?? NOT_ATTRIBUTED),
  };
}

const NO_CHANGES = { loss_change: null, other_terms: null, normaliser: null, difference: null } as const;
const NOT_ATTRIBUTED = {
  ...{ attribution: null, bias: null, neurons: null, largest_neuron: null, shuffled_max_share: null },
  ...{ max_share: null, effective_neurons: null, n50: null, n90: null },
} as const;

/** How the next token's loss changes, and what of that is not its attribution. */
function changesBeyond({ loss, logit, normaliser }: Ablation, attribution: number) {
  return { loss_change: loss, other_terms: logit - attribution, normaliser, difference: loss - attribution };
}

/** The results of one run. Arrays are over the batch's predicting tokens; `mid` is over all its tokens. */
interface BatchNumbers {
  readonly mid: (row: number, eps: number) => Mid;
  readonly loss: ArrayLike<number>;
  readonly logit: ArrayLike<number>;
  /** With all positions ablated together. */
  readonly ablatedLoss: ArrayLike<number>;
  readonly ablatedLogit: ArrayLike<number>;
  readonly attribution: { readonly [K in keyof AttributionValues]: Float32Array } & { readonly dMlp: number };
}

async function runBatch(
  model: Model,
  site: Site,
  batch: Batch,
  signal: AbortSignal | undefined,
): Promise<BatchNumbers> {
  const graph = model.graph(batch.tokens);
  const predict = (g: typeof graph): Prediction => prediction(g.output, batch.predicting, batch.targets);
  const neurons = graph.at(site.ablated).gatherRows(batch.places);
  const after = site.norm && graph.at(site.norm.normalized).gatherRows(batch.places);
  const clean = predict(graph);
  const ablated = site.last ? predict(graph.with([[site.ablated, (x) => x.mul(0)]])) : clean;
  const { post, effect, bias } = attributionValues(model, graph, site, batch);
  const outlier = neurons.max("d_mlp").sub(neurons.mean("d_mlp"));
  const values = [
    ...[outlier, neurons.argmax("d_mlp"), clean.loss, clean.logit, ablated.loss, ablated.logit, post, effect, bias],
    ...(after ? [after.max("d_mlp").sub(after.mean("d_mlp"))] : []),
    ...(site.norm ? [graph.at(site.norm.scale).gatherRows(batch.places)] : []),
  ];
  const [outliers, largestActivations, loss, logit, ablatedLoss, ablatedLogit, posts, effects, biases, afters, scales] =
    (await model.compute(values, { signal })).map((value) => value.data);
  return {
    mid: (row, eps) => ({
      ...{ outlier: outliers[row], inverse_outlier: outliers[row] === 0 ? null : 1 / outliers[row] },
      largest_activation: largestActivations[row],
      outlier_after: afters ? afters[row] : null,
      ...(scales
        ? { scale: scales[row], ratio: 1 / scales[row], eps_share: eps / scales[row] ** 2 }
        : { scale: null, ratio: null, eps_share: null }),
    }),
    loss,
    logit,
    ablatedLoss,
    ablatedLogit,
    attribution: {
      post: posts as Float32Array,
      effect: effects as Float32Array,
      bias: biases as Float32Array,
      dMlp: model.cfg.dMlp!,
    },
  };
}

/** How ablating a position changes the loss of the token that it predicts: `loss = normaliser - logit`. */
interface Ablation {
  /** Ablated minus clean loss: the sum of the next two. */
  readonly loss: number;
  /** Clean minus ablated logit of the next token. */
  readonly logit: number;
  /** Ablated minus clean log-sum-exp of all logits. */
  readonly normaliser: number;
}

/** What ablating a position does to the summed losses of its prompt, and to its own prediction. */
interface PositionAblation {
  readonly total: number;
  readonly next: Ablation | null;
}

/** Each position changes only its own prediction; the last one changes nothing that is counted. */
function ablationsAlone(
  { loss, logit, ablatedLoss, ablatedLogit }: BatchNumbers,
  batch: Batch,
  prompts: readonly TokenizedPrompt[],
): PositionAblation[][] {
  let at = 0;
  return batch.prompts.map((prompt) =>
    prompts[prompt].ids.map((_, pos, ids): PositionAblation => {
      if (pos === ids.length - 1) return { total: 0, next: null };
      const next = change(loss[at], logit[at], ablatedLoss[at], ablatedLogit[at]);
      at++;
      return { total: next.loss, next };
    }),
  );
}

function change(loss: number, logit: number, ablatedLoss: number, ablatedLogit: number): Ablation {
  return {
    loss: ablatedLoss - loss,
    logit: logit - ablatedLogit,
    normaliser: ablatedLoss + ablatedLogit - (loss + logit),
  };
}

async function ablationsSwept(
  model: Model,
  site: Site,
  { loss, logit }: BatchNumbers,
  batch: Batch,
  prompts: readonly TokenizedPrompt[],
  maxCells: number,
  signal: AbortSignal | undefined,
): Promise<PositionAblation[][]> {
  const starts: number[] = [];
  let at = 0;
  const ablations = batch.prompts.map((prompt) => {
    const { ids } = prompts[prompt];
    starts.push(at);
    at += ids.length - 1;
    return ids.map((): { total: number; next: Ablation | null } => ({ total: 0, next: null }));
  });
  for await (const rows of sweepAblations(model, site, batch, prompts, maxCells, signal)) {
    for (const { row, ablated, pos, ...found } of rows) {
      const own = ablations[row][ablated];
      const i = starts[row] + pos;
      own.total += found.loss - loss[i];
      if (pos === ablated) own.next = change(loss[i], logit[i], found.loss, found.logit);
    }
  }
  return ablations;
}

function attributionAt(
  values: BatchNumbers["attribution"],
  row: number,
  nullModel: NullModel,
  cumulative: Float64Array,
): Attributed {
  const { dMlp } = values;
  const post = values.post.subarray(row * dMlp, (row + 1) * dMlp);
  const effect = values.effect.subarray(row * dMlp, (row + 1) * dMlp);
  const attributions = new Float64Array(dMlp);
  for (let i = 0; i < dMlp; i++) attributions[i] = post[i] * effect[i];
  const sizes = sortedSizes(attributions);
  const neurons = largest(attributions, sizes, LISTED_NEURONS);
  return {
    attribution: attributions.reduce((a, b) => a + b, 0),
    bias: values.bias[row],
    ...spreadOf(sizes, cumulative),
    ...{ neurons, largest_neuron: neurons[0][0] },
    shuffled_max_share: nullModel.add(post, effect),
  };
}
