import type { Finding, Part, Table } from "../analyses/finding.ts";
import type { PictureSpec } from "../analyses/picture.ts";

export interface Chapter {
  /** Absent for what belongs to no part. */
  readonly part?: Part;
  readonly pictures: readonly PictureSpec[];
  readonly tables: readonly Table[];
}

/** A finding's pictures and tables in the order they are read: first what belongs to no part, then part by part. */
export function chapters(finding: Finding): Chapter[] {
  const of = (name: string | undefined) => ({
    pictures: finding.pictures.filter((spec) => spec.part === name),
    tables: finding.tables.filter((table) => table.part === name),
  });
  const parts = (finding.parts ?? []).map((part): Chapter => ({ part, ...of(part.name) }));
  return [of(undefined), ...parts];
}
