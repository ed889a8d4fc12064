/** Every picture and table of a finding in forms that stand alone, for files and for a page that offers them. */
import type { Finding } from "../finding/finding.ts";
import type { PictureSpec } from "../finding/picture.ts";
import { rowCount, type Table } from "../finding/table.ts";
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
  /** How many numbers it has. */
  readonly numbers: () => number;
  /** What makes each form, by extension: "svg", "csv", "json". */
  readonly forms: Readonly<Record<string, () => string | Promise<string>>>;
}

/** Files that every folder has: the report and the finding. */
export const REPORT = "report.html";
export const FINDING = "finding.json";

/** Every picture and every table of a finding, in its order. */
export function exported(finding: Finding): Exported[] {
  const { pictures, tables } = finding;
  const nameOf = fileNames();
  return [
    ...pictures.map((picture) => pictureFiles(finding, picture, nameOf("picture", picture.name))),
    ...tables.map((table) => tableFiles(finding, table, nameOf("table", table.name))),
  ];
}

function pictureFiles(finding: Finding, picture: View | PictureSpec, file: string): Exported {
  const { name, title } = picture;
  const spec = () => pictureOf(picture, finding.tables);
  const svg = async () => {
    const { stampedSvg } = await import("./stamp.ts");
    return stampedSvg(await drawSvg(spec()), finding.provenance);
  };
  const forms = { svg, json: () => toJson(spec()) };
  return { of: "picture", name, title: title || name, file, numbers: () => numbersIn(spec()), forms };
}

function tableFiles(finding: Finding, table: Table, file: string): Exported {
  const { name, title, columns } = table;
  const csv = async () => (await import("./csv.ts")).renderCsv(finding, { table: name });
  const forms = { csv, json: () => toJson(table) };
  return { of: "table", name, title, file, numbers: () => columns.length * rowCount(table), forms };
}

/** Texts are shorter than this; packed numbers (attention patterns) are longer. */
const LONGEST_TEXT = 2000;

function numbersIn(value: unknown): number {
  if (typeof value === "string") return value.length > LONGEST_TEXT ? value.length : 0;
  if (typeof value !== "object" || value === null) return typeof value === "number" ? 1 : 0;
  let sum = 0;
  for (const part of Object.values(value)) sum += numbersIn(part);
  return sum;
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
