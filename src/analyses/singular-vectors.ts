/** "Which tokens does a head or an MLP write, or read?" */

import { mean, quantile } from "simple-statistics";
import { TOKEN } from "../finding/columns.ts";
import { type Baseline, type Finding, finding } from "../finding/finding.ts";
import { as, type Column, column, type Table, tableOf } from "../finding/table.ts";
import type { View } from "../finding/view.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { settled } from "../measures/options.ts";
import {
  measureSingularVectors,
  SINGULAR_VECTORS_OPTIONS,
  type SingularVectorsMeasurement,
  type SingularVectorsOptions,
  type VectorTokens,
} from "../measures/singular-vectors.ts";
import { visibleToken } from "../tensor/visible.ts";
import { percent, quoted } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
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
    settings: { matrix: called, layer, head, vectors: vectors.length, seed },
    pictures: pictures(measured),
    tables: [vectorTable(measured), tokenTable(measured), valueTable(measured)],
    baselines: baselines(measured, seed),
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

function summaryOf({ of, called, values, chance, vectors }: SingularVectorsMeasurement): Finding["summary"] {
  const [{ top, bottom }] = vectors;
  const sharpest = vectors.toSorted((a, b) => b.extreme - a.extreme)[0];
  const verb = of === "w_in" ? "reads" : "writes";
  const squares = (some: readonly number[]) => some.reduce((sum, s) => sum + s * s, 0);
  const shares = (all: readonly number[]) => squares(all.slice(0, vectors.length)) / squares(all);
  return [
    {
      text: `What ${called} ${verb} most is a direction between ${list(top)} and ${list(bottom)}; its singular value is ${values[0].toFixed(3)}.`,
      figure: { value: values[0], unit: "", comparedWith: [MATRIX] },
    },
    {
      text: `The largest ${vectors.length} of ${values.length} singular values make up ${percent(shares(values))} of the squared norm; in a random matrix they would make up ${percent(shares(chance))}.`,
    },
    {
      text: `Vector ${sharpest.place} points most strongly at a token: ${quoted(sharpest.extreme === Math.abs(sharpest.top[0].value) ? sharpest.top[0].token : sharpest.bottom[0].token)} has ${sharpest.extreme.toFixed(3)} logits in it.`,
      figure: { value: sharpest.extreme, unit: "logits", comparedWith: [DIRECTIONS] },
    },
  ];
}

function pictures({ called, values, vectors }: SingularVectorsMeasurement): View[] {
  return [
    {
      kind: "topk",
      name: "tokens",
      title: `Tokens in the singular vectors of ${called}`,
      caption: "Each column is a vector, the largest singular value first. Which of its ends is on top means nothing.",
      of: "vector",
      table: "tokens",
      by: { column: VECTOR.name, ticks: vectors.map(({ place }) => `${place}: ${values[place].toFixed(2)}`) },
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

function baselines({ chance, ends }: SingularVectorsMeasurement, seed: number): Baseline[] {
  return [
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
  ];
}

const list = (tokens: readonly { readonly token: string }[]) =>
  tokens
    .slice(0, 3)
    .map(({ token }) => quoted(token))
    .join(", ");

const VECTOR = column("vector", "Its rank, from 0.", { axis: "component", format: "integer" });

const SINGULAR_VALUE = column("singular_value", "Its singular value.", { digits: 3 });
const RANDOM = column("random", "The random matrix's value of the same rank.", { title: MATRIX, digits: 3 });

function vectorTable({ values, chance, vectors }: SingularVectorsMeasurement): Table {
  const title = "The largest singular vectors and the tokens at their ends";
  const three = (tokens: VectorTokens["top"]) =>
    tokens
      .slice(0, 3)
      .map(({ token }) => visibleToken(token))
      .join(" ");
  return tableOf({ name: "vectors", title, comparedWith: [MATRIX] }, vectors, [
    [as(VECTOR, { title: "" }), "place"],
    [SINGULAR_VALUE, ({ place }) => values[place]],
    [RANDOM, ({ place }) => chance[place]],
    [column("top", "The tokens that lie in it most strongly.", { title: "one end" }), ({ top }) => three(top)],
    [
      column("bottom", "The tokens that lie most strongly in its opposite.", { title: "the other" }),
      ({ bottom }) => three(bottom),
    ],
  ]);
}

function tokenTable({ vectors }: SingularVectorsMeasurement): Table {
  const about = { name: "tokens", title: "The tokens at the ends of each vector", detail: true };
  const rows = vectors.flatMap(({ place, top, bottom }) => top.map((one, i) => ({ place, one, other: bottom[i] })));
  const end = (name: string, title: string) =>
    as(TOKEN, { name, title, axis: "d_vocab", description: "A token there." });
  const inIt = (name: string): Column => ({
    name,
    title: "in it",
    unit: "logits",
    description: "How much of the token lies in the vector.",
  });
  return tableOf({ ...about, comparedWith: [DIRECTIONS] }, rows, [
    [VECTOR, "place"],
    [end("one_end", "one end"), ({ one }) => one.token],
    [inIt("one_logits"), ({ one }) => one.value],
    [end("other_end", "the other"), ({ other }) => other.token],
    [inIt("other_logits"), ({ other }) => other.value],
  ]);
}

function valueTable({ values, chance }: SingularVectorsMeasurement): Table {
  return tableOf({ name: "values", title: "All singular values", detail: true }, values, [
    [VECTOR, (_, rank) => rank],
    [SINGULAR_VALUE, (value) => value],
    [RANDOM, (_, rank) => chance[rank]],
  ]);
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
