/** Matrix products: `matmul` on the last two axes, `einsum` on any. */
import { sizeOf, stridesOf } from "../../tensor/array.ts";
import { ArgumentError, ShapeError } from "../../tensor/errors.ts";
import { broadcast, type Meta, showShape } from "../axes.ts";
import { float, offsets, strided } from "../kernels.ts";
import { type NoAttrs, no, type Op } from "../op.ts";
import { alongBroadcast } from "./elementwise.ts";
import { rowsWhere } from "./rows.ts";

/** `[..., i, k] x [..., k, j] -> [..., i, j]`; the leading axes broadcast. */
export const matmul: Op<NoAttrs> = {
  outputs: 1,
  infer([a, b]) {
    const inner = a.shape[a.shape.length - 1];
    if (a.shape.length < 2 || b.shape.length < 2 || inner !== b.shape[b.shape.length - 2]) {
      throw new ShapeError(
        `matmul of ${showShape(a)} with ${showShape(b)}: the last axis of the first (${inner}) must be as long as the second to last of the second (${b.shape[b.shape.length - 2] ?? "none"}).`,
        { asked: a.shape, found: b.shape },
      );
    }
    const lead = broadcast("matmul", [leading(a), leading(b)]);
    return {
      dtype: a.dtype,
      shape: [...lead.shape, a.shape[a.shape.length - 2], b.shape[b.shape.length - 1]],
      axes: [...lead.axes, a.axes[a.axes.length - 2], b.axes[b.axes.length - 1]],
    };
  },
  reference([a, b], _attrs, out) {
    const lead = out.shape.slice(0, -2);
    const [rows, columns] = out.shape.slice(-2);
    const inner = a.shape[a.shape.length - 1];
    const corner = (x: typeof a) => ({
      ...x,
      shape: x.shape.slice(0, -2),
    });
    const atA = offsets(corner(a), lead);
    const atB = offsets(corner(b), lead);
    const result = float(out.shape);
    for (let n = 0; n < atA.length; n++) {
      const pa = atA[n] * rows * inner;
      const pb = atB[n] * inner * columns;
      const po = n * rows * columns;
      for (let i = 0; i < rows; i++) {
        for (let k = 0; k < inner; k++) {
          const x = a.data[pa + i * inner + k];
          for (let j = 0; j < columns; j++) result.data[po + i * columns + j] += x * b.data[pb + k * columns + j];
        }
      }
    }
    return result;
  },
  onnx: (emit, [a, b]) => emit.node("MatMul", [a.name, b.name]),
  vjp: (g, _out, [a, b]) => [
    g.matmul(b.transpose(-1, -2)).sumTo(a),
    // A weight shared by all leading axes: one product over all rows, not a product each and a sum.
    b.shape.length === 2
      ? a
          .mergeAxes(0, a.shape.length - 1)
          .transpose(0, 1)
          .matmul(g.mergeAxes(0, g.shape.length - 1))
      : a.transpose(-1, -2).matmul(g).sumTo(b),
  ],
  along(axis, [a, b], attrs, out) {
    const rank = out.shape.length;
    if (axis === rank - 2) return [a.shape.length - 2, null];
    if (axis === rank - 1) return [null, b.shape.length - 1];
    return alongBroadcast(axis, [a, b], attrs, out);
  },
  rows: (lead, inputs, attrs) => rowsWhere(lead, inputs, attrs, (x, i) => i === 1 && x.shape.length === 2),
  selection: no,
  view: no,
  layout: null,
  scratch: false,
  names: {},
  phrase: no,
};

function leading(m: Meta): Meta {
  return { dtype: m.dtype, shape: m.shape.slice(0, -2), axes: m.axes.slice(0, -2) };
}

/**
 * `"bqhe,bkhe->bhqk"`: a letter per axis, the last axes of each input; letters missing from the result are summed over.
 * Axes in front of the lettered ones broadcast.
 */
