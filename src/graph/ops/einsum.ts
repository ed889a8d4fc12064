/** Sums of products over any axes. */
import { sizeOf, stridesOf } from "../../tensor/array.ts";
import { ArgumentError, ShapeError } from "../../tensor/errors.ts";
import { broadcast, type Meta, showShape } from "../axes.ts";
import { float, offsets, strided } from "../kernels.ts";
import { type Op, ordinary } from "../op.ts";
import { alongBroadcast } from "./elementwise.ts";
import { rowsWhere } from "./rows.ts";

/**
 * `"bqhe,bkhe->bhqk"`: a letter per axis, the last axes of each input; letters missing from the result are summed over.
 * Axes in front of the lettered ones broadcast.
 */
export const einsum: Op<{ readonly equation: string }> = {
  outputs: 1,
  infer(inputs, { equation }) {
    const { terms, result } = parseEinsum(equation, inputs);
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
    const { terms, result } = parseEinsum(equation, inputs);
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
    const whole = withFront(
      { terms: left.split(","), result },
      inputs.map((x) => x.rank),
    );
    // What only one input has is summed first: onnxruntime's WebGPU leaves it out of the sum.
    const summed = inputs.map((x, k) => {
      const term = whole.terms[k];
      const alone = (letter: string) => !whole.result.includes(letter) && lacking(whole.terms, k, letter);
      const axes = [...term].flatMap((letter, i) => (alone(letter) && term.indexOf(letter) === i ? [i] : []));
      if (axes.length === 0 || new Set(term).size < term.length) return { name: x.name, term };
      const name = emit.node("ReduceSum", [x.name, emit.int64(axes)], { keepdims: 0 });
      return { name, term: [...term].filter((letter) => !alone(letter)).join("") };
    });
    return emit.node(
      "Einsum",
      summed.map(({ name }) => name),
      { equation: `${summed.map(({ term }) => term).join()}->${whole.result}` },
    );
  },
  vjp(g, out, inputs, { equation }) {
    const plain = parseEinsum(equation, inputs);
    const whole = withFront(
      plain,
      inputs.map((x) => x.shape.length),
    );
    return inputs.map((x, k) => {
      // A weight lacks the axes in front: its gradient is summed over them within the product, not after it.
      const lacks = x.shape.length - plain.terms[k].length < out.shape.length - plain.result.length;
      const { terms, result } = lacks && !broadcasts(whole, inputs, out) ? whole : plain;
      const others = inputs.filter((_, i) => i !== k);
      const otherTerms = terms.filter((_, i) => i !== k);
      // Letters that only this input has were summed over: the gradient is the same along them.
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
    const { terms, result } = parseEinsum(equation, inputs);
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
    const { terms, result } = parseEinsum(attrs.equation, inputs);
    const left = out.shape.length - result.length - lead.length;
    return left < 0 ? null : rowsWhere(lead, inputs, attrs, (x, i) => x.shape.length - terms[i].length <= left);
  },
  scratch: true,
  ...ordinary,
};

/** Whether no other term has a letter. */
const lacking = (terms: readonly string[], k: number, letter: string): boolean =>
  terms.every((term, i) => i === k || !term.includes(letter));

/** The axes in front of the last `count`. */
function front(m: Meta, count: number): Meta {
  const lead = m.shape.length - count;
  return { dtype: m.dtype, shape: m.shape.slice(0, lead), axes: m.axes.slice(0, lead) };
}

/** One letter an axis, the last axes of each input, and those of the result. */
export interface Equation {
  readonly terms: readonly string[];
  readonly result: string;
}

/** The equation with a letter for each axis in front too, the same from the right for all inputs of these ranks. */
export function withFront({ terms, result }: Equation, ranks: readonly number[]): Equation {
  const known = terms.join("");
  const spare = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"].filter((letter) => !known.includes(letter));
  const letters = (count: number) => spare.slice(0, count).reverse().join("");
  const counts = ranks.map((rank, k) => rank - terms[k].length);
  return {
    terms: terms.map((term, k) => letters(counts[k]) + term),
    result: letters(Math.max(...counts)) + result,
  };
}

/** The equation of an einsum, with a letter for each axis of each input. */
export function equationOf(inputs: readonly Meta[], { equation }: { readonly equation: string }): Equation {
  return withFront(
    parseEinsum(equation, inputs),
    inputs.map((x) => x.shape.length),
  );
}

/** Whether an input of an equation with letters for all axes is repeated along one: no letter can say so. */
function broadcasts({ terms, result }: Equation, inputs: readonly Meta[], out: Meta): boolean {
  return inputs.some((x, k) =>
    [...terms[k]].some((letter, i) => {
      const at = result.indexOf(letter);
      return at >= 0 && out.shape[at] !== x.shape[i];
    }),
  );
}

/** @throws ArgumentError for an equation that does not fit the inputs */
function parseEinsum(equation: string, inputs: readonly { readonly shape: readonly number[] }[]): Equation {
  const parsed = parsedOnce(equation);
  if (
    parsed &&
    parsed.terms.length === inputs.length &&
    parsed.terms.every((t, k) => t.length <= inputs[k].shape.length)
  ) {
    return parsed;
  }
  throw new ArgumentError(
    `einsum "${equation}" does not fit shapes ${inputs.map((m) => `[${m.shape}]`).join(" with ")}: it needs one letter per axis of each, no letter twice in one, and "->" with letters among them, as in "bqhe,bkhe->bhqk".`,
    { asked: equation, found: inputs.map((m) => m.shape) },
  );
}

/** Equations that were read: a graph asks for one again and again. */
const known = new Map<string, Equation | undefined>();
const MOST_KNOWN = 1000;

/** `undefined` for a text that is not an equation. */
function parsedOnce(equation: string): Equation | undefined {
  if (!known.has(equation)) {
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(equation, parse(equation));
  }
  return known.get(equation);
}

function parse(equation: string): Equation | undefined {
  const [left, result] = equation.split("->");
  const terms = left.split(",");
  const repeated = (t: string) => new Set(t).size !== t.length;
  const isRead = terms.every((t) => /^[a-zA-Z]*$/.test(t) && !repeated(t));
  if (result === undefined || !isRead || repeated(result)) return undefined;
  return [...result].every((letter) => terms.some((t) => t.includes(letter))) ? { terms, result } : undefined;
}
