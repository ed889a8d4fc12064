import { describe, expect, it } from "vitest";
import { rowsOf, type Scalar, tableOf } from "../../src/finding/table.ts";
import { renderCsv } from "../../src/report/index.ts";
import { seedFinding } from "./seed-finding.ts";

const seed = seedFinding();
const column = (name: string) => ({ name, title: name, description: name });
/** A table of rows that are lists. */
const tableWith = (names: readonly string[], rows: readonly (readonly Scalar[])[]) =>
  tableOf(
    { name: "t", title: "t" },
    rows,
    names.map((name, i) => [column(name), (row) => row[i]]),
  );

/** Reads RFC 4180, strictly by its grammar. */
function parse(csv: string): string[][] {
  const rows = [...csv.matchAll(/(?:(?:"(?:[^"]|"")*"|[^",\r\n]*),?)*\r\n/g)].map((match) => match[0].slice(0, -2));
  return rows.map((row) =>
    [...`${row},`.matchAll(/("(?:[^"]|"")*"|[^",\r\n]*),/g)].map(([, f]) =>
      f.startsWith('"') ? f.slice(1, -1).replaceAll('""', '"') : f,
    ),
  );
}

describe("a finding as CSV", () => {
  it("writes one table with its columns' names and every digit", () => {
    const [header, first] = parse(renderCsv(seed, { table: "top" }));
    const row = rowsOf(seed.tables, "top")[0];
    expect(header).toEqual(Object.keys(row));
    const cells = first.map((cell, c) => (typeof row[header[c]] === "number" ? Number(cell) : cell));
    expect(cells).toEqual(Object.values(row));
  });

  it("writes the table that is read first, without a name", () => {
    expect(renderCsv(seed)).toBe(renderCsv(seed, { table: "top" }));
    const [top, attribution] = seed.tables;
    const detail = { ...seed, tables: [{ ...top, detail: true }, attribution] };
    expect(renderCsv(detail)).toBe(renderCsv(seed, { table: "attribution" }));
    const { part: _, ...first } = attribution;
    expect(renderCsv({ ...seed, tables: [top, first] })).toBe(renderCsv(seed, { table: "attribution" }));
  });

  it("is refused for a finding without tables", () => {
    expect(() => renderCsv({ ...seed, tables: [] })).toThrow("has no table, so there is no CSV of it");
  });

  it("quotes commas, quotes and line breaks, and leaves missing values empty", () => {
    const rows = [['a,"b"', "c\nd", null, true, -0.1]];
    const tables = [tableWith(["p", "q", "r", "s", "u"], rows)];
    const csv = renderCsv({ ...seed, tables });
    expect(csv).toBe('p,q,r,s,u\r\n"a,""b""","c\nd",,true,-0.1\r\n');
  });

  it("leaves no text that a spreadsheet would run or a terminal obey, and changes no numbers", () => {
    const texts = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\n=1", "＝1", "a=1", "", "'", "\r=1", "\x1b[31m", "a\rb"];
    const rows = [...texts.map((text) => [text]), [-1.5], [true], [null]];
    const tables = [tableWith(["=p"], rows)];
    expect(parse(renderCsv({ ...seed, tables })).flat()).toEqual([
      ...["'=p", "'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\t=1", "'\n=1", "'＝1", "a=1", "", "'", "␍=1", "␛[31m", "a␍b"],
      ...["-1.5", "true", ""],
    ]);
  });

  it("names the closest match for a table that does not exist", () => {
    expect(() => renderCsv(seed, { table: "tops" })).toThrow('There is no table "tops". Did you mean "top"?');
  });
});
