/** Parquet files as a database that can be read and nothing else: DuckDB, which is installed by whoever wants it. */
import type { DuckDBConnection } from "@duckdb/node-api";
import type { Scalar } from "../../finding/table.ts";
import { ArgumentError, UnknownNameError } from "../../tensor/errors.ts";
import type { FolderTable } from "./tables.ts";

/** A column of a result. */
export interface ResultColumn {
  readonly name: string;
  /** DuckDB's. */
  readonly type: string;
}

/** What a query gives, row by row. */
export interface Result {
  readonly columns: readonly ResultColumn[];
  readonly rows: AsyncIterable<readonly Scalar[]>;
}

type DuckDB = typeof import("@duckdb/node-api");

/** @throws ArgumentError if it is not installed */
export async function duckdb(load: () => Promise<DuckDB> = () => import("@duckdb/node-api")): Promise<DuckDB> {
  try {
    return await load();
  } catch (cause) {
    throw new ArgumentError(
      "glassformer query needs DuckDB, which is not installed: run npm install @duckdb/node-api. The Parquet files open in anything else that reads them, too.",
      { asked: "@duckdb/node-api", cause },
    );
  }
}

const text = (value: string) => `'${value.replaceAll("'", "''")}'`;
const name = (value: string) => `"${value.replaceAll('"', '""')}"`;

/** The tables of a folder, open for queries. */
export class Database {
  /** Their columns, by the table's name. */
  readonly columns = new Map<string, readonly ResultColumn[]>();
  private readonly connection: DuckDBConnection;
  private readonly selects: number;

  private constructor(connection: DuckDBConnection, selects: number) {
    this.connection = connection;
    this.selects = selects;
  }

  /** @throws ArgumentError for a file that is damaged, or files of different columns */
  static async of(tables: readonly FolderTable[]): Promise<Database> {
    const { DuckDBInstance, StatementType } = await duckdb();
    const connection = await (await DuckDBInstance.create(":memory:")).connect();
    const made = new Database(connection, StatementType.SELECT);
    const files = tables.flatMap((table) => table.files);
    for (const table of tables) {
      const list = table.files.map(text).join(", ");
      const { columnNames, columnTypes } = await connection
        .run(`CREATE VIEW ${name(table.name)} AS SELECT * FROM read_parquet([${list}])`)
        .then(() => connection.runAndReadAll(`SELECT * FROM ${name(table.name)} LIMIT 0`))
        .then((read) => ({ columnNames: read.columnNames(), columnTypes: read.columnTypes() }))
        .catch((cause) => {
          throw new ArgumentError(`The files of ${table.name} cannot be read: ${sentence(cause)}`, {
            asked: table.files,
            cause,
          });
        });
      made.columns.set(
        table.name,
        columnNames.map((column, i) => ({ name: column, type: `${columnTypes[i]}` })),
      );
    }
    // From here on nothing else is read, nothing is fetched, and nothing of this changes.
    await connection.run(`SET allowed_paths = [${files.map(text).join(", ")}]`);
    for (const setting of ["autoinstall_known_extensions", "autoload_known_extensions", "enable_external_access"]) {
      await connection.run(`SET ${setting} = false`);
    }
    await connection.run("SET lock_configuration = true");
    return made;
  }

  /** @throws ArgumentError, UnknownNameError for SQL that cannot be run, that would change something, or that is several statements */
  async query(sql: string): Promise<Result> {
    if (sql.trim() === "")
      throw new ArgumentError('The query is empty: give one, such as "select * from rows limit 5".');
    try {
      const statements = await this.connection.extractStatements(sql);
      if (statements.count !== 1) {
        throw new ArgumentError(`The query has ${statements.count} statements: give one.`, { asked: sql });
      }
      const prepared = await statements.prepare(0);
      if (prepared.statementType !== this.selects) {
        throw new ArgumentError("Only what reads can be asked: begin the query with select, from, with or describe.", {
          asked: sql,
        });
      }
      const result = await prepared.stream();
      const types = result.columnTypes().map(String);
      const columns = result.columnNames().map((name, i) => ({ name, type: types[i] }));
      const refused = (cause: unknown) => this.refusal(cause);
      return {
        columns,
        rows: (async function* () {
          try {
            for await (const rows of result.yieldRowsJson()) {
              for (const row of rows) yield row.map((value, i) => scalarOf(value, types[i]));
            }
          } catch (cause) {
            throw refused(cause);
          }
        })(),
      };
    } catch (cause) {
      throw this.refusal(cause);
    }
  }

  /** DuckDB's error as a sentence, with the closest name where one is unknown. */
  private refusal(cause: unknown): unknown {
    if (cause instanceof ArgumentError) return cause;
    const message = (cause as Error).message ?? `${cause}`;
    const column = /Referenced column "([^"]+)" (?:not found|was not found)/.exec(message)?.[1];
    if (column !== undefined) {
      const known = [...new Set([...this.columns.values()].flat().map((one) => one.name))];
      return new UnknownNameError("column", column, known);
    }
    const table = /Table with name (\S+) does not exist/.exec(message)?.[1];
    if (table !== undefined) return new UnknownNameError("table", table, [...this.columns.keys()]);
    if (message.startsWith("Permission Error")) {
      return new ArgumentError(
        "A query reads the tables of the folder, and no other files: leave out what names them.",
        {
          asked: "query",
          cause,
        },
      );
    }
    return new ArgumentError(`The query cannot be run: ${sentence(cause)}`, { asked: "query", cause });
  }
}

/** The first line of DuckDB's message, as the end of a sentence. */
function sentence(cause: unknown): string {
  const [first] = ((cause as Error).message ?? `${cause}`).replace(/^Failed to extract statements: /, "").split("\n");
  const said = first.replace(/^[A-Z]\w+ Error: /, "").replace(/[.!]$/, "");
  return `${said}.`;
}

/** A value as a cell: whole numbers that fit are numbers, lists and the like are JSON. */
function scalarOf(value: unknown, type: string): Scalar {
  if (value === null || value === undefined) return null;
  if (typeof value === "number") return Number.isFinite(value) ? value : `${value}`;
  if (typeof value === "boolean") return value;
  if (typeof value !== "string") return JSON.stringify(value);
  if (!/^(U?(HUGE|BIG)INT|DECIMAL)/.test(type)) return value;
  const number = Number(value);
  return Number.isInteger(number) && !Number.isSafeInteger(number) ? value : number;
}
