/** The one rule for calling analyses and measures. */
import { describe, expect, test } from "vitest";
import * as G from "../../src/node.ts";
import { smallModel } from "../lens/small-model.ts";

type Called = (model: unknown, options?: unknown) => Promise<unknown>;
const exported = G as unknown as Readonly<Record<string, Called>>;
const camelCase = (name: string) => name.replace(/-./g, (letter) => letter[1].toUpperCase());
const measureOf = (name: string) => `measure${name[0].toUpperCase()}${name.slice(1)}`;
const analyses = G.ANALYSES.map(({ name }) => camelCase(name));
const model = smallModel();

test("every measure that is exported is that of an analysis", () => {
  const measures = Object.keys(G).filter((name) => /^measure[A-Z]/.test(name));
  expect(measures.sort()).toEqual(analyses.map(measureOf).sort());
});

describe.each(analyses)("%s", (name) => {
  test("is what its command runs", () => {
    expect(G.ANALYSES.find((one) => camelCase(one.name) === name)!.run).toBe(exported[name]);
  });

  test.each([name, measureOf(name)])("%s says what it takes instead of a text", async (called) => {
    await expect(exported[called](model, "The cat sat")).rejects.toThrow(
      new RegExp(`^The options of ${called} must be an object, \\{ \\w+: … \\}, not a string\\.$`),
    );
    await expect(exported[called]("The cat sat")).rejects.toThrow(new RegExp(`^${called} takes a model first`));
  });
});
