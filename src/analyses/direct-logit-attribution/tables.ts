/** The tables of direct logit attribution, and the pictures of them. */
import { COMPONENT, HEAD, LAYER, NEURON } from "../../finding/columns.ts";
import type { PictureSpec } from "../../finding/picture.ts";
import { as, type Cell, type Column, column, type Table, tableOf } from "../../finding/table.ts";
import type { View } from "../../finding/view.ts";
import type {
  Attribution,
  AttributionGroup,
  DirectLogitAttributionMeasurement,
} from "../../measures/direct-logit-attribution.ts";

export const LAYERS = "random tokens: largest layer";
export const HEADS = "random tokens: largest head";
export const NEURONS = "random tokens: largest neurons";

/** What the bias, the embeddings and the layers add. */
export function layerTable({ layers, bias }: DirectLogitAttributionMeasurement): Table {
  const rows = [{ label: "bias of the unembedding", value: bias, share: null }, ...shares(layers)];
  const about = {
    name: "layers",
    title: "The bias, embeddings and layers, in order: they sum to the logit",
    comparedWith: [LAYERS],
  };
  return tableOf(about, rows, cells("component"));
}

export function attributionTables(measured: DirectLogitAttributionMeasurement, top: number): readonly Table[] {
  const { heads, neurons } = measured;
  const ofHeads = { name: "heads", title: "Heads", comparedWith: [HEADS] };
  const ofNeurons = (count: number) => ({
    name: "neurons",
    title: `The ${count} neurons that add or subtract most`,
    comparedWith: [NEURONS],
  });
  const sorted = (group: AttributionGroup) => shares(group).sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  const largest = neurons ? sorted(neurons).slice(0, top) : [];
  return [
    layerTable(measured),
    tableOf(ofHeads, sorted(heads), [...place(HEAD), ...cells("head")]),
    ...(neurons ? [tableOf(ofNeurons(largest.length), largest, [...place(NEURON), ...cells("neuron")])] : []),
  ];
}

/** An attribution, and its share of Σ |attribution| of its kind. */
interface AttributionShare extends Attribution {
  readonly share: number | null;
}

function shares({ attributions }: AttributionGroup): AttributionShare[] {
  const total = attributions.reduce((sum, { value }) => sum + Math.abs(value), 0);
  return attributions.map((one) => ({ ...one, share: total > 0 ? Math.abs(one.value) / total : null }));
}

const ADDS = column("attribution", "Its direct effect.", { title: "adds", unit: "logits", digits: 4 });

/** The layer and the index of a head or neuron, from its label: L0H3, L0N17. */
function place(index: Column): Cell<AttributionShare>[] {
  const numbers = (label: string) => label.match(/\d+/g)!.map(Number);
  return [
    [as(LAYER, { detail: true }), ({ label }) => numbers(label)[0]],
    [as(index, { detail: true }), ({ label }) => numbers(label)[1]],
  ];
}

function cells(what: string): Cell<AttributionShare>[] {
  return [
    [as(COMPONENT, { title: what, description: "Its name." }), "label"],
    [ADDS, "value"],
    column("share", "Its share of the sum of all absolute effects of its kind.", { format: "percent" }),
  ];
}

/** What they add up to, a view of `layerTable`. */
export function layerSum(): View {
  return {
    kind: "bar",
    name: "sum",
    title: "How the logit builds up",
    caption:
      "Each bar starts where the one before ended: what the unembedding's bias, the embeddings and the layers add, in order. The last one is their sum.",
    table: "layers",
    x: { column: COMPONENT.name, label: "" },
    y: { column: ADDS.name, label: "sum" },
    total: "sum",
  };
}

export function attributionPictures({ neurons }: DirectLogitAttributionMeasurement): readonly (PictureSpec | View)[] {
  return [
    layerSum(),
    {
      kind: "imshow",
      name: "heads",
      title: "What each head adds",
      table: "heads",
      x: HEAD.name,
      y: LAYER.name,
      color: { column: ADDS.name, label: "attribution" },
    },
    ...(neurons ? neuronPictures(neurons) : []),
  ];
}

function neuronPictures({ attributions }: AttributionGroup): readonly (PictureSpec | View)[] {
  return [
    {
      kind: "bar",
      name: "neurons",
      title: "The neurons that add or subtract most",
      table: "neurons",
      x: { column: COMPONENT.name, label: "" },
      y: { column: ADDS.name, label: "attribution" },
      horizontal: true,
    },
    {
      kind: "hist",
      name: "all-neurons",
      title: "All neurons' attributions",
      caption: "Most neurons have almost no direct effect.",
      series: [{ name: "neurons", values: attributions.map(({ value }) => value) }],
      x: { label: "attribution", unit: "logits" },
      of: "neurons",
    },
  ];
}
