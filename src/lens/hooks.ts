/**
 * Hooks are rewriting: a hook point's value is replaced by what the hook makes of it, and everything after follows. A
 * hook is called once, while the graph is traced; its arithmetic runs in the engine with the rest. One that needs
 * numbers is async and awaits them: there, and only there, the run is cut.
 */
import { showShape } from "../graph/axes.ts";
import { evaluateWith } from "../graph/evaluate.ts";
import { Rewrite } from "../graph/rewrite/rewrite.ts";
import { Tensor } from "../graph/tensor.ts";
import { topological } from "../graph/walk.ts";
import { isPromise, untilAborted } from "../tensor/abort.ts";
import { ArgumentError, ShapeError } from "../tensor/errors.ts";
import { kindOf, shown } from "../tensor/show.ts";
import type { HookContexts } from "./hook-contexts.ts";
import type { HookNameLike } from "./hook-names.ts";

/** Where a hook is called. */
export interface HookPoint {
  readonly name: string;
  /** The block's number; `undefined` outside the blocks. */
  readonly layer: number | undefined;
  /** In a generation, which step this is: 0 for the prompt. */
  readonly step: number | undefined;
  /**
   * Kept from call to call, until `resetHooks`: for what one hook wants to remember. A run that fails leaves it as it was
   * before, unless others ran on the model meanwhile; of a generation each step is a run.
   */
  readonly ctx: Record<string, unknown>;
}

/**
 * What to put in a value's place: a value of the same shape, or with more rows in its batch or more axes in front,
 * which everything after then has too. Nothing returned: the value stays.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a hook that only looks has no return statement.
export type HookFunction = (x: Tensor, hook: HookPoint) => Tensor | void | Promise<Tensor | void>;

/** Where, and what: a hook point's name (or a test for names), and the function. */
export type Hook = readonly [at: HookNameLike | ((name: string) => boolean), f: HookFunction];

/** A hook at one point, ready to be traced. */
export interface PlacedHook {
  readonly name: string;
  readonly f: HookFunction;
  /** It is here because a test for names said yes to the point, not because it was named. */
  readonly byTest?: boolean;
}

interface TraceOptions {
  readonly contexts: HookContexts;
  /** Gradients will go back through the run: it is not cut, and what is awaited is computed on the side. */
  readonly whole?: boolean | undefined;
  readonly step: number | undefined;
  readonly run: Run;
  /** No hook is waited for once it is aborted. */
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
): Promise<Rewrite> {
  const rewrite = new Rewrite();
  for (const [name, clean] of points) {
    for (const hook of hooks) {
      if (hook.name !== name) continue;
      const point = rewrite.get(clean);
      const before = point.inputs[0];
      const ctx = contexts.of(name);
      const cut = new Cut(rewrite, clean, before, outputs, run, whole);
      const returned = hook.f(before, { name, layer: layerOf(name), step, ctx });
      const given = isPromise(returned) ? await untilAborted(returned, signal) : returned;
      const made = given instanceof Tensor ? cut.without(given) : given;
      if (made !== undefined) rewrite.replace(clean, fitted(made, before, name).point(name));
      else if (cut.value) rewrite.replace(clean, cut.value.point(name));
    }
  }
  return rewrite;
}

/**
 * A run cut at a hook that awaits numbers: what is before it is computed once, and the rest starts from its values. Where
 * the run is to stay whole, the numbers are computed for the hook alone.
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

/** What a hook or a metric returned in place of a Tensor, in words. */
export function showValue(value: unknown): string {
  if (isPromise(value)) return "a promise";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" || typeof value === "function" ? kindOf(value) : shown(value);
}

/** The block that a hook point is in. */
export function layerOf(name: string): number | undefined {
  const layer = /^blocks\.(\d+)\./.exec(name)?.[1];
  return layer === undefined ? undefined : Number(layer);
}

/**
 * A hook's result under the axes of what it replaces, repeated where it broadcasts.
 * @throws ShapeError; ArgumentError for what is no Tensor, which code without types may return
 */
export function fitted(made: Tensor, x: Tensor, name: string): Tensor {
  if (!(made instanceof Tensor)) {
    throw new ArgumentError(
      `The hook on "${name}" returned ${showValue(made)}: it must return a Tensor, as \`x.mul(0)\` is, or nothing to leave the value as it is.`,
      { asked: name, found: made },
    );
  }
  const lead = made.shape.length - x.shape.length;
  const fits = x.shape.every((size, i) => {
    const found = made.shape[lead + i] ?? 1;
    return found === size || found === 1 || (i === 0 && size === 1);
  });
  if (!fits || made.dtype !== x.dtype) {
    throw new ShapeError(
      `The hook on "${name}" got ${x.dtype} ${showShape(x)} and returned ${made.dtype} ${showShape(made)}: it must return the same shape, or more rows or axes in front.`,
      { asked: x.shape, found: made.shape },
    );
  }
  const whole = x.shape.some((size, i) => (made.shape[lead + i] ?? 1) < size) ? made.expandLike(x) : made;
  const extra = whole.axes.slice(0, Math.max(lead, 0));
  return whole.rename([...extra, ...x.axes]);
}
