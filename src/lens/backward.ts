/** The backward pass: gradients at hook points, and hooks that change them on the way. */
import { grad } from "../graph/rewrite/grad.ts";
import type { Tensor } from "../graph/tensor.ts";
import { topological } from "../graph/walk.ts";
import { isPromise } from "../tensor/abort.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { fitted, gradientAt, needSetReturned } from "./changes.ts";
import type { HookContexts } from "./hook-contexts.ts";
import { hookAt, type PlacedHook } from "./hooks.ts";

/** A pass to differentiate. */
export interface BackwardPass {
  /** The number whose gradients are taken. */
  readonly metric: Tensor;
  /** The values to take gradients at, by name, as forward hooks left them. */
  readonly values: ReadonlyMap<string, Tensor>;
  /** Hooks of this run. A named point must be on the way back; of a test's points, those that are get the hook. */
  readonly hooks: readonly PlacedHook[];
  /** Hooks that stay on the model: those not on the way wait for a run in which they are. */
  readonly standing: readonly PlacedHook[];
  /** The value at a hook point that the pass reaches. */
  readonly at: (name: string) => Tensor | undefined;
  readonly unused: "error" | "zero" | undefined;
  readonly contexts: HookContexts;
  readonly step: number | undefined;
}

/**
 * `d metric / d value` at each of the values, [as the value], under its name with `_grad`. A hook gets the gradient at its
 * point, and what it returns replaces it: that is kept there, and earlier gradients follow from it. Source:
 * TransformerLens' `run_with_cache(incl_bwd=True)` with `add_hook(dir="bwd")`.
 *
 * @throws ArgumentError for a metric that is not a single number or does not depend on a value or a hook's point, or an async
 * hook; ShapeError for a hook that returns another shape.
 */
export function gradientsOf(pass: BackwardPass): Map<string, Tensor> {
  const { metric, values, hooks, standing, at, contexts, step } = pass;
  const way = new Set(topological([metric]));
  const placed = new Map<Tensor, PlacedHook[]>();
  const onWay = ({ name }: PlacedHook) => way.has(at(name)!);
  for (const hook of [...standing.filter(onWay), ...hooks.filter((hook) => !hook.byTest || onWay(hook))]) {
    const x = at(hook.name)!;
    placed.set(x, [...(placed.get(x) ?? []), hook]);
  }
  const change = (x: Tensor, gradient: Tensor): Tensor =>
    (placed.get(x) ?? []).reduce((g, { name, f }) => {
      const checkNothing = needSetReturned(g, gradientAt(name));
      const result = f(g, hookAt(name, step, contexts));
      if (isPromise(result)) {
        result.then(undefined, () => {}); // the error below says that it cannot be
        throw new ArgumentError(`The hook on the gradient at "${name}" is async, but hooks on gradients cannot be.`, {
          asked: name,
        });
      }
      if (result === undefined) checkNothing();
      return result === undefined ? g : fitted(result, g, gradientAt(name));
    }, gradient);
  // Hooked points too: a hook is called wherever its gradient is, not only on the way to what is kept.
  const wrt = [...values.values(), ...placed.keys()];
  const gradients = grad(metric, wrt, { change, unused: pass.unused });
  return new Map([...values.keys()].map((name, i) => [`${name}_grad`, gradients[i]]));
}
