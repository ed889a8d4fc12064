/** A plan as text: what tests read, and what `explain` shows. */
import { ops } from "../graph/ops/index.ts";
import { showAttrs, showCall, showNumbers } from "../graph/print.ts";
import type { Tensor } from "../graph/tensor.ts";
import { topological } from "../graph/walk.ts";
import { structureOf } from "./plan.ts";
import type { Plan, Slot } from "./steps.ts";

/**
 * One line per slot, in the order in which they are numbered; attributes that only name things are left out, as they are
 * not part of a plan.
 * ```
 * v0 = feed: int32 rank 2, 24 numbers
 * v1 = embed.W_E: float32 rank 2, 640 numbers
 * v2 = gather(v1, v0, axis=-2): float32 rank 3, 480 numbers
 * return v2
 * ```
 */
export function printPlan({ inputs, constants, steps, outputs, sizes }: Plan): string {
  const lines: string[] = [];
  const size = (slot: Slot) => `${slot.dtype} rank ${slot.rank}, ${count(sizes[slot.id])}`;
  const line = (slots: readonly Slot[], what: string) => {
    lines[slots[0].id] = `${slots.map(name).join(", ")} = ${what}: ${slots.map(size).join("; ")}`;
  };
  for (const input of inputs) line([input], `${layoutText(input.source)}${input.part ? `, ${input.part}` : ""}`);
  for (const constant of constants) line([constant], showNumbers(constant.array.data));
  for (const step of steps) {
    line(step.outputs, showCall(step.op, [...step.inputs.map(name), ...showAttrs(step.attrs)]));
  }
  return [...lines.filter((text) => text !== undefined), `return ${outputs.map(name).join(", ")}`].join("\n");
}

const name = (slot: Slot): string => `v${slot.id}`;

const count = (n: number): string => `${n} ${n === 1 ? "number" : "numbers"}`;

/** A leaf, or the layout ops that a weight goes through before it is fed. */
function layoutText(source: Tensor): string {
  const texts = new Map<Tensor, string>();
  for (const t of topological([source])) {
    const inputs = t.inputs.map((x) => texts.get(x)!);
    if (t.op === null) texts.set(t, t.label ?? t.role!);
    else if (ops[t.op].layout === "name") texts.set(t, inputs[0]);
    else texts.set(t, showCall(t.op, [...inputs, ...showAttrs(structureOf(ops[t.op], t.attrs))]));
  }
  return texts.get(source)!;
}
