/** The tables of neuron saliency, and the pictures of them. */
import { COMPONENT, GROUP, LAYER, NEURON, POS, TOKEN } from "../../finding/columns.ts";
import { type AboutTable, as, type Cell, type Column, type Table, tableOf } from "../../finding/table.ts";
import type { View } from "../../finding/view.ts";
import type { Model } from "../../lens/model.ts";
import type { Neuron } from "../../measures/neuron-saliency.ts";
import type { Prompt } from "../../measures/prompt.ts";
import { type Agreement, agreementScatter } from "../attribution/agreement.ts";
import type { AblatedNeuron } from "./ablated.ts";

export const PROMPT = "the unchanged prompt";
export const TYPICAL = "all neurons' |saliency|";

/** @param ranked the most salient first */
export function neuronPictures(
  model: Model,
  prompt: Prompt,
  listed: readonly Neuron[],
  ablated: Agreement,
  direct: Agreement,
): View[] {
  return [
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
  ];
}

/** @param ranked all neurons, the most salient first @param rows those that were ablated */
export function neuronTables(
  ranked: readonly Neuron[],
  rows: readonly AblatedNeuron[],
  top: number,
  prompt: Prompt,
): Table[] {
  const listed = ranked.slice(0, top);
  return [
    neuronTable({ name: "top", title: `The ${listed.length} most salient neurons` }, rows.slice(0, top)),
    neuronTable({ name: "ablated", title: "All neurons that were ablated", detail: true }, rows),
    positionTable(prompt, listed),
    allNeurons(ranked),
  ];
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
  as(LAYER, { detail: true }),
  [as(NEURON, { detail: true }), "index"],
  [as(COMPONENT, { title: "neuron" }), "name"],
];

function positionTable({ tokens }: Prompt, listed: readonly Neuron[]): Table {
  const rows = listed.flatMap((neuron) => neuron.byPosition.map((here, pos) => ({ ...neuron, here, pos })));
  return tableOf({ name: "positions", title: "The most salient neurons, by position", detail: true }, rows, [
    ...NEURON_CELLS,
    POS,
    [TOKEN, ({ pos }) => tokens[pos]],
    [as(SALIENCY, "Activation · gradient at the position."), "here"],
  ]);
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
    [SALIENCY, "saliency"],
    [DIRECT, "direct"],
  ]);
}

function neuronTable(about: AboutTable, rows: readonly AblatedNeuron[]): Table {
  return tableOf({ ...about, comparedWith: [PROMPT, TYPICAL] }, rows, [
    ...NEURON_CELLS,
    GROUP,
    [SALIENCY, "saliency"],
    [DIRECT, "direct"],
    [ABLATED_EFFECT, "effect"],
    as(POS, "The position where its saliency is largest."),
    TOKEN,
  ]);
}
