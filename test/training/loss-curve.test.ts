import { describe, expect, test } from "vitest";
import { rowCount } from "../../src/finding/table.ts";
import { initWeights } from "../../src/models/weights/init.ts";
import { HookedTransformer, lossCurve, parseConfig, render } from "../../src/node.ts";
import { drawn } from "../../src/report/views/picture-of.ts";
import { InputError } from "../../src/tensor/errors.ts";

const cfg = parseConfig({ n_layers: 1, d_model: 8, d_head: 4, n_ctx: 8, d_vocab: 11, act_fn: "relu" });
const model = new HookedTransformer(cfg, initWeights(cfg));
const chances = [
  { name: "all tokens alike", text: "Each of the 11 tokens equally likely.", loss: Math.log(11) },
] as const;
const falling = Array.from({ length: 1200 }, (_, i) => 3 - i / 1000);

describe("the loss curve", () => {
  test("says what the held-out loss is, by how much chance is worse, and since when", () => {
    const heldOut = [
      { step: 600, loss: 2.5 },
      { step: 1200, loss: 1.9 },
    ];
    const found = lossCurve(model, { losses: falling, heldOut, chances });
    expect(found.summary[0].text).toBe(
      "After 1200 steps the loss on held-out data is 1.9 nats, 0.4979 nats below all tokens alike (2.398 nats).",
    );
    expect(found.summary[0].figure).toMatchObject({ value: 1.9, comparedWith: ["all tokens alike"] });
    expect(found.summary[1].text).toContain("1.826 nats, the mean of the last 50 batches");
    // The mean of 50 batches up to step s is 3 - (s - 25.5) / 1000.
    expect(found.summary[2].text).toContain("by step 628");
    expect(found.tables[0].columns.map(({ values }) => values)).toEqual([
      [600, 1200],
      [expect.closeTo(3 - 0.2995, 9), expect.closeTo(3 - 0.8995, 9)],
      [2.5, 1.9],
    ]);
    expect(found.tables[1]).toMatchObject({ name: "steps", detail: true });
    expect(rowCount(found.tables[1])).toBe(1200);
    const [picture] = drawn(found).pictures;
    if (picture.kind !== "line") throw new Error(picture.kind);
    expect(picture.series.map(({ name, x, y }) => [name, x?.at(-1), y.length])).toEqual([
      ["batches", 1198, 400],
      ["held out", 1200, 2],
    ]);
    expect([picture.x?.label, picture.y?.label, picture.y?.unit]).toEqual(["steps done", "loss", "nats"]);
  });

  test("draws no more points than can be seen, each the mean of its steps, with chance as a line", () => {
    const [picture] = drawn(lossCurve(model, { losses: falling, chances })).pictures;
    if (picture.kind !== "line") throw new Error(picture.kind);
    expect(picture.series[0].y).toHaveLength(400);
    expect(picture.series[0].x?.[1]).toBe(4);
    expect(picture.series[0].y[1]).toBeCloseTo(3 - 0.004, 9);
    expect(picture.caption).toContain("the mean of 3 steps");
    expect(picture.references?.[0]).toMatchObject({ at: Math.log(11), label: "all tokens alike, 2.4" });
    expect(picture.y?.scale).toBeUndefined();
  });

  test("is drawn on a log scale where it falls far", () => {
    const losses = falling.map((_, i) => 3 * 0.99 ** i);
    const [picture] = drawn(lossCurve(model, { losses, chances })).pictures;
    expect(picture.kind === "line" && picture.y?.scale).toBe("log");
  });

  test("says where held-out data was predicted best, if not at the end; that nothing was held out; that nothing has been learnt", () => {
    const heldOut = [
      { step: 5, loss: 2 },
      { step: 10, loss: 2.2 },
    ];
    const texts = (losses: readonly number[], more: object) =>
      JSON.stringify(lossCurve(model, { losses, chances, ...more }));
    expect(texts(falling.slice(0, 10), { heldOut })).toContain(
      "predicted best after step 5, with 2 nats; later steps made it worse",
    );
    expect(texts([3, 3], {})).toContain("has not fallen below all tokens alike");
    expect(texts([3, 3], {})).toContain("Nothing was held out");
    expect(texts([3, 3], { epochs: 4 })).toContain("4 passes over the data");
    expect(texts([3, 3], { epochs: 0.5 })).not.toContain("gone over");
  });

  test("is drawn in every format, and needs a step", async () => {
    const found = lossCurve(model, { losses: [3, 2, 1], chances });
    for (const format of ["text", "json", "csv", "html", "svg"] as const) {
      expect((await render(found, format)).length).toBeGreaterThan(20);
    }
    expect(() => lossCurve(model, { losses: [], chances })).toThrow(InputError);
  });
});
