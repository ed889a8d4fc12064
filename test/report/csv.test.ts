import { describe, expect, it } from "vitest";
import { rowCount, rowsOf, type Scalar, tableOf } from "../../src/finding/table.ts";
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

  it("writes several tables into one, distinguished by a first column", () => {
    const [header, ...rows] = parse(renderCsv(seed));
    expect(header.slice(0, 4)).toEqual(["table", "prompt", "pos", "token"]);
    expect(rows).toHaveLength(rowCount(seed.tables[0]) + rowCount(seed.tables[1]));
    expect(new Set(rows.map((row) => row[0]))).toEqual(new Set(["top", "attribution"]));
    expect(rows.every((row) => row.length === header.length)).toBe(true);
    expect(rows[0][header.indexOf("n50")]).toBe("");
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
