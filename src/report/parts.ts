import type { Finding, Part } from "../finding/finding.ts";
import type { PictureBase } from "../finding/picture.ts";
import { type FilledColumn, rowCount, type Table } from "../finding/table.ts";

/** A finding, whether its views of tables have been drawn up or not. */
type Of<P> = Omit<Finding, "pictures"> & { readonly pictures: readonly P[] };

export interface Chapter<P extends PictureBase = PictureBase> {
  /** Absent for pictures and tables that belong to no part. */
  readonly part?: Part;
  readonly pictures: readonly P[];
  readonly tables: readonly Table[];
}

/** The pictures and tables of a finding in reading order: first those that belong to no part, then part by part. */
export function chapters<P extends PictureBase>(finding: Of<P>): Chapter<P>[] {
  const toRead = tablesToRead(finding);
  const of = (name: string | undefined) => ({
    pictures: finding.pictures.filter((spec) => spec.part === name),
    tables: toRead.filter((table) => table.part === name),
  });
  const parts = (finding.parts ?? []).map((part): Chapter<P> => ({ part, ...of(part.name) }));
  return [of(undefined), ...parts];
}

/** The tables that a report shows: not one for looking things up whose rows are those of another, as where all effects are the largest ones. */
export function tablesToRead({ tables }: Pick<Finding, "tables">): readonly Table[] {
  const shown = tables.filter(({ detail }) => !detail);
  return tables.filter((table) => !table.detail || !shown.some((other) => haveSameRows(table, other)));
}

/** Whether two tables have the same columns and, in whatever order, the same rows. */
function haveSameRows(one: Table, other: Table): boolean {
  if (rowCount(one) !== rowCount(other)) return false;
  const [rows, others] = [one, other].map(({ columns }) => {
    const names = JSON.stringify(columns.map(({ name }) => name));
    const count = columns[0]?.values.length ?? 0;
    return [
      names,
      ...Array.from({ length: count }, (_, r) => JSON.stringify(columns.map(({ values }) => values[r]))).sort(),
    ];
  });
  return rows.every((row, i) => row === others[i]);
}

/** The columns of a table that people read. */
export function columnsToRead({ columns }: Table): readonly FilledColumn[] {
  return columns.filter(({ detail }) => !detail);
}

/** The table that is read first: the first in reading order that is not for looking things up. */
export function mainTable({ parts = [], tables }: Pick<Finding, "parts" | "tables">): Table | undefined {
  const names = [undefined, ...parts.map(({ name }) => name)];
  const inOrder = names.flatMap((name) => tables.filter(({ part }) => part === name));
  return inOrder.find(({ detail }) => !detail) ?? inOrder[0];
}

/** A finding in the order in which a report shows it. */
export interface Reading<P extends PictureBase = PictureBase> {
  /** The picture that shows the answer: the one that the finding names, or the first. */
  readonly answer: P | undefined;
  /** Everything else; a part that has nothing else is left out. */
  readonly chapters: readonly Chapter<P>[];
}

export function reading<P extends PictureBase>(finding: Of<P>): Reading<P> {
  const all = chapters(finding);
  const pictures = all.flatMap((chapter) => chapter.pictures);
  const answer = pictures.find(({ name }) => name === finding.answerPicture) ?? pictures[0];
  const others = all.map((chapter) => ({ ...chapter, pictures: chapter.pictures.filter((spec) => spec !== answer) }));
  const kept = others.filter(({ part, pictures, tables }) => part?.text || pictures.length > 0 || tables.length > 0);
  return { answer, chapters: kept };
}
