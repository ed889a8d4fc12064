/** Making another graph from one. Graphs are immutable; shared parts stay shared. */
import type { Tensor } from "../tensor.ts";
import { topological } from "../walk.ts";

/**
 * A graph rewritten as replacements come in. `get(t)` is what `t` has become: its replacement, or its op on what its
 * inputs have become. Replace values in topological order: what was read before a replacement stays as it was.
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
