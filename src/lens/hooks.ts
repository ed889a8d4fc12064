/**
 * Hooks rewrite the graph: a hook point's value is replaced by the hook's result, and everything after follows. A
 * hook is called once, while the graph is traced; its arithmetic runs in the engine with the rest. One that needs
 * numbers is async and awaits them: there, and only there, the run is cut.
 */
import { evaluateWith } from "../graph/evaluate.ts";
import { Rewrite } from "../graph/rewrite/rewrite.ts";
import { Tensor } from "../graph/tensor.ts";
import { topological } from "../graph/walk.ts";
import { isPromise, untilAborted } from "../tensor/abort.ts";
import { type Change, ChangedPass, needSetReturned, type Place, placeOf, valueAt } from "./changes.ts";
import type { HookContexts } from "./hook-contexts.ts";
import type { HookNameLike } from "./hook-names.ts";

/** Where a hook is called. */
export interface HookPoint extends Place {
  /** In a generation, which step this is: 0 for the prompt. */
  readonly step: number | undefined;
  /**
   * Kept from call to call, until `resetHooks`: for what a hook wants to remember. A run that fails leaves it as it was
   * before, unless other runs used the model meanwhile; in a generation each step is a run.
   */
  readonly ctx: Record<string, unknown>;
}

/**
 * What replaces a value: a value of the same shape, or with more rows in its batch or more axes in front, which
 * everything after then has too. If nothing is returned, the value stays; after a call of `x.set`, which makes a copy, that is an
 * error.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a hook that only looks has no return statement.
export type HookFunction = Change<HookPoint, Tensor | void | Promise<Tensor | void>>;

/** Where and what: a hook point's name (or a test for names), and the function. */
export type Hook = readonly [at: HookNameLike | ((name: string) => boolean), f: HookFunction];

/** A hook at one point, ready to be traced. */
export interface PlacedHook {
  readonly name: string;
  readonly f: HookFunction;
  /** It is here because a test for names accepted the point, not because it was named. */
  readonly byTest: boolean;
}

interface TraceOptions {
  readonly contexts: HookContexts;
  /** Gradients will go back through the run: it is not cut, and awaited values are computed separately. */
  readonly whole?: boolean | undefined;
  readonly step: number | undefined;
  readonly run: Run;
  /** Once it is aborted, no hook is waited for. */
  readonly signal: AbortSignal | undefined;
}

/** Computes values, as the engine does. */
type Run = (outputs: readonly Tensor[]) => Promise<Tensor[]>;

/**
 * Traces hooks into a graph, in firing order, each seeing what those before it made.
 * @param points the hook points by name, in firing order
 * @param outputs what the run is for: with it, a cut computes all that the rest will need of what is before it
 */
export async function traceHooks(
  points: ReadonlyMap<string, Tensor>,
  outputs: readonly Tensor[],
  hooks: readonly PlacedHook[],
  { contexts, step, run, signal, whole = false }: TraceOptions,
): Promise<ChangedPass> {
  const pass = new ChangedPass(points);
  for (const [{ name, f }, point] of pass.inOrder(hooks)) {
    const before = pass.before(point);
    const cut = new Cut(pass.rewrite, point, before, outputs, run, whole);
    const checkNothing = needSetReturned(before, valueAt(name));
    const returned = f(before, hookAt(name, step, contexts));
    const result = isPromise(returned) ? await untilAborted(returned, signal) : returned;
    if (result === undefined) checkNothing();
    const replacement = result instanceof Tensor ? cut.without(result) : result;
    if (replacement !== undefined) pass.put(name, point, replacement);
    else if (cut.value) pass.put(name, point, cut.value);
  }
  return pass;
}

/** What a hook at a point learns about its call. */
export function hookAt(name: string, step: number | undefined, contexts: HookContexts): HookPoint {
  return { ...placeOf(name), step, ctx: contexts.of(name) };
}

/**
 * A run cut at a hook that awaits numbers: what is before it is computed once, and the rest starts from its values. Where
 * the run must stay whole, the numbers are computed only for the hook.
 */
class Cut {
  /** The hook's input as numbers, once they were asked for. */
  value: Tensor | undefined;
  private readonly before: Tensor;

  constructor(rewrite: Rewrite, clean: Tensor, before: Tensor, outputs: readonly Tensor[], run: Run, whole: boolean) {
    this.before = before;
    const runner = async (wanted: readonly Tensor[]): Promise<Tensor[]> => {
      if (whole) return run(wanted);
      if (this.value) return run(wanted.map((t) => this.without(t)));
      const crossing = frontier(clean, outputs).filter((t) => t !== clean);
      const computed = await run([...wanted, before, ...crossing.map((t) => rewrite.get(t))]);
      this.value = computed[wanted.length];
      crossing.forEach((t, i) => {
        const value = computed[wanted.length + 1 + i];
        rewrite.replace(t, t.op !== null && t.label ? value.point(t.label) : value);
      });
      return computed.slice(0, wanted.length);
    };
    evaluateWith(before, { run: runner });
  }

  /** What a hook made, resting on the numbers instead of on the graph before the cut. */
  without(made: Tensor): Tensor {
    if (!this.value) return made;
    const rest = new Rewrite();
    rest.replace(this.before, this.value);
    return rest.get(made);
  }
}

/** The values before `at` (those it depends on) that something not before it depends on too. */
function frontier(at: Tensor, outputs: readonly Tensor[]): Tensor[] {
  const before = new Set(topological([at]));
  const crossing = new Set<Tensor>();
  for (const t of topological(outputs)) {
    if (before.has(t)) continue;
    for (const x of t.inputs) if (before.has(x) && x.op !== null) crossing.add(x);
  }
  for (const t of outputs) if (before.has(t) && t.op !== null) crossing.add(t);
  return [...crossing];
}
