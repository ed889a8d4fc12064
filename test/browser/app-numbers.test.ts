/** Every analysis, asked for by a link of the built page and computed there: its tables have Node's numbers. */
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Scalar } from "../../src/finding/table.ts";
import { ANALYSES, type Finding, HookedTransformer, type Table } from "../../src/node.ts";
import { fragmentOf } from "../../src/web-app/link.ts";
import { START } from "../../src/web-app/state.ts";
import { chromiumPath } from "./chromium.ts";
import { LIMIT, type ServedApp, servedApp, soon } from "./served-app.ts";

/** Numbers of a page and of Node differ by less, of the larger of the number and 1. */
const CLOSE = 1e-4;

const title = "the page's numbers in Chromium (skipped without /usr/bin/chromium or CHROMIUM_PATH)";
describe.skipIf(!chromiumPath)(title, { timeout: 3 * LIMIT }, () => {
  let app: ServedApp;
  let page: Page;

  beforeAll(async () => {
    app = await servedApp();
    page = await app.opened(app.url);
  });
  afterAll(() => app?.close());

  test.each(ANALYSES.map((one) => [one.name, one] as const))(
    "%s",
    async (name, { example, model = START.model, run }) => {
      const { prompt = START.prompt, ...options } = example as { readonly prompt?: string };
      await page.goto(`${app.url}${await fragmentOf({ ...START, model, analysis: name, prompt, options })}`);
      const found = await findingOf(page, name);
      const expected = await run(await HookedTransformer.fromPretrained(model), example);
      expect(found.tables.length).toBe(expected.tables.length);
      for (const [i, table] of expected.tables.entries()) {
        const [here, there] = [rowsOf(found.tables[i]), rowsOf(table)];
        expect([...here.keys()].sort()).toEqual([...there.keys()].sort());
        for (const [row, cells] of there) {
          const far = table.columns.filter(({ name }, c) => !areClose(here.get(row)![c], cells[c], closeIn(name)));
          expect(far.map(({ name }) => [table.name, name, row, here.get(row), cells])).toEqual([]);
        }
      }
    },
  );

  test("nothing was said on the console", () => {
    expect(app.complaints).toEqual([]);
  });
});

/** The finding of an analysis, saved from the page once it is computed. */
async function findingOf(page: Page, name: string): Promise<Finding> {
  const shown = page.locator(`[data-of="computed"][data-analysis="${name}"]:not(.outdated)`);
  await soon(() => shown.count()).toBe(1);
  const save = shown.getByRole("button", { name: "Save as JSON", exact: true });
  const [download] = await Promise.all([page.waitForEvent("download"), save.click()]);
  return JSON.parse(readFileSync(await download.path(), "utf8"));
}

/** A table's cells by what its rows are of, and where: numbers that are all but equal may stand in either order. */
function rowsOf({ columns }: Table): Map<string, readonly Scalar[]> {
  const rows = columns[0].values.map((_, row) => columns.map(({ values }) => values[row]));
  const name = (row: readonly Scalar[]) =>
    row.filter((cell, c) => columns[c].axis || typeof cell !== "number").join(" | ");
  const names = rows.map(name);
  const areNames = new Set(names).size === names.length;
  return new Map(rows.map((row, r) => [areNames ? names[r] : `${r}`, row]));
}

/** A correlation of ranks jumps where two numbers that are all but equal change places. */
const closeIn = (column: string) => (column === "spearman" ? 100 * CLOSE : CLOSE);

function areClose(found: unknown, expected: unknown, close: number): boolean {
  if (typeof expected !== "number" || typeof found !== "number")
    return JSON.stringify(found) === JSON.stringify(expected);
  return Math.abs(found - expected) <= close * Math.max(1, Math.abs(expected));
}
