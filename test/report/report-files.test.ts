/** A finding as a folder: every picture and every table on its own. */
import { describe, expect, it } from "vitest";
import { render, reportFiles } from "../../src/report/index.ts";
import "../../src/node.ts";
import { nastyFinding } from "./nasty.ts";
import { seedFinding } from "./seed-finding.ts";

const seed = seedFinding();
const named = async (finding: typeof seed) =>
  new Map((await reportFiles(finding)).map(({ name, content }) => [name, content]));

describe("a finding as files", () => {
  it("is the report, the finding, each picture as SVG, PNG and JSON, and each table as CSV and JSON", async () => {
    const files = await named(seed);
    const pictures = seed.pictures.flatMap(({ name }) => ["svg", "json", "png"].map((ending) => `${name}.${ending}`));
    const tables = seed.tables.flatMap(({ name }) => ["csv", "json"].map((ending) => `${name}.${ending}`));
    expect([...files.keys()]).toEqual(["report.html", "finding.json", ...pictures, ...tables]);
    expect(files.get("report.html")).toBe(await render(seed, "html"));
    expect(files.get("finding.json")).toBe(await render(seed, "json"));
    expect(files.get("top.csv")).toBe(await render(seed, "csv", { csv: { table: "top" } }));
    expect(JSON.parse(files.get("neurons.json") as string)).toEqual(seed.pictures[4]);
    expect(JSON.parse(files.get("top.json") as string)).toEqual(seed.tables[0]);
    expect(files.get("ratio.svg")).toContain("Ratio of outlier scores after and before mlp.ln</text>");
    expect([...(files.get("ratio.png") as Uint8Array).subarray(1, 4)]).toEqual([..."PNG"].map((c) => c.charCodeAt(0)));
  });

  it("has names that differ where pictures and tables are called the same, or as the report is", async () => {
    const [top] = seed.tables;
    const [, scatter] = seed.pictures;
    const names = ["top", "finding", "Report"];
    const same = {
      ...seed,
      pictures: names.map((name) => ({ ...scatter, name })),
      tables: [top, { ...top, name: "TOP" }, { ...top, name: "finding" }],
    };
    const files = (await reportFiles(same)).map(({ name }) => name.toLowerCase());
    expect(new Set(files).size).toBe(files.length);
    expect(files).toContain("top.svg");
    expect(files).toContain("top-table.csv");
    expect(files).toContain("top-table-2.csv");
    expect(files).toContain("finding-picture.json");
    expect(files).toContain("report-picture.svg");
  });

  it("has names without anything that leads out of the folder", async () => {
    const [top] = seed.tables;
    const names = ["../../etc/passwd", "a b/c", "…", "x".repeat(400), "日本", ".hidden"];
    const odd = { ...seed, pictures: [], tables: names.map((name) => ({ ...top, name })) };
    const files = [...(await named(odd)).keys()].filter((name) => name.endsWith(".csv"));
    expect(files).toEqual([
      "etc-passwd.csv",
      "a-b-c.csv",
      "table.csv",
      `${"x".repeat(80)}.csv`,
      "日本.csv",
      "hidden.csv",
    ]);
    expect((await reportFiles(nastyFinding)).every(({ name }) => !/[/\\<>"']/.test(name))).toBe(true);
  });
});
