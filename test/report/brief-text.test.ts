/** A finding in few lines: what stays, and what the last line says of the rest. */
import { describe, expect, test } from "vitest";
import { render } from "../../src/report/index.ts";
import { textWidth } from "../../src/report/token-text.ts";
import { nastyFinding } from "./nasty.ts";
import { seedFinding } from "./seed-finding.ts";

const seed = seedFinding();
const brief = async (finding = seed, lines = 24, width = 80) =>
  (await render(finding, "text", { text: { lines, width, hint: "--full prints them." } })).trimEnd().split("\n");

describe("a finding in few lines", () => {
  test("has the question, the answer, what the answer is compared with, one table, and what was left out", async () => {
    const lines = await brief();
    const text = lines.join(" ").replaceAll(/\s+/g, " ");
    expect(text.startsWith(seed.question)).toBe(true);
    expect(text).toContain(seed.summary[0].text);
    expect(text).toContain("Compared with");
    expect(text).toContain(seed.tables[0].title);
    expect(text).not.toContain(seed.tables[1].title);
    expect(text).toMatch(
      /Not shown: 1 more table, \d+ pictures, \d+ comparisons and \d+ caveats?\. --full prints them\.$/,
    );
  });

  test("fits into as many lines as it may have, and no line is wider than it may be", async () => {
    for (const count of [24, 30, 40]) {
      const lines = await brief(seed, count);
      expect(lines.length).toBeLessThanOrEqual(count);
      expect(Math.max(...lines.map(textWidth))).toBeLessThanOrEqual(80);
    }
    expect((await brief(seed, 40)).length).toBeGreaterThan((await brief(seed, 24)).length);
  });

  test("keeps the answer and three rows where there is no room for them", async () => {
    const text = (await brief(seed, 1)).join(" ").replaceAll(/\s+/g, " ");
    expect(text).toContain(seed.summary[0].text);
    expect(text).toContain("more row");
  });

  test("has no table where the finding has nothing to tabulate", async () => {
    const lines = await brief({ ...seed, tables: [], pictures: [], parts: [] });
    expect(lines.at(-1)).toContain("Not shown:");
    expect(lines.join("\n")).not.toContain("──");
  });

  test("obeys nothing in the texts of a finding", async () => {
    const text = (await brief(nastyFinding, 24)).join("\n");
    const controls = [...text].filter((c) => c !== "\n" && /\p{Cc}/u.test(c));
    expect(controls).toEqual([]);
  });
});
