/** Ops that work number by number: one output element from the corresponding element of each input. */
import { type DType, emptyData, type NDArray, sizeOf } from "../../tensor/array.ts";
import { ShapeError } from "../../tensor/errors.ts";
import { broadcast, type Meta, showShape } from "../axes.ts";
import { float, mapElements } from "../kernels.ts";
import { type Along, type NoAttrs, type Op, ordinary } from "../op.ts";
import type { Value } from "../value.ts";
import { sameOnRows } from "./rows.ts";

interface Elementwise {
  /** The op's name in errors, and in ONNX. */
  readonly onnx: string;
  readonly f: (...x: number[]) => number;
  readonly vjp: Op<NoAttrs>["vjp"];
  /** Result dtype; the inputs' by default. */
  readonly dtype?: DType;
  /** dtypes that it takes; floats by default. */
  readonly takes?: readonly DType[];
}

const floats: readonly DType[] = ["float32", "float64"];
const numbers: readonly DType[] = [...floats, "int32"];
const bools: readonly DType[] = ["bool"];

/** Which axis of each input corresponds to an axis of a broadcast result. */
export function alongBroadcast(axis: number, inputs: readonly Meta[], _attrs: object, out: Meta): Along {
  return inputs.map((m) => {
    const i = axis - (out.shape.length - m.shape.length);
    return i < 0 || (m.shape[i] === 1 && out.shape[axis] !== 1) ? null : i;
  });
}

function elementwise({ onnx, f, vjp, dtype, takes = floats }: Elementwise): Op<NoAttrs> {
  return {
    outputs: 1,
    infer(inputs) {
      for (const m of inputs) {
        if (!takes.includes(m.dtype) || m.dtype !== inputs[0].dtype) {
          throw new ShapeError(
            `${onnx} takes ${takes.filter((d) => d !== "float64").join(" or ")} values of one dtype, but got ${inputs.map((x) => `${x.dtype} ${showShape(x)}`).join(" and ")}.`,
            { asked: onnx, found: inputs.map((x) => x.dtype) },
          );
        }
      }
      return { dtype: dtype ?? inputs[0].dtype, ...broadcast(onnx, inputs) };
    },
    reference: (inputs, _attrs, out) => mapped(out, inputs, f),
    onnx: (emit, inputs) =>
      emit.node(
        onnx,
        inputs.map((x) => x.name),
      ),
    vjp,
    along: alongBroadcast,
    rows: sameOnRows,
    scratch: false,
    ...ordinary,
  };
}

/** `f` on corresponding elements, in an array of the result's dtype. */
function mapped(out: Meta, inputs: readonly NDArray[], f: (...x: number[]) => number): NDArray {
  const size = sizeOf(out.shape);
  if (out.dtype === "bool" || out.dtype === "int32") {
    const data = emptyData(out.dtype, size);
    mapElements(out.shape, inputs, data, f);
    return { dtype: out.dtype, shape: out.shape, data } as NDArray;
  }
  const result = float(out.shape);
  mapElements(out.shape, inputs, result.data, f);
  return result;
}

/** The gradient of an input that was broadcast: summed over what was repeated. */
function to(grad: Value, input: Value): Value {
  return grad.sumTo(input);
}

const noGradient: Op<NoAttrs>["vjp"] = (_g, _out, inputs) => inputs.map(() => null);

// Binary arithmetic.
export const add = elementwise({
  onnx: "Add",
  takes: numbers,
  f: (a, b) => a + b,
  vjp: (g, _out, [a, b]) => [to(g, a), to(g, b)],
});
export const sub = elementwise({
  onnx: "Sub",
  takes: numbers,
  f: (a, b) => a - b,
  vjp: (g, _out, [a, b]) => [to(g, a), to(g.neg(), b)],
});
export const mul = elementwise({
  onnx: "Mul",
  takes: numbers,
  f: (a, b) => a * b,
  vjp: (g, _out, [a, b]) => [to(g.mul(b), a), to(g.mul(a), b)],
});
export const div = elementwise({
  onnx: "Div",
  f: (a, b) => a / b,
  vjp: (g, out, [a, b]) => [to(g.div(b), a), to(g.mul(out).div(b).neg(), b)],
});
/** a^b. The gradient to the exponent is for a from 0 up, as log a appears in it. */
export const pow = elementwise({
  onnx: "Pow",
  f: (a, b) => a ** b,
  vjp: (g, out, [a, b]) => [
    to(g.mul(b).mul(a.pow(b.sub(b.constant(1)))), a),
    to(g.mul(out).mul(a.log().where(a.equal(a.constant(0)).not(), a.constant(0))), b),
  ],
});
/** The larger; where both are equal, each gets half of the gradient, as in PyTorch. */
export const maximum = elementwise({
  onnx: "Max",
  f: Math.max,
  vjp: (g, _out, [a, b]) => shared(g, a.lessThan(b), a, b),
});
export const minimum = elementwise({
  onnx: "Min",
  f: Math.min,
  vjp: (g, _out, [a, b]) => shared(g, b.lessThan(a), a, b),
});

/** The gradient of whichever of two was taken, the second where `second` holds. */
function shared(g: Value, second: Value, a: Value, b: Value): [Value, Value] {
  const halved = g.mul(g.constant(0.5)).where(a.equal(b), g);
  return [to(halved.where(second.not(), g.constant(0)), a), to(halved.where(second.or(a.equal(b)), g.constant(0)), b)];
}

