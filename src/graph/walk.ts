/** Traversing a graph. */
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
