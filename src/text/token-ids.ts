/** Token ids from callers: one row or several, with every id checked before any becomes an int32. */
import type { NDArray } from "../tensor/array.ts";
import { InputError, ShapeError } from "../tensor/errors.ts";
import { kindOf, shown } from "../tensor/show.ts";

/** The token ids of one prompt. */
export type TokenIds = readonly number[] | Int32Array;
/** Token ids in any of the forms that the methods accept: [pos] or [batch, pos]. */
export type Tokens = TokenIds | readonly TokenIds[] | NDArray<"int32">;

/** Rows of ids, and whether they came as one row [pos] rather than as a batch of rows. */
export interface IdRows {
  readonly rows: readonly ArrayLike<number>[];
  readonly single: boolean;
}

/**
 * The rows of tokens [pos] or [batch, pos].
 * @throws InputError for anything but lists of whole numbers, or an id that is not below `vocabulary`; ShapeError for an
 * array with a different rank or dtype
 */
export function idRows(tokens: unknown, vocabulary = 2 ** 31): IdRows {
  const found = isList(tokens) ? ofLists(tokens) : ofArray(tokens);
  found.rows.forEach((row, r) => {
    for (let p = 0; p < row.length; p++) checkId(row[p], vocabulary, found.rows.length > 1 ? `prompt ${r}, ` : "", p);
  });
  return found;
}

/** @throws InputError unless it is a whole number from 0 to below the vocabulary's size */
export function checkId(id: unknown, vocabulary = 2 ** 31, where = "", position?: number): asserts id is number {
  if (typeof id === "number" && id >= 0 && id < vocabulary && Number.isInteger(id)) return;
  const at = position === undefined ? "" : ` (${where}position ${position})`;
  if (typeof id !== "number" || !Number.isInteger(id)) {
    throw new InputError(`Token ids must be whole numbers, not ${shown(id)}${at}.`, { asked: id });
  }
  throw new InputError(
    vocabulary === 2 ** 31
      ? `Token ids go from 0 to ${vocabulary - 1}, so ${id}${at} is not one.`
      : `Token id ${id}${at} is outside the vocabulary of ${vocabulary}.`,
    { asked: id, found: vocabulary },
  );
}

function ofLists(list: ArrayLike<unknown>): IdRows {
  if (!(list.length > 0 && isList(list[0]))) return { rows: [list as ArrayLike<number>], single: true };
  const rows: ArrayLike<number>[] = [];
  for (let r = 0; r < list.length; r++) {
    const row = list[r];
    if (!isList(row)) {
      throw new InputError(`Row ${r} of the tokens is ${kindOf(row)}, not a list of ids like row 0.`, { asked: row });
    }
    rows.push(row as ArrayLike<number>);
  }
  return { rows, single: false };
}

function ofArray(tokens: unknown): IdRows {
  const { dtype, shape, data } = (typeof tokens === "object" && tokens !== null ? tokens : {}) as Partial<NDArray>;
  if (!Array.isArray(shape) || !isList(data)) {
    throw new InputError(`Tokens must be a list of ids, a list of such rows, or int32 values, not ${shown(tokens)}.`, {
      asked: tokens,
    });
  }
  if (dtype !== "int32" || !(data instanceof Int32Array) || (shape.length !== 1 && shape.length !== 2)) {
    throw new ShapeError(`Tokens must be int32 [pos] or [batch, pos], not ${shown(dtype)} [${shape.join(", ")}].`, {
      asked: "int32",
      found: shape,
    });
  }
  if (data.length !== shape.reduce((n, size) => n * size, 1)) {
    throw new ShapeError(`Tokens of shape [${shape.join(", ")}] cannot have ${data.length} ids.`, {
      asked: shape,
      found: data.length,
    });
  }
  if (shape.length === 1) return { rows: [data], single: true };
  const [batch, pos] = shape;
  return { rows: Array.from({ length: batch }, (_, i) => data.subarray(i * pos, (i + 1) * pos)), single: false };
}

/** A list or a typed array of ids. */
function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}
