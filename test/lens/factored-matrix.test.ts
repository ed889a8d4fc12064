/** Factored matrices against the matrices that they stand for. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { interpret } from "../../src/engine/reference.ts";
import { FactoredMatrix } from "../../src/lens/factored-matrix.ts";
import { ArgumentError, GlassformerError, ShapeError, Tensor, WeightsError } from "../../src/node.ts";
import { ndarray, sizeOf } from "../../src/tensor/array.ts";
import { expectClose } from "../close.ts";
import { golden, goldenModel } from "../goldens.ts";

const size = fc.integer({ min: 1, max: 6 });
const leads = fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 });

/** A leaf of the given shape, with numbers in [-1, 1]. */
function leaves(shape: readonly number[]): fc.Arbitrary<Tensor> {
  const n = sizeOf(shape);
  const number = fc.integer({ min: -100, max: 100 }).map((x) => x / 100);
  return fc
    .array(number, { minLength: n, maxLength: n })
    .map((numbers) => Tensor.leaf(ndarray("float32", shape, Float32Array.from(numbers))));
}

/** Factors whose leading axes are there, of size 1, or missing, and so broadcast. */
const factored = fc
  .record({ lead: leads, l: size, k: size, r: size, drop: fc.boolean(), one: fc.boolean() })
  .chain(({ lead, l, k, r, drop, one }) => {
    const other = drop ? lead.slice(1) : one ? lead.map(() => 1) : lead;
    return fc.tuple(leaves([...lead, l, k]), leaves([...other, k, r])).map(([A, B]) => new FactoredMatrix(A, B));
  });
const square = fc
  .record({ lead: leads, n: size, k: size })
  .chain(({ lead, n, k }) => fc.tuple(leaves([...lead, n, k]), leaves([...lead, k, n])))
  .map(([A, B]) => new FactoredMatrix(A, B));

/** In float64, by the ops' definitions. */
const value = (t: Tensor) => interpret([t])[0];
/** Absolute, as the true value may be 0: numbers here are at most about 10. */
function expectNear(found: Tensor, expected: Tensor, tolerance = 1e-5) {
  const [x, y] = [value(found), value(expected)];
  expect([...x.shape]).toEqual([...y.shape]);
  const error = Math.max(0, ...Array.from(y.data, (b, i) => Math.abs(x.data[i] - b)));
  expect(error).toBeLessThan(tolerance);
}
const check = <T>(property: fc.IPropertyWithHooks<T>) => fc.assert(property, { numRuns: 60 });
const matrices = (t: Tensor) => ({ lead: t.shape.slice(0, -2), rows: t.shape.at(-2)!, cols: t.shape.at(-1)! });

