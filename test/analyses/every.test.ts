/** What every analysis must do, whatever it is about: a new one is tested by its line in the index. */
import { beforeAll, describe, expect, it } from "vitest";
import { ANALYSES } from "../../src/analyses/index.ts";
import type { Finding } from "../../src/finding/finding.ts";
import { HookedTransformer } from "../../src/node.ts";
import { render } from "../../src/report/index.ts";
import { drawn } from "../../src/report/views/picture-of.ts";

describe.each(ANALYSES.map((analysis) => [analysis.name, analysis] as const))("%s", (name, analysis) => {
  let found: Finding;
  beforeAll(async () => {
    found = await analysis.run(await HookedTransformer.fromPretrained(analysis.model ?? "bundled"));
  }, 120_000);

  it("answers its question, with a number and what to compare it with", () => {
    expect(found).toMatchObject({ analysis: name, question: analysis.question });
    expect(analysis.question).toMatch(/\?$/);
    expect(found.summary[0].text).toMatch(/\.$/);
    expect(found.summary[0].figure?.comparedWith.length).toBeGreaterThan(0);
    expect(found.caveats.length).toBeGreaterThan(0);
    expect(found.method.references.length).toBeGreaterThan(0);
  });

  it("survives JSON, and draws every picture from it", async () => {
    const again: Finding = JSON.parse(await render(found, "json"));
    expect(again.tables).toEqual(JSON.parse(JSON.stringify(found.tables)));
    expect(drawn(again).pictures.map((picture) => picture.name)).toEqual(found.pictures.map((picture) => picture.name));
    expect(await render(again, "svg")).toContain("<svg");
  });

  it("has a picture, and a table whose columns say what they are", () => {
    expect(found.pictures.length).toBeGreaterThan(0);
    const columns = found.tables.flatMap((table) => table.columns);
    expect(columns.length).toBeGreaterThan(0);
    for (const column of columns) expect(column.description, column.name).toMatch(/\.$/);
  });
});
