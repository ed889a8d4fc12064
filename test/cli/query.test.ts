/** `glassformer query`: the tables of a scan in SQL, and nothing but these. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Database, duckdb } from "../../src/cli/query/database.ts";
import { tablesIn } from "../../src/cli/query/tables.ts";
import { Cli } from "./process.ts";

let cli: Cli;
const text = Array.from(
  { length: 60 },
  (_, i) => `The ${["cat", "dog", "bird"][i % 3]} sat on the mat, ${i * 7}.\n`,
).join("");
const run = (...args: string[]) => cli.run(["query", ...args]);
beforeAll(async () => {
  cli = await Cli.build();
  cli.given("text.txt", text);
  const scan = ["--data", "text.txt", "--max-length", "32", "--shard-size", "0.001"];
  expect((await cli.run(["scan", "loss", ...scan, "--out", "loss"])).code).toBe(0);
  expect((await cli.run(["scan", "neurons", ...scan, "--examples", "1", "--out", "neurons"])).code).toBe(0);
}, 120_000);
afterAll(() => cli?.remove());

describe("glassformer query", () => {
  it("lists the tables, what their columns mean, and queries that run", async () => {
    const { stdout, code } = await run("loss");
    expect(stdout).toMatch(/^rows: Every token\.\n *column +type +meaning\n/);
    expect(stdout).toMatch(/\nloss +float +−log probability of the token that comes next, in nats\./);
    expect(stdout).toMatch(/\ntoken_id +integer +The token\. Its id\./);
    expect(code).toBe(0);
    const table = stdout.split("\nFor example:")[0];
    for (const line of table.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
    const examples = [...stdout.matchAll(/glassformer query loss "(.*)"/g)].map(([, sql]) => sql);
    expect(examples).toHaveLength(3);
    for (const sql of examples) expect((await run("loss", sql)).code, sql).toBe(0);
    const neurons = await run("neurons");
    expect(neurons.stdout).toMatch(/^examples: The examples of each\.[\s\S]*\nneurons: Every neuron\./);
    const shown = [...neurons.stdout.matchAll(/glassformer query neurons "(.*)"/g)].map(([, sql]) => sql);
    for (const sql of shown) expect((await run("neurons", sql)).code, sql).toBe(0);
  });

  it("gives what the rows say: as a table, JSON, CSV and a file", async () => {
    const sql = "select count(*) as n, avg(loss) as loss from rows";
    const finding = JSON.parse(readFileSync(join(cli.folder, "loss/report/finding.json"), "utf8"));
    const [{ figure }] = finding.summary;
    const { stdout } = await run("loss", sql, "--json");
    const [row] = JSON.parse(stdout);
    expect(row.loss).toBeCloseTo(figure.value, 5);
    expect(row.n).toBeGreaterThan(500);
    const table = await run("loss", sql);
    expect(table.stdout).toMatch(/^ *n +loss\n *─+ +─+\n[\d,]+ +[\d.]+\n$/);
    const csv = await run("loss", sql, "--csv");
    expect(csv.stdout).toBe(`n,loss\r\n${row.n},${row.loss}\r\n`);
    const saved = await run("loss", sql, "--out", "result.csv");
    expect(saved.stderr).toBe("Wrote result.csv: 1 rows\n");
    expect(readFileSync(join(cli.folder, "result.csv"), "utf8")).toBe(csv.stdout);
    const few = await run("loss", "select pos from rows order by pos", "--rows", "2");
    expect(few.stdout).toMatch(/^pos\n─+\n +0\n +0\n… and [\d,]+ more rows: --rows shows more, --out saves all\.\n$/);
    expect((await run("loss", "select pos from rows where pos < 0")).stdout).toMatch(/No rows\.\n$/);
  });

  it.each([
    ["no folder", [], /There is nothing to query: name the folder of a scan/],
    ["a folder that is not there", ["nowhere"], /nowhere is not a folder/],
    ["a folder without Parquet", ["."], /has no Parquet files to query/],
    ["a query without quotes", ["loss", "select", "1"], /A query is one argument, but 2 follow/],
    ["a column that is not there", ["loss", "select losss from rows"], /no column "losss"\. Did you mean "loss"\?/],
    ["a table that is not there", ["loss", "select * from row"], /no table "row"\. Did you mean "rows"\?/],
    ["what is not SQL", ["loss", "selec 1"], /The query cannot be run: syntax error at or near "selec"\./],
    ["two statements", ["loss", "select 1; select 2"], /The query has 2 statements: give one/],
    ["an empty query", ["loss", " "], /The query is empty/],
    ["a change", ["loss", "create table x as select 1"], /Only what reads can be asked/],
    ["a change of settings", ["loss", "set enable_external_access = true"], /Only what reads can be asked/],
    [
      "a file elsewhere",
      ["loss", "select * from read_text('text.txt')"],
      /reads the tables of the folder, and no other/,
    ],
    [
      "a file of the folder",
      ["loss", "select * from 'loss/scan.json'"],
      /reads the tables of the folder, and no other/,
    ],
    ["a file to write", ["loss", "copy rows to 'copied.csv'"], /reads the tables of the folder, and no other/],
    [
      "the network",
      ["loss", "select * from 'https://example.com/a.parquet'"],
      /reads the tables of the folder|Only what reads/,
    ],
    ["another ending", ["loss", "select 1", "--out", "a.txt"], /must end in \.csv or \.json/],
    ["JSON and CSV", ["loss", "select 1", "--json", "--csv"], /--json/],
  ])("refuses %s in a sentence, and writes nothing", async (_what, args, message) => {
    const { stderr, code } = await run(...args);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/bug in glassformer|\n.*\n/);
    expect(code).toBe(2);
    expect(existsSync(join(cli.folder, "copied.csv"))).toBe(false);
  });

  it("does not overwrite a table's own file", async () => {
    const file = join(cli.folder, "loss/rows/000000.parquet");
    const before = readFileSync(file);
    const database = await Database.of(await tablesIn(join(cli.folder, "loss")));
    await expect(database.query(`copy (select 1) to '${file}'`)).rejects.toThrow(/Only what reads|reads the tables/);
    expect(readFileSync(file)).toEqual(before);
  });

  it("names a file that is damaged", async () => {
    const file = join(cli.folder, "neurons/examples.parquet");
    const before = readFileSync(file);
    writeFileSync(file, before.subarray(0, 100));
    const { stderr, code } = await run("neurons", "select 1");
    expect(stderr).toMatch(/The files of examples cannot be read: .*\.$/m);
    expect(code).toBe(2);
    writeFileSync(file, before);
  });

  it("says what to install where DuckDB is missing", async () => {
    const load = () => import("@duckdb/not-there" as "@duckdb/node-api");
    await expect(duckdb(load)).rejects.toThrow(
      /needs DuckDB, which is not installed: run npm install @duckdb\/node-api/,
    );
  });
});
