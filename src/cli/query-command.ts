/** `glassformer query`: SQL over the Parquet files of a scan. */
import type { Column, Scalar, Table } from "../finding/table.ts";
import type { OptionRecords } from "../options/records.ts";
import { csvOf } from "../report/csv.ts";
import { ANSI, PLAIN } from "../report/ink.ts";
import { textTable } from "../report/text-table.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { command } from "./command.ts";
import { writeWhole } from "./output-files.ts";
import { Database, type Result } from "./query/database.ts";
import { examplesOf } from "./query/examples.ts";
import { type FolderTable, tablesIn } from "./query/tables.ts";
import { type Terminal, tell, textOptions } from "./terminal.ts";

const OPTIONS = {
  rows: {
    type: "integer",
    placeholder: "n",
    least: 1,
    default: 40,
    description: "rows that are shown; files, CSV and JSON have all",
  },
  json: { type: "flag", description: "print the rows as JSON", only: [{ option: "csv", is: [false] }] },
  csv: { type: "flag", description: "print the rows as CSV" },
  out: { type: "path", names: "file", description: "a file for the rows: .csv or .json" },
} as const satisfies OptionRecords;

export const queryCommand = command({
  name: "query",
  group: "Corpora:",
  summary: "Ask a scan's tables in SQL",
  description:
    "Runs a query of SQL (DuckDB's) over the Parquet files of a scan, each a table of its name; rows/*.parquet together are the table rows. Without a query it lists the tables, their columns and what they mean. A query can read these tables and nothing else. DuckDB is installed separately: npm install @duckdb/node-api.",
  argument: { name: "folder", several: true, description: "a scan's folder, then the query", is: "file" },
  options: OPTIONS,
  examples: [
    "query scanned",
    'query scanned "select token, avg(loss) from rows group by all"',
    'query scanned "select * from rows where loss > 10" --out worst.csv',
  ],
  async run(flags, { args, terminal }) {
    const [folder, sql, ...rest] = args;
    if (folder === undefined) {
      throw new ArgumentError("There is nothing to query: name the folder of a scan.", { asked: "query" });
    }
    if (rest.length > 0) {
      throw new ArgumentError(`A query is one argument, but ${rest.length + 1} follow the folder: put it in quotes.`, {
        asked: args,
      });
    }
    const kind = kindOf(flags.out);
    const tables = await tablesIn(folder);
    const database = await Database.of(tables);
    if (sql === undefined) {
      terminal.stdout.write(`${listing(folder, tables, database, terminal).join("\n")}\n`);
      return;
    }
    const result = await database.query(sql);
    if (kind !== undefined) {
      const all = await allOf(result);
      await writeWhole(flags.out!, kind === "csv" ? csvText(result, all) : jsonText(result, all));
      tell(terminal.stderr, `Wrote ${flags.out}: ${all.length.toLocaleString("en")} rows`);
    } else if (flags.csv) terminal.stdout.write(csvText(result, await allOf(result)));
    else if (flags.json) terminal.stdout.write(jsonText(result, await allOf(result)));
    else terminal.stdout.write(`${(await shownTable(result, tables, flags.rows, terminal)).join("\n")}\n`);
  },
});

/** @throws ArgumentError for a name with another ending */
function kindOf(out: string | undefined): "csv" | "json" | undefined {
  if (out === undefined) return undefined;
  const ending = /\.(csv|json)$/i.exec(out)?.[1].toLowerCase();
  if (ending) return ending as "csv" | "json";
  throw new ArgumentError(`--out ${out} must end in .csv or .json, which says how rows are written.`, { asked: out });
}

async function allOf({ rows }: Result): Promise<(readonly Scalar[])[]> {
  const all: (readonly Scalar[])[] = [];
  for await (const row of rows) all.push(row);
  return all;
}

const csvText = ({ columns }: Result, rows: readonly (readonly Scalar[])[]) =>
  csvOf([columns.map(({ name }) => name), ...rows]);

function jsonText({ columns }: Result, rows: readonly (readonly Scalar[])[]): string {
  const lines = rows.map((row) => JSON.stringify(Object.fromEntries(columns.map(({ name }, i) => [name, row[i]]))));
  return lines.length === 0 ? "[]\n" : `[\n  ${lines.join(",\n  ")}\n]\n`;
}

/** The first rows in columns. Texts of tokens have their spaces shown. */
async function shownTable(result: Result, tables: readonly FolderTable[], most: number, terminal: Terminal) {
  const rows: (readonly Scalar[])[] = [];
  let more = 0;
  for await (const row of result.rows) {
    if (rows.length < most) rows.push(row);
    else more++;
  }
  const meanings = new Map(tables.flatMap((table) => table.meanings.map((meaning) => [meaning.name, meaning])));
  const table: Table = {
    ...{ name: "result", title: "result" },
    columns: result.columns.map(({ name, type }, i): Table["columns"][number] => {
      const unit = meanings.get(name)?.unit;
      const format: Partial<Column> =
        type === "VARCHAR" ? { format: "token" } : /INT/.test(type) ? { format: "integer" } : {};
      const about = { name, title: name, description: name, ...(unit ? { unit } : {}), ...format };
      return { ...about, values: rows.map((row) => row[i]) };
    }),
  };
  const { width, color } = textOptions(terminal);
  const lines = textTable(table, { width, maxRows: most, ink: color ? ANSI : PLAIN });
  if (rows.length === 0) lines.push("No rows.");
  if (more > 0) lines.push(`… and ${more.toLocaleString("en")} more rows: --rows shows more, --out saves all.`);
  return lines;
}

/** The tables, their columns and what they mean, and queries to begin with. */
function listing(folder: string, tables: readonly FolderTable[], { columns }: Database, terminal: Terminal): string[] {
  const { width, color } = textOptions(terminal);
  const ink = color ? ANSI : PLAIN;
  const lines = tables.flatMap((table) => {
    const own = columns.get(table.name)!;
    const meaning = (name: string) => table.meanings.find((one) => one.name === name);
    const cells = (title: string, of: (name: string, type: string) => string): Table["columns"][number] => ({
      ...{ name: title, title, description: title, format: "text" },
      values: own.map(({ name, type }) => of(name, type)),
    });
    const about: Table = {
      ...{ name: table.name, title: table.name },
      columns: [
        cells("column", (name) => name),
        cells("type", (_name, type) => type.toLowerCase()),
        cells("meaning", (name) => {
          const said = meaning(name);
          return said ? said.description + (said.unit ? ` In ${said.unit}.` : "") : "";
        }),
      ],
    };
    return [
      ink.bold(table.name) + (table.description ? `: ${table.description}` : ""),
      ...textTable(about, { width, maxRows: Number.POSITIVE_INFINITY, ink }),
      "",
    ];
  });
  const names = new Map([...columns].map(([name, own]) => [name, own.map((column) => column.name)]));
  return [...lines, "For example:", ...examplesOf(names).map((sql) => `  glassformer query ${folder} "${sql}"`)];
}
