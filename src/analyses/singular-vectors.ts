/** "Which tokens does a head or an MLP write, or read?" */

import { mean, quantile } from "simple-statistics";
import { type Finding, finding } from "../finding/finding.ts";
import type { Column, Scalar } from "../finding/table.ts";
import { Tensor } from "../graph/tensor.ts";
import { headName } from "../lens/components.ts";
import { FactoredMatrix } from "../lens/factored-matrix.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { getSingularVectors, type SingularVectors } from "../lens/singular-vectors.ts";
import { ndarray } from "../tensor/array.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { normal } from "../tensor/random.ts";
import { markUnseen } from "../tensor/visible.ts";
import { percent, quoted } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import { capCaveat, outputNormCaveat } from "./caps.ts";
import { type AnalysisOptions, type GivenOptions, layerOption, seedOption, settled } from "./options.ts";
import { modelFacts, tokenText } from "./prompt.ts";
import { largestIndices } from "./top-tokens.ts";

/** The options of `singularVectors`. */
export type SingularVectorsFindingOptions = GivenOptions<typeof OPTIONS>;

const QUESTION = "Which tokens does a head or an MLP write, or read?";
const MATRIX = "random matrix";
const DIRECTIONS = "random directions";
const RANDOM_DIRECTIONS = 200;

/**
 * The largest singular vectors of a head's W_V W_O or an MLP's weights as tokens, compared with the singular values of a random
 * matrix of the same shape and norm, and with the tokens' weights in random directions. @see getSingularVectors
 */
export async function singularVectors(
  model: HookedTransformer,
  options: SingularVectorsFindingOptions = {},
): Promise<Finding> {
  const asked = settled("singularVectors", model, options, OPTIONS);
  const { of, layer: at, head, vectors, top, seed, signal } = asked;
  const { cfg } = model;
  const ov = of === "OV";
  const which = ov ? (head ?? 0) : undefined;
  if (!ov && head !== undefined) {
    throw new ArgumentError(`${of} belongs to the whole MLP, which has no heads: leave out the head, or choose OV.`, {
      asked: head,
    });
  }
  const numVectors = Math.min(vectors, ov ? Math.min(cfg.dHead, cfg.dModel) : Math.min(cfg.dMlp!, cfg.dModel));
  const decomposition = await getSingularVectors(model, of, at, { numVectors, head: which, signal });
  const random = normal(seed);
  const values = decomposition.singularValues;
  const norm = Math.hypot(...values);
  const gated = model.weights.find(`blocks.${at}.mlp.W_gate`) !== undefined;
  const chance = await randomValues(model, ov, norm, random, signal);
  const ends = await randomEnds(model, random, signal);
  const called = ov ? `${headName(at, which!)}'s W_V W_O` : `layer ${at}'s ${of === "w_in" ? "W_in" : "W_out"}`;
  const shares = (all: readonly number[]) => {
    const total = all.reduce((sum, s) => sum + s * s, 0);
    return all.slice(0, numVectors).reduce((sum, s) => sum + s * s, 0) / total;
  };
  const columns = describeVectors(model, decomposition, top);
  const sharpest = columns.toSorted((a, b) => b.extreme - a.extreme)[0];
  const verb = of === "w_in" ? "reads" : "writes";
  return finding({
    analysis: "singular-vectors",
    question: QUESTION,
    summary: [
      {
        text: `What ${called} ${verb} most is a direction between ${list(columns[0].top)} and ${list(columns[0].bottom)}; its singular value is ${values[0].toFixed(3)}.`,
        figure: { value: values[0], unit: "", comparedWith: [MATRIX] },
      },
      {
        text: `The largest ${numVectors} of ${values.length} singular values make up ${percent(shares(values))} of the squared norm; in a random matrix they would make up ${percent(shares(chance))}.`,
      },
      {
        text: `Vector ${sharpest.place} points most strongly at a token: ${quoted(sharpest.extreme === Math.abs(sharpest.top[0].value) ? sharpest.top[0].token : sharpest.bottom[0].token)} has ${sharpest.extreme.toFixed(3)} logits in it.`,
        figure: { value: sharpest.extreme, unit: "logits", comparedWith: [DIRECTIONS] },
      },
    ],
    method: {
      text:
        "The matrix is decomposed as M = U S Vᵀ, with M = W_V W_O for a head, W_out for an MLP's output, and W_inᵀ for its input; the rows of Vᵀ are orthogonal directions of the residual stream, ordered by how strongly M writes to them (for W_in: reads from them). The unembedding reads each of them: V · W_U says how much of each token lies in it.\n\n" +
        "A head's matrix is decomposed through its d_head-wide factors. The random matrix has the same shape (for a head: the same two factors' shapes) with normal entries and the same Frobenius norm; the random directions have normal entries and length 1.",
      references: [
        {
          title: "The Singular Value Decompositions of Transformer Weight Matrices are Highly Interpretable",
          url: "https://www.alignmentforum.org/posts/mkbGjzxD8d8XqKHzA",
          paper: "Millidge and Black, 2022",
        },
      ],
    },
    model: modelFacts(model),
    settings: { matrix: called, layer: at, head: which ?? null, vectors: numVectors, seed },
    pictures: [
      {
        kind: "topk",
        name: "tokens",
        title: `Tokens in the singular vectors of ${called}`,
        caption:
          "Each column is a vector, the largest singular value first. Which of its ends is on top means nothing.",
        of: "vector",
        columns: columns.map(({ place, top: highest, bottom }) => ({
          name: `${place}: ${values[place].toFixed(2)}`,
          top: highest,
          bottom: bottom.toReversed(),
        })),
        color: { label: "token in vector", unit: "logits" },
      },
      {
        kind: "line",
        name: "values",
        title: "Singular values",
        caption: "Where the line is above the random matrix's, the matrix acts mainly on a few directions.",
        x: { label: "rank, from the largest" },
        y: { label: "singular value" },
        series: [
          { name: called, y: values },
          { name: MATRIX, y: chance },
        ],
      },
    ],
    tables: [vectorTable(values, chance, columns), tokenTable(columns)],
    baselines: [
      {
        name: MATRIX,
        kind: "null model",
        text: "The largest singular value of a random matrix of the same shape and Frobenius norm.",
        value: chance[0],
        seed,
      },
      {
        name: DIRECTIONS,
        kind: "null model",
        text: "How much of any token lies in a random direction of length 1, for the token of the vocabulary that fits it best: the mean, and the range of 95 % of the directions.",
        value: mean(ends),
        interval: [quantile(ends, 0.025), quantile(ends, 0.975)],
        level: 0.95,
        samples: ends.length,
        seed,
        unit: "logits",
      },
    ],
    caveats: [
      "A singular vector's sign is arbitrary, so its two ends may be swapped. Where singular values are close to each other, their vectors are mixed arbitrarily.",
      "Reading a direction by the unembedding assumes that what is written there goes straight to the logits; in early layers it mostly does not" +
        (of === "w_in" ? ", and what an MLP reads need not be tokens at all." : "."),
      "The final norm is left out: it would scale all of a vector's numbers by one factor, which differs from position to position.",
      ...(of === "w_in" && gated
        ? [
            "The MLP is gated: W_in reads what the gate multiplies, and W_gate, which is not looked at here, what opens it.",
          ]
        : []),
      ...outputNormCaveat(model),
      ...capCaveat(model),
      ...model.notes,
    ],
  });
}

