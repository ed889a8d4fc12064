/** "Which neurons favour the answer, judged by the gradient at their activations?" */

import { median } from "simple-statistics";
import { COMPONENT, GROUP, LAYER, NEURON_PLACE, POS, TOKEN } from "../finding/columns.ts";
import { type Finding, finding, type Method, type Statement } from "../finding/finding.ts";
import { as, column, type Table, tableOf } from "../finding/table.ts";
import type { View } from "../finding/view.ts";
import type { Model } from "../lens/model.ts";
import { type Answer, answerOptions, readAnswer } from "../measures/answer.ts";
import { type AblatedNeurons, ablateNeurons, bySaliency } from "../measures/neuron-saliency/ablated.ts";
import {
  measureNeuronSaliency,
  type NeuronSaliencyMeasurement,
  type NeuronSaliencyRow,
} from "../measures/neuron-saliency.ts";
import { type AnalysisOptions, type GivenOptions, seedOption, settled, topOf } from "../measures/options.ts";
import type { Prompt } from "../measures/prompt.ts";
import { signed } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import {
  type Agreement,
  agreement,
  agreementBaselines,
  agreementScatter,
  correlationStatement,
  IDENTICAL,
  worstStatement,
} from "./attribution/agreement.ts";
import { answerSettings } from "./attribution/answer.ts";
import { control, spread } from "./baselines.ts";
import { capCaveat } from "./caps.ts";
import { modelFacts } from "./model-facts.ts";
import { ATTRIBUTION_PATCHING, FRAMEWORK } from "./papers.ts";

/** The options of the analysis. */
export type NeuronSaliencyOptions = GivenOptions<typeof OPTIONS>;

const QUESTION = "Which neurons favour the answer, judged by the gradient at their activations?";
const PROMPT = "the unchanged prompt";
const TYPICAL = "all neurons' |saliency|";

/**
 * Each neuron's activation times the gradient of the answer's logit there, summed over positions, compared with its direct logit
 * attribution and the effect of actually ablating it.
 * @throws ArgumentError for a model without MLPs or with unfolded norms; InputError for a prompt that is empty or too
 * long, or answers that are not single tokens.
 */
export async function neuronSaliency(model: Model, options: NeuronSaliencyOptions = {}): Promise<Finding> {
  const { top, seed, ...given } = settled("neuronSaliency", model, options, OPTIONS);
  const answer = readAnswer(model, given);
  const measured = await measureNeuronSaliency(model, given);
  const chosen = await ablateNeurons(model, answer, measured, { top, seed, signal: given.signal });
  const ablated = withSaliency(chosen.rows, "ablated", ({ group }) => group, seed);
  const direct = withSaliency(measured.rows, "direct", ({ layer }) => `layer ${layer}`, seed);
  return finding({
    analysis: "neuron-saliency",
    question: QUESTION,
    summary: [
      largest(chosen),
      correlationStatement("Saliency and ablation", ablated),
      ...worstStatement(ablated, [PROMPT]),
      correlationStatement("Saliency and direct logit attribution", direct, { comparedWith: [IDENTICAL] }),
    ],
    method: method(answer, chosen),
    model: modelFacts(model),
    settings: { ...answerSettings(answer), top, seed },
    pictures: [
      byPosition(model, answer.prompt, Math.min(top, measured.length)),
      scatter(ablated, "saliency-against-ablation", "Each ablated neuron", "ablated", GROUP.name),
      scatter(direct, "saliency-against-direct", "Each neuron, by both measures", "neurons", LAYER.name),
    ],
    tables: tables(measured, chosen, answer.prompt, top),
    baselines: [
      control(PROMPT, `${answer.asked} with nothing ablated.`, measured.metric, "logits"),
      {
        name: TYPICAL,
        kind: "reference value",
        text: `The median of all ${measured.length} neurons' |saliency|, and the range of the middle 95 % of them.`,
        unit: "logits",
        ...spread(
          measured.rows.map(({ saliency }) => Math.abs(saliency)),
          median,
        ),
      },
      ...agreementBaselines(ablated, seed),
    ],
    caveats: [
      "A gradient is the slope at this prompt. For a neuron that is far from 0, the effect of going all the way to 0 can be much larger or smaller than the slope says.",
      "Zero is not a neutral activation: ablating a neuron that is active everywhere also removes a constant that later layers rely on.",
      "This is one prompt: a neuron that favours the answer here may not do so elsewhere.",
      ...capCaveat(model),
      ...model.notes,
    ],
  });
}

/** Saliency against another column of the rows. */
function withSaliency<R extends NeuronSaliencyRow & Readonly<Record<Name, number>>, Name extends "ablated" | "direct">(
  rows: readonly R[],
  column: Name,
  group: (row: R) => string,
  seed: number,
): Agreement {
  const pairs = rows.map((row) => {
    return { name: row.component, group: group(row), estimated: row.saliency, measured: row[column] };
  });
  return agreement(pairs, seed, { things: ["neuron", "neurons"], estimated: "saliency", measured: column });
}

