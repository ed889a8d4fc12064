/** "Which neurons favour the answer, judged by the gradient at their activations?" */

import { type Baseline, type Finding, finding, type Method } from "../finding/finding.ts";
import type { Model } from "../lens/model.ts";
import { type Answer, answerOptions, readAnswer } from "../measures/answer.ts";
import { ablateNeurons, measureNeuronSaliency, type Neuron } from "../measures/neuron-saliency.ts";
import { type AnalysisOptions, type GivenOptions, seedOption, settled, topOf } from "../measures/options.ts";
import { signed } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import { agreementBaselines, correlationStatement, IDENTICAL, worstStatement } from "./attribution/agreement.ts";
import { answerSettings } from "./attribution/answer.ts";
import { capCaveat } from "./caps.ts";
import { modelFacts } from "./model-facts.ts";
import { ablatedNeurons, chooseNeurons, withAblation, withDirect } from "./neuron-saliency/ablated.ts";
import { neuronPictures, neuronTables, PROMPT, TYPICAL } from "./neuron-saliency/tables.ts";
import { ATTRIBUTION_PATCHING, FRAMEWORK } from "./papers.ts";

/** The options of the analysis. */
export type NeuronSaliencyOptions = GivenOptions<typeof OPTIONS>;

const QUESTION = "Which neurons favour the answer, judged by the gradient at their activations?";

/**
 * Each neuron's activation times the gradient of the answer's logit there, summed over positions, compared with its direct logit
 * attribution and the effect of actually ablating it.
 * @throws ArgumentError for a model without MLPs or with unfolded norms; InputError for a prompt that is empty or too
 * long, or answers that are not single tokens.
 */
export async function neuronSaliency(model: Model, options: NeuronSaliencyOptions = {}): Promise<Finding> {
  const given = settled("neuronSaliency", model, options, OPTIONS);
  const { top, seed, signal } = given;
  const answer = readAnswer(model, given);
  const { prompt, asked } = answer;
  const { neurons, metric } = await measureNeuronSaliency(model, {
    prompt: given.prompt,
    answer: given.answer,
    wrong: given.wrong,
    signal,
  });
  const ranked = [...neurons].sort((a, b) => Math.abs(b.saliency) - Math.abs(a.saliency));
  const { chosen, salient } = chooseNeurons(ranked, top, seed);
  const effects = await ablateNeurons(model, answer, chosen, signal);

  const ablated = withAblation(chosen, effects, salient, seed);
  const direct = withDirect(neurons, seed);
  const first = ranked[0];
  const rows = ablatedNeurons(chosen, effects, salient, prompt);
  return finding({
    analysis: "neuron-saliency",
    question: QUESTION,
    summary: [
      {
        text: `${first.name} has the largest saliency: ${signed(first.saliency)} logits. Its direct logit attribution is ${signed(first.direct)}; when it is actually ablated, the effect is ${signed(effects[0])}.`,
        figure: { value: first.saliency, unit: "logits", comparedWith: [PROMPT, TYPICAL] },
      },
      correlationStatement("Saliency and ablation", ablated),
      ...worstStatement(ablated, [PROMPT]),
      correlationStatement("Saliency and direct logit attribution", direct, { comparedWith: [IDENTICAL] }),
    ],
    method: method(answer, salient, chosen.length - salient),
    model: modelFacts(model),
    settings: { ...answerSettings(answer), top, seed },
    pictures: neuronPictures(model, prompt, ranked.slice(0, top), ablated, direct),
    tables: neuronTables(ranked, rows, top, prompt),
    baselines: [
      { name: PROMPT, kind: "control", text: `${asked} with nothing ablated.`, value: metric, unit: "logits" },
      typicalNeuron(neurons),
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

function method({ asked, wrongId }: Answer, salient: number, drawn: number): Method {
  return {
    text: `For each neuron, Σ over positions of activation (hook_post) · d(${asked}) / d activation: to first order, what would be lost if it were set to zero, along every path through later layers and norms.\n\nIts direct logit attribution counts only the path from its output at the last position to the logits: activation · W_out · (W_U of the answer − ${wrongId === undefined ? "the mean of W_U over the vocabulary" : "W_U of the wrong one"}), divided by the final norm's scale, held fixed. In the last layer the two differ only by what the neuron does to that scale.\n\nThe ${salient} neurons with the largest saliency${drawn > 0 ? `, and ${drawn} others drawn at random,` : ""} are actually ablated: each is set to zero alone, at all positions, all in one run.`,
    references: [ATTRIBUTION_PATCHING, FRAMEWORK],
  };
}

function typicalNeuron(neurons: readonly Neuron[]): Baseline {
  const sizes = neurons.map(({ saliency }) => Math.abs(saliency)).sort((a, b) => a - b);
  const quantile = (q: number) => sizes[Math.round(q * (sizes.length - 1))];
  return {
    name: TYPICAL,
    kind: "reference value",
    text: `The median of all ${neurons.length} neurons' |saliency|, and the range of the middle 95 % of them.`,
    value: quantile(0.5),
    unit: "logits",
    interval: [quantile(0.025), quantile(0.975)],
    level: 0.95,
    samples: neurons.length,
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