const list = (tokens: readonly { readonly token: string }[]) =>
  tokens
    .slice(0, 3)
    .map(({ token }) => quoted(token))
    .join(", ");

interface VectorTokens {
  readonly place: number;
  /** The largest first. */
  readonly top: readonly { readonly token: string; readonly value: number }[];
  /** The smallest first. */
  readonly bottom: readonly { readonly token: string; readonly value: number }[];
  /** The largest |logit|. */
  readonly extreme: number;
}

function describeVectors(model: HookedTransformer, { logits }: SingularVectors, top: number): VectorTokens[] {
  const [count, vocabulary] = logits.shape;
  return Array.from({ length: count }, (_, place) => {
    const row = logits.data.subarray(place * vocabulary, (place + 1) * vocabulary) as Float32Array;
    const tokens = (ids: readonly number[]) => ids.map((id) => ({ token: tokenText(model, id), value: row[id] }));
    const highest = tokens(largestIndices(row, top));
    const lowest = tokens(
      largestIndices(
        row.map((x) => -x),
        top,
      ),
    );
    return { place, top: highest, bottom: lowest, extreme: Math.max(highest[0].value, -lowest[0].value) };
  });
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

function vectorTable(values: readonly number[], chance: readonly number[], columns: readonly VectorTokens[]) {
  const described: readonly Column[] = [
    { name: "vector", title: "", axis: "component", format: "integer", description: "Its rank, from 0." },
    { name: "singular_value", title: "value", format: { digits: 3 }, description: "Its singular value." },
    {
      name: "random",
      title: "random",
      format: { digits: 3 },
      description: "The random matrix's value of the same rank.",
    },
    { name: "top", title: "one end", description: "The tokens that lie in it most strongly." },
    { name: "bottom", title: "the other", description: "The tokens that lie most strongly in its opposite." },
  ];
  return {
    name: "vectors",
    title: "The largest singular vectors and the tokens at their ends",
    comparedWith: [MATRIX],
    columns: described,
    rows: columns.map(({ place, top, bottom }): readonly Scalar[] => [
      place,
      values[place],
      chance[place],
      top
        .slice(0, 3)
        .map(({ token }) => markUnseen(token.trim()) || quoted(token))
        .join(" "),
      bottom
        .slice(0, 3)
        .map(({ token }) => markUnseen(token.trim()) || quoted(token))
        .join(" "),
    ]),
  };
}

function tokenTable(columns: readonly VectorTokens[]) {
  const described: readonly Column[] = [
    { name: "vector", title: "vector", axis: "component", format: "integer", description: "Its rank, from 0." },
    { name: "token", title: "token", axis: "d_vocab", format: "token", description: "A token at one of its ends." },
    { name: "logits", title: "in it", unit: "logits", description: "How much of the token lies in the vector." },
  ];
  return {
    name: "tokens",
    title: "The tokens at the ends of each vector",
    detail: true,
    comparedWith: [DIRECTIONS],
    columns: described,
    rows: columns.flatMap(({ place, top, bottom }) =>
      [...top, ...bottom.toReversed()].map(({ token, value }): readonly Scalar[] => [place, token, value]),
    ),
  };
}

const OPTIONS = {
  of: { type: "choice", choices: ["OV", "w_in", "w_out"], description: "which matrix", default: "OV" },
  layer: layerOption(),
  head: { type: "head", placeholder: "H", description: "the head, for OV", defaultText: "0" },
  vectors: { type: "integer", placeholder: "N", description: "how many vectors", default: 10, least: 1 },
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

/** `singularVectors` for the index. */
export const singularVectorsAnalysis = analysis({
  name: "singular-vectors",
  question: QUESTION,
  description:
    "The largest singular vectors of a head's W_V W_O or of an MLP's weights, read as tokens by the unembedding (Millidge and Black 2022), " +
    "compared with the singular values of a random matrix of the same shape and norm.",
  example: "--of w_out --layer 0 --out vectors.html",
  options: OPTIONS,
  run: (model, options, { signal }) => singularVectors(model, { ...options, signal }),
});
