/** Numbers, lists and quotations as sentences have them. */
import { expect, test } from "vitest";
import { counted, firstOf, listed, percent, quoted, signed, withArticle } from "../../src/tensor/words.ts";

test("a percentage has one decimal, or two significant digits below 1 %", () => {
  expect([0.253, 1, 0, 0.01, 0.0042, 0.00042].map(percent)).toEqual([
    ...["25.3 %", "100.0 %", "0.0 %", "1.0 %", "0.42 %", "0.042 %"],
  ]);
});

test("a signed number has three significant digits, and no sign at 0", () => {
  expect([1.2345, -0.5, 0, -1e-9, 104.4].map(signed)).toEqual(["+1.23", "−0.5", "0", "0", "+104"]);
});

test("lists end in a word, and long ones in a number", () => {
  expect([[], ["a"], ["a", "b"], ["a", "b", "c"]].map((items) => listed(items))).toEqual([
    "",
    "a",
    "a and b",
    "a, b and c",
  ]);
  expect(listed(["a", "b", "c"], "or")).toBe("a, b or c");
  expect(firstOf(["a", "b", "c", "d"], 2)).toBe("a, b and 2 more");
  expect(firstOf(["abcdef"], 2, 4)).toBe("abc…");
});

test("counts agree with their nouns", () => {
  expect([counted(1, "row"), counted(1200, "row"), counted(0, "entry", "entries")]).toEqual([
    ...["1 row", "1,200 rows", "0 entries"],
  ]);
});

test("a quoted token shows what would be invisible", () => {
  expect(quoted(" a\n")).toBe("“ a⏎”");
});

test("a name has the article that its first letter asks for", () => {
  expect(["Llama", "OLMo", "Apertus"].map(withArticle)).toEqual(["a Llama", "an OLMo", "an Apertus"]);
});
