/** A state as a link, and back. */
import { describe, expect, test } from "vitest";
import { fragmentOf, LONGEST_LINK, stateOf } from "../../src/web-app/link.ts";
import { START, type State } from "../../src/web-app/state.ts";

const some: State = {
  ...START,
  prompt: "日本 — “quotes”, \n and a line",
  promptsBefore: ["one", "two\nlines"],
  promptsAfter: [""],
  analysis: "logit-lens",
  options: { top: 3 },
  run: true,
  selection: "layer=0 pos=2",
  pictures: { patterns: { zoom: 2, head: "L0H1" } },
};

describe("a link", () => {
  test("holds the whole state, in characters that need no escape", async () => {
    const fragment = await fragmentOf(some);
    expect(fragment).toMatch(/^#1\.[\w-]+$/);
    expect(await stateOf(fragment)).toEqual(some);
  });

  test("of the start is empty", async () => {
    expect(await fragmentOf(START)).toBe("");
    expect(await stateOf("")).toEqual(START);
    expect(await stateOf("#")).toEqual(START);
  });

  test("of version 1 opens in every later version", async () => {
    const old =
      "#1.HYwxDsMgEAS_graGJumQ8oQ84oJPNhK-Qxy2Y1n-e0S6mWLmwqoTF0TMXLbwLEF052LwqE3X2hHxPp1l69zcQeZI5nZ69-FEmzE8SKiclm08Gk2ZpYdvoNTzTj2rwEPrAEO8QGIHN0Q4W0Z9NJV56MK4PYwLp38VUdVeD9w_";
    expect(await stateOf(old)).toEqual({
      ...START,
      model: "gelu-3l-novels",
      prompt: "My sister was angry, because",
      analysis: "gradient-x-activation",
      options: { answer: " she", wrong: " he" },
      selection: "pos=2",
    });
  });

  test("of a long prompt is longer than what is put into an address", async () => {
    const words = Array.from({ length: 5000 }, (_, i) => (i * 7919).toString(36)).join(" ");
    expect((await fragmentOf({ ...START, prompt: words })).length).toBeGreaterThan(LONGEST_LINK);
  });

  test.each([
    ["#baseline", /cannot be read: it is not one that this page made/],
    ["#2.AAAA", /cannot be read: a later version of glassformer made it/],
    ["#1.AAAA", /cannot be read: a part of it is missing/],
  ])("%s is refused in a sentence", async (fragment, sentence) => {
    await expect(stateOf(fragment)).rejects.toThrow(sentence);
  });

  test("that ends too early is refused", async () => {
    const fragment = await fragmentOf(some);
    await expect(stateOf(fragment.slice(0, -6))).rejects.toThrow("a part of it is missing");
  });

  test("with a list of anything but texts is refused by its name", async () => {
    const wrong = await fragmentOf({ ...some, promptsAfter: [3] as unknown as string[] });
    await expect(stateOf(wrong)).rejects.toThrow("Its promptsAfter is not what the page's promptsAfter can be.");
  });

  test("whose parts have other types is refused by the part's name", async () => {
    const wrong = await fragmentOf({ ...some, prompt: 3 as unknown as string });
    await expect(stateOf(wrong)).rejects.toThrow("Its prompt is not what the page's prompt can be.");
  });
});
