/** A finding in few lines: what stays, and what the last line says of the rest. */
import { describe, expect, test } from "vitest";
import { render } from "../../src/report/index.ts";
import { textWidth } from "../../src/report/token-text.ts";
import { nastyFinding } from "./nasty.ts";
import { seedFinding } from "./seed-finding.ts";

const seed = seedFinding();
/** What begins a colour. */
const ESCAPE = "\x1b";
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

  test("neither shows nor counts a table for looking things up whose rows are those of another", async () => {
    const [first] = seed.tables;
    const turned = first.columns.map((column) => ({ ...column, values: [...column.values].reverse() }));
    const again = { ...first, name: "again", title: "All the same", columns: turned, detail: true };
    const finding = { ...seed, tables: [...seed.tables, again] };
    expect(await brief(finding)).toEqual(await brief());
    const page = await render(finding, "html");
    expect(page).not.toContain('id="table-again"');
    const more = { ...again, columns: turned.map((column) => ({ ...column, values: column.values.slice(1) })) };
    expect(await render({ ...seed, tables: [...seed.tables, more] }, "html")).toContain('id="table-again"');
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

  const colored = async (lines: number) =>
    (await render(seed, "text", { text: { lines, width: 80, color: true } })).trimEnd().split("\n");
  const plain = (line: string) =>
    line
      .split(ESCAPE)
      .map((part, i) => (i > 0 ? part.replace(/^\[[\d;]*m/, "") : part))
      .join("");

  test("draws the answer's picture in a terminal with colours, within the same lines", async () => {
    const lines = await colored(30);
    expect(lines.length).toBeLessThanOrEqual(30);
    const drawn = lines.filter((line) => line.includes(`${ESCAPE}[48;2;`));
    expect(drawn.length).toBeGreaterThan(0);
    expect(seed.pictures[0].kind).toBe("tokens");
    expect(plain(drawn[0])).toMatch(/\[[^\]]+\]/);
    expect(Math.max(...lines.map((line) => textWidth(plain(line))))).toBeLessThanOrEqual(80);
    expect((await brief(seed, 30)).join("")).not.toContain(ESCAPE);
  });

  test("draws a heatmap's cells, with the numbers of columns whose names do not fit", async () => {
    const ticks = Array.from({ length: 20 }, (_, i) => `a long name ${i}`);
    const picture = {
      kind: "imshow" as const,
      name: "map",
      title: "",
      values: [ticks.map((_, i) => i), ticks.map(() => null)],
      x: { ticks },
    };
    const text = await render({ ...seed, pictures: [picture], parts: [], tables: [] }, "text", {
      text: { lines: 24, width: 80, color: true },
    });
    const head = text
      .split("\n")
      .map(plain)
      .find((line) => /^ *0 +1 +2 +3 /.test(line));
    expect(head).toBeDefined();
    // Ten more say which colour is which number.
    expect(text.split(`${ESCAPE}[48;2;`)).toHaveLength(1 + 20 + 10);
  });
});
