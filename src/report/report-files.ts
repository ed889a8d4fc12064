/** A finding as separate files: each picture and each table on its own, for papers, slides and other programs. */
import type { Finding } from "../finding/finding.ts";
import type { PictureSpec } from "../finding/picture.ts";
import type { Table } from "../finding/table.ts";
import { renderCsv } from "./csv.ts";
import { drawSvg } from "./draw/draw.ts";
import { renderHtml } from "./html.ts";
import { renderJson, toJson } from "./json.ts";
import { fittingScale, rasterize } from "./rasterize.ts";
import { stampedPng, stampedSvg } from "./stamp.ts";
import { drawn } from "./views/picture-of.ts";

export interface ReportFile {
  readonly name: string;
  readonly content: string | Uint8Array;
}

/** A picture or a table of a finding in its text forms, under a name that is a good file name. */
export interface Exported {
  readonly of: "picture" | "table";
  /** Its name in the finding. */
  readonly name: string;
  /** The name of its files, without extension. */
  readonly file: string;
  /** By extension: "svg", "csv", "json". */
  readonly forms: Readonly<Record<string, string>>;
}

/** Files that every folder has. */
const REPORT = "report.html";
const FINDING = "finding.json";

/**
 * The report, the finding as JSON, each picture as SVG, PNG and JSON, each table as CSV and JSON.
 * @throws GlassformerError for PNGs if no rasterizer or no font is available
 */
export async function reportFiles(finding: Finding): Promise<ReportFile[]> {
  const files: ReportFile[] = [
    { name: REPORT, content: await renderHtml(finding) },
    { name: FINDING, content: renderJson(finding) },
  ];
  for (const { file, forms } of await exported(finding)) {
    for (const [ending, content] of Object.entries(forms)) files.push({ name: `${file}.${ending}`, content });
    const { svg } = forms;
    if (svg === undefined) continue;
    const png = await rasterize(svg, { scale: fittingScale(svg) });
    files.push({ name: `${file}.png`, content: stampedPng(png, finding.provenance) });
  }
  return files;
}

/** Every picture and every table of a finding, in its order. */
export async function exported(finding: Finding): Promise<Exported[]> {
  const { pictures, tables } = drawn(finding);
  const nameOf = fileNames();
  const all: Exported[] = [];
  for (const spec of pictures) all.push(await pictureFiles(finding, spec, nameOf("picture", spec.name)));
  for (const table of tables) all.push(tableFiles(finding, table, nameOf("table", table.name)));
  return all;
}

async function pictureFiles(finding: Finding, spec: PictureSpec, file: string): Promise<Exported> {
  const svg = stampedSvg(await drawSvg(spec), finding.provenance);
  return { of: "picture", name: spec.name, file, forms: { svg, json: toJson(spec) } };
}

function tableFiles(finding: Finding, table: Table, file: string): Exported {
  const csv = renderCsv(finding, { table: table.name });
  return { of: "table", name: table.name, file, forms: { csv, json: toJson(table) } };
}

/** Names of files, each different from those before, also where capitals do not count: what is not a letter, a digit, "." or "_" becomes "-". */
function fileNames(): (of: Exported["of"], name: string) => string {
  const taken = new Set([REPORT, FINDING].map((name) => name.replace(/\..*/, "")));
  return (of, name) => {
    const plain =
      name
        .replace(/[^\p{L}\p{N}._]+/gu, "-")
        .replace(/^[-.]+|[-.]+$/g, "")
        .slice(0, 80) || of;
    let free = taken.has(plain.toLowerCase()) ? `${plain}-${of}` : plain;
    for (let i = 2; taken.has(free.toLowerCase()); i++) free = `${plain}-${of}-${i}`;
    taken.add(free.toLowerCase());
    return free;
  };
}
