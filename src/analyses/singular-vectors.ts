/** "Which tokens does a head or an MLP write, or read?" */

import { TOKEN } from "../finding/columns.ts";
import { type Baseline, type Finding, finding } from "../finding/finding.ts";
import { as, column, type Table, tableOf } from "../finding/table.ts";
import type { View } from "../finding/view.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { settled } from "../measures/options.ts";
import {
  measureSingularVectors,
  SINGULAR_VECTORS_OPTIONS,
  type SingularVectorsMeasurement,
  type SingularVectorsOptions,
  type VectorTokensRow,
} from "../measures/singular-vectors.ts";
import { visibleToken } from "../tensor/visible.ts";
import { percent, quoted } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import { spread } from "./baselines.ts";
import { capCaveat, outputNormCaveat } from "./caps.ts";
import { modelFacts } from "./model-facts.ts";
import { SINGULAR_VALUES } from "./papers.ts";

const QUESTION = "Which tokens does a head or an MLP write, or read?";
const MATRIX = "random matrix";
const DIRECTIONS = "random directions";

const METHOD = {
  text:
    "The matrix is decomposed as M = U S Vᵀ, with M = W_V W_O for a head, W_out for an MLP's output, and W_inᵀ for its input; the rows of Vᵀ are orthogonal directions of the residual stream, ordered by how strongly M writes to them (for W_in: reads from them). The unembedding reads each of them: V · W_U says how much of each token lies in it.\n\n" +
    "A head's matrix is decomposed through its d_head-wide factors. The random matrix has the same shape (for a head: the same two factors' shapes) with normal entries and the same Frobenius norm; the random directions have normal entries and length 1.",
  references: [SINGULAR_VALUES],
};

/**
 * The largest singular vectors of a head's W_V W_O or an MLP's weights as tokens, compared with the singular values of a random
 * matrix of the same shape and norm, and with the tokens' weights in random directions. @see getSingularVectors
 */
export async function singularVectors(
  model: HookedTransformer,
  options: SingularVectorsOptions = {},
): Promise<Finding> {
  const asked = settled("singularVectors", model, options, SINGULAR_VECTORS_OPTIONS);
  const { of, layer, seed } = asked;
  const measured = await measureSingularVectors(model, asked);
  const { called, head, vectors } = measured;
  const gated = model.weights.find(`blocks.${layer}.mlp.W_gate`) !== undefined;
  return finding({
    analysis: "singular-vectors",
    question: QUESTION,
    summary: summaryOf(measured),
    method: METHOD,
    model: modelFacts(model),
    settings: { matrix: called, layer, head, vectors, seed },
    pictures: pictures(measured),
    tables: tables(measured),
    baselines: baselines(measured, seed),
    caveats: [
      "A singular vector's sign is arbitrary, so its two ends may be swapped. Where singular values are close to each other, their vectors are mixed arbitrarily.",
      "Reading a direction by the unembedding assumes that what is written there goes straight to the logits; in early layers it mostly does not" +
        (of === "w_in" ? ", and what an MLP reads need not be tokens at all." : "."),
      "The final norm is left out: it would scale all of a vector's numbers by one factor, which differs from position to position.",
      of === "w_in" &&
        gated &&
        "The MLP is gated: W_in reads what the gate multiplies, and W_gate, which is not looked at here, what opens it.",
      ...outputNormCaveat(model),
      ...capCaveat(model),
      ...model.notes,
    ],
  });
}

/** How strongly a vector points at a token. */
const extreme = ({ one_logits, other_logits }: VectorTokensRow) => Math.max(one_logits, -other_logits);

function summaryOf({ of, called, rows, vectors, share, randomShare, tokens }: SingularVectorsMeasurement) {
  const [{ singular_value: largest }] = rows;
  const verb = of === "w_in" ? "reads" : "writes";
  const first = tokens.rows.slice(0, LISTED);
  const list = (end: "one_end" | "other_end") => first.map((row) => quoted(row[end])).join(", ");
  const [sharpest] = tokens.top(1, extreme);
  const { one_end, one_logits, other_end } = sharpest;
  const token = extreme(sharpest) === Math.abs(one_logits) ? one_end : other_end;
  return [
    {
      text: `What ${called} ${verb} most is a direction between ${list("one_end")} and ${list("other_end")}; its singular value is ${largest.toFixed(3)}.`,
      figure: { value: largest, unit: "", comparedWith: [MATRIX] },
    },
    {
      text: `The largest ${vectors} of ${rows.length} singular values make up ${percent(share)} of the squared norm; in a random matrix they would make up ${percent(randomShare)}.`,
    },
    {
      text: `Vector ${sharpest.vector} points most strongly at a token: ${quoted(token)} has ${extreme(sharpest).toFixed(3)} logits in it.`,
      figure: { value: extreme(sharpest), unit: "logits", comparedWith: [DIRECTIONS] },
    },
  ] satisfies Finding["summary"];
}

