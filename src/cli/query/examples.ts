/** Queries to begin with, for the tables that a folder has. */

/** How many are shown. */
const SHOWN = 3;

/** Each with the table and the columns that it needs. */
const EXAMPLES = [
  { table: "rows", needs: ["token", "score"], sql: "select token, next, score from rows order by score desc limit 10" },
  {
    table: "rows",
    needs: ["next", "loss"],
    sql: "select next, count(*) as n, avg(loss) as loss from rows group by next having n > 50 order by loss desc limit 10",
  },
  { table: "rows", needs: ["pos", "loss"], sql: "select pos, avg(loss) as loss from rows group by pos order by pos" },
  {
    table: "rows",
    needs: ["rank_0_pre", "rank_final_post"],
    sql: "select token, next, rank_0_pre, rank_final_post from rows order by rank_0_pre - rank_final_post desc limit 10",
  },
  {
    table: "neurons",
    needs: ["component", "density", "peak"],
    sql: "select component, density, peak from neurons where density < 0.01 order by peak desc limit 10",
  },
  {
    table: "examples",
    needs: ["component", "activation", "before", "token"],
    sql: "select component, activation, before, token from examples where component = 'L0N0'",
  },
  {
    table: "numbers",
    needs: ["hook", "mean", "sd"],
    sql: "select hook, index, mean, sd from numbers order by abs(mean) / sd desc limit 10",
  },
  { table: "types", needs: ["token", "count"], sql: "select * from types order by count desc limit 10" },
  {
    table: "rows",
    needs: ["token"],
    sql: "select token, count(*) as n from rows group by token order by n desc limit 10",
  },
] as const;

/** @param columns of each table, by its name */
export function examplesOf(columns: ReadonlyMap<string, readonly string[]>): string[] {
  const fitting = EXAMPLES.filter(({ table, needs }) => needs.every((name) => columns.get(table)?.includes(name)));
  const general = [...columns.keys()].flatMap((table) => [
    `select count(*) from ${table}`,
    `select * from ${table} limit 5`,
    `summarize ${table}`,
  ]);
  return [...new Set([...fitting.map(({ sql }) => sql), ...general])].slice(0, SHOWN);
}