// Comparisons and logic.
export const equal = elementwise({
  onnx: "Equal",
  takes: numbers,
  dtype: "bool",
  f: (a, b) => +(a === b),
  vjp: noGradient,
});
export const lessThan = elementwise({
  onnx: "Less",
  takes: numbers,
  dtype: "bool",
  f: (a, b) => +(a < b),
  vjp: noGradient,
});
export const and = elementwise({ onnx: "And", takes: bools, f: (a, b) => a & b, vjp: noGradient });
export const or = elementwise({ onnx: "Or", takes: bools, f: (a, b) => a | b, vjp: noGradient });
export const not = elementwise({ onnx: "Not", takes: bools, f: (a) => 1 - a, vjp: noGradient });

// Functions of one number.
export const neg = elementwise({ onnx: "Neg", takes: numbers, f: (x) => -x, vjp: (g) => [g.neg()] });
export const abs = elementwise({ onnx: "Abs", f: Math.abs, vjp: (g, _out, [x]) => [g.mul(x.sign())] });
/** -1, 0 or 1. Its gradient is zero, at 0 too, as in PyTorch. */
export const sign = elementwise({ onnx: "Sign", f: Math.sign, vjp: flat });
/** The nearest whole number, of two equally near the even one. */
export const round = elementwise({ onnx: "Round", f: nearestEven, vjp: flat });
export const exp = elementwise({ onnx: "Exp", f: Math.exp, vjp: (g, out) => [g.mul(out)] });
export const log = elementwise({ onnx: "Log", f: Math.log, vjp: (g, _out, [x]) => [g.div(x)] });
export const sqrt = elementwise({ onnx: "Sqrt", f: Math.sqrt, vjp: (g, out) => [g.div(out.add(out))] });
export const tanh = elementwise({
  onnx: "Tanh",
  f: Math.tanh,
  vjp: (g, out) => [g.sub(g.mul(out).mul(out))],
});
export const sigmoid = elementwise({
  onnx: "Sigmoid",
  f: (x) => 1 / (1 + Math.exp(-x)),
  vjp: (g, out) => [g.mul(out.sub(out.mul(out)))],
});
export const relu = elementwise({
  onnx: "Relu",
  f: (x) => Math.max(x, 0),
  vjp: (g, _out, [x]) => [g.mul(x.sign().relu())],
});
export const sin = elementwise({ onnx: "Sin", f: Math.sin, vjp: (g, _out, [x]) => [g.mul(x.cos())] });
export const cos = elementwise({ onnx: "Cos", f: Math.cos, vjp: (g, _out, [x]) => [g.mul(x.sin()).neg()] });
/** erf(x) = 2/sqrt(pi) * integral of exp(-t^2) from 0 to x. */
export const erf = elementwise({
  onnx: "Erf",
  f: errorFunction,
  vjp: (g, _out, [x]) => [g.mul(x.mul(x).neg().exp()).mul(x.constant(2 / Math.sqrt(Math.PI)))],
});

/** The gradient of what is the same all around. */
function flat(_g: Value, _out: Value, [x]: readonly Value[]): Value[] {
  return [x.constant(0).expandLike(x)];
}

function nearestEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  if (rest !== 0.5) return rest < 0.5 ? below : Math.ceil(x);
  return below % 2 === 0 ? below : below + 1;
}

/**
 * erf to double precision: the Maclaurin series for |x| < 3, the continued fraction of erfc beyond.
 * Source: Abramowitz & Stegun 7.1.6 and 7.1.14.
 */
function errorFunction(x: number): number {
  const a = Math.abs(x);
  if (a > 6) return Math.sign(x);
  if (a < 3) {
    let term = a;
    let sum = a;
    for (let n = 1; n < 120 && term > 1e-18 * sum; n++) sum += term *= (2 * a * a) / (2 * n + 1);
    return Math.sign(x) * (2 / Math.sqrt(Math.PI)) * Math.exp(-a * a) * sum;
  }
  let fraction = 0;
  for (let k = 60; k >= 1; k--) fraction = k / 2 / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / (Math.sqrt(Math.PI) * (a + fraction)));
}

/** Elements of the second input where the condition holds, of the third elsewhere. */
export const where: Op<NoAttrs> = {
  outputs: 1,
  infer([c, a, b]) {
    if (c.dtype !== "bool" || a.dtype !== b.dtype) {
      throw new ShapeError(
        `where takes a bool condition and two values of one dtype, but got ${c.dtype}, ${a.dtype} and ${b.dtype}.`,
        { asked: "where", found: [c.dtype, a.dtype, b.dtype] },
      );
    }
    return { dtype: a.dtype, ...broadcast("where", [c, a, b]) };
  },
  reference: (inputs, _attrs, out) => mapped(out, inputs, (c, a, b) => (c ? a : b)),
  onnx: (emit, inputs) =>
    emit.node(
      "Where",
      inputs.map((x) => x.name),
    ),
  vjp: (g, _out, [c, a, b]) => [null, to(g.where(c, g.constant(0)), a), to(g.where(c.not(), g.constant(0)), b)],
  along: alongBroadcast,
  rows: sameOnRows,
  scratch: false,
  ...ordinary,
};
