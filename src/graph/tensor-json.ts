/** A value as JSON: numbers in nested lists, with what they are. */
import type { NDArray } from "../tensor/array.ts";
import { GlassformerError } from "../tensor/errors.ts";
import { type Meta, showShape } from "./axes.ts";
import { nested } from "./places.ts";

/** What `JSON.stringify` writes of a tensor. */
export interface TensorJson {
  /** A weight's name, or the hook name of a point. */
  readonly name?: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly axes: readonly string[];
  /** Nested lists; what JSON has no number for is "NaN", "Infinity" or "-Infinity". */
  readonly values: unknown;
}

/** @throws GlassformerError if the numbers have not been computed */
export function jsonOf(
  x: Meta & { readonly array: NDArray | undefined; readonly label: string | undefined },
): TensorJson {
  if (!x.array) {
    throw new GlassformerError(
      `JSON has numbers, and this value ${showShape(x)} has not been computed: \`await x.compute()\` returns it with its numbers.`,
      { asked: "toJSON" },
    );
  }
  const written = (v: unknown): unknown => {
    if (Array.isArray(v)) return v.map(written);
    if (x.dtype === "bool") return v === 1;
    return Number.isFinite(v) ? v : `${v}`;
  };
  const { dtype, shape, axes } = x;
  return { ...(x.label ? { name: x.label } : {}), dtype, shape, axes, values: written(nested(shape, x.array.data)) };
}
