/** Where a finding goes besides the terminal. */
import { basename } from "node:path";
import type { Finding } from "../finding/finding.ts";
import { counted } from "../tensor/words.ts";
import { writeGuarded } from "./interrupt.ts";
import type { OutputFile } from "./output-files.ts";

/**
 * Writes all the files, once all of them are made. One that cannot be written does not stop the others.
 * @param flag the option that names them @param say is called with a line for each
 * @throws ArgumentError for the first that could not be written
 */
export async function writeReports(
  finding: Finding,
  files: readonly OutputFile[],
  flag: string,
  say: (line: string) => void,
): Promise<void> {
  const { mainTable, render, reportFiles } = await import("../report/index.ts");
  const { GRAPH_ENDING, graphFile, graphIn } = await import("../report/graph-file.ts");
  const { toJson } = await import("../report/json.ts");
  const graph = graphIn(finding);
  const isGraph = ({ path }: OutputFile) => graph !== undefined && path.toLowerCase().endsWith(`.${GRAPH_ENDING}`);
  const contents = await Promise.all(
    files.map((file) => {
      if (file.folder) return reportFiles(finding);
      if (isGraph(file)) return toJson(graphFile(finding, graph!, basename(file.path).replace(/\.json$/i, "")));
      return render(finding, file.format);
    }),
  );
  const failed: unknown[] = [];
  for (const [i, file] of files.entries()) {
    await writeGuarded(file.path, contents[i]).then(
      () =>
        say(
          isGraph(file) ? `Wrote ${file.path}: ${FOR_PAGES}` : written(finding, file, flag, mainTable(finding)?.name),
        ),
      (error) => failed.push(error),
    );
  }
  if (failed.length > 0) throw failed[0];
}

const FOR_PAGES = "the graph, as circuit-tracer's and Neuronpedia's pages read it";

/** What was written, in a line. */
function written(
  finding: Finding,
  { path, format, folder }: OutputFile,
  flag: string,
  main: string | undefined,
): string {
  const { pictures, tables } = finding;
  if (folder) {
    const parts = [
      ...(pictures.length > 0 ? [`${counted(pictures.length, "picture")} as SVG, PNG and JSON`] : []),
      ...(tables.length > 0 ? [`${counted(tables.length, "table")} as CSV and JSON`] : []),
    ];
    return `Wrote ${["report.html", "finding.json", ...parts].join(", ")} to ${path}`;
  }
  if (format !== "csv" || tables.length < 2) return `Wrote ${path}`;
  return `Wrote ${path}: the table "${main}" of ${tables.length}; ${flag} with a folder's name, figs/, writes each`;
}
