/** A graph as text: what tests read, and what `explain` shows. */
import { showShape } from "./axes.ts";
import { needTensors } from "./methods/expression.ts";
import type { Attrs } from "./op.ts";
import { ops } from "./ops/index.ts";
import type { Tensor } from "./tensor.ts";
import { topological } from "./walk.ts";

/**
 * One line a value, with every attribute of its op: `%3 = sum(%2, axes=[-1], keepdims=false) [batch 2, pos 12]`. Hook
 * points stand under their names.
 */
export function print(outputs: readonly Tensor[]): string {
  needTensors("print", outputs);
  const names = new Map<Tensor, string>();
  const lines: string[] = [];
  let count = 0;
  for (const t of topological(outputs)) {
    if (t.op === null) {
      names.set(t, leafName(t));
      continue;
    }
    const name = t.label ?? `%${count++}`;
    const { label: _name, ...attrs } = t.attrs;
    const call = showCall(t.op, [...t.inputs.map((x) => names.get(x)!), ...showAttrs(attrs)]);
    const which = ops[t.op].outputs > 1 ? `[${t.output}]` : "";
    lines.push(`${name} = ${call}${which} ${showShape(t)}`);
    names.set(t, name);
  }
  lines.push(`return ${outputs.map((t) => names.get(t)).join(", ")}`);
  return lines.join("\n");
}

/** A leaf in words: a weight's name, a constant's numbers, what is known of a feed. */
function leafName(t: Tensor): string {
  return t.label ?? (t.role === "constant" ? showNumbers(t.data) : `${t.role}${showShape(t)}`);
}

export function showNumbers(data: ArrayLike<number>): string {
  return Array.from(data, (x) => (Object.is(x, -0) ? "-0" : `${x}`)).join();
}

export function showAttrs(attrs: Attrs): string[] {
  return Object.entries(attrs).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
}

export function showCall(op: string, args: readonly string[]): string {
  return `${op}(${args.join(", ")})`;
}