describe("a factored matrix", () => {
  test("has the shape of its product", () => {
    check(
      fc.property(factored, (m) => {
        expect(m.shape).toEqual(m.AB.shape);
        expect(m.ndim).toBe(m.shape.length);
        expect([m.ldim, m.rdim, m.mdim]).toEqual([m.shape.at(-2), m.shape.at(-1), m.A.shape.at(-1)]);
        expect(m.hasLeadingDims).toBe(m.shape.length > 2);
        expect(m.pair).toEqual([m.A, m.B]);
        expectNear(m.T.AB, m.AB.transpose());
        expect(m.T.T.shape).toEqual(m.shape);
      }),
    );
  });

  test("equals the product of its singular vectors and values, from either side", () => {
    check(
      fc.property(factored, (m) => {
        const { U, S, V } = m.svd();
        const AB = m.AB;
        expectNear(U.mul(S.unsqueeze(-2)).matmul(V.transpose()), AB);
        expectNear(m.collapseR().matmul(V.transpose()), AB);
        expectNear(U.matmul(m.collapseL()), AB);
        expectNear(m.makeEven().AB, AB);
        expectNear(m.collapseR().matmul(m.collapseR().transpose()), AB.matmul(AB.transpose()));
        expectNear(m.collapseL().transpose().matmul(m.collapseL()), AB.transpose().matmul(AB));
        expectNear(m.norm(), AB.mul(AB).sum([-2, -1]).sqrt());
        const n = S.shape.at(-1)!;
        S.data.forEach((s: number, i: number) => {
          expect(s).toBeGreaterThanOrEqual(0);
          if (i % n) expect(s).toBeLessThanOrEqual(S.data[i - 1]);
        });
        expect(m.svd()).toBe(m.svd());
        expect(m.U).toBe(U);
        expect(m.V).toBe(V);
      }),
    );
  });

  test("has the eigenvalues of the small product, whose powers sum to the traces of the large one", () => {
    check(
      fc.property(square, (m) => {
        const { re, im } = m.eigenvalues;
        const k = m.mdim;
        const trace = (t: Tensor) => {
          const { rows } = matrices(t);
          const found = value(t);
          return Array.from({ length: sizeOf(t.shape) / rows ** 2 }, (_, n) => {
            let sum = 0;
            for (let i = 0; i < rows; i++) sum += found.data[n * rows * rows + i * rows + i];
            return sum;
          });
        };
        const [first, second] = [trace(m.AB), trace(m.AB.matmul(m.AB))];
        first.forEach((expected, n) => {
          let [sum, squares, imaginary] = [0, 0, 0];
          for (let i = n * k; i < (n + 1) * k; i++) {
            sum += re.data[i];
            squares += re.data[i] ** 2 - im.data[i] ** 2;
            imaginary += im.data[i];
          }
          expect(Math.abs(sum - expected)).toBeLessThan(1e-4);
          expect(Math.abs(squares - second[n])).toBeLessThan(1e-3);
          expect(Math.abs(imaginary)).toBeLessThan(1e-5);
        });
        expectNear(m.BA, m.B.matmul(m.A));
      }),
    );
  });

  test("is multiplied from either side by matrices, vectors, numbers and other factored matrices", () => {
    const withOthers = factored.chain((m) =>
      fc.tuple(fc.constant(m), size, size).chain(([, n, k]) =>
        fc.record({
          m: fc.constant(m),
          right: leaves([m.rdim, n]),
          left: leaves([n, m.ldim]),
          v: leaves([m.rdim]),
          w: leaves([m.ldim]),
          C: leaves([m.rdim, k]),
          D: leaves([k, n]),
        }),
      ),
    );
    check(
      fc.property(withOthers, ({ m, right, left, v, w, C, D }) => {
        const AB = m.AB;
        expectNear(m.matmul(right).AB, AB.matmul(right));
        expectNear(m.rmatmul(left).AB, left.matmul(AB));
        expectNear(m.matvec(v), AB.matmul(v.unsqueeze(-1)).squeeze(-1));
        expectNear(m.rmatvec(w), w.unsqueeze(-2).matmul(AB).squeeze(-2));
        const other = new FactoredMatrix(C, D);
        expectNear(m.matmul(other).AB, AB.matmul(C).matmul(D), 1e-4);
        expectNear(other.T.matmul(m.T).AB, AB.matmul(C).matmul(D).transpose(), 1e-4);
        expectNear(other.rmatmul(m).AB, AB.matmul(C).matmul(D), 1e-4);
        expectNear(m.mul(-2.5).AB, AB.mul(-2.5));
        expect(m.matmul(right).mdim).toBeLessThanOrEqual(Math.max(m.mdim, m.rdim));
      }),
    );
  });

  test("gives its parts, keeping the axes of rows and columns", () => {
    check(
      fc.property(factored, fc.nat(), (m, seed) => {
        const AB = m.AB;
        const index = m.shape.map((n, i) => (seed >> i) % n);
        const lead = m.shape.length - 2;
        // One place, one row, one column.
        const one = m.at(...index);
        expect(one.shape).toEqual([1, 1]);
        expect(value(one.AB).item()).toBeCloseTo(value(AB).get(...index), 5);
        // Lists and ranges along every axis.
        const kept = m.at(...m.shape.map((n, i) => (i % 2 ? { start: (seed >> i) % n } : [(seed >> i) % n, 0])));
        const expected = m.shape.reduce((t, n, i) => {
          const from = (seed >> i) % n;
          const list = i % 2 ? Array.from({ length: n - from }, (_, k) => from + k) : [from, 0];
          const leaf = Tensor.leaf(ndarray("int32", [list.length], Int32Array.from(list)));
          return t.gather(i, leaf);
        }, AB);
        expectNear(kept.AB, expected);
        expect(m.at(...new Array<null>(lead).fill(null), 0).shape).toEqual([...m.shape.slice(0, -2), 1, m.rdim]);
        expectNear(m.at(null).AB, AB);
        expectNear(m.unsqueeze(0).AB, AB.unsqueeze(0));
        expectNear(m.unsqueeze(lead).AB, AB.unsqueeze(lead));
        expectNear(m.getCorner(2), AB.slice(-2, 0, Math.min(2, m.ldim)).slice(-1, 0, Math.min(2, m.rdim)));
        // Parts are decomposed without a run.
        expectNear(one.norm(), one.AB.abs().sum());
      }),
    );
  });

  test("refuses what does not fit, and says why", () => {
    const leaf = (...shape: number[]) =>
      Tensor.leaf(ndarray("float32", shape, new Float32Array(sizeOf(shape)).fill(1)));
    const m = new FactoredMatrix(leaf(2, 5, 3), leaf(3, 4));
    expect(() => new FactoredMatrix(leaf(5, 3), leaf(4, 3))).toThrow(ShapeError);
    expect(() => new FactoredMatrix(leaf(5), leaf(5, 3))).toThrow(ShapeError);
    expect(() => new FactoredMatrix(leaf(2, 5, 3), leaf(3, 3, 4))).toThrow("FactoredMatrix cannot combine");
    expect(() => m.matmul(leaf(4))).toThrow("For a vector, use matvec");
    expect(() => m.rmatmul(leaf(2, 4))).toThrow("needs a matrix [..., n, 5]");
    expect(() => m.matvec(leaf(5))).toThrow("needs a vector of 4 numbers");
    expect(() => m.eigenvalues).toThrow("needs a square matrix");
    expect(() => m.BA).toThrow(ShapeError);
    expect(() => m.at(2)).toThrow("Index 2 is outside axis 0");
    expect(() => m.at(0, 0, 0, 0)).toThrow("at() got 4 indices");
    expect(() => m.unsqueeze(2)).toThrow("use 0 to 1");
  });

  test("made of values that are still to be computed says so, and can be computed", async () => {
    const g = await golden("gelu_2l");
    const model = goldenModel(g);
    const full = model.OV.matmul(model.W_U).rmatmul(model.W_E);
    expect(full.shape).toEqual([2, 4, 97, 97]);
    expect(full.mdim).toBe(8);
    expect(() => full.svd()).toThrow(GlassformerError);
    expect(() => full.S).toThrow("await matrix.compute()");
    const computed = await full.compute();
    expect(await computed.compute()).toBe(computed);
    const expected = model.W_E.matmul(model.W_V).matmul(model.W_O).matmul(model.W_U);
    const [dense, again] = await model.compute([expected, computed.AB]);
    expectClose(again, dense, 1e-5);
    const one = dense.row(1).row(2);
    expectClose(computed.at(1, 2).norm(), await one.mul(one).sum().sqrt().compute(), 1e-5);
  });
});

