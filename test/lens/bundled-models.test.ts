/** The bundled model with several layers: its numbers are TransformerLens', and its heads do what its README says. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { rowsOf } from "../../src/finding/table.ts";
import { bundledModels } from "../../src/load/names.ts";
import { detectHead, HookedTransformer, inductionScore } from "../../src/node.ts";
import { decodeFloat16, encodeFloat16 } from "../../src/tensor/floats.ts";

/** TransformerLens 2.18 on the same folder: the tokens of a text and the loss of each, in nats. */
const expected: { readonly text: string; readonly ids: readonly number[]; readonly loss: readonly number[] } =
  JSON.parse(readFileSync(new URL("../goldens/gelu-3l-novels.json", import.meta.url), "utf8"));
const PREVIOUS = [1, 3] as const;
const INDUCTION = [2, 2] as const;

test.each(bundledModels)("the configuration of %s lists the other files of its folder", (name) => {
  const folder = new URL(`../../models/${name}/`, import.meta.url);
  const { files } = JSON.parse(readFileSync(new URL("config.json", folder), "utf8"));
  const there = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  const paths = there.map(({ parentPath, name }) => relative(fileURLToPath(folder), join(parentPath, name)));
  expect(paths.sort()).toEqual(["README.md", "config.json", ...files].sort());
});

describe("gelu-3l-novels", () => {
  let model: HookedTransformer;
  beforeAll(async () => {
    model = await HookedTransformer.fromPretrained("gelu-3l-novels");
  });

  test("has the tokens and the losses of TransformerLens", async () => {
    expect([...model.toTokens(expected.text).data]).toEqual(expected.ids);
    const loss = await model.forward(expected.text, { returnType: "loss", lossPerToken: true });
    expected.loss.forEach((x, i) => {
      expect(loss.data[i]).toBeCloseTo(x, 3);
    });
  });

  test("has weights that float16 holds exactly", async () => {
    const plain = await HookedTransformer.fromPretrainedNoProcessing("gelu-3l-novels");
    for (const [name, { data }] of plain.weights.entries()) {
      const rounded = new Float32Array(data.length);
      decodeFloat16(encodeFloat16(Float32Array.from(data)), rounded);
      expect(rounded, name).toEqual(Float32Array.from(data));
    }
  });

  test("has a head that looks at the previous token of a text", async () => {
    const scores = await detectHead(model, expected.text, "previous_token_head");
    expect(scores.get(...PREVIOUS)).toBeGreaterThan(0.5);
  });

  test("has an induction head: on repeated random tokens it scores far above uniform attention and unrepeated tokens", async () => {
    const { tables, baselines } = await inductionScore(model, { samples: 8, seed: 3 });
    const name = `L${INDUCTION[0]}H${INDUCTION[1]}`;
    const { score, unrepeated } = rowsOf(tables, "heads").find(({ component }) => component === name)!;
    const uniform = baselines.find((b) => b.name === "uniform attention")!.value!;
    expect(score).toBeGreaterThan(0.5);
    expect(score).toBeGreaterThan(20 * uniform);
    expect(unrepeated).toBeLessThan(0.1);
  });
});
