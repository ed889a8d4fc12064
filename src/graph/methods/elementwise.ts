/** Methods that work number by number. */
import { oneOf } from "../../tensor/kinds.ts";
import { checkArgument } from "../../tensor/options.ts";
import { Expression, type Operand } from "./expression.ts";

/** A value with arithmetic, functions of one number, comparisons and choice. */
export abstract class Elementwise extends Expression {
  // Arithmetic.

  add(x: Operand<this>): this {
    return this.applied("add", [this, this.operand(x)]);
  }
  sub(x: Operand<this>): this {
    return this.applied("sub", [this, this.operand(x)]);
  }
  mul(x: Operand<this>): this {
    return this.applied("mul", [this, this.operand(x)]);
  }
  div(x: Operand<this>): this {
    return this.applied("div", [this, this.operand(x)]);
  }
  pow(x: Operand<this>): this {
    return this.applied("pow", [this, this.operand(x)]);
  }
  maximum(x: Operand<this>): this {
    return this.applied("maximum", [this, this.operand(x)]);
  }
  minimum(x: Operand<this>): this {
    return this.applied("minimum", [this, this.operand(x)]);
  }
  neg(): this {
    return this.applied("neg", [this]);
  }
  abs(): this {
    return this.applied("abs", [this]);
  }
  sign(): this {
    return this.applied("sign", [this]);
  }
  exp(): this {
    return this.applied("exp", [this]);
  }
  log(): this {
    return this.applied("log", [this]);
  }
  sqrt(): this {
    return this.applied("sqrt", [this]);
  }
  tanh(): this {
    return this.applied("tanh", [this]);
  }
  sigmoid(): this {
    return this.applied("sigmoid", [this]);
  }
  relu(): this {
    return this.applied("relu", [this]);
  }
  sin(): this {
    return this.applied("sin", [this]);
  }
  cos(): this {
    return this.applied("cos", [this]);
  }
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

  equal(x: Operand<this>): this {
    return this.applied("equal", [this, this.operand(x)]);
  }
  lessThan(x: Operand<this>): this {
    return this.applied("lessThan", [this, this.operand(x)]);
  }
  greaterThan(x: Operand<this>): this {
    return this.applied("lessThan", [this.operand(x), this]);
  }
  and(x: this): this {
    return this.applied("and", [this, x]);
  }
  or(x: this): this {
    return this.applied("or", [this, x]);
  }
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
