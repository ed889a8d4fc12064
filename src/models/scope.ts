/**
 * What parts of a model say about themselves. A scope knows the prefix of a part's names; through it the part asks for its
 * weights, places its hook points, and says how it meets the residual stream. All of that is said once, where it is used:
 * a trace collects the points in the order in which they are made (TransformerLens' firing order), and a recording also the
 * weights and the rest.
 */
import type { Tensor } from "../graph/tensor.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { nearest } from "../tensor/nearest.ts";
import type { Structure } from "./structure.ts";
import type { Init, Sizes } from "./weights/spec.ts";

/** The names that a part uses. */
export interface PartNames {
  readonly weight: string;
  readonly point: string;
}

/**
 * What a caller wants of the values that TransformerLens computes only behind flags (`hook_result`, `hook_q_input`,
 * ...). They cost something, so they are computed only on request: next to the usual computation to be read, or, if
 * hooked, instead of it.
 */
export interface Wanted {
  reads(name: string): boolean;
  hooks(name: string): boolean;
  /** What is wanted of all points that are usually there: their values, or gradients too. Default: nothing of those that cost something. */
  readonly usual?: "values" | "gradients" | undefined;
  /** Parts that stand at a hook point, one after the other; default: none. */
  splices?(name: string): readonly SplicedPart[];
  /** Called with the name of each point that a spliced part reads besides its own. */
  noteRead?(name: string): void;
}

/** A part that is spliced in at a hook point: from the value there it computes its replacement, with its own weights. */
export interface SplicedPart {
  readonly weights: WeightSource;
  readonly part: (x: Tensor, scope: Scope) => Tensor;
}

/** Where weights come from: those of a model, or placeholders while the model is recorded. */
export interface WeightSource {
  weight(name: string, sizes: Sizes, init: Init): Tensor;
}

/** What a trace of a model collects. */
export interface Trace {
  readonly weights: WeightSource;
  readonly wanted: Wanted;
  /** Every hook point made, in firing order. */
  readonly points: Map<string, Tensor>;
  /** Those of them that nothing else is computed from: they stand next to the usual computation, to be read. */
  readonly asides: Set<string>;
  /** What meets the residual stream and how; only a recording collects it. */
  readonly structure?: Structure | undefined;
}

/** A part's view of a trace. */
export class Scope<N extends PartNames = PartNames> {
  readonly prefix: string;
  private readonly trace: Trace;

  constructor(trace: Trace, prefix = "") {
    this.trace = trace;
    this.prefix = prefix;
  }

  /** The scope of a part: `scope.part("attn")` names things `blocks.0.attn.…` within `blocks.0`. */
  part<M extends PartNames = PartNames>(name: string): Scope<M> {
    return new Scope<M>(this.trace, `${this.prefix}${name}.`);
  }

  /** The same part without hook points: for a second run of something whose points are the first run's. */
  unlisted(): Scope<N> {
    return new Scope<N>({ ...this.trace, points: new Map(), asides: new Set(), structure: undefined }, this.prefix);
  }

  /** A weight of this part, such as `scope.weight("W_Q", { head, d_model, d_head }, "drawn")`. */
  weight(name: N["weight"], sizes: Sizes, init: Init): Tensor {
    return this.trace.weights.weight(this.prefix + name, sizes, init);
  }

  /**
   * The value as a hook point of this part. If parts are spliced in, it is their result; their own points are named within
   * it, and fire before it.
   * @throws ArgumentError for a name that another point already has
   */
  point(name: N["point"], value: Tensor): Tensor {
    const full = this.prefix + name;
    const { points, wanted } = this.trace;
    const made = (wanted.splices?.(full) ?? []).reduce(
      (x, { part, weights }) => part(x, new Scope({ ...this.trace, weights, structure: undefined }, `${full}.`)),
      value,
    );
    if (points.has(full)) {
      throw new ArgumentError(`Two hook points would be named "${full}": give one of them another name.`, {
        asked: full,
      });
    }
    const point = made.point(full);
    points.set(full, point);
    return point;
  }

  /**
   * A point that the pass has made before, by its full name, for a part that reads something else than the value that it stands at.
   * @throws ArgumentError for a point that is not made, or is made later
   */
  read(full: string): Tensor {
    const { points, wanted } = this.trace;
    wanted.noteRead?.(full);
    const point = points.get(full);
    if (point) return point;
    const near = nearest(full, [...points.keys()]);
    throw new ArgumentError(
      `The part at "${this.prefix.slice(0, -1)}" reads "${full}", which this pass does not make before it${near ? `; the closest match is "${near}"` : ""}.`,
      { asked: full, nearest: near },
    );
  }

  /** Whether the point of that name is to be changed, so that what follows must be computed from it. */
  hooked(name: N["point"]): boolean {
    const { wanted } = this.trace;
    return wanted.hooks(this.prefix + name) || (wanted.splices?.(this.prefix + name) ?? []).length > 0;
  }

  /** Makes a point next to the usual computation, if it is to be read. */
  aside(name: N["point"], value: () => Tensor): void {
    if (!this.trace.wanted.reads(this.prefix + name)) return;
    this.point(name, value());
    this.trace.asides.add(this.prefix + name);
  }

  /** Whether what follows must be computed from the point of that name: it is to be changed, or differentiated. */
  inPlace(name: N["point"]): boolean {
    return this.hooked(name) || this.trace.wanted.usual === "gradients";
  }

  /** As `aside`, for one of the points that are usually there: it is also made if all of those are to be read. */
  beside(name: N["point"], value: () => Tensor): void {
    const { wanted, asides } = this.trace;
    if (wanted.usual === undefined && !wanted.reads(this.prefix + name)) return;
    this.point(name, value());
    asides.add(this.prefix + name);
  }

  /** Says how a value came about, while the model is recorded. */
  says(what: (structure: Structure) => void): void {
    if (this.trace.structure) what(this.trace.structure);
  }
}
