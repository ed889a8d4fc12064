/** What docs/ has from the code is what the code makes now. */
import { beforeAll, describe, expect, test } from "vitest";
import { generated, leftOver, present } from "../../scripts/generated.ts";
import { pageScripts, presentScripts } from "../../scripts/page-scripts.ts";
import { difference } from "../../scripts/rounding.ts";

let files: ReadonlyMap<string, string>;
beforeAll(async () => {
  files = await generated();
}, 120_000);

describe("what is generated in docs/", () => {
  test("is what the code makes (if not: npm run docs)", () => {
    const differing = [...files].flatMap(([path, text]) => {
      const where = difference(present(path), text);
      return where === undefined ? [] : [`docs/${path}: ${where}`];
    });
    expect(differing).toEqual([]);
  });

  test("has no picture that nothing makes", () => {
    expect(files.size).toBeGreaterThan(40);
    expect(leftOver(files)).toEqual([]);
  });

  test("is small: no picture has over 250 kB, all together under 1.5 MB", () => {
    const sizes = [...files].filter(([path]) => path.endsWith(".svg")).map(([path, { length }]) => ({ path, length }));
    expect(sizes.filter(({ length }) => length > 250e3)).toEqual([]);
    expect(sizes.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(1.5e6);
  });
});

test("the scripts of pages are what their modules make (if not: npm run scripts)", async () => {
  expect(await pageScripts()).toBe(presentScripts());
});

describe("a text is the same but for rounding", () => {
  test.each([
    ["the last place of a number", "0.25 nats", "0.26 nats"],
    ["half a percent", '<svg width="312.40"/>', '<svg width="313.1"/>'],
    ["a twentieth of a pixel", '<svg x="0.012"/>', '<svg x="0.05"/>'],
    ["a rounding error", "to within 6e-7", "to within 1.2e-6"],
    ["a shade of a colour", "fill=#3f6fae", "fill=#406eae"],
  ])("with another %s", (_, before, now) => {
    expect(difference(before, now)).toBeUndefined();
  });

  test.each([
    ["a number", "0.25 nats", "0.28 nats"],
    ["a count", "27 of 258", "28 of 258"],
    ["a word", "L0H2 matters", "L0H3 matters"],
    ["a colour", "fill=#3f6fae", "fill=#6f3fae"],
    ["something more", "a", "a 1"],
    ["something less", "a 1 b 2", "a 1"],
  ])("but not with another %s", (_, before, now) => {
    expect(difference(before, now)).toContain("against");
  });
});
