/** "Which neurons favour the answer, judged by the gradient at their activations?" */

import { as, COMPONENT, GROUP, LAYER, NEURON, POS, TOKEN } from "../finding/columns.ts";
import { type Baseline, type Finding, finding, type Method } from "../finding/finding.ts";
import { type AboutTable, type Cell, type Column, type Table, tableOf } from "../finding/table.ts";
import type { View } from "../finding/view.ts";
import type { Model } from "../lens/model.ts";
import { type Answer, answerOptions, readAnswer } from "../measures/answer.ts";
import { ablateNeurons, measureNeuronSaliency, type Neuron } from "../measures/neuron-saliency.ts";
import { type AnalysisOptions, type GivenOptions, seedOption, settled, topOption } from "../measures/options.ts";
import type { Prompt } from "../measures/prompt.ts";
import { Random } from "../measures/statistics/random.ts";
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
import { capCaveat } from "./caps.ts";
import { modelFacts } from "./model-facts.ts";

/** The options of the analysis. */
export type NeuronSaliencyOptions = GivenOptions<typeof OPTIONS>;

const QUESTION = "Which neurons favour the answer, judged by the gradient at their activations?";
const PROMPT = "the unchanged prompt";
const TYPICAL = "all neurons' |saliency|";
const NEURONS = ["neuron", "neurons"] as const;
/** Neurons that are actually ablated: this many with the largest saliency, and as many others drawn at random. */
const ABLATED = 50;

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
  const listed = ranked.slice(0, top);
  const rows = chosen.map((neuron, i) => ({
    ...neuron,
    ...largestPlace(neuron, prompt),
    effect: effects[i],
    group: groupOf(i, salient),
  }));
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
    pictures: [
      byPositionPicture(model, prompt, listed),
      agreementScatter(ablated, {
        name: "saliency-against-ablation",
        title: "Each ablated neuron",
        table: "ablated",
        x: SALIENCY.name,
        y: ABLATED_EFFECT.name,
        by: GROUP.name,
        label: COMPONENT.name,
      }),
      agreementScatter(direct, {
        name: "saliency-against-direct",
        title: "Each neuron, by both measures",
        table: "neurons",
        x: SALIENCY.name,
        y: DIRECT.name,
        by: LAYER.name,
        label: COMPONENT.name,
      }),
    ],
    tables: [
      neuronTable({ name: "top", title: `The ${listed.length} most salient neurons` }, rows.slice(0, top)),
      neuronTable({ name: "ablated", title: "All neurons that were ablated", detail: true }, rows),
      positionTable(prompt, listed),
      allNeurons(ranked),
    ],
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

/** The neurons to ablate: the most salient, and as many others drawn at random. */
function chooseNeurons(
  ranked: readonly Neuron[],
  top: number,
  seed: number,
): { readonly chosen: readonly Neuron[]; readonly salient: number } {
  const salient = Math.min(Math.max(ABLATED, top), ranked.length);
  const others = ranked.slice(salient);
  const drawn = new Random(seed).sample(others.length, Math.min(ABLATED, others.length));
  return { salient, chosen: [...ranked.slice(0, salient), ...Array.from(drawn, (i) => others[i])] };
}

/** What the neurons that were ablated are called: the first ones are the most salient. */
function groupOf(i: number, salient: number): string {
  return i < salient ? `the ${salient} most salient` : "drawn at random";
}

/** Saliency against ablation, for the neurons that were ablated: the first `salient` of them are the most salient. */
function withAblation(chosen: readonly Neuron[], effects: readonly number[], salient: number, seed: number): Agreement {
  return agreement(
    chosen.map((neuron, i) => ({
      name: neuron.name,
      group: groupOf(i, salient),
      estimated: neuron.saliency,
      measured: effects[i],
    })),
    seed,
    { things: NEURONS, estimated: "saliency", measured: "ablated" },
  );
}

/** Saliency against direct logit attribution, for all neurons. */
function withDirect(neurons: readonly Neuron[], seed: number): Agreement {
  return agreement(
    neurons.map((neuron) => ({
      name: neuron.name,
      group: `layer ${neuron.layer}`,
      estimated: neuron.saliency,
      measured: neuron.direct,
    })),
    seed,
    { things: NEURONS, estimated: "saliency", measured: "direct" },
  );
}

