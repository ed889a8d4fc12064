/** Each head's attention to what followed last time, and the loss, on random tokens that are repeated once. */

import { mean } from "simple-statistics";
import { Tensor } from "../graph/tensor.ts";
import { headName } from "../lens/components.ts";
import type { Model } from "../lens/model.ts";
import type { ModelGraph } from "../lens/model-graph.ts";
import { checkWhole } from "../options/checks.ts";
import { ndarray } from "../tensor/array.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { computeInParts, passBytes } from "./in-parts.ts";
import { Measured } from "./measured.ts";
import { type AnalysisOptions, type GivenOptions, type SettledOptions, seedOption, settled } from "./options.ts";
import { Random } from "./statistics/random.ts";

export const INDUCTION_OPTIONS = {
  length: {
    type: "integer",
    placeholder: "N",
    description: "how many random tokens to repeat",
    least: 2,
    defaultText: "50, or as many as fit",
  },
  samples: { type: "integer", placeholder: "N", description: "how many sequences", default: 8, least: 1 },
  seed: seedOption("the random tokens"),
} as const satisfies AnalysisOptions;

/** The options of `measureInductionScore`. */
export type MeasureInductionScoreOptions = GivenOptions<typeof INDUCTION_OPTIONS>;

/** A head and its scores. */
export interface InductionScoreRow {
  readonly layer: number;
  readonly head: number;
  /** `L0H3` */
  readonly component: string;
  readonly score: number;
  /** The score where nothing repeats. */
  readonly unrepeated: number;
}

/** The mean losses of the token after a position, in nats. */
export interface RepetitionLossRow {
  readonly pos: number;
  /** Where the second half repeats the first. */
  readonly repeated: number;
  /** Where it consists of other tokens. */
  readonly unrepeated: number;
}

/** Mean losses in nats of each half without its first token, which even in the second half cannot be predicted. */
export interface HalvesOfLoss {
  readonly first: number;
  readonly second: number;
  /** How much lower the second is. */
  readonly saved: number;
}

/** The result of `measureInductionScore`: a row for each head. */
export interface InductionScoreMeasurement extends Measured<InductionScoreRow> {
  /** How many tokens are repeated. */
  readonly period: number;
  /** How many tokens come before the random ones: 1 with a BOS, 0 without. */
  readonly lead: number;
  /** The score of a head that attends equally to every token it can see. */
  readonly uniform: number;
  /** A row for each position but the last. */
  readonly losses: Measured<RepetitionLossRow>;
  readonly repeated: HalvesOfLoss;
  /** The same where the second half consists of other tokens. */
  readonly unrepeated: HalvesOfLoss;
}

/**
 * Runs the model on random tokens that are repeated once, and on as many that are not.
 * @throws ArgumentError for a length that does not fit into the context twice.
 */
export async function measureInductionScore(
  model: Model,
  options: MeasureInductionScoreOptions = {},
): Promise<InductionScoreMeasurement> {
  const asked = settled("measureInductionScore", model, options, INDUCTION_OPTIONS);
  const { samples, signal, onProgress } = asked;
  const { nLayers, nHeads } = model.cfg;
  const { start, drawn, length } = drawTokens(model, asked);
  const lead = start.length;
  const stripe = stripeOf(lead, length);
  const scoresIn = (graph: ModelGraph) =>
    Array.from({ length: nLayers }, (_, layer) =>
      graph.at(`blocks.${layer}.attn.hook_pattern`).mul(stripe).sum(["query", "key"]),
    );
  const measured = await computeInParts(
    model,
    samples,
    (from, to) => {
      const some = drawn.slice(from, to);
      const repeated = model.graph(some.map((ids) => [...start, ...ids.slice(0, length), ...ids.slice(0, length)]));
      const unrepeated = model.graph(some.map((ids) => [...start, ...ids]));
      return [repeated.lossPerToken(), unrepeated.lossPerToken(), ...scoresIn(repeated), ...scoresIn(unrepeated)];
    },
    { signal, most: passBytes(model), onDone: (done) => onProgress?.({ done, total: samples, unit: "sequences" }) },
  );
  const [repeated, unrepeated, ...scores] = measured.map(meanOverRows);
  const rows = Array.from({ length: nLayers * nHeads }, (_, i): InductionScoreRow => {
    const [layer, head] = [Math.floor(i / nHeads), i % nHeads];
    const [score, control] = [scores[layer][head], scores[nLayers + layer][head]];
    return { layer, head, component: headName(layer, head), score, unrepeated: control };
  });
  return Measured.of(rows, {
    ...{ period: length, lead, uniform: uniformScore(lead, length) },
    losses: new Measured(repeated.map((loss, pos) => ({ pos, repeated: loss, unrepeated: unrepeated[pos] }))),
    repeated: halvesOf(repeated, lead, length),
    unrepeated: halvesOf(unrepeated, lead, length),
  });
}

/** Sequences of twice as many different random tokens as are repeated, and what comes before them. */
function drawTokens(model: Model, asked: SettledOptions<typeof INDUCTION_OPTIONS>) {
  const { cfg, text } = model;
  const bos = text?.bosTokenId;
  const start = bos === undefined ? [] : [bos];
  const most = Math.floor((cfg.nCtx - start.length) / 2);
  const special = new Set([bos, text?.eosTokenId, text?.padTokenId]);
  const vocabulary = Array.from({ length: cfg.dVocab }, (_, id) => id).filter((id) => !special.has(id));
  const length = asked.length ?? Math.min(50, most, Math.floor(vocabulary.length / 2));
  checkWhole("length", length, 2, most);
  if (2 * length > vocabulary.length) {
    throw new ArgumentError(
      `length is ${length}, but the control needs twice as many different tokens, and the vocabulary has ${vocabulary.length}.`,
      { asked: length, found: vocabulary.length },
    );
  }
  const random = new Random(asked.seed);
  const drawn = Array.from({ length: asked.samples }, () =>
    Array.from(random.sample(vocabulary.length, 2 * length), (i) => vocabulary[i]),
  );
  return { start, drawn, length };
}

function halvesOf(perToken: readonly number[], lead: number, length: number): HalvesOfLoss {
  const half = (which: 0 | 1) => {
    const from = lead + which * length;
    return mean(perToken.slice(from, from + length - 1));
  };
  const [first, second] = [half(0), half(1)];
  return { first, second, saved: first - second };
}

/** The mean over the first axis. */
function meanOverRows({ shape: [rows], data }: Tensor): number[] {
  const width = data.length / rows;
  return Array.from({ length: width }, (_, i) => {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += data[row * width + i];
    return sum / rows;
  });
}

/** 1 / length where a query of the second half looks at what followed its token in the first half, [query key]. */
function stripeOf(lead: number, length: number): Tensor {
  const pos = lead + 2 * length;
  const data = new Float32Array(pos * pos);
  for (let query = lead + length; query < pos; query++) data[query * pos + query - length + 1] = 1 / length;
  return Tensor.leaf(ndarray("float32", [pos, pos], data), ["query", "key"]);
}

function uniformScore(lead: number, length: number): number {
  let sum = 0;
  for (let query = lead + length; query < lead + 2 * length; query++) sum += 1 / (query + 1);
  return sum / length;
}
