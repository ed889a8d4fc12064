/** Gradients are more graph: reverse-mode differentiation by the ops' own rules. */
import { ArgumentError } from "../tensor/errors.ts";
import { showShape } from "./axes.ts";
import { ops } from "./ops/index.ts";
import type { Tensor } from "./tensor.ts";
import { topological } from "./walk.ts";

/**
 * The gradients of a single number with respect to values of its graph, each of its value's shape: d output / d wrt[i].
 * They are values like any other: computed when asked for, and differentiable again.
 *
 * @param change what goes on backwards from a value in place of its gradient: a hook on gradients
 * @throws ArgumentError if the output is not a single number, or does not depend on one of `wrt`.
 */
export function grad(
  output: Tensor,
  wrt: readonly Tensor[],
  change: (x: Tensor, gradient: Tensor) => Tensor = (_x, gradient) => gradient,
): Tensor[] {
  if (output.shape.some((n) => n !== 1)) {
    throw new ArgumentError(
      `A gradient is of a single number, but this value is ${showShape(output)}: take its sum or mean, or pick one element.`,
      { asked: "grad", found: output.shape },
    );
  }
  const order = topological([output]);
  const wanted = dependents(order, new Set(wrt));
  const gradients = new Map<Tensor, Tensor>([[output, output.constant(1).expandLike(output)]]);
  for (const t of order.toReversed()) {
    const found = gradients.get(t);
    if (!found || !wanted.has(t)) continue;
    const g = change(t, found);
    gradients.set(t, g);
    if (t.op === null) continue;
    const parts = ops[t.op].vjp(g, t, t.inputs, t.attrs);
    t.inputs.forEach((input, i) => {
      if (!parts[i] || !wanted.has(input)) return;
      const part = named(parts[i], input);
      const sum = gradients.get(input);
      gradients.set(input, sum ? sum.add(part) : part);
    });
  }
  return wrt.map((x) => {
    const g = gradients.get(x);
    if (g) return g;
    throw new ArgumentError(
      `The output does not depend on ${x.label ? `"${x.label}"` : "the given value"} ${showShape(x)} through anything that can be differentiated, so it has no gradient.`,
      { asked: x.label, found: output.label },
    );
  });
}

/** A gradient under the axis names of what it is of. */
function named(gradient: Tensor, x: Tensor): Tensor {
  return gradient.axes.join() === x.axes.join() ? gradient : gradient.rename(x.axes);
}

/** The values of the graph that depend on one of `from`, those included. */
function dependents(order: readonly Tensor[], from: ReadonlySet<Tensor>): Set<Tensor> {
  const found = new Set<Tensor>(from);
  for (const t of order) if (t.inputs.some((x) => found.has(x))) found.add(t);
  return found;
}