function method({ asked, wrongId }: Answer, salient: number, drawn: number): Method {
  return {
    text: `For each neuron, Σ over positions of activation (hook_post) · d(${asked}) / d activation: to first order, what would be lost if it were set to zero, along every path through later layers and norms.\n\nIts direct logit attribution counts only the path from its output at the last position to the logits: activation · W_out · (W_U of the answer − ${wrongId === undefined ? "the mean of W_U over the vocabulary" : "W_U of the wrong one"}), divided by the final norm's scale, held fixed. In the last layer the two differ only by what the neuron does to that scale.\n\nThe ${salient} neurons with the largest saliency${drawn > 0 ? `, and ${drawn} others drawn at random,` : ""} are actually ablated: each is set to zero alone, at all positions, all in one run.`,
    references: [
      {
        title: "Attribution Patching: Activation Patching At Industrial Scale",
        url: "https://www.neelnanda.io/mechanistic-interpretability/attribution-patching",
        paper: "Nanda, 2023",
      },
      {
        title: "A Mathematical Framework for Transformer Circuits",
        url: "https://transformer-circuits.pub/2021/framework",
        paper: "Elhage et al., 2021",
      },
    ],
  };
}

function byPositionPicture({ cfg }: Model, { tokens }: Prompt, listed: readonly Neuron[]): View {
  return {
    kind: "imshow",
    name: "positions",
    title: `The ${listed.length} most salient neurons, by position`,
    caption: `Activation times gradient at each position; blue favours the answer.${cfg.nLayers === 1 ? " With one layer, a neuron only acts at its own position, so all but the last position are 0." : ""}`,
    table: "positions",
    x: { column: POS.name, label: "position", ticks: tokens },
    y: { column: COMPONENT.name, label: "neuron" },
    color: SALIENCY.name,
  };
}

const NEURON_CELLS: readonly Cell<Neuron>[] = [
  [as(LAYER, { detail: true }), ({ layer }) => layer],
  [as(NEURON, { detail: true }), ({ index }) => index],
  [as(COMPONENT, { title: "neuron" }), ({ name }) => name],
];

function positionTable({ tokens }: Prompt, listed: readonly Neuron[]): Table {
  const rows = listed.flatMap((neuron) => neuron.byPosition.map((here, pos) => ({ ...neuron, here, pos })));
  return tableOf({ name: "positions", title: "The most salient neurons, by position", detail: true }, rows, [
    ...NEURON_CELLS,
    [POS, ({ pos }) => pos],
    [TOKEN, ({ pos }) => tokens[pos]],
    [as(SALIENCY, { description: "Activation · gradient at the position." }), ({ here }) => here],
  ]);
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

/** A neuron that was ablated. */
interface AblatedNeuron extends Neuron {
  /** Whether it is one of the most salient, or drawn at random. */
  readonly group: string;
  readonly effect: number;
  /** Where its saliency is largest. */
  readonly pos: number;
  readonly token: string;
}

function largestPlace({ byPosition }: Neuron, { tokens }: Prompt): Pick<AblatedNeuron, "pos" | "token"> {
  const largest = Math.max(...byPosition.map(Math.abs));
  const pos = byPosition.findIndex((x) => Math.abs(x) === largest);
  return { pos, token: tokens[pos] };
}

const inLogits = (column: Pick<Column, "name" | "title" | "description">): Column => ({
  ...column,
  unit: "logits",
  format: { digits: 3 },
});
const SALIENCY = inLogits({
  name: "saliency",
  title: "saliency",
  description: "Σ over positions of activation · gradient.",
});
const DIRECT = inLogits({
  name: "direct",
  title: "direct",
  description: "Direct logit attribution at the last position.",
});
const ABLATED_EFFECT = inLogits({
  name: "ablated",
  title: "ablated",
  description: "The logit in question, minus the same with the neuron set to 0.",
});

/** All neurons, by both measures, the most salient first. */
function allNeurons(ranked: readonly Neuron[]): Table {
  return tableOf({ name: "neurons", title: "All neurons", detail: true }, ranked, [
    ...NEURON_CELLS,
    [SALIENCY, ({ saliency }) => saliency],
    [DIRECT, ({ direct }) => direct],
  ]);
}

function neuronTable(about: AboutTable, rows: readonly AblatedNeuron[]): Table {
  return tableOf({ ...about, comparedWith: [PROMPT, TYPICAL] }, rows, [
    ...NEURON_CELLS,
    [GROUP, ({ group }) => group],
    [SALIENCY, ({ saliency }) => saliency],
    [DIRECT, ({ direct }) => direct],
    [ABLATED_EFFECT, ({ effect }) => effect],
    [as(POS, { description: "The position where its saliency is largest." }), ({ pos }) => pos],
    [TOKEN, ({ token }) => token],
  ]);
}

const OPTIONS = {
  ...answerOptions,
  top: topOption("neurons"),
  seed: seedOption(),
} as const satisfies AnalysisOptions;

/** The analysis for the index. */
export const neuronSaliencyAnalysis = analysis({
  name: "neuron-saliency",
  question: QUESTION,
  description:
    "Each neuron's activation times the gradient of the answer's logit (or of a difference of two logits), compared with its direct logit attribution; the most salient neurons are actually ablated.",
  example: '--prompt "My sister was angry, because" --answer " she" --wrong " he" --top 20 --out report.html',
  options: OPTIONS,
  run: neuronSaliency,
});