function pictures({ called, rows, vectors }: SingularVectorsMeasurement): View[] {
  return [
    {
      kind: "topk",
      name: "tokens",
      title: `Tokens in the singular vectors of ${called}`,
      caption: "Each column is a vector, the largest singular value first. Which of its ends is on top means nothing.",
      of: "vector",
      table: "tokens",
      by: {
        column: VECTOR.name,
        ticks: rows.slice(0, vectors).map(({ vector, singular_value }) => `${vector}: ${singular_value.toFixed(2)}`),
      },
      top: ["one_end", "one_logits"],
      bottom: ["other_end", "other_logits"],
      color: { label: "token in vector" },
    },
    {
      kind: "line",
      name: "values",
      title: "Singular values",
      caption: "Where the line is above the random matrix's, the matrix acts mainly on a few directions.",
      table: "values",
      x: { column: VECTOR.name, label: "rank, from the largest" },
      y: [SINGULAR_VALUE.name, RANDOM.name],
    },
  ];
}

function baselines({ rows, randomEnds }: SingularVectorsMeasurement, seed: number): Baseline[] {
  return [
    {
      name: MATRIX,
      kind: "null model",
      text: "The largest singular value of a random matrix of the same shape and Frobenius norm.",
      value: rows[0].random,
      seed,
    },
    {
      name: DIRECTIONS,
      kind: "null model",
      text: "How much of any token lies in a random direction of length 1, for the token of the vocabulary that fits it best: the mean, and the range of 95 % of the directions.",
      ...spread(randomEnds),
      seed,
      unit: "logits",
    },
  ];
}

const VECTOR = column("vector", "Its rank, from 0.", { axis: "component", format: "integer" });
const SINGULAR_VALUE = column("singular_value", "Its singular value.", { digits: 3 });
const RANDOM = column("random", "The random matrix's value of the same rank.", { title: MATRIX, digits: 3 });
const VALUES = [VECTOR, SINGULAR_VALUE, RANDOM];

const end = <const Name extends string>(name: Name, title: string) =>
  as(TOKEN, { name, title, axis: "d_vocab", description: "A token there." });
const inIt = <const Name extends string>(name: Name) =>
  column(name, "How much of the token lies in the vector.", { title: "in it", unit: "logits" });

/** How many tokens at each end a sentence, or a row, names. */
const LISTED = 3;

function tables({ rows, vectors, tokens }: SingularVectorsMeasurement): Table[] {
  const largest = rows.slice(0, vectors).map((row) => {
    const ends = tokens.where({ vector: row.vector }).rows.slice(0, LISTED);
    const listed = (end: "one_end" | "other_end") => ends.map((token) => visibleToken(token[end])).join(" ");
    return { ...row, top: listed("one_end"), bottom: listed("other_end") };
  });
  const title = "The largest singular vectors and the tokens at their ends";
  return [
    tableOf({ name: "vectors", title, comparedWith: [MATRIX] }, largest, [
      VECTOR,
      SINGULAR_VALUE,
      RANDOM,
      column("top", "The tokens that lie in it most strongly.", { title: "one end" }),
      column("bottom", "The tokens that lie most strongly in its opposite.", { title: "the other" }),
    ]),
    tableOf(
      { name: "tokens", title: "The tokens at the ends of each vector", detail: true, comparedWith: [DIRECTIONS] },
      tokens.rows,
      [VECTOR, end("one_end", "one end"), inIt("one_logits"), end("other_end", "the other"), inIt("other_logits")],
    ),
    tableOf({ name: "values", title: "All singular values", detail: true }, rows, VALUES),
  ];
}

/** `singularVectors` for the index. */
export const singularVectorsAnalysis = analysis({
  name: "singular-vectors",
  question: QUESTION,
  description:
    "The largest singular vectors of a head's W_V W_O or of an MLP's weights, read as tokens by the unembedding (Millidge and Black 2022), " +
    "compared with the singular values of a random matrix of the same shape and norm.",
  example: { of: "OV", layer: 0, head: 1, vectors: 3 },
  options: SINGULAR_VECTORS_OPTIONS,
  run: singularVectors,
});
