/** Numbers that are kept in fewer bits. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ndarray } from "../../src/tensor/array.ts";
import { bytesOf, KEPT_DTYPES, type KeptArray, keep, keptSize } from "../../src/tensor/kept.ts";

const narrow = KEPT_DTYPES.filter((dtype) => dtype !== "float32");
/** A matrix [pre k post] of random numbers. */
const matrix = fc
  .record({
    pre: fc.integer({ min: 1, max: 3 }),
    k: fc.integer({ min: 1, max: 70 }),
    post: fc.integer({ min: 1, max: 4 }),
  })
  .chain((layout) => {
    const size = layout.pre * layout.k * layout.post;
    const number = fc.float({ min: -4, max: 4, noNaN: true }).map((x) => (Math.abs(x) < 1e-30 ? 0 : x));
    return fc
      .array(number, { minLength: size, maxLength: size })
      .map((data) => ({ layout, data: Float32Array.from(data) }));
  });

describe.each(narrow)("%s", (dtype) => {
  const kept = ({
    layout,
    data,
  }: {
    layout: KeptArray["kept"] | { pre: number; k: number; post: number };
    data: Float32Array;
  }) => keep(ndarray("float32", [layout.pre, layout.k, layout.post], data), layout, dtype);

  test("differs from each number by at most half of a step", () => {
    fc.assert(
      fc.property(matrix, ({ layout, data }) => {
        const { k, post } = layout;
        const found = kept({ layout, data }).data;
        data.forEach((x, i) => {
          let step = dtype === "float16" ? Math.max(Math.abs(x) * 2 ** -10, 2 ** -24) : Math.abs(x) * 2 ** -7 + 1e-38;
          if (dtype.startsWith("int")) {
            // The largest magnitude among the 32 numbers of its block, along k.
            const at = Math.floor(i / post) % k;
            const first = i - at * post;
            const from = Math.floor(at / 32) * 32;
            let largest = 0;
            for (let j = from; j < Math.min(from + 32, k); j++)
              largest = Math.max(largest, Math.abs(data[first + j * post]));
            step = largest / (dtype === "int8" ? 128 : 8);
            // The positive end has one step less, so that a number there may be off by a whole one.
            if (Math.abs(x) > largest - step) step *= 2;
          }
          expect(Math.abs(found[i] - x)).toBeLessThanOrEqual(step / 2 + 1e-6);
        });
      }),
      { numRuns: 40 },
    );
  });

  test("is kept the same when it is read and kept again, in as many bytes as announced", () => {
    fc.assert(
      fc.property(matrix, ({ layout, data }) => {
        const once = kept({ layout, data });
        const twice = kept({ layout, data: once.data });
        // -0 is 0 with a negative scale.
        expect(twice.data.map((x) => x + 0)).toEqual(once.data.map((x) => x + 0));
        expect(bytesOf(once)).toBe(keptSize(dtype, layout.pre * layout.post, layout.k));
      }),
      { numRuns: 40 },
    );
  });
});
