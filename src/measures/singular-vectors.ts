/** The largest singular vectors of a head's or an MLP's matrix as tokens, and what random numbers give in their place. */

import { Tensor } from "../graph/tensor.ts";
import { headName } from "../lens/components.ts";
import { FactoredMatrix } from "../lens/factored-matrix.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import type { HasSizes } from "../options/records.ts";
import { ndarray } from "../tensor/array.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { normal } from "../tensor/random.ts";
import { Measured } from "./measured.ts";
import { type AnalysisOptions, type GivenOptions, layerOption, seedOption, settled } from "./options.ts";
import { tokenText } from "./prompt.ts";
import {
  getSingularVectors,
  type SingularVectors,
  type SingularVectorsOf,
} from "./singular-vectors/get-singular-vectors.ts";
import { largestIndices } from "./top-tokens.ts";

const RANDOM_DIRECTIONS = 200;

/** How many singular values a matrix has. */
function rankOf({ cfg }: HasSizes, { of = "OV" }: Readonly<Record<string, unknown>>): number {
  return Math.min(cfg.dModel, (of === "OV" ? cfg.dHead : cfg.dMlp) ?? cfg.dModel);
}

export const SINGULAR_VECTORS_OPTIONS = {
  of: { type: "choice", choices: ["OV", "w_in", "w_out"], description: "which matrix", default: "OV" },
  layer: layerOption(),
  head: { type: "head", placeholder: "H", description: "the head, for OV", defaultText: "0" },
  vectors: { type: "integer", placeholder: "N", description: "how many vectors", default: 10, least: 1, most: rankOf },
  top: {
    type: "integer",
    placeholder: "K",
    description: "how many tokens at each end of a vector",
    default: 8,
    least: 1,
    most: ({ cfg }) => Math.floor(cfg.dVocabOut / 2),
  },
  seed: seedOption(),
} as const satisfies AnalysisOptions;

/** The options of `measureSingularVectors` and `singularVectors`. */
export type SingularVectorsOptions = GivenOptions<typeof SINGULAR_VECTORS_OPTIONS>;

/** A singular value, and that of a random matrix of the same rank. */
export interface SingularVectorsRow {
  /** From 0, the largest value first. */
  readonly vector: number;
  readonly singular_value: number;
  readonly random: number;
}

/** A token at each end of a singular vector. Which end is which means nothing. */
export interface VectorTokensRow {
  readonly vector: number;
  /** From 0, the token at the very end. */
  readonly place: number;
  readonly one_end: string;
  /** How much of that token lies in the vector. */
  readonly one_logits: number;
  readonly other_end: string;
  readonly other_logits: number;
}

/** The result of `measureSingularVectors`: a row for each singular value. */
export interface SingularVectorsMeasurement extends Measured<SingularVectorsRow> {
  readonly of: SingularVectorsOf;
  /** The matrix in words: `L0H3's W_V W_O`. */
  readonly called: string;
  /** The head; null for an MLP. */
  readonly head: number | null;
  /** How many vectors are read as tokens: those of the largest singular values. */
  readonly vectors: number;
  /** The share of the squared norm that belongs to them, and to as many of the random matrix. */
  readonly share: number;
  readonly randomShare: number;
  readonly tokens: Measured<VectorTokensRow>;
  /** The largest |token| of random directions. */
  readonly randomEnds: readonly number[];
}

/**
 * The largest singular vectors of a head's `W_V W_O` or an MLP's weights as tokens, with the singular values of a random matrix of
 * the same shape and norm.
 * @throws ArgumentError for a head of an MLP
 */
