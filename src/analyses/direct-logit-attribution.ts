/** "Which parts of the model write the answer?" */

import { mean, quantile } from "simple-statistics";
import { type Baseline, type Finding, finding } from "../finding/finding.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import {
  ATTRIBUTION_OPTIONS,
  type AttributionGroup,
  type DirectLogitAttributionMeasurement,
  type DirectLogitAttributionOptions,
  measureDirectLogitAttribution,
} from "../measures/direct-logit-attribution.ts";
import { settled } from "../measures/options.ts";
import { tokenText } from "../measures/prompt.ts";
import { percent, quoted, signed } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import { capCaveat } from "./caps.ts";
import { attributionPictures, attributionTables, HEADS, LAYERS, NEURONS } from "./direct-logit-attribution/tables.ts";
import { modelFacts } from "./model-facts.ts";
import { FRAMEWORK, IOI } from "./papers.ts";

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
  const { prompt, answer, wrong } = measured;
  const name = (id: number) => quoted(tokenText(model, id));
  const asked = wrong === null ? `the logit of ${name(answer)}` : `the lead of ${name(answer)} over ${name(wrong)}`;
  return finding({
    analysis: "direct-logit-attribution",
    question: QUESTION,
    summary: summaryOf(measured, asked, top),
    method: methodOf(wrong !== null),
    model: modelFacts(model),
    settings: {
      prompt: prompt.text,
      answer: tokenText(model, answer),
      wrong: wrong === null ? null : tokenText(model, wrong),
      samples,
      seed,
    },
    pictures: attributionPictures(measured),
    tables: attributionTables(measured, top),
    baselines: baselines(measured, asked, top, seed),
    caveats: [
      ...capCaveat(model),
      "Only direct paths to the logits are counted. A component's number does not include what it does through later layers; ablate or patch it to see that.",
      "The final norm's scale is held at its value in this run: without a component it would be different.",
      ...(wrong === null
        ? [
            "Where the unembedding is centred, a token's logit is measured from the mean over the vocabulary; only differences between tokens change probabilities.",
          ]
        : []),
      `This is one prompt and one position: nothing here says that the parts work the same way elsewhere.`,
      ...model.notes,
    ],
  });
}

/** @param asked what is attributed, in words */
function summaryOf(
  { logit, error, layers, heads, neurons }: DirectLogitAttributionMeasurement,
  asked: string,
  top: number,
): Finding["summary"] {
  const strongest = (group: AttributionGroup) =>
    group.attributions.toSorted((a, b) => Math.abs(b.value) - Math.abs(a.value))[0];
  const layer = strongest(layers);
  const head = strongest(heads);
  return [
    {
      text: `Of ${asked}, ${logit.toFixed(3)} logits, ${layer.label} contributes most: ${signed(layer.value)}, ${percent(layers.share)} of everything that embeddings and layers add or subtract.`,
      figure: { value: 100 * layers.share, unit: "%", comparedWith: [LAYERS] },
    },
    {
      text: `Of the heads, ${head.label} contributes most: ${signed(head.value)} logits, ${percent(heads.share)} of what all heads add or subtract.`,
      figure: { value: 100 * heads.share, unit: "%", comparedWith: [HEADS] },
    },
    ...(neurons
      ? [
          {
            text: `Of the ${neurons.attributions.length} neurons, ${strongest(neurons).label} contributes most: ${signed(strongest(neurons).value)} logits; the ${Math.min(top, neurons.attributions.length)} largest together have ${percent(neurons.share)} of what all neurons add or subtract.`,
            figure: { value: 100 * neurons.share, unit: "%", comparedWith: [NEURONS] as [string] },
          },
        ]
      : []),
    {
      text: `Embeddings, layers and the unembedding's bias sum to ${(logit - error).toFixed(4)} logits, the model's own logit to within ${Math.abs(error).toExponential(0)}.`,
      figure: { value: logit - error, unit: "logits", comparedWith: [SUM] },
    },
  ];
}

/** What random tokens are drawn in place of. */
const drawnFor = (two: boolean) => (two ? "pairs of tokens" : "tokens");

/** @param two whether one token's logit is subtracted from another's */
function methodOf(two: boolean): Finding["method"] {
  return {
    text:
      "The last residual stream is the sum of what embeddings, attention layers and MLPs wrote; an attention layer's part is the sum of its heads and b_O, an MLP's the sum of its neurons and b_out. With the final norm's scale held fixed, the logit of a token is linear in the stream, so each component x has its own term: norm(x) · W_U[:, token], in logits" +
      (two ? ", and the difference of two tokens' logits likewise with the difference of their columns." : ".") +
      "\n\nThe share of the largest is max |a| / Σ |a| over the components of its kind. The null model asks the same about random " +
      `${drawnFor(two)} in place of the answers, at the same position of the same prompt: what is large for every direction says nothing about the answer.`,
    references: [FRAMEWORK, IOI],
  };
}

function baselines(
  { logit, wrong, layers, heads, neurons }: DirectLogitAttributionMeasurement,
  asked: string,
  top: number,
  seed: number,
): readonly Baseline[] {
  const drawn = drawnFor(wrong !== null);
  return [
    {
      name: SUM,
      kind: "control",
      text: `The model's own value of ${asked}.`,
      value: logit,
      unit: "logits",
    },
    layerNullModel({ layers, wrong }, seed),
    nullModel(HEADS, "the largest head", heads, drawn, seed),
    ...(neurons ? [nullModel(NEURONS, `the ${top} largest neurons`, neurons, drawn, seed)] : []),
  ];
}

/** The largest layer's share, for random tokens. */
export function layerNullModel(
  { layers, wrong }: Pick<DirectLogitAttributionMeasurement, "layers" | "wrong">,
  seed: number,
): Baseline {
  return nullModel(LAYERS, "the largest of embeddings and layers", layers, drawnFor(wrong !== null), seed);
}

function nullModel(name: string, what: string, group: AttributionGroup, drawn: string, seed: number): Baseline {
  const { nullShares, share } = group;
  const beyond = nullShares.filter((s) => s >= share).length;
  return {
    name,
    kind: "null model",
    text: `The share of ${what} for random ${drawn}: the mean and the 95 % interval. p is how often it is at least as large as here.`,
    value: 100 * mean([...nullShares]),
    unit: "%",
    interval: [100 * quantile([...nullShares], 0.025), 100 * quantile([...nullShares], 0.975)],
    level: 0.95,
    p: (1 + beyond) / (1 + nullShares.length),
    samples: nullShares.length,
    seed,
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
