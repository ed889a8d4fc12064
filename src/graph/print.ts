/** A graph as text: what tests read, and what `explain` shows. */
import { showShape } from "./axes.ts";
import { needTensors, type Tensor } from "./tensor.ts";
import { topological } from "./walk.ts";

/** One line a value: `%3 = matmul(%2, W_in) [batch 2, pos 12, d_mlp 80]`; hook points stand under their names. */
export function print(outputs: readonly Tensor[]): string {
  needTensors("print", outputs);
  const names = new Map<Tensor, string>();
  const lines: string[] = [];
  let count = 0;
  for (const t of topological(outputs)) {
    if (t.op === null) {
      names.set(t, t.label ?? (t.role === "constant" ? `${t.data[0]}` : `feed${showShape(t)}`));
      continue;
    }
    const name = t.label ?? `%${count++}`;
    names.set(t, name);
    const inputs = t.inputs.map((x) => names.get(x));
    const attrs = Object.entries(t.attrs).filter(([k]) => k !== "label" && k !== "axes" && k !== "name");
    const args = [...inputs, ...attrs.map(([k, v]) => `${k}=${JSON.stringify(v)}`)].join(", ");
    lines.push(`${name} = ${t.op}(${args}) ${showShape(t)}`);
  }
  lines.push(`return ${outputs.map((t) => names.get(t)).join(", ")}`);
  return lines.join("\n");
}
