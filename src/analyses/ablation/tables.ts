/** The tables of an ablation. */
import { COMPONENT, HEAD, LAYER, NEURON, POS, PROMPT, TOKEN } from "../../finding/columns.ts";
import { as, type Cell, type Column, column, type Table, tableOf } from "../../finding/table.ts";
import type { Ablated, AblationMeasurement } from "../../measures/ablation.ts";
import { ONE, randomOne } from "./words.ts";

/** @param ranked all effects, the largest first */
export function ablationTables(measured: AblationMeasurement, ranked: readonly Ablated[], top: number): Table[] {
  const { over, components } = measured;
  const cells = over === "positions" ? ofPositions(measured) : ofComponents(measured);
  const comparedWith = [randomOne(over)];
  const largest = ranked.slice(0, top);
  return [
    tableOf({ name: "top", title: `The ${largest.length} largest effects`, comparedWith }, largest, cells),
    tableOf({ name: "all", title: "All", detail: true }, over === "neurons" ? ranked : components, cells),
  ];
}

function ofComponents({ over, unit, clean }: AblationMeasurement): Cell<Ablated>[] {
  const share = column("share", "The effect as a share of the value with nothing ablated.", {
    title: "of clean run",
    format: "percent",
  });
  return [
    as(LAYER, { detail: true }),
    ...(over === "layers" ? [partCell] : [indexCell(over === "heads" ? HEAD : NEURON)]),
    [as(COMPONENT, { title: ONE[over], description: "What was ablated." }), "name"],
    effectIn(unit),
    ...(clean === 0 ? [] : [[share, ({ effect }: Ablated) => effect / Math.abs(clean)] as const]),
  ];
}

function ofPositions({ unit, prompts }: AblationMeasurement): Cell<Ablated>[] {
  return [
    [as(COMPONENT, { title: "output of", description: "What was ablated." }), "name"],
    [PROMPT, ({ prompt = 0 }) => prompt],
    [POS, ({ pos = 0 }) => pos],
    [TOKEN, ({ prompt = 0, pos = 0 }) => prompts[prompt][pos]],
    effectIn(unit),
  ];
}

/** The part of a layer. */
const partCell: Cell<Ablated> = [
  column("part", "The layer's attention or its MLP.", { format: "text", detail: true }),
  ({ name }) => name.replace(/^L\d+ /, ""),
];

function indexCell(column: Column): Cell<Ablated> {
  return [as(column, { detail: true }), ({ index }) => index ?? null];
}

function effectIn(unit: AblationMeasurement["unit"]): Cell<Ablated> {
  return column(
    "effect",
    `${unit === "nats" ? "Mean loss" : "Logit difference"} with it ablated, minus without the ablation.`,
    { unit, digits: 4 },
  );
}
