/** The summaries of neurons as a finding, and as tables of all neurons. */
import { median } from "simple-statistics";
import { modelFacts } from "../../analyses/model-facts.ts";
import { NEURON_PLACE } from "../../finding/columns.ts";
import { type Finding, finding } from "../../finding/finding.ts";
import { column, type Table, tableOf } from "../../finding/table.ts";
import type { View } from "../../finding/view.ts";
import { neuronName } from "../../lens/components.ts";
import type { Model } from "../../lens/model.ts";
import { counted, listed, percent, quoted } from "../../tensor/words.ts";
import { CONTEXT_CELLS, type Place, placeOf } from "../context.ts";
import type { ScanAbout } from "../scan.ts";
import { EDGES, type NeuronsSummaries } from "./summaries.ts";

/** A neuron over the corpus. */
interface NeuronRow {
  readonly layer: number;
  readonly d_mlp: number;
  readonly component: string;
  readonly mean: number;
  readonly sd: number;
  /** The largest, and how many standard deviations it is above the mean. */
  readonly max: number;
  readonly peak: number;
  /** The share of tokens with an activation above each of `EDGES`. */
  readonly shares: readonly number[];
  readonly density: number;
}

type ExampleRow = Pick<NeuronRow, "layer" | "d_mlp" | "component"> &
  Place & { readonly rank: number; readonly activation: number };

const HALF = "half of all tokens";
const NAMED = 3;
/** The most points of a picture. */
const DRAWN = 3000;

export function neuronsFinding(
  model: Model,
  layers: readonly number[],
  top: number,
  summaries: NeuronsSummaries,
  about: ScanAbout,
): Finding {
  const rows = neuronsOf(model, layers, summaries);
  const sharpest = [...rows].sort((a, b) => b.peak - a.peak || a.layer - b.layer || a.d_mlp - b.d_mlp);
  const listedNeurons = sharpest.slice(0, top);
  const dead = rows.filter(({ density }) => density === 0).length;
  const examples = listedNeurons.flatMap((row) => examplesOf(model, layers, summaries, row));
  const density = median(rows.map((row) => row.density));
  const best = (row: NeuronRow) => examples.find(({ component, rank }) => component === row.component && rank === 1);
  return finding({
    analysis: "scan",
    question: "Where is each neuron most active, and how often is it active at all?",
    summary: [
      {
        text: `Half of the ${counted(rows.length, "neuron")} are active (above 0) at less than ${percent(density)} of the ${summaries.tokens.values[0].toLocaleString("en")} tokens; ${dead === 0 ? "every neuron is active at some" : `${counted(dead, "neuron")} at none`}.`,
        figure: { value: 100 * density, unit: "%", comparedWith: [HALF] },
      },
      {
        text: `Those whose largest activation stands out most are ${listed(listedNeurons.slice(0, NAMED).map((row) => `${row.component} (${row.peak.toFixed(0)} standard deviations above its mean, at ${quoted(best(row)?.token ?? "")})`))}.`,
      },
    ],
    method: {
      text: `The corpus is cut into rows of tokens, none of which has parts of two texts; BOS is not counted. A neuron's activation is its value at hook_post. Examples are the rows with the largest activations, each at its largest. Sums over a batch are float32, and batches are added exactly.`,
      references: [],
    },
    model: modelFacts(model),
    settings: { scan: "neurons", layers: layers.join(" "), top, ...about.settings },
    pictures: [DENSITIES],
    tables: [
      neuronsTable("sharpest", "Neurons whose largest activation stands out most", listedNeurons),
      tableOf({ name: "examples", title: "Where they are most active" }, examples, EXAMPLE_CELLS),
      { ...neuronsTable("drawn", "Neurons that are drawn", evenly(rows, DRAWN)), detail: true },
    ],
    baselines: [
      {
        name: HALF,
        kind: "reference value",
        text: "What a neuron would have whose activations are as often above 0 as below.",
        ...{ value: 50, unit: "%" },
      },
    ],
    caveats: [
      "Examples show what a neuron does where it is most active, which is a small part of what it does.",
      "A text that occurs several times in the corpus fills a neuron's examples with itself.",
      ...model.notes,
    ],
  });
}

