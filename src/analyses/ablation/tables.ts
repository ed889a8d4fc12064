/** The tables of an ablation. */
import { POS, PROMPT, TOKEN } from "../../finding/columns.ts";
import { type Cell, type Column, type Table, tableOf } from "../../finding/table.ts";
import type { Ablated, AblationMeasurement } from "../../measures/ablation.ts";
import { ONE, randomOne } from "./words.ts";

/** @param largest the largest effects, in order */
export function ablationTables(measured: AblationMeasurement, largest: readonly Ablated[]): Table[] {
  const cells = measured.over === "positions" ? ofPositions(measured) : ofComponents(measured);
  const comparedWith = [randomOne(measured.over)];
  return [
    tableOf({ name: "top", title: `The ${largest.length} largest effects`, comparedWith }, largest, cells),
    tableOf({ name: "all", title: "All", detail: true }, measured.components, cells),
  ];
}

function ofComponents({ over, unit, clean }: AblationMeasurement): Cell<Ablated>[] {
  const share: Column = {
    name: "part",
    title: "of clean run",
    format: "percent",
    description: "The effect as a share of the value with nothing ablated.",
  };
  return [
    [{ ...COMPONENT, title: ONE[over] }, ({ name }) => name],
    effectIn(unit),
    ...(clean === 0 ? [] : [[share, ({ effect }: Ablated) => effect / Math.abs(clean)] as const]),
  ];
}

function ofPositions({ unit, prompts }: AblationMeasurement): Cell<Ablated>[] {
  return [
    [{ ...COMPONENT, title: "output of" }, ({ name }) => name],
    [PROMPT, ({ prompt = 0 }) => prompt],
    [POS, ({ pos = 0 }) => pos],
    [TOKEN, ({ prompt = 0, pos = 0 }) => prompts[prompt][pos]],
    effectIn(unit),
  ];
}

const COMPONENT = { name: "component", format: "text", description: "What was ablated." } as const;

function effectIn(unit: AblationMeasurement["unit"]): Cell<Ablated> {
  const column: Column = {
    name: "effect",
    title: "effect",
    unit,
    format: { digits: 4 },
    description: `${unit === "nats" ? "Mean loss" : "Logit difference"} with it ablated, minus without the ablation.`,
  };
  return [column, ({ effect }) => effect];
}
