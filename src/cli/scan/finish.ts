/** The end of a scan: its shards merged, the finding of what they saw, and where it is written. */

import { join } from "node:path";
import { withProvenance } from "../../finding/provenance.ts";
import type { ModelScan } from "../../scan/scan.ts";
import { SEEN } from "../../scan/shard.ts";
import type { Counts } from "../../scan/summaries/counts.ts";
import { InputError } from "../../tensor/errors.ts";
import { counted } from "../../tensor/words.ts";
import { scannedFrom } from "../origin.ts";
import { writeFolder, writeWhole } from "../output-files.ts";
import { saveMeanings } from "../query/tables.ts";
import { briefOptions, type Terminal, tell, textOptions } from "../terminal.ts";
import { writeActivationsIndex } from "./activations-index.ts";
import type { ScanFolder } from "./folder.ts";
import { parquetOfTable } from "./parquet.ts";
import { datasetOf } from "./sources.ts";

/** A scan all of whose shards are done. */
export interface Finished {
  readonly folder: ScanFolder;
  readonly scan: ModelScan;
}

/** Writes the finding and shows it. */
export async function finishScan(
  { folder, scan }: Finished,
  { full, json }: { readonly full: boolean; readonly json?: boolean | undefined },
  terminal: Terminal,
): Promise<void> {
  const { settings, path } = folder;
  const merged = await folder.merged(
    Array.from({ length: settings.shards }, (_, shard) => shard),
    scan,
  );
  await folder.saveSummary(merged);
  const seen = (merged.summaries.seen as unknown as Counts).values;
  if (seen[SEEN.tokens] === 0) {
    throw new InputError(
      `${counted(seen[SEEN.texts], "text")} of ${settings.data.map(({ name }) => name).join(" ")} ${seen[SEEN.texts] === 1 ? "was" : "were"} read, and none has a token: there is nothing to measure.`,
      { asked: settings.data },
    );
  }
  const found = scan.finding(merged.summaries, {
    ...{ texts: seen[SEEN.texts], skipped: seen[SEEN.skipped], tokens: seen[SEEN.tokens], rows: seen[SEEN.rows] },
    settings: {
      data: [...new Set(settings.data.map(({ name }) => datasetOf(name)))].join(" "),
      texts: seen[SEEN.texts],
      tokens: seen[SEEN.tokens],
      "tokens per row": settings.maxLength,
      shards: settings.shards,
    },
  });
  const finding = withProvenance(found, await scannedFrom(settings.command, settings.model));
  const { render, reportFiles } = await import("../../report/index.ts");
  const report = join(path, "report");
  await writeFolder(report, await reportFiles(finding));
  const tables = scan.tables?.(merged.summaries) ?? [];
  for (const table of tables) await writeWhole(join(path, `${table.name}.parquet`), await parquetOfTable(table));
  if (scan.stored) await writeActivationsIndex(folder, scan.stored);
  const rows = scan.stored
    ? ", index.json and activations/*.safetensors: a row of numbers for each token"
    : scan.columns.length > 0
      ? ", rows/*.parquet: a row for each token"
      : "";
  await saveMeanings(path, scan, tables);
  const others = scan.files?.(merged.summaries) ?? [];
  for (const { name, content } of others) await writeWhole(join(path, name), content);
  const listed = [...tables.map(({ name, title }) => ({ name: `${name}.parquet`, title })), ...others];
  const files = listed.map(({ name, title }) => `, ${name}: ${title.toLowerCase()}`).join("");
  tell(terminal.stderr, `Wrote ${path}: report/report.html, with its tables and pictures${rows}${files}`);
  const text = full ? textOptions(terminal) : briefOptions(terminal, `They are in ${join(report, "report.html")}.`);
  terminal.stdout.write((await render(finding, json ? "json" : "text", { text })) as string);
}