function scatter(found: Agreement, name: string, title: string, table: string, by: string): View {
  const columns = { x: SALIENCY.name, y: found.words.measured, by, label: COMPONENT.name };
  return agreementScatter(found, { name, title, table, ...columns });
}

function largest({ rows: [first] }: AblatedNeurons): Statement {
  return {
    text: `${first.component} has the largest saliency: ${signed(first.saliency)} logits. Its direct logit attribution is ${signed(first.direct)}; when it is actually ablated, the effect is ${signed(first.ablated)}.`,
    figure: { value: first.saliency, unit: "logits", comparedWith: [PROMPT, TYPICAL] },
  };
}

function method({ asked, wrongId }: Answer, { length, salient }: AblatedNeurons): Method {
  const drawn = length - salient;
  return {
    text: `For each neuron, Σ over positions of activation (hook_post) · d(${asked}) / d activation: to first order, what would be lost if it were set to zero, along every path through later layers and norms.\n\nIts direct logit attribution counts only the path from its output at the last position to the logits: activation · W_out · (W_U of the answer − ${wrongId === undefined ? "the mean of W_U over the vocabulary" : "W_U of the wrong one"}), divided by the final norm's scale, held fixed. In the last layer the two differ only by what the neuron does to that scale.\n\nThe ${salient} neurons with the largest saliency${drawn > 0 ? `, and ${drawn} others drawn at random,` : ""} are actually ablated: each is set to zero alone, at all positions, all in one run.`,
    references: [ATTRIBUTION_PATCHING, FRAMEWORK],
  };
}

const LOGITS = { unit: "logits", digits: 3 };
const SALIENCY = column("saliency", "Σ over positions of activation · gradient.", LOGITS);
const DIRECT = column("direct", "Direct logit attribution at the last position.", LOGITS);
const ABLATED = column("ablated", "The logit in question, minus the same with the neuron set to 0.", LOGITS);
const LARGEST_AT = as(POS, "The position where its saliency is largest.");
const MEASURED = [...NEURON_PLACE, GROUP, SALIENCY, DIRECT, ABLATED, LARGEST_AT, TOKEN];

function tables(
  measured: NeuronSaliencyMeasurement,
  { rows: ablated }: AblatedNeurons,
  { tokens }: Prompt,
  top: number,
): Table[] {
  const listed = ablated.slice(0, top);
  const positions = listed.flatMap(({ layer, d_mlp, component }) =>
    tokens.map((token, pos) => ({
      layer,
      d_mlp,
      component,
      pos,
      token,
      saliency: measured.products.get(layer, pos, d_mlp),
    })),
  );
  const comparedWith = [PROMPT, TYPICAL];
  return [
    tableOf({ name: "top", title: `The ${listed.length} most salient neurons`, comparedWith }, listed, MEASURED),
    tableOf({ name: "ablated", title: "All neurons that were ablated", detail: true, comparedWith }, ablated, MEASURED),
    tableOf({ name: "positions", title: "The most salient neurons, by position", detail: true }, positions, [
      ...NEURON_PLACE,
      POS,
      TOKEN,
      as(SALIENCY, "Activation · gradient at the position."),
    ]),
    tableOf({ name: "neurons", title: "All neurons", detail: true }, bySaliency(measured).rows, [
      ...NEURON_PLACE,
      SALIENCY,
      DIRECT,
    ]),
  ];
}

function byPosition({ cfg }: Model, { tokens }: Prompt, count: number): View {
  return {
    kind: "imshow",
    name: "positions",
    title: `The ${count} most salient neurons, by position`,
    caption: `Activation times gradient at each position; blue favours the answer.${cfg.nLayers === 1 ? " With one layer, a neuron only acts at its own position, so all but the last position are 0." : ""}`,
    table: "positions",
    x: { column: POS.name, label: "position", ticks: tokens },
    y: { column: COMPONENT.name, label: "neuron" },
    color: SALIENCY.name,
  };
}

const OPTIONS = {
  ...answerOptions,
  top: topOf("neurons"),
  seed: seedOption(),
} as const satisfies AnalysisOptions;

/** The analysis for the index. */
export const neuronSaliencyAnalysis = analysis({
  name: "neuron-saliency",
  question: QUESTION,
  description:
    "Each neuron's activation times the gradient of the answer's logit (or of a difference of two logits), compared with its direct logit attribution; the most salient neurons are actually ablated.",
  example: { prompt: "My sister was angry, because", answer: " she", wrong: " he" },
  options: OPTIONS,
  run: neuronSaliency,
});
