/** What every analysis must do, whatever it is about: a new one is tested by its line in the index. */
import { beforeAll, describe, expect, it } from "vitest";
import { ANALYSES } from "../../src/analyses/index.ts";
import type { Finding } from "../../src/finding/finding.ts";
import type { GivenOptions } from "../../src/measures/options.ts";
import { HookedTransformer, type Progress } from "../../src/node.ts";
import { render } from "../../src/report/index.ts";
import { drawn } from "../../src/report/views/picture-of.ts";

/** The analyses that said how far they were. */
const reporting = new Set<string>();

describe.each(ANALYSES.map((analysis) => [analysis.name, analysis] as const))("%s", (name, analysis) => {
  let found: Finding;
  const told: Progress[] = [];
  beforeAll(async () => {
    const model = await HookedTransformer.fromPretrained(analysis.model ?? "bundled");
    const onProgress = (progress: Progress) => void told.push(progress);
    found = await analysis.run(model, { onProgress } as unknown as GivenOptions);
  }, 120_000);

  it("answers its question, with a number and what to compare it with", () => {
    expect(found).toMatchObject({ analysis: name, question: analysis.question });
    expect(analysis.question).toMatch(/\?$/);
    expect(found.summary[0].text).toMatch(/\.$/);
    expect(found.summary[0].figure?.comparedWith.length).toBeGreaterThan(0);
    expect(found.caveats.length).toBeGreaterThan(0);
    expect(found.method.references.length).toBeGreaterThan(0);
  });

  it("says how far it is, in things that are counted, if it says anything", () => {
    expect(told.every(({ done, total, unit }) => done <= total && /^[a-z]+s$/.test(unit))).toBe(true);
    if (told.length > 0) reporting.add(name);
    if (told.length > 0) expect(told.at(-1)!.done).toBe(told.at(-1)!.total);
    expect(new Set(told.map(({ unit }) => unit)).size).toBeLessThan(2);
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

/** The analyses of many runs, which say how far they are. */
const LONG = [
  "activation-patching",
  "feature-patching",
  "ablation",
  "diffuse-mlp",
  "head-detector",
  "induction-score",
  "ioi",
  "path-patching",
];

it("the analyses of many runs say how far they are", () => {
  expect(LONG.filter((name) => !reporting.has(name))).toEqual([]);
});