/** A row for each neuron, and one for each example of each. */
export function neuronsTables(model: Model, layers: readonly number[], summaries: NeuronsSummaries): Table[] {
  const rows = neuronsOf(model, layers, summaries);
  const examples = rows.flatMap((row) => examplesOf(model, layers, summaries, row));
  return [
    neuronsTable("neurons", "Every neuron", rows),
    tableOf({ name: "examples", title: "The examples of each" }, examples, EXAMPLE_CELLS),
  ];
}

function neuronsOf(
  { cfg }: Model,
  layers: readonly number[],
  { tokens, sums, squares, above, examples }: NeuronsSummaries,
) {
  const n = tokens.values[0];
  return layers.flatMap((layer, i) =>
    Array.from({ length: cfg.dMlp! }, (_, d_mlp): NeuronRow => {
      const index = i * cfg.dMlp! + d_mlp;
      const mean = sums.value(index) / n;
      const sd = Math.sqrt(Math.max(0, squares.value(index) / n - mean * mean));
      const max = examples.of(index)[0]?.value ?? 0;
      const shares = EDGES.map((_, e) => above.values[index * EDGES.length + e] / n);
      const place = { layer, d_mlp, component: neuronName(layer, d_mlp) };
      return { ...place, mean, sd, max, peak: sd > 0 ? (max - mean) / sd : 0, shares, density: shares[0] };
    }),
  );
}

function examplesOf(
  model: Model,
  layers: readonly number[],
  { examples }: NeuronsSummaries,
  { layer, d_mlp, component }: NeuronRow,
): ExampleRow[] {
  const entries = examples.of(layers.indexOf(layer) * model.cfg.dMlp! + d_mlp);
  return entries.map(({ value, payload }, i) => {
    return { layer, d_mlp, component, rank: i + 1, activation: value, ...placeOf(model, payload) };
  });
}

const evenly = <T>(rows: readonly T[], most: number): T[] => {
  const step = Math.ceil(rows.length / most);
  return rows.filter((_, i) => i % step === 0);
};

const EXAMPLE_CELLS = [
  ...NEURON_PLACE,
  column("rank", "1 is where it is most active.", { format: "integer" }),
  column("activation", "Its activation there.", { digits: 2 }),
  ...CONTEXT_CELLS,
] as const;

function neuronsTable(name: string, title: string, rows: readonly NeuronRow[]): Table {
  return tableOf({ name, title, comparedWith: name === "sharpest" ? [HALF] : [] }, rows, [
    ...NEURON_PLACE,
    column("mean", "Its mean activation.", { digits: 3 }),
    column("sd", "The standard deviation of its activation.", { digits: 3 }),
    column("max", "Its largest activation.", { digits: 2 }),
    column("peak", "How many standard deviations the largest is above the mean.", { digits: 1 }),
    [column("density", "The share of tokens at which it is above 0.", { format: "percent" }), "density"],
    ...EDGES.slice(1).map((edge, e) => {
      const above = column(
        `above_${`${edge}`.replace(".", "_")}`,
        `The share of tokens at which it is above ${edge}.`,
        {
          ...{ title: `above ${edge}`, format: "percent", detail: true },
        },
      );
      return [above, (row: NeuronRow) => row.shares[e + 1]] as const;
    }),
  ]);
}

const DENSITIES: View = {
  ...{ kind: "scatter", name: "densities", table: "drawn" },
  title: "How often each neuron is active, and how far its largest activation stands out",
  caption: "At the upper left are neurons that are seldom active, and then strongly.",
  x: { column: "density", label: "active at" },
  y: { column: "peak", label: "largest activation, in standard deviations above the mean", scale: "log" },
  label: "component",
  labels: 5,
  labelsBy: "peak",
};
