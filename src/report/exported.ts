/** Every picture and table of a finding in forms that stand alone, for files and for a page that offers them. */
import type { Finding } from "../finding/finding.ts";
import type { GraphSpec, PictureSpec } from "../finding/picture.ts";
import type { Table } from "../finding/table.ts";
import type { View } from "../finding/view.ts";
import { drawSvg } from "./draw/draw.ts";
import { toJson } from "./json.ts";
import { pictureOf } from "./views/picture-of.ts";

/** A picture or a table of a finding in its text forms, under a name that is a good file name. */
export interface Exported {
  readonly of: "picture" | "table";
  /** Its name in the finding. */
  readonly name: string;
  readonly title: string;
  /** The name of its files, without extension. */
  readonly file: string;
  /** What it is, as plain data. */
  readonly content: () => object;
  /** What makes each form, by extension: "svg", "csv", "json". */
  readonly forms: Readonly<Record<string, () => string | Promise<string>>>;
}

/** Files that every folder has: the report and the finding. */
export const REPORT = "report.html";
export const FINDING = "finding.json";

/**
 * Every picture and every table of a finding, in its order.
 * @param states how graphs are looked at, by the names of their pictures
 */
export function exported(finding: Finding, states: Readonly<Record<string, object>> = {}): Exported[] {
  const { pictures, tables } = finding;
  const nameOf = fileNames();
  return [
    ...pictures.map((picture) => pictureFiles(finding, picture, nameOf("picture", picture.name), states[picture.name])),
    ...tables.map((table) => tableFiles(finding, table, nameOf("table", table.name))),
  ];
}

function pictureFiles(finding: Finding, picture: View | PictureSpec, file: string, state?: object): Exported {
  const { name, title } = picture;
  const spec = () => {
    const drawn = pictureOf(picture, finding.tables);
    return state && drawn.kind === "graph" ? { ...drawn, state: { ...drawn.state, ...state } } : drawn;
  };
  const svg = async () => {
    const { stampedSvg } = await import("./stamp.ts");
    return stampedSvg(await drawSvg(spec()), finding.provenance);
  };
  const graph = async () => {
    const { graphFile } = await import("./graph-file.ts");
    return toJson(graphFile(finding, spec() as GraphSpec, `${file}.graph`));
  };
  const hasGraph = picture.kind === "graph" && "source" in picture;
  const forms = { svg, json: () => toJson(spec()), ...(hasGraph ? { "graph.json": graph } : {}) };
  return { of: "picture", name, title: title || name, file, content: spec, forms };
}

function tableFiles(finding: Finding, table: Table, file: string): Exported {
  const { name, title } = table;
  const csv = async () => (await import("./csv.ts")).renderCsv(finding, { table: name });
  const forms = { csv, json: () => toJson(table) };
  return { of: "table", name, title, file, content: () => table, forms };
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
