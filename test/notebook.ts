/**
 * Runs a notebook's cells in order: not a kernel, but one module made of them all, in a process of its own. A cell that ends with
 * an expression shows it as Deno's kernel does: by `Jupyter.display`, or else as a console prints it.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { parseAst } from "vite";
import { root } from "./repository/installed.ts";

/** What a cell printed, and by MIME type what its last expression was. */
export interface CellOutput {
  readonly printed: string;
  readonly result: Readonly<Record<string, string>>;
}

/** A code cell as the file has it. */
export interface CodeCell {
  readonly source: string;
  readonly saved: CellOutput;
}

interface SavedOutput {
  readonly text?: readonly string[];
  readonly data?: Readonly<Record<string, string | readonly string[]>>;
}

/** The code cells of a notebook under `examples/`, with the outputs that were saved. */
export function codeCells(name: string): CodeCell[] {
  const { cells } = JSON.parse(readFileSync(join(root, "examples", name), "utf8"));
  return cells
    .filter((cell: { cell_type: string }) => cell.cell_type === "code")
    .map(({ source, outputs }: { source: string[]; outputs: SavedOutput[] }) => {
      const data = Object.entries(outputs.find((output) => output.data)?.data ?? {});
      const result = data.map(([type, text]) => [type, typeof text === "string" ? text : text.join("")]);
      const printed = outputs.flatMap((output) => output.text ?? []).join("");
      return { source: source.join(""), saved: { printed, result: Object.fromEntries(result) } };
    });
}

const MARK = "\u0000";
const PREAMBLE = `
import { inspect } from "node:util";
const __mark = (what: unknown) => process.stdout.write("\\0" + JSON.stringify(what) + "\\0");
const __show = async (x: any) => {
  if (x === undefined) return;
  const display = x?.[Symbol.for("Jupyter.display")];
  __mark({ result: display ? await display.call(x) : { "text/plain": inspect(x) } });
};
`;

/** The outputs of all cells. @throws Error with what the process wrote if one of them throws */
export async function runCells(cells: readonly CodeCell[]): Promise<CellOutput[]> {
  const here = pathToFileURL(join(root, "src/node.ts")).href;
  const code = cells.map(({ source }) => `__mark({ cell: true });\n${showingLast(source)}`).join("\n");
  const folder = mkdtempSync(join(tmpdir(), "notebook-"));
  try {
    const file = join(folder, "notebook.mts");
    writeFileSync(file, PREAMBLE + code.replaceAll('from "glassformer"', `from "${here}"`));
    const run = promisify(execFile)(process.execPath, ["--import", "tsx", file], { cwd: root, maxBuffer: 2 ** 28 });
    return outputsOf((await run).stdout);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A cell whose last statement, if it is an expression, is shown. */
function showingLast(source: string): string {
  const last = parseAst(source, { lang: "ts", astType: "ts" }).body.at(-1) as
    | { type: string; start: number; end: number }
    | undefined;
  if (last?.type !== "ExpressionStatement") return source;
  const expression = source.slice(last.start, last.end).replace(/;\s*$/, "");
  return `${source.slice(0, last.start)}await __show(${expression});${source.slice(last.end)}`;
}

function outputsOf(stdout: string): CellOutput[] {
  const outputs: { printed: string; result: Record<string, string> }[] = [];
  stdout.split(MARK).forEach((part, i) => {
    const mark = i % 2 === 1 ? JSON.parse(part) : undefined;
    if (mark?.cell) outputs.push({ printed: "", result: {} });
    else if (mark) outputs.at(-1)!.result = mark.result;
    else if (outputs.length > 0) outputs.at(-1)!.printed += part;
  });
  return outputs;
}
