/**
 * Changes at hook points: what hooks, edits of a pass, sweeps and hooks on gradients have in common. A change is called
 * once, while the graph is traced, with the value at its point, and what it returns replaces that value.
 */
import { showShape } from "../graph/axes.ts";
import { noticeSet } from "../graph/methods/indexing.ts";
import { Rewrite } from "../graph/rewrite/rewrite.ts";
import { Tensor } from "../graph/tensor.ts";
import { isPromise } from "../tensor/abort.ts";
import { ArgumentError, ShapeError } from "../tensor/errors.ts";
import { kindOf, shown } from "../tensor/show.ts";

/** Where a change is called. */
export interface Place {
  /** The hook point's name. */
  readonly name: string;
  /** The block's number; `undefined` outside the blocks. */
  readonly layer: number | undefined;
}

/** From x to x′: what replaces a value, given the value and where it is. */
export type Change<P = Place, Y = Tensor> = (x: Tensor, at: P) => Y;

/** A hook point by its name. */
export function placeOf(name: string): Place {
  const layer = /^(?:blocks|encoder|decoder)\.(\d+)\./.exec(name)?.[1];
  return { name, layer: layer === undefined ? undefined : Number(layer) };
}

/** A pass while it is being changed: its hook points, and what each of its values has become. */
export class ChangedPass {
  /** Hook points by name, in firing order. */
  readonly points: ReadonlyMap<string, Tensor>;
  readonly rewrite = new Rewrite();

  constructor(points: ReadonlyMap<string, Tensor>) {
    this.points = points;
  }

  /** Changes with the points that they are at, in firing order; those at one point in the order given. */
  *inOrder<C extends { readonly name: string }>(changes: readonly C[]): Iterable<readonly [change: C, point: Tensor]> {
    for (const [name, point] of this.points) {
      for (const change of changes) if (change.name === name) yield [change, point];
    }
  }

  /** The value that a change at a point is called with: as the changes before it left it. */
  before(point: Tensor): Tensor {
    return this.rewrite.get(point).inputs[0];
  }

  /** Replaces the value at a point by the result of a change. @throws ShapeError, ArgumentError if it does not fit */
  put(name: string, point: Tensor, made: Tensor): void {
    this.rewrite.replace(point, fitted(made, this.before(point), valueAt(name)).point(name));
  }

  /** What a value of the unchanged pass has become. */
  get(value: Tensor): Tensor {
    return this.rewrite.get(value);
  }
}

/** The rule that a change must follow, in the words of an error. */
interface Rule {
  readonly name: string;
  /** Whose result it is: `The hook on "hook_embed"`. */
  readonly of: string;
  /** What it must return, as the ends of sentences: in kind, and in shape. */
  readonly kind: string;
  readonly shape: string;
  /** Whether more rows of the batch, or axes in front, are accepted. */
  readonly grows: boolean;
}

/** The rule for what replaces a value. */
export const valueAt = (name: string): Rule => ({
  name,
  of: `The hook on "${name}"`,
  kind: "a Tensor, as `x.mul(0)` is, or nothing to leave the value as it is",
  shape: "it must return the same shape, or more rows or axes in front",
  grows: true,
});

/** The rule for what replaces a gradient. */
export const gradientAt = (name: string): Rule => ({
  name,
  of: `The hook on the gradient at "${name}"`,
  kind: "a Tensor, as `g.mul(0)` is, or nothing to leave the gradient as it is",
  shape: "a gradient has its value's shape",
  grows: false,
});

/** The rule for the result of a part that is spliced in. */
export const partAt = (name: string): Rule => ({
  name,
  of: `The part at "${name}"`,
  kind: "a Tensor, as `x.mul(0)` is",
  shape: "it must return the same shape",
  grows: false,
});

/** @throws ArgumentError unless a change returned a Tensor, as code without types may not */
export function needChanged(made: unknown, { name, of, kind }: Rule): asserts made is Tensor {
  if (made instanceof Tensor) return;
  throw new ArgumentError(`${of} returned ${showValue(made)}: it must return ${kind}.`, { asked: name, found: made });
}

/**
 * The result of a change with the axes of what it replaces, repeated where it broadcasts.
 * @throws ShapeError; ArgumentError for anything but a Tensor
 */
export function fitted(made: unknown, x: Tensor, rule: Rule): Tensor {
  needChanged(made, rule);
  const lead = made.shape.length - x.shape.length;
  const fits = x.shape.every((size, i) => {
    const found = made.shape[lead + i] ?? 1;
    return found === size || found === 1 || (rule.grows && i === 0 && size === 1);
  });
  if (!fits || made.dtype !== x.dtype || (lead > 0 && !rule.grows)) {
    throw new ShapeError(
      `${rule.of} got ${x.dtype} ${showShape(x)} and returned ${made.dtype} ${showShape(made)}: ${rule.shape}.`,
      { asked: x.shape, found: made.shape },
    );
  }
  const whole = x.shape.some((size, i) => (made.shape[lead + i] ?? 1) < size) ? made.expandLike(x) : made;
  const extra = whole.axes.slice(0, Math.max(lead, 0));
  return whole.rename([...extra, ...x.axes]);
}

/**
 * Watches for a change that calls `set` and returns nothing: in PyTorch it would change the value in place, here `set` makes a copy.
 * @returns a check for when the change has returned nothing, which throws ArgumentError if `set` was called
 */
export function needSetReturned(x: Tensor, { name, of }: Rule): () => void {
  const wasSet = noticeSet(x);
  return () => {
    if (!wasSet()) return;
    throw new ArgumentError(
      `${of} called set and returned nothing, but set makes a copy and leaves the value as it is: return the copy, as in \`(x) => x.set({ pos: 3 }, 0)\`, or the value itself to change nothing.`,
      { asked: name },
    );
  };
}

/** What was returned instead of a Tensor, in words. */
export function showValue(value: unknown): string {
  if (isPromise(value)) return "a promise";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" || typeof value === "function" ? kindOf(value) : shown(value);
}
