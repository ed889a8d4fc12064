import { describe, expect, it } from "vitest";
import { type Finding, finding } from "../../src/finding/finding.ts";
import { ArgumentError, UnknownNameError } from "../../src/tensor/errors.ts";
import { seedFinding } from "./seed-finding.ts";

const seed = seedFinding();
const changed = (parts: Partial<Finding>) => () => finding({ ...seed, ...parts });

describe("a finding", () => {
  it("survives JSON unchanged", () => {
    expect(JSON.parse(JSON.stringify(seed))).toEqual(seed);
  });

  it("leaves out the gaps of its lists, which say that something does not apply", () => {
    const gaps = { tables: [false, ...seed.tables, null], caveats: [undefined, ...seed.caveats] } as const;
    expect(finding({ ...seed, ...gaps })).toEqual(seed);
    expect(changed({ tables: [0] as never })).toThrow("The tables of a finding must be a list of objects");
  });

  it("is refused when a column is shorter than the others, with table, column and both numbers", () => {
    const [table] = seed.tables;
    const [first, second, ...others] = table.columns;
    const run = changed({ tables: [{ ...table, columns: [first, { ...second, values: [1] }, ...others] }] });
    expect(run).toThrow(ArgumentError);
    expect(run).toThrow(
      `Column "${second.name}" of table "top" has 1 cells, but "${first.name}" has ${first.values.length}.`,
    );
  });

  it("is refused when a table's columns have no values, as rows of cells would leave them", () => {
    const { values: _, ...column } = seed.tables[0].columns[0];
    const table = { name: "t", title: "t", columns: [column], rows: [[1]] } as never;
    expect(changed({ tables: [table] })).toThrow('The table "t" must have columns');
  });

  it("is refused when a number is not finite, since JSON would turn it into null", () => {
    const [table] = seed.tables;
    const columns = table.columns.map((column) => ({ ...column, values: column.values.with(1, Number.NaN) }));
    expect(changed({ tables: [{ ...table, columns: [...table.columns.slice(0, 8), columns[8]] }] })).toThrow(
      'column "score" of table "top" is NaN',
    );
    const figure = { value: Number.POSITIVE_INFINITY, unit: "", comparedWith: ["eps limit"] } as const;
    expect(changed({ summary: [{ text: "x", figure }] })).toThrow("is Infinity");
  });

  it("is refused when a statement is compared with a baseline that does not exist, naming the closest match", () => {
    const run = changed({ summary: [{ text: "x", figure: { value: 1, unit: "", comparedWith: ["eps limits"] } }] });
    expect(run).toThrow(UnknownNameError);
    expect(run).toThrow('There is no baseline "eps limits". Did you mean "eps limit"?');
  });

  it("is refused when a baseline has nothing to compare with", () => {
    const bare = { name: "bare", kind: "null model", text: "Words alone." } as const;
    expect(changed({ baselines: [...seed.baselines, bare] })).toThrow('baseline "bare" has no number');
  });

  it("is refused when two tables share a name or a picture names a part that does not exist", () => {
    expect(changed({ tables: [seed.tables[0], seed.tables[0]] })).toThrow('Two tables of the finding are called "top"');
    expect(changed({ pictures: [{ ...seed.pictures[0], part: "notebok" }] })).toThrow('Did you mean "notebook"?');
  });
});
