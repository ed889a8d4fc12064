/** Methods that work number by number. */
import { oneOf } from "../../tensor/kinds.ts";
import { checkArgument } from "../../tensor/options.ts";
import { Expression, type Operand } from "./expression.ts";

/** A value with arithmetic, functions of one number, comparisons and choice. */
export abstract class Elementwise extends Expression {
  // Arithmetic.

  /** This plus x, number by number; shapes broadcast from the right. */
  add(x: Operand<this>): this {
    return this.applied("add", [this, this.operand(x)]);
  }
  /** This minus x. */
  sub(x: Operand<this>): this {
    return this.applied("sub", [this, this.operand(x)]);
  }
  /** This times x, number by number. */
  mul(x: Operand<this>): this {
    return this.applied("mul", [this, this.operand(x)]);
  }
  /** This divided by x. */
  div(x: Operand<this>): this {
    return this.applied("div", [this, this.operand(x)]);
  }
  /** This to the power x. */
  pow(x: Operand<this>): this {
    return this.applied("pow", [this, this.operand(x)]);
  }
  /** The larger of this and x, number by number. */
  maximum(x: Operand<this>): this {
    return this.applied("maximum", [this, this.operand(x)]);
  }
  /** The smaller of this and x, number by number. */
  minimum(x: Operand<this>): this {
    return this.applied("minimum", [this, this.operand(x)]);
  }
  /** Minus this. */
  neg(): this {
    return this.applied("neg", [this]);
  }
  /** The size of each number, without its sign. */
  abs(): this {
    return this.applied("abs", [this]);
  }
  /** -1, 0 or 1: the sign of each number. */
  sign(): this {
    return this.applied("sign", [this]);
  }
  /** e to the power of each number. */
  exp(): this {
    return this.applied("exp", [this]);
  }
  /** The natural logarithm. */
  log(): this {
    return this.applied("log", [this]);
  }
  /** The square root. */
  sqrt(): this {
    return this.applied("sqrt", [this]);
  }
  /** The hyperbolic tangent. */
  tanh(): this {
    return this.applied("tanh", [this]);
  }
  /** 1 / (1 + exp(-x)). */
  sigmoid(): this {
    return this.applied("sigmoid", [this]);
  }
  /** The number where it is positive, 0 elsewhere. */
  relu(): this {
    return this.applied("relu", [this]);
  }
  /** The sine, in radians. */
  sin(): this {
    return this.applied("sin", [this]);
  }
  /** The cosine, in radians. */
  cos(): this {
    return this.applied("cos", [this]);
  }
  /** The error function, 2/√π ∫₀ˣ exp(-t²) dt. */
  erf(): this {
    return this.applied("erf", [this]);
  }

  /** x Φ(x); with `tanh` GPT-2's approximation of it. */
  gelu(approximate: "none" | "tanh" = "none"): this {
    checkArgument("The approximation of gelu", approximate, oneOf(["none", "tanh"]));
    return this.applied("gelu", [this], { approximate });
  }

  /** Each number at least `least` and at most `most`; `null` leaves a side open. NaN stays NaN. */
  clip(least: Operand<this> | null, most: Operand<this> | null = null): this {
    const above = least === null ? this : this.unless(this.lessThan(least), least);
    return most === null ? above : above.unless(above.greaterThan(most), most);
  }

  /** The nearest whole number, of two equally near the even one. Its gradient is zero. */
  round(): this {
    return this.applied("round", [this]);
  }

  // Comparison and choice.

  /** Where this equals x: a bool value. */
  equal(x: Operand<this>): this {
    return this.applied("equal", [this, this.operand(x)]);
  }
  /** Where this is less than x: a bool value. */
  lessThan(x: Operand<this>): this {
    return this.applied("lessThan", [this, this.operand(x)]);
  }
  /** Where this is greater than x: a bool value. */
  greaterThan(x: Operand<this>): this {
    return this.applied("lessThan", [this.operand(x), this]);
  }
  /** Where both bool values are true. */
  and(x: this): this {
    return this.applied("and", [this, x]);
  }
  /** Where one or both bool values are true. */
  or(x: this): this {
    return this.applied("or", [this, x]);
  }
  /** Where a bool value is false. */
  not(): this {
    return this.applied("not", [this]);
  }
  /** This value where the condition holds, `other` elsewhere. */
  where(condition: this, other: Operand<this>): this {
    return this.applied("where", [condition, this, this.operand(other)]);
  }
  /** `other` where the condition holds, this value elsewhere. */
  private unless(condition: this, other: Operand<this>): this {
    return this.operand(other).where(condition, this);
  }
}
