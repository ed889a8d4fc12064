/** Orders and rewrites: going over a graph, and making another from it. Graphs are immutable; shared parts stay shared. */
import type { Tensor } from "./tensor.ts";

/** Every value that the outputs depend on, each after its inputs; nothing in `known`, nor what only it depends on. */
export function topological(outputs: Iterable<Tensor>, known?: { has(t: Tensor): boolean }): Tensor[] {
  const order: Tensor[] = [];
  const seen = new Set<Tensor>();
  const stack: { readonly t: Tensor; next: number }[] = [];
  const visit = (t: Tensor) => {
    if (seen.has(t) || known?.has(t)) return;
    seen.add(t);
    stack.push({ t, next: 0 });
  };
  for (const output of outputs) {
    visit(output);
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      if (top.next < top.t.inputs.length) {
        visit(top.t.inputs[top.next++]);
      } else {
        order.push(top.t);
        stack.pop();
      }
    }
  }
  return order;
}

/**
 * A graph rewritten as replacements come in. `get(t)` is what `t` has become: its replacement, or its op on what its
 * inputs have become. Replace values in topological order: what was asked for before a replacement keeps its answer.
 */
export class Rewrite {
  private readonly made = new Map<Tensor, Tensor>();

  replace(from: Tensor, to: Tensor): void {
    this.made.set(from, to);
  }

  get(t: Tensor): Tensor {
    for (const node of topological([t], this.made)) {
      const inputs = node.inputs.map((x) => this.made.get(x)!);
      this.made.set(node, inputs.every((x, i) => x === node.inputs[i]) ? node : node.on(inputs));
    }
    return this.made.get(t)!;
  }
}
