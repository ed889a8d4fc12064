/** GELU, as one op: the runtime computes it in one pass. */
import { float } from "../kernels.ts";
import { type Op, ordinary } from "../op.ts";
import type { Value } from "../value.ts";
import { erf } from "./elementwise.ts";
import { sameOnRows } from "./rows.ts";

type GeluAttrs = {
  /** `none`: x Φ(x). `tanh`: Φ by the tanh of a cubic (Hendrycks & Gimpel 2016), GPT-2's. */
  readonly approximate: "none" | "tanh";
};

const SLOPE = Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715;

export const gelu: Op<GeluAttrs> = {
  outputs: 1,
  infer: ([x]) => ({ dtype: x.dtype, shape: x.shape, axes: x.axes }),
  reference([x], { approximate }, out) {
    if (approximate === "tanh") {
      const f = (v: number) => 0.5 * v * (1 + Math.tanh(SLOPE * (v + CUBIC * v ** 3)));
      return float(out.shape, Float64Array.from(x.data, f));
    }
    const scaled = float(
      x.shape,
      Float64Array.from(x.data, (v: number) => v * Math.SQRT1_2),
    );
    const gate = erf.reference([scaled], {}, out, 0).data;
    return float(
      out.shape,
      Float64Array.from(x.data, (v: number, i: number) => 0.5 * v * (1 + gate[i])),
    );
  },
  onnx: (emit, [x], { approximate }) => emit.node("Gelu", [x.name], { approximate }),
  vjp: (g, _out, [x], { approximate }) => [g.mul(approximate === "tanh" ? tanhSlope(x) : exactSlope(x))],
  along: (axis) => [axis],
  rows: sameOnRows,
  scratch: false,
  ...ordinary,
};

/** Φ(x) + x φ(x). */
function exactSlope(x: Value): Value {
  const cumulative = x.mul(x.constant(Math.SQRT1_2)).erf().add(x.constant(1)).mul(x.constant(0.5));
  const density = x
    .mul(x)
    .mul(x.constant(-0.5))
    .exp()
    .mul(x.constant(1 / Math.sqrt(2 * Math.PI)));
  return cumulative.add(x.mul(density));
}

/** ½(1 + t) + ½ x (1 - t²) u', with t = tanh(u), u = √(2/π)(x + 0.044715 x³). */
function tanhSlope(x: Value): Value {
  const square = x.mul(x);
  const inner = x.add(square.mul(x).mul(x.constant(CUBIC))).mul(x.constant(SLOPE));
  const t = inner.tanh();
  const rise = square
    .mul(x.constant(3 * CUBIC))
    .add(x.constant(1))
    .mul(x.constant(SLOPE));
  const bend = x.mul(x.constant(1).sub(t.mul(t))).mul(rise);
  return t.add(x.constant(1)).add(bend).mul(x.constant(0.5));
}