export const einsum: Op<{ readonly equation: string }> = {
  outputs: 1,
  infer(inputs, { equation }) {
    const { terms, result } = parse(equation, inputs);
    const sizes = new Map<string, { size: number; axis: string }>();
    terms.forEach((term, k) => {
      const lead = inputs[k].shape.length - term.length;
      [...term].forEach((letter, i) => {
        const size = inputs[k].shape[lead + i];
        const known = sizes.get(letter);
        if (known && known.size !== size) {
          throw new ShapeError(
            `einsum "${equation}" of ${inputs.map(showShape).join(" with ")}: axis ${letter} is ${known.size} in one and ${size} in another.`,
            { asked: equation, found: inputs.map((m) => m.shape) },
          );
        }
        sizes.set(letter, { size, axis: known?.axis || inputs[k].axes[lead + i] });
      });
    });
    const lead = broadcast(
      "einsum",
      inputs.map((m, k) => front(m, terms[k].length)),
    );
    const pick = [...result].map((letter) => sizes.get(letter)!);
    return {
      dtype: inputs[0].dtype,
      shape: [...lead.shape, ...pick.map((p) => p.size)],
      axes: [...lead.axes, ...pick.map((p) => p.axis)],
    };
  },
  reference(inputs, { equation }, out) {
    const { terms, result } = parse(equation, inputs);
    const summed = [...new Set(terms.join(""))].filter((l) => !result.includes(l));
    const size = (letter: string) => {
      const k = terms.findIndex((t) => t.includes(letter));
      return inputs[k].shape[inputs[k].shape.length - terms[k].length + terms[k].indexOf(letter)];
    };
    const walk = (k: number, letters: readonly string[]) => {
      const own = stridesOf(inputs[k].shape).slice(inputs[k].shape.length - terms[k].length);
      const stride = (l: string) => [...terms[k]].reduce((s, letter, i) => s + (letter === l ? own[i] : 0), 0);
      return strided(letters.map(size), letters.map(stride));
    };
    const leadShape = out.shape.slice(0, out.shape.length - result.length);
    const lead = inputs.map((x, k) => {
      const behind = sizeOf(x.shape.slice(x.shape.length - terms[k].length));
      return offsets({ ...x, shape: x.shape.slice(0, x.shape.length - terms[k].length) }, leadShape).map(
        (i) => i * behind,
      );
    });
    const outer = inputs.map((_, k) => walk(k, [...result]));
    const inner = inputs.map((_, k) => walk(k, summed));
    const steps = sizeOf(summed.map(size));
    const data = new Float64Array(sizeOf(out.shape));
    const each = outer[0].length;
    for (let i = 0; i < data.length; i++) {
      const [n, at] = [Math.floor(i / each), i % each];
      for (let j = 0; j < steps; j++) {
        let product = 1;
        for (let k = 0; k < inputs.length; k++) product *= inputs[k].data[lead[k][n] + outer[k][at] + inner[k][j]];
        data[i] += product;
      }
    }
    return float(out.shape, data);
  },
  onnx(emit, inputs, { equation }) {
    const [left, result] = equation.split("->");
    const terms = left.split(",");
    // Axes in front get letters of their own, the same from the right for all inputs.
    const spare = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"].filter((letter) => !left.includes(letter));
    const leads = inputs.map((x, k) => x.rank - terms[k].length);
    const lead = (count: number) => spare.slice(0, count).reverse().join("");
    const lifted = terms.map((term, k) => lead(leads[k]) + term).join();
    return emit.node(
      "Einsum",
      inputs.map((x) => x.name),
      { equation: `${lifted}->${lead(Math.max(...leads))}${result}` },
    );
  },
  vjp(g, _out, inputs, { equation }) {
    const { terms, result } = parse(equation, inputs);
    return inputs.map((x, k) => {
      const others = inputs.filter((_, i) => i !== k);
      const otherTerms = terms.filter((_, i) => i !== k);
      // Letters that only this input has were summed over alone: the gradient is the same along them.
      const present = [...terms[k]].filter((l) => result.includes(l) || otherTerms.some((t) => t.includes(l)));
      const partial = g.einsum(`${[result, ...otherTerms].join(",")}->${present.join("")}`, ...others);
      // From the right, as an axis is counted from the end.
      const full = [...terms[k]].reduceRight(
        (t, letter, i) =>
          present.includes(letter) ? t : t.unsqueeze(i - terms[k].length, x.axes.at(i - terms[k].length)),
        partial,
      );
      return full.sumTo(x);
    });
  },
  along(axis, inputs, { equation }, out) {
    const { terms, result } = parse(equation, inputs);
    const lead = out.shape.length - result.length;
    if (axis < lead) {
      const fronts = inputs.map((m, k) => front(m, terms[k].length));
      return alongBroadcast(axis, fronts, {}, front(out, result.length));
    }
    return terms.map((term, k) => {
      const i = term.indexOf(result[axis - lead]);
      return i < 0 ? null : inputs[k].shape.length - term.length + i;
    });
  },
  rows(lead, inputs, attrs, out) {
    const { terms, result } = parse(attrs.equation, inputs);
    const left = out.shape.length - result.length - lead.length;
    return left < 0 ? null : rowsWhere(lead, inputs, attrs, (x, i) => x.shape.length - terms[i].length <= left);
  },
  selection: no,
  view: no,
  layout: null,
  scratch: true,
  names: {},
  phrase: no,
};

/** The axes in front of the last `count`. */
function front(m: Meta, count: number): Meta {
  const lead = m.shape.length - count;
  return { dtype: m.dtype, shape: m.shape.slice(0, lead), axes: m.axes.slice(0, lead) };
}

function parse(
  equation: string,
  inputs: readonly { readonly shape: readonly number[] }[],
): { terms: string[]; result: string } {
  const [left, result] = equation.split("->");
  const terms = left.split(",");
  const letters = new Set(left);
  const repeated = (t: string) => new Set(t).size !== t.length;
  if (
    result === undefined ||
    terms.length !== inputs.length ||
    !terms.every((t, k) => /^[a-zA-Z]*$/.test(t) && t.length <= inputs[k].shape.length && !repeated(t)) ||
    ![...result].every((l) => letters.has(l)) ||
    repeated(result)
  ) {
    throw new ArgumentError(
      `einsum "${equation}" does not fit shapes ${inputs.map((m) => `[${m.shape}]`).join(" with ")}: it needs one letter per axis of each, no letter twice in one, and "->" with letters among them, as in "bqhe,bkhe->bhqk".`,
      { asked: equation, found: inputs.map((m) => m.shape) },
    );
  }
  return { terms, result };
}
