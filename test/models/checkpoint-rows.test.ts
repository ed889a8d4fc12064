/** Large matrices are laid out some rows of the file's array at a time: wherever the pieces end, each number is in its place. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { linear } from "../../src/models/families/checkpoint.ts";

/** A weight's axes, and where in the file's matrix [out in] the number at given indices is. */
const WEIGHTS = {
  queries: { axes: ["head", "d_model", "d_head"], row: ["head", "d_head"], col: ["d_model"] },
  outputs: { axes: ["head", "d_head", "d_model"], row: ["d_model"], col: ["head", "d_head"] },
  neurons: { axes: ["d_model", "d_mlp"], row: ["d_mlp"], col: ["d_model"] },
};

test.each(Object.entries(WEIGHTS))("of %s", (_what, { axes, row, col }) => {
  const size = fc.integer({ min: 1, max: 40 });
  const sizes = fc.record({ head: fc.integer({ min: 1, max: 4 }), d_head: size, d_model: size, d_mlp: size });
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 50 }), (of: Record<string, number>, step) => {
      const shape = axes.map((axis) => of[axis]);
      const spec = { name: "W", axes, shape, init: "drawn" } as const;
      const { shape: stored, readRows } = linear("x");
      const [rows, cols] = stored(spec);
      const file = Float32Array.from({ length: rows * cols }, (_, i) => i);
      const into = new Float32Array(file.length).fill(-1);
      for (let first = 0; first < rows; first += step) {
        readRows!(file.subarray(first * cols, Math.min(first + step, rows) * cols), first, into, spec);
      }
      const flat = (names: readonly string[], at: Record<string, number>) =>
        names.reduce((sum, axis) => sum * of[axis] + at[axis], 0);
      for (let i = 0; i < into.length; i++) {
        const at: Record<string, number> = {};
        let rest = i;
        for (const axis of axes.toReversed()) {
          at[axis] = rest % of[axis];
          rest = Math.floor(rest / of[axis]);
        }
        expect(into[i]).toBe(file[flat(row, at) * cols + flat(col, at)]);
      }
    }),
    { numRuns: 40 },
  );
});
