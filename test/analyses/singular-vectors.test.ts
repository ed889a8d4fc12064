import { describe, expect, it } from "vitest";
import { singularVectors } from "../../src/analyses/singular-vectors.ts";
import type { SingularVectorsOf } from "../../src/measures/singular-vectors/get-singular-vectors.ts";
import { measureSingularVectors } from "../../src/measures/singular-vectors.ts";
import { getSingularVectors, HookedTransformer } from "../../src/node.ts";
import { drawn } from "../../src/report/views/picture-of.ts";
import { golden, goldenModel } from "../goldens.ts";
import { command, widest } from "./command.ts";

const load = () => HookedTransformer.fromPretrained("solu-1l-novels");

/** The rows of M, [rows][d_model], by definition, in float64. */
function rowsOf(model: HookedTransformer, of: SingularVectorsOf, layer: number, head: number): number[][] {
  const { dModel, dHead, dMlp } = model.cfg;
  const weight = (name: string) => model.weights.get(`blocks.${layer}.${name}`);
  const range = (n: number) => Array.from({ length: n }, (_, i) => i);
  if (of === "w_out") return range(dMlp!).map((n) => range(dModel).map((i) => weight("mlp.W_out").get(n, i)));
  if (of === "w_in") {
    const norm = model.weights.find(`blocks.${layer}.ln2.w`);
    return range(dMlp!).map((n) => range(dModel).map((i) => weight("mlp.W_in").get(i, n) * (norm?.get(i) ?? 1)));
  }
  const [V, O] = [weight("attn.W_V"), weight("attn.W_O")];
  return range(dModel).map((i) =>
    range(dModel).map((j) => range(dHead).reduce((sum, e) => sum + V.get(head, i, e) * O.get(head, e, j), 0)),
  );
}

describe("getSingularVectors", () => {
  it.each([
    ["OV", 1],
    ["w_in", 0],
    ["w_out", 1],
  ] as const)("gives the right singular vectors of %s in layer %i, and their tokens", async (of, layer) => {
    const model = goldenModel(await golden("gelu_2l"));
    const head = 1;
    const found = await getSingularVectors(model, of, layer, { numVectors: 4, ...(of === "OV" ? { head } : {}) });
    const rows = rowsOf(model, of, layer, head);
    const { dModel, dVocab } = model.cfg;
    const vectors = Array.from({ length: 4 }, (_, v) => Array.from(found.vectors.row(v).data));
    const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i], 0);
    const squares = rows.reduce((sum, row) => sum + dot(row, row), 0);
    expect(found.singularValues.reduce((sum, s) => sum + s * s, 0)).toBeCloseTo(squares, 2);
    vectors.forEach((v, i) => {
      // MᵀM v = s² v, with vectors of length 1 at right angles.
      const image = rows.map((row) => dot(row, v));
      const back = Array.from({ length: dModel }, (_, j) => image.reduce((sum, x, r) => sum + x * rows[r][j], 0));
      const s = found.singularValues[i];
      back.forEach((x, j) => {
        expect(Math.abs(x - s * s * v[j])).toBeLessThan(1e-4 * s * s);
      });
      vectors.forEach((w, k) => {
        expect(dot(v, w)).toBeCloseTo(i === k ? 1 : 0, 4);
      });
      for (let t = 0; t < dVocab; t++) {
        let logit = 0;
        for (let j = 0; j < dModel; j++) logit += v[j] * model.W_U.get(j, t);
        expect(found.logits.get(i, t)).toBeCloseTo(logit, 4);
      }
    });
    expect(found.singularValues.slice().sort((a, b) => b - a)).toEqual(found.singularValues);
  });

  it("refuses a missing or superfluous head, an unknown matrix, layer or number", async () => {
    const model = await load();
    await expect(getSingularVectors(model, "OV", 0)).rejects.toThrow("needs a head from 0 to 3, but got none");
    await expect(getSingularVectors(model, "OV", 0, { head: 4 })).rejects.toThrow("but got 4");
    await expect(getSingularVectors(model, "OV", 0, { head: 0, numVectors: 65 })).rejects.toThrow("from 1 to 64");
    await expect(getSingularVectors(model, "w_out", 1)).rejects.toThrow("There is no layer 1");
    await expect(getSingularVectors(model, "QK" as never, 0)).rejects.toThrow('not of "QK"');
    const attnOnly = goldenModel(await golden("attn_only_2l"));
    await expect(getSingularVectors(attnOnly, "w_in", 0)).rejects.toThrow("has no w_in");
    await expect(singularVectors(model, { of: "w_out", head: 1 })).rejects.toThrow("has no heads");
  });
});

describe("measureSingularVectors", () => {
  it("names the tokens at both ends of each vector, and says what share of the squared norm the vectors have", async () => {
    const model = goldenModel(await golden("gelu_2l"));
    const asked = { of: "w_out", layer: 0 } as const;
    const { rows, tokens, vectors, share } = await measureSingularVectors(model, { ...asked, vectors: 3, top: 2 });
    const { logits } = await getSingularVectors(model, "w_out", 0, { numVectors: 3 });
    expect([vectors, tokens.length]).toEqual([3, 6]);
    for (const { vector, place, one_logits, other_logits } of tokens) {
      const sorted = Array.from(logits.row(vector).data).sort((a, b) => b - a);
      expect([one_logits, other_logits]).toEqual([sorted[place], sorted.at(-1 - place)]);
    }
    const squares = rows.map(({ singular_value }) => singular_value ** 2);
    const sum = (some: readonly number[]) => some.reduce((a, b) => a + b, 0);
    expect(share).toBeCloseTo(sum(squares.slice(0, 3)) / sum(squares), 10);
  });
});

describe("glassformer singular-vectors", () => {
  it("compares with a random matrix of the same norm, and is the same for the same seed", async () => {
    const model = goldenModel(await golden("gelu_2l"));
    const made = await singularVectors(model, { of: "w_out", layer: 0, vectors: 3, top: 2 });
    expect(await singularVectors(model, { of: "w_out", layer: 0, vectors: 3, top: 2 })).toEqual(made);
    const line = drawn(made).pictures.find((p) => p.name === "values");
    if (line?.kind !== "line") throw new Error("no line of singular values");
    const [own, chance] = line.series.map(({ y }) => Math.hypot(...(y as number[])));
    expect(chance).toBeCloseTo(own, 4);
    expect(made.baselines[0].value).toBe(line.series[1].y[0]);
  });

  it("runs without arguments, at 80 columns", async () => {
    const { stdout } = await command("singular-vectors");
    expect(stdout).toContain("L0H0's W_V W_O");
    expect(widest(stdout)).toBeLessThanOrEqual(80);
    await expect(command("singular-vectors", "--of", "QK")).rejects.toThrow("Allowed choices are OV, w_in, w_out");
  });
});