export async function measureSingularVectors(
  model: HookedTransformer,
  options: SingularVectorsOptions = {},
): Promise<SingularVectorsMeasurement> {
  const asked = settled("measureSingularVectors", model, options, SINGULAR_VECTORS_OPTIONS);
  const { of, layer, head, top, signal } = asked;
  const { cfg } = model;
  const ov = of === "OV";
  const which = ov ? (head ?? 0) : undefined;
  if (!ov && head !== undefined) {
    throw new ArgumentError(`${of} belongs to the whole MLP, which has no heads: leave out the head, or choose OV.`, {
      asked: head,
    });
  }
  const numVectors = Math.min(asked.vectors, ov ? Math.min(cfg.dHead, cfg.dModel) : Math.min(cfg.dMlp!, cfg.dModel));
  const decomposition = await getSingularVectors(model, of, layer, { numVectors, head: which, signal });
  const values = decomposition.singularValues;
  const random = normal(asked.seed);
  const chance = await randomValues(model, ov, Math.hypot(...values), random, signal);
  const rows = Array.from(values, (singular_value, vector): SingularVectorsRow => {
    return { vector, singular_value, random: chance[vector] };
  });
  const squares = (some: readonly number[]) => some.reduce((sum, s) => sum + s * s, 0);
  const share = (all: readonly number[]) => squares(all.slice(0, numVectors)) / squares(all);
  return Measured.of(rows, {
    of,
    called: ov ? `${headName(layer, which!)}'s W_V W_O` : `layer ${layer}'s ${of === "w_in" ? "W_in" : "W_out"}`,
    head: which ?? null,
    ...{ vectors: numVectors, share: share(values), randomShare: share(chance) },
    tokens: new Measured(tokenRows(model, decomposition, top)),
    randomEnds: await randomEnds(model, random, signal),
  });
}

function tokenRows(model: HookedTransformer, { logits }: SingularVectors, top: number): VectorTokensRow[] {
  const [count, vocabulary] = logits.shape;
  return Array.from({ length: count }, (_, vector) => {
    const row = logits.data.subarray(vector * vocabulary, (vector + 1) * vocabulary) as Float32Array;
    const opposite = row.map((x) => -x);
    const lowest = largestIndices(opposite, top);
    return largestIndices(row, top).map((high, place): VectorTokensRow => {
      const low = lowest[place];
      const one = { one_end: tokenText(model, high), one_logits: row[high] };
      return { vector, place, ...one, other_end: tokenText(model, low), other_logits: row[low] };
    });
  }).flat();
}

/** Singular values of random numbers in the same shape, scaled to the same norm. */
async function randomValues(
  { cfg }: HookedTransformer,
  ov: boolean,
  norm: number,
  random: () => number,
  signal: AbortSignal | undefined,
): Promise<readonly number[]> {
  const { dModel } = cfg;
  const inner = ov ? cfg.dHead : dModel;
  const left = randomMatrix(ov ? dModel : cfg.dMlp!, inner, random);
  const right = ov ? randomMatrix(inner, dModel, random) : identity(dModel);
  const matrix = await new FactoredMatrix(left, right).compute({ signal });
  const values = Array.from(matrix.svd().S.data);
  const own = Math.hypot(...values);
  return values.map((s) => (s * norm) / own);
}

/** The largest |token| of random directions. */
async function randomEnds(model: HookedTransformer, random: () => number, signal: AbortSignal | undefined) {
  const { dModel } = model.cfg;
  const raw = randomMatrix(RANDOM_DIRECTIONS, dModel, random);
  const unit = raw.div(raw.mul(raw).sum(-1, true).sqrt());
  const [ends] = await model.compute([unit.matmul(model.W_U).abs().max(-1)], { signal });
  return Array.from(ends.data);
}

function randomMatrix(rows: number, columns: number, random: () => number): Tensor {
  const data = Float32Array.from({ length: rows * columns }, random);
  return Tensor.leaf(ndarray("float32", [rows, columns], data), ["", ""]);
}

function identity(size: number): Tensor {
  const one = new Float32Array(size * size);
  for (let i = 0; i < size; i++) one[i * size + i] = 1;
  return Tensor.leaf(ndarray("float32", [size, size], one), ["", ""]);
}