describe("views of weights", () => {
  test("are stacks over layers, and accessing them copies nothing", async () => {
    const g = await golden("gelu_2l");
    const model = goldenModel(g);
    const weights = g.under("weights.");
    for (const [name, view] of [
      ["attn.W_Q", model.W_Q],
      ["attn.W_K", model.W_K],
      ["attn.W_V", model.W_V],
      ["attn.W_O", model.W_O],
      ["attn.b_Q", model.b_Q],
      ["attn.b_K", model.b_K],
      ["attn.b_V", model.b_V],
      ["attn.b_O", model.b_O],
      ["mlp.W_in", model.W_in],
      ["mlp.b_in", model.b_in],
      ["mlp.W_out", model.W_out],
      ["mlp.b_out", model.b_out],
    ] as const) {
      expect(view.axes[0]).toBe("layer");
      expect(view.computed).toBe(false);
      const stack = await view.compute();
      for (const layer of [0, 1]) expectClose(stack.row(layer), weights.get(`blocks.${layer}.${name}`)!, 0);
      expect((await view.compute()).data).toBe(stack.data);
    }
    const both = await model.W_E_pos.compute();
    expect(both.shape).toEqual([97 + 32, 32]);
    expectClose(both.row(97 + 3), await model.W_pos.at({ pos: 3 }).compute(), 0);
  });

  test("QK and OV are the heads' own products, decomposed without a run", async () => {
    const g = await golden("solu_ln_2l");
    const model = goldenModel(g);
    const runs = model.engine.runs;
    const norms = model.QK.norm();
    const one = model.QK.at(1, 2);
    expect(one.norm().item()).toBeCloseTo(norms.get(1, 2), 4);
    expect(model.OV.at([0, 1], -1).eigenvalues.re.shape).toEqual([2, 8]);
    expect(model.engine.runs).toBe(runs);
    const dense = await model.W_Q.matmul(model.W_K.transpose()).compute();
    expectClose(await model.QK.AB.compute(), dense, 1e-6);
    expectClose(await one.AB.compute(), dense.row(1).row(2), 1e-5);
    const v = Tensor.leaf(
      ndarray(
        "float32",
        [32],
        Float32Array.from({ length: 32 }, (_, i) => Math.sin(i)),
      ),
      ["d_model"],
    );
    expectClose(
      await one.matvec(v).compute(),
      await dense.row(1).row(2).matmul(v.unsqueeze(-1)).squeeze(-1).compute(),
      1e-5,
    );
  });

  test("composition is only between a head and later heads, and equals the dense products", async () => {
    const g = await golden("gelu_2l");
    const model = goldenModel(g);
    expect(model.allHeadLabels()).toEqual(["L0H0", "L0H1", "L0H2", "L0H3", "L1H0", "L1H1", "L1H2", "L1H3"]);
    for (const mode of ["Q", "K", "V"] as const) {
      const scores = await model.allCompositionScores(mode).compute();
      expect(scores.axes).toEqual(["layer", "head", "to_layer", "to_head"]);
      const writer = model.OV.at(0, 3);
      const reader = mode === "Q" ? model.QK.at(1, 1) : mode === "K" ? model.QK.at(1, 1).T : model.OV.at(1, 1);
      const product = await writer.matmul(reader).compute();
      const expected = product.norm().item() / (writer.norm().item() * reader.norm().item());
      expect(scores.get(0, 3, 1, 1)).toBeCloseTo(expected, 5);
      for (const [from, to] of [
        [0, 0],
        [1, 0],
        [1, 1],
      ])
        expect(scores.get(from, 2, to, 1)).toBe(0);
    }
  });

  test("accumulated biases equal what the stream gains at every layer without inputs", async () => {
    const model = goldenModel(await golden("gelu_2l"));
    const b = (name: string) => model.weights.get(name);
    const attention = b("blocks.0.attn.b_O");
    const whole = await attention.add(b("blocks.0.mlp.b_out")).compute();
    expect([...model.accumulatedBias(0).data].every((x) => x === 0)).toBe(true);
    expectClose(model.accumulatedBias(1), whole, 1e-6);
    expectClose(model.accumulatedBias(0, { mlpInput: true }), attention, 1e-6);
    expectClose(model.accumulatedBias(1, { includeMlpBiases: false }), attention, 1e-6);
    expect(() => model.accumulatedBias(2, { mlpInput: true })).toThrow(ArgumentError);
    expect(() => model.accumulatedBias(3)).toThrow("from 0 to 2");
  });

  test("residual directions are columns of the unembedding", async () => {
    const model = goldenModel(await golden("relu_1l"));
    const W_U = model.W_U;
    const found = await model
      .tokensToResidualDirections([
        [3, 4, 5],
        [6, 7, 8],
      ])
      .compute();
    expect(found.shape).toEqual([2, 3, 32]);
    expectClose(found.row(1).row(0), await W_U.at({ d_vocab: 6 }).compute(), 0);
    expectClose(await model.tokensToResidualDirections(4).compute(), await W_U.at({ d_vocab: 4 }).compute(), 0);
    expect(() => model.tokensToResidualDirections([[1], [1, 2]])).toThrow(ShapeError);
    expect(() => model.tokensToResidualDirections(W_U)).toThrow(ShapeError);
  });

  test("a model without MLPs has none of their weights", async () => {
    const g = await golden("attn_only_2l");
    expect(() => goldenModel(g).W_in).toThrow(WeightsError);
  });
});
