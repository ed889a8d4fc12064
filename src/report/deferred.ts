/** Pictures of tensors: their axes' names become labels, and what is not computed yet is computed when the picture is drawn. */
import type { IndexAxis, PictureSpec } from "../finding/picture.ts";
import { evaluate } from "../graph/evaluate.ts";
import { Tensor } from "../graph/tensor.ts";
import { ndarray } from "../tensor/array.ts";
import { type Picture, picture, pictureLater } from "./picture.ts";

/**
 * The picture that `make` describes of `values`: numbers, tensors, or lists and records of them. Where a tensor is not computed, `make` is
 * called with zeros of its shape, so that what does not fit is refused now, and again with its numbers when the picture is drawn.
 */
export function pictureOf<T>(values: T, make: (values: T) => PictureSpec): Picture {
  const waiting = new Set<Tensor>();
  const zeros = replaced(values, (x) => {
    if (x.computed) return x;
    waiting.add(x);
    return Tensor.leaf(ndarray("float32", x.shape, new Float32Array(x.shape.reduce((a, b) => a * b, 1))), x.axes);
  });
  const expected = make(zeros);
  if (waiting.size === 0) return picture(expected);
  const tensors = [...waiting];
  return pictureLater(expected, async () => {
    const computed = await evaluate(tensors, {});
    return make(replaced(values, (x) => computed[tensors.indexOf(x)] ?? x));
  });
}

/** The values with each tensor replaced, in lists and records of them, too. */
function replaced<T>(values: T, by: (x: Tensor) => Tensor): T {
  if (values instanceof Tensor) return by(values) as T;
  if (typeof values !== "object" || values === null || ArrayBuffer.isView(values)) return values;
  if (Array.isArray(values)) {
    const some = values.some((value) => typeof value === "object" && value !== null);
    return some ? (values.map((value) => replaced(value, by)) as T) : values;
  }
  if ("shape" in values) return values;
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, replaced(value, by)])) as T;
}

/** The names of the last `keep` axes of a tensor; like its numbers, without axes of size 1 if there are more. Nothing for other numbers. */
export function axisNames(values: unknown, keep: number): (string | undefined)[] {
  if (!(values instanceof Tensor)) return [];
  const all = values.shape.map((size, i) => ({ size, name: values.axes[i] || undefined }));
  const axes = all.length <= keep ? all : all.filter(({ size }) => size !== 1);
  return axes.slice(-keep).map(({ name }) => name);
}

/** An axis with the tensor's own name as its label, unless it has one. */
export function labelled<A extends IndexAxis>(axis: string | A | undefined, name: string | undefined): A | undefined {
  if (typeof axis === "string") return { label: axis } as A;
  if (name === undefined) return axis;
  return { label: name, ...axis } as A;
}

/** The name that the rows' only axis has in all of them. */
export function commonName(values: unknown): string | undefined {
  const rows = values instanceof Tensor || typeof values !== "object" ? [values] : Object.values(values ?? {});
  const names = new Set(rows.map((row) => axisNames(row, 1)[0]));
  return names.size === 1 ? [...names][0] : undefined;
}
