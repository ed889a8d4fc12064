/** Rows of tokens that are not trained on. */
import { type NDArray, ndarray } from "../../tensor/array.ts";
import { ArgumentError, ShapeError } from "../../tensor/errors.ts";
import { shown } from "../../tensor/show.ts";

/**
 * Rows to train on, and the last share of them, held out: `undefined` if that would be less than one row.
 * @throws ArgumentError unless the share is at least 0 and less than 1.
 */
export function holdOut(
  rows: NDArray<"int32">,
  share: number,
): { readonly rows: NDArray<"int32">; readonly heldOut: NDArray<"int32"> | undefined } {
  checkRows(rows);
  if (!(typeof share === "number" && share >= 0 && share < 1)) {
    throw new ArgumentError(`The share to hold out must be at least 0 and less than 1, not ${shown(share)}.`, {
      asked: share,
    });
  }
  const [count] = rows.shape;
  const last = Math.floor(count * share + 1e-9); // 100 · 0.29 is 28.999…
  if (last === 0) return { rows, heldOut: undefined };
  return { rows: taken(rows, range(0, count - last)), heldOut: taken(rows, range(count - last, count)) };
}

/** @throws ShapeError for anything but int32 [row pos] */
export function checkRows(rows: NDArray<"int32">): void {
  const { shape, data, dtype } = (rows ?? {}) as Partial<NDArray>;
  const fits = Array.isArray(shape) && shape.length === 2 && data?.length === shape[0] * shape[1];
  if (fits && dtype === "int32" && data instanceof Int32Array) return;
  throw new ShapeError(`Rows of tokens must be an NDArray, int32 [row pos], not ${shown(rows)}.`, {
    asked: "[row pos]",
    found: shape,
  });
}

/** At most this many of the rows, evenly spaced. */
export function spreadRows(rows: NDArray<"int32">, most: number): NDArray<"int32"> {
  const [count] = rows.shape;
  if (count <= most) return rows;
  return taken(
    rows,
    range(0, most).map((i) => Math.floor((i * count) / most)),
  );
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

function taken({ shape: [, pos], data }: NDArray<"int32">, which: readonly number[]): NDArray<"int32"> {
  const ids = new Int32Array(which.length * pos);
  which.forEach((row, i) => {
    ids.set(data.subarray(row * pos, (row + 1) * pos), i * pos);
  });
  return ndarray("int32", [which.length, pos], ids);
}
