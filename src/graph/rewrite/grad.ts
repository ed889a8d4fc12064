/** Gradients are more graph: reverse-mode differentiation by the ops' own rules. */
import { ArgumentError, ShapeError } from "../../tensor/errors.ts";
import { FUNCTION, oneOf } from "../../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../../tensor/options.ts";
import { shown } from "../../tensor/show.ts";
import { showShape } from "../axes.ts";
import { ops } from "../ops/index.ts";
import { Tensor } from "../tensor.ts";
import { topological } from "../walk.ts";

/** How to differentiate. */
export interface GradOptions {
  /**
   * What becomes of a value from which no gradient is passed on: it is refused (`"error"`, the default), or gets
   * zeros (PyTorch's `materialize_grads`).
   */
  readonly unused?: "error" | "zero" | undefined;
  /** What continues backwards from a value instead of its gradient: a hook on gradients. */
  readonly change?: ((x: Tensor, gradient: Tensor) => Tensor) | undefined;
}

const OPTIONS: OptionKinds<GradOptions> = { unused: oneOf(["error", "zero"]), change: FUNCTION };

/**
 * The gradients of a single number with respect to values of its graph, `d output / d wrt[i]`, each of its value's shape.
 * They are values like any other: computed when asked for, and differentiable again. Source: `torch.autograd.grad`.
 *
 * @throws ArgumentError if the output is not a single number, if one of `wrt` is not a float, if the output does not depend
 * on it or does so only through an op that cannot be differentiated, which is named (unless `unused` asks for zeros).
 */
export function grad(output: Tensor, wrt: readonly Tensor[], options: GradOptions = {}): Tensor[] {
  checkOptions("grad", options, OPTIONS);
  const { unused = "error", change = (_x, gradient) => gradient } = options;
  if (!Array.isArray(wrt) || ![output, ...wrt].every((x) => x instanceof Tensor)) {
    throw new ArgumentError("grad needs a value and a list of values that it depends on: grad(loss, [weight]).", {
      asked: "grad",
    });
  }
  if (output.shape.some((n) => n !== 1) || !isFloat(output)) {
    throw new ArgumentError(
      `A gradient needs a single number, but this value is ${output.dtype} ${showShape(output)}: take its sum or mean, or pick one element.`,
      { asked: "grad", found: output.shape },
    );
  }
  const integer = wrt.find((x) => !isFloat(x));
  if (integer) {
    throw new ArgumentError(
      `A gradient is with respect to floats, but ${called(integer)} is ${integer.dtype} ${showShape(integer)}: ask for a value that is computed from it, as the embedding is from tokens.`,
      { asked: integer.label ?? "grad", found: integer.dtype },
    );
  }
  const order = topological([output]);
  const wanted = dependents(order, new Set(wrt));
  const gradients = new Map<Tensor, Tensor>([[output, output.constant(1).expandLike(output)]]);
  for (const t of order.toReversed()) {
    const gradient = gradients.get(t);
    if (!gradient || !wanted.has(t)) continue;
    const g = change(t, gradient);
    if (!(g instanceof Tensor)) {
      throw new ArgumentError(`The gradient of ${called(t)} was changed to ${shown(g)}: it must be a tensor.`, {
        asked: g,
      });
    }
    if (g.shape.join() !== t.shape.join()) {
      throw new ShapeError(
        `A gradient of ${called(t)} ${showShape(t)} was changed to ${showShape(g)}: it must have its value's shape.`,
        { asked: t.shape, found: g.shape },
      );
    }
    gradients.set(t, g);
    if (t.op === null) continue;
    const parts = ops[t.op].vjp(g, t, t.inputs, t.attrs) as readonly (Tensor | null)[]; // Tensors in, Tensors out
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
    if (unused === "zero") return x.constant(0).expandLike(x);
    const blocks = blocked(order, output, x);
    throw new ArgumentError(
      blocks.length > 0
        ? `The output depends on ${called(x)} ${showShape(x)} only through ${blocks.join(" and ")}, which cannot be differentiated.`
        : `The output does not depend on ${called(x)} ${showShape(x)}, so it has no gradient there; \`unused: "zero"\` gives zeros instead.`,
      { asked: x.label, found: blocks.length > 0 ? blocks : output.label },
    );
  });
}

const isFloat = (x: Tensor): boolean => x.dtype === "float32" || x.dtype === "float64";

const called = (x: Tensor): string => (x.label ? `"${x.label}"` : "the given value");

/** The ops between a value and the output that make of floats what has no gradient: integers, conditions. */
function blocked(order: readonly Tensor[], output: Tensor, from: Tensor): string[] {
  const ways = dependents(order, new Set([from]));
  if (!ways.has(output)) return [];
  const blockers = order.filter((t) => ways.has(t) && !isFloat(t) && t.inputs.some((x) => ways.has(x) && isFloat(x)));
  return [...new Set(blockers.map((t) => ops[t.op!].phrase(t.attrs) ?? t.op!))];
}

/** A gradient under the axis names of what it is of. */
function named(gradient: Tensor, x: Tensor): Tensor {
  return gradient.axes.join() === x.axes.join() ? gradient : gradient.rename(x.axes);
}

/** The values of the graph that depend on one of `from`, those included. */
function dependents(order: readonly Tensor[], from: ReadonlySet<Tensor>): Set<Tensor> {
  const reached = new Set<Tensor>(from);
  for (const t of order) if (t.inputs.some((x) => reached.has(x))) reached.add(t);
  return reached;
}
