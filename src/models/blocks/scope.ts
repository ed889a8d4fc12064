/**
 * Where blocks put their hook points. A scope knows the prefix of its names, which of them a caller wants to read or to
 * change, and collects all points in the order in which they are made: TransformerLens' firing order.
 */
import type { Tensor } from "../../graph/tensor.ts";
import type { Weights } from "../weights.ts";

/**
 * What a caller wants of the values that TransformerLens computes only behind flags (`hook_result`, `hook_q_input`,
 * ...). They cost something, so they are made only when asked for: to be read beside the usual computation, or, if
 * hooked, in its place.
 */
export interface Wanted {
  reads(name: string): boolean;
  hooks(name: string): boolean;
}

export class Scope {
  readonly prefix: string;
  readonly points: Map<string, Tensor>;
  private readonly weights: Weights;
  private readonly wanted: Wanted;

  constructor(weights: Weights, wanted: Wanted, prefix = "", points = new Map<string, Tensor>()) {
    this.weights = weights;
    this.wanted = wanted;
    this.prefix = prefix;
    this.points = points;
  }

  /** The scope of a part: `scope.part("attn")` names things `blocks.0.attn.…` within `blocks.0`. */
  part(name: string): Scope {
    return new Scope(this.weights, this.wanted, `${this.prefix}${name}.`, this.points);
  }

  /** The same part without hook points: for a second run of something whose points are the first run's. */
  unlisted(): Scope {
    return new Scope(this.weights, this.wanted, this.prefix);
  }

  /** A weight of this part, such as `W_Q`. */
  weight(name: string): Tensor {
    return this.weights.get(this.prefix + name);
  }

  /** The value as a hook point of this part. */
  point(name: string, value: Tensor): Tensor {
    const point = value.point(this.prefix + name);
    this.points.set(this.prefix + name, point);
    return point;
  }

  /** Whether somebody wants to change the point of that name, so that what follows must be computed from it. */
  hooked(name: string): boolean {
    return this.wanted.hooks(this.prefix + name);
  }

  /** Makes a point beside the usual computation, if somebody wants to read it. */
  aside(name: string, value: () => Tensor): void {
    if (this.wanted.reads(this.prefix + name)) this.point(name, value());
  }
}
