/** The one rule for calling analyses and measures. */
import { beforeAll, describe, expect, test } from "vitest";
import * as G from "../../src/node.ts";
import { smallModel } from "../lens/small-model.ts";

type Called = (model: unknown, options?: unknown) => Promise<unknown>;
const exported = G as unknown as Readonly<Record<string, Called>>;
const camelCase = (name: string) => name.replace(/-./g, (letter) => letter[1].toUpperCase());
const measureOf = (name: string) => `measure${name[0].toUpperCase()}${name.slice(1)}`;
const analyses = G.ANALYSES.map(({ name }) => camelCase(name));
const model = smallModel();
let bundled: G.HookedTransformer;
beforeAll(async () => {
  bundled = await G.HookedTransformer.fromPretrained("solu-1l-novels");
});

test("every measure that is exported is that of an analysis", () => {
  const measures = Object.keys(G).filter((name) => /^measure[A-Z]/.test(name));
  expect(measures.sort()).toEqual(analyses.map(measureOf).sort());
});

describe.each(analyses)("%s", (name) => {
  test("is what its command runs", () => {
    expect(G.ANALYSES.find((one) => camelCase(one.name) === name)!.run).toBe(exported[name]);
  });

  test("has a measure that needs no options, and gives rows with the columns that it names", async () => {
    const found = (await exported[measureOf(name)](bundled)) as G.Measured<Readonly<Record<string, unknown>>>;
    expect(found).toBeInstanceOf(G.Measured);
    expect(found.length).toBeGreaterThan(0);
    const first = found.rows.slice(0, 100);
    for (const row of first) expect(found.columns).toEqual(expect.arrayContaining(Object.keys(row)));
    const numeric = found.columns.filter((column) => typeof first[0][column] === "number");
    expect(numeric).not.toEqual([]);
    for (const column of numeric) expect(found.top(1, column).length).toBe(1);
  });

  test.each([name, measureOf(name)])("%s says what it takes instead of a text", async (called) => {
    await expect(exported[called](model, "The cat sat")).rejects.toThrow(
      new RegExp(`^The options of ${called} must be an object, \\{ \\w+: … \\}, not a string\\.$`),
    );
    await expect(exported[called]("The cat sat")).rejects.toThrow(new RegExp(`^${called} takes a model first`));
  });
});
