import { expect, test } from "vitest";
import type { Finding } from "../../src/finding/finding.ts";
import type { Scalar } from "../../src/finding/table.ts";
import { HookedTransformer, look } from "../../src/node.ts";
import { packed, unpacked } from "../../src/web-app/packed-finding.ts";

const crossed = (finding: Finding) => unpacked(structuredClone(packed(finding)));

test("a finding is the same after it has crossed from the worker to the page", async () => {
  const model = await HookedTransformer.fromPretrained("solu-1l-novels");
  const finding = await look(model, { prompt: "She opened the letter and read it. ".repeat(20) });
  expect(
    Math.max(...finding.tables.flatMap(({ columns }) => columns.map(({ values }) => values.length))),
  ).toBeGreaterThan(500);
  expect(crossed(finding)).toEqual(finding);
});

test("a long column crosses as numbers, whatever its values are, and every value and gap is kept", async () => {
  const model = await HookedTransformer.fromPretrained("solu-1l-novels");
  const finding = await look(model);
  const long = (of: (i: number) => Scalar) => Array.from({ length: 1000 }, (_, i) => of(i));
  const columns: Readonly<Record<string, readonly Scalar[]>> = {
    numbers: long((i) => i / 7),
    gaps: long((i) => (i % 3 === 0 ? null : -i)),
    odd: long((i) => [Number.NaN, Number.POSITIVE_INFINITY, -0][i % 3]),
    texts: long((i) => ["a", "b", "", "0"][i % 4]),
    mixed: long((i) => ["0", 0, false, null][i % 4]),
  };
  const [table] = finding.tables;
  const filled = Object.entries(columns).map(([name, values]) => ({ name, title: name, description: name, values }));
  const given = { ...finding, tables: [{ ...table, columns: filled }] };
  for (const { values } of packed(given).tables[0].columns) expect(Array.isArray(values)).toBe(false);
  expect(crossed(given).tables[0].columns.map(({ values }) => values)).toEqual(Object.values(columns));
});
