/** "Which parts of the model write the answer?" */

import { COMPONENT, HEAD_PLACE, NEURON_PLACE } from "../finding/columns.ts";
import { type Figure, type Finding, type FindingParts, finding } from "../finding/finding.ts";
import type { HistSpec } from "../finding/picture.ts";
import { tableOf } from "../finding/table.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import {
  ATTRIBUTION_OPTIONS,
  type AttributionGroup,
  type DirectLogitAttributionMeasurement,
  type DirectLogitAttributionOptions,
  type DirectLogitAttributionRow,
  measureDirectLogitAttribution,
} from "../measures/direct-logit-attribution.ts";
import { settled } from "../measures/options.ts";
import { tokenText } from "../measures/prompt.ts";
import { fixed, percent, quoted, signed } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import { control } from "./baselines.ts";
import { capCaveat } from "./caps.ts";
import { ADDS, drawnFor, LAYER_SUM, layerTable, nullModel, RANDOM, SHARE } from "./direct-logit-attribution/layers.ts";
import { modelFacts } from "./model-facts.ts";
import { FRAMEWORK, IOI } from "./papers.ts";
import { bars, headMap } from "./views.ts";

const QUESTION = "Which parts of the model write the answer?";
const SUM = "the model's logit";
/**
 * Direct logit attribution at a prompt's last position: what each layer, head and neuron adds to the logit of a token, or
 * to its lead over another, with random tokens in their place as a null model. @see measureDirectLogitAttribution
 */
export async function directLogitAttribution(
  model: HookedTransformer,
  options: DirectLogitAttributionOptions = {},
): Promise<Finding> {
  const given = settled("directLogitAttribution", model, options, ATTRIBUTION_OPTIONS);
  const { top, samples, seed } = given;
  const measured = await measureDirectLogitAttribution(model, given);
  const { prompt, neurons } = measured;
  const answer = tokenText(model, measured.answer);
  const wrong = measured.wrong === null ? null : tokenText(model, measured.wrong);
  const asked =
    wrong === null ? `the logit of ${quoted(answer)}` : `the lead of ${quoted(answer)} over ${quoted(wrong)}`;
  return finding({
    analysis: "direct-logit-attribution",
    question: QUESTION,
    summary: summaryOf(measured, asked),
    method: methodOf(measured),
    model: modelFacts(model),
    settings: { prompt: prompt.text, answer, wrong, samples, seed },
    pictures: [
      LAYER_SUM,
      headMap("heads", "What each head adds", ADDED),
      neurons && bars("neurons", "The neurons that add or subtract most", COMPONENT.name, ADDED),
      neurons && histogram(neurons),
    ],
    tables: tables(measured, top),
    baselines: [
      control(SUM, `The model's own value of ${asked}.`, measured.logit, "logits"),
      nullModel("layers", measured, seed),
      nullModel("heads", measured, seed),
      neurons && nullModel("neurons", measured, seed),
    ],
    caveats: [
      ...capCaveat(model),
      "Only direct paths to the logits are counted. A component's number does not include what it does through later layers; ablate or patch it to see that.",
      "The final norm's scale is held at its value in this run: without a component it would be different.",
      wrong === null &&
        "Where the unembedding is centred, a token's logit is measured from the mean over the vocabulary; only differences between tokens change probabilities.",
      `This is one prompt and one position: nothing here says that the parts work the same way elsewhere.`,
      ...model.notes,
    ],
  });
}

const size = ({ attribution }: DirectLogitAttributionRow) => Math.abs(attribution);

/** @param asked what is attributed, in words */
function summaryOf(measured: DirectLogitAttributionMeasurement, asked: string): FindingParts["summary"] {
  const { logit, error, layers, heads, neurons } = measured;
  const most = (group: AttributionGroup) => {
    const [{ component, attribution }] = group.top(1, size);
    return `${component} contributes most: ${signed(attribution)}`;
  };
  const share = (group: AttributionGroup) => percent(group.largestShare);
  const figure = (name: keyof typeof RANDOM): Figure => {
    return { value: 100 * measured[name]!.largestShare, unit: "%", comparedWith: [RANDOM[name]] };
  };
  return [
    {
      text: `Of ${asked}, ${fixed(logit, 3)} logits, ${most(layers)}, ${share(layers)} of everything that embeddings and layers add or subtract.`,
      figure: figure("layers"),
    },
    {
      text: `Of the heads, ${most(heads)} logits, ${share(heads)} of what all heads add or subtract.`,
      figure: figure("heads"),
    },
    neurons && {
      text: `Of the ${neurons.length} neurons, ${most(neurons)} logits; the ${neurons.count} largest together have ${share(neurons)} of what all neurons add or subtract.`,
      figure: figure("neurons"),
    },
    {
      text: `Embeddings, layers and the unembedding's bias sum to ${fixed(logit - error, 4)} logits, the model's own logit to within ${Math.abs(error).toExponential(0).replace("-", "−")}.`,
      figure: { value: logit - error, unit: "logits", comparedWith: [SUM] },
    },
  ];
}

function methodOf(measured: DirectLogitAttributionMeasurement): Finding["method"] {
  return {
    text:
      "The last residual stream is the sum of what embeddings, attention layers and MLPs wrote; an attention layer's part is the sum of its heads and b_O, an MLP's the sum of its neurons and b_out. With the final norm's scale held fixed, the logit of a token is linear in the stream, so each component x has its own term: norm(x) · W_U[:, token], in logits" +
      (measured.wrong === null
        ? "."
        : ", and the difference of two tokens' logits likewise with the difference of their columns.") +
      "\n\nThe share of the largest is max |a| / Σ |a| over the components of its kind. The null model asks the same about random " +
      `${drawnFor(measured)} in place of the answers, at the same position of the same prompt: what is large for every direction says nothing about the answer.`,
    references: [FRAMEWORK, IOI],
  };
}

const ADDED = { column: ADDS.name, label: "attribution" };
function tables(measured: DirectLogitAttributionMeasurement, top: number): FindingParts["tables"] {
  const heads = measured.heads.top(measured.heads.length, size);
  const neurons = measured.neurons?.top(top, size);
  const title = `The ${neurons?.length} neurons that add or subtract most`;
  const about = (name: "heads" | "neurons", title: string) => ({ name, title, comparedWith: [RANDOM[name]] });
  return [
    layerTable(measured),
    tableOf(about("heads", "Heads"), heads.rows, [...HEAD_PLACE, ADDS, SHARE]),
    neurons && tableOf(about("neurons", title), neurons.rows, [...NEURON_PLACE, ADDS, SHARE]),
  ];
}

function histogram({ rows }: AttributionGroup): HistSpec {
  return {
    kind: "hist",
    name: "all-neurons",
    title: "All neurons' attributions",
    caption: "Most neurons have almost no direct effect.",
    series: [{ name: "neurons", values: rows.map(({ attribution }) => attribution) }],
    x: { label: "attribution", unit: "logits" },
    of: "neurons",
  };
}

/** `directLogitAttribution` for the index. */
export const directLogitAttributionAnalysis = analysis({
  name: "direct-logit-attribution",
  question: QUESTION,
  description:
    "What each layer, head and neuron contributes directly to the logit of a token at the last position, or to its lead over another token. " +
    "The sum is checked against the model's own logit; random tokens in place of the answers are the null model.",
  example: { prompt: "He shook his", answer: " head", wrong: " hand" },
  options: ATTRIBUTION_OPTIONS,
  run: directLogitAttribution,
});
