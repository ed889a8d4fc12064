/**
 * What an analysis returns: the answer to one question, as plain data that survives `JSON.stringify`. The terminal, JSON,
 * CSV, HTML and the web page all show this same object, so everything that should be seen must be in it.
 *
 * No number is shown without something to compare it with: a statement that carries a figure names at least one of
 * the finding's baselines, and the compiler insists on it.
 */

import { showAs } from "../tensor/display.ts";
import { ArgumentError, UnknownNameError } from "../tensor/errors.ts";
import { listOf, OBJECT } from "../tensor/kinds.ts";
import { shown } from "../tensor/show.ts";
import { findingLines } from "./finding-lines.ts";
import type { PictureSpec } from "./picture.ts";
import type { FilledColumn, Scalar, Table } from "./table.ts";
import { checkView, isView, type View } from "./view.ts";

/** What an analysis returns: the answer to one question as plain data. Made and checked by `finding`. */
export interface Finding {
  /** The analysis' name, which is also its command: "diffuse-mlp". */
  readonly analysis: string;
  /** The question it answers, as one sentence with a question mark. */
  readonly question: string;
  /** The results in sentences, the most important first: the first is the answer. */
  readonly summary: readonly [Statement, ...Statement[]];
  readonly method: Method;
  readonly model: ModelFacts;
  /** The settings of the analysis: layer, k, seed, number of prompts, flags. */
  readonly settings: Readonly<Record<string, Scalar>>;
  /** Sections of the report, in order. Tables and pictures that name no part come before the first. */
  readonly parts?: readonly Part[];
  /** Views of the tables, or pictures of numbers that are in no table. */
  readonly pictures: readonly (PictureSpec | View)[];
  /** The name of the picture that shows the answer: a report begins with it. Default: the first of the first part that has one. */
  readonly answerPicture?: string;
  readonly tables: readonly Table[];
  /** What the numbers should be compared with. */
  readonly baselines: readonly Baseline[];
  /** What a reader must know before trusting the result; one or two sentences each. */
  readonly caveats: readonly string[];
  /** How it was made: `withProvenance` adds it, as the command line does. */
  readonly provenance?: Provenance;
}

/** How a finding was made. */
export interface Provenance {
  /** "glassformer 0.1.0". */
  readonly version: string;
  /** In UTC, as ISO 8601: "2026-11-26T14:00:00Z". */
  readonly date: string;
  readonly command?: string;
  readonly code?: string;
  /** Missing for a model that was not read from files, or whose files could not be read again. */
  readonly checksum?: Checksum;
}

/** A checksum of a model's configuration and weights. */
export interface Checksum {
  /** The SHA-256, in hexadecimal, of what `sha256sum` prints for these files in this order. */
  readonly sha256: string;
  readonly files: readonly string[];
}

/** A result in a sentence. `text` makes sense on its own; `figure` is its number, for programs and for the comparison. */
export interface Statement {
  readonly text: string;
  readonly figure?: Figure;
}

/** A number and the names of the baselines to compare it with. */
export interface Figure {
  readonly value: number;
  /** "nats", "logits", "neurons", "%", or "" for a pure number. */
  readonly unit: string;
  readonly comparedWith: readonly [string, ...string[]];
}

/** Something to compare a number with: it has at least one of a value, an interval and a p-value. */
export interface Baseline {
  readonly name: string;
  readonly kind: "null model" | "permutation test" | "bootstrap interval" | "control" | "reference value";
  /** How it was obtained and what it says, in a sentence or two. */
  readonly text: string;
  readonly value?: number;
  readonly unit?: string;
  /** The ends of the interval, and the share of the samples inside it: 0.95. */
  readonly interval?: readonly [number, number];
  readonly level?: number;
  /** The probability of a result as extreme under the null hypothesis. */
  readonly p?: number;
  /** How many permutations, resamples or shuffles. */
  readonly samples?: number;
  readonly seed?: number;
}

export interface Method {
  /** How the numbers were obtained, with formulas; paragraphs are separated by empty lines. */
  readonly text: string;
  readonly references: readonly Reference[];
}

export interface Reference {
  readonly title: string;
  readonly url?: string;
  /** Authors and year, or where it was published. */
  readonly paper?: string;
}

export interface ModelFacts {
  readonly name: string;
  /** The numbers of the configuration that matter here: n_layers, d_model, d_mlp, act_fn, eps. */
  readonly config: Readonly<Record<string, Scalar>>;
}

/** A section of the report: a heading, some text, and the pictures and tables whose `part` is its name. */
export interface Part {
  readonly name: string;
  readonly title: string;
  readonly text?: string;
}

/** Where something does not apply: `tables: [all, neurons && ofNeurons]`. */
export type Gap = false | null | undefined;

/** What `finding` takes: a finding, whose lists may have gaps, which are left out. */
export interface FindingParts
  extends Omit<Finding, "summary" | "pictures" | "tables" | "baselines" | "caveats" | "parts"> {
  readonly summary: readonly [Statement, ...(Statement | Gap)[]];
  readonly pictures: readonly (PictureSpec | View | Gap)[];
  readonly tables: readonly (Table | Gap)[];
  readonly baselines: readonly (Baseline | Gap)[];
  readonly caveats: readonly (string | Gap)[];
  readonly parts?: readonly (Part | Gap)[];
}

/**
 * The finding, after a check: every row is as wide as its columns, every number is finite, names are unique, and
 * each baseline, part or picture that is named exists. Renderers rely on this and do not check again.
 *
 * @throws ArgumentError for a row or number that does not fit, or a name used twice.
 * @throws UnknownNameError for a baseline, part or picture that is named but does not exist.
 */
export function finding(given: FindingParts): Finding {
  const parts = withoutGaps(given);
  checkParts(parts);
  const baselines = unique("baseline", parts.baselines);
  const chapters = unique("part", parts.parts ?? []);
  unique("table", parts.tables);
  const pictures = unique("picture", parts.pictures);

  for (const { name, value, interval, p } of parts.baselines) {
    for (const number of [value, p, ...(interval ?? [])]) finite(number ?? null, `The baseline "${name}"`);
    if (value === undefined && interval === undefined && p === undefined) {
      throw new ArgumentError(
        `The baseline "${name}" has no number to compare with; give it a value, an interval or a p-value.`,
        { asked: name },
      );
    }
  }
  const known = (kind: string, names: readonly string[], name: string) => {
    if (!names.includes(name)) throw new UnknownNameError(kind, name, names);
  };
  for (const statement of parts.summary) {
    if (!statement.figure) continue;
    finite(statement.figure.value, `The statement "${statement.text}"`);
    for (const name of statement.figure.comparedWith) known("baseline", baselines, name);
  }
  for (const item of [...parts.tables, ...parts.pictures]) {
    if (item.part !== undefined) known("part", chapters, item.part);
  }
  if (parts.answerPicture !== undefined) known("picture", pictures, parts.answerPicture);
  for (const table of parts.tables) {
    for (const name of table.comparedWith ?? []) known("baseline", baselines, name);
    unique(`column of table "${table.name}"`, table.columns);
    checkColumns(table);
  }
  for (const picture of parts.pictures) if (isView(picture)) checkView(picture, parts.tables);
  return showAs(parts, findingLines);
}

function withoutGaps(given: unknown): object {
  if (!OBJECT.accepts(given)) return {};
  const present = (value: unknown) =>
    Array.isArray(value) ? value.filter((item) => item !== false && item !== null && item !== undefined) : value;
  return Object.fromEntries(Object.entries(given as object).map(([name, value]) => [name, present(value)]));
}

/** @throws ArgumentError for a value that does not have the parts of a finding */
function checkParts(parts: unknown): asserts parts is Finding {
  const objects = listOf(OBJECT, "objects");
  const given = (OBJECT.accepts(parts) ? parts : {}) as Partial<Finding>;
  for (const name of ["summary", "baselines", "tables", "pictures", "parts"] as const) {
    if (objects.accepts(given[name]) || (name === "parts" && given[name] === undefined)) continue;
    throw new ArgumentError(`The ${name} of a finding must be a list of objects, not ${shown(given[name])}.`, {
      asked: name,
      found: given[name],
    });
  }
  const columns = listOf(
    { accepts: (v) => OBJECT.accepts(v) && Array.isArray((v as Partial<FilledColumn>).values), describe: "" },
    "",
  );
  const bad = given.tables!.find((table) => !columns.accepts(table.columns));
  if (bad) {
    throw new ArgumentError(
      `The table ${shown(bad.name)} must have columns, a list of objects that each have a list of values, as tableOf makes them.`,
      { asked: bad },
    );
  }
}

/** @throws ArgumentError for columns of unequal length, or a number that JSON cannot represent */
function checkColumns({ name, columns }: Table): void {
  for (const column of columns) {
    if (column.values.length !== columns[0].values.length) {
      throw new ArgumentError(
        `Column "${column.name}" of table "${name}" has ${column.values.length} cells, but "${columns[0].name}" has ${columns[0].values.length}.`,
        { asked: column.name, found: column.values.length },
      );
    }
    column.values.forEach((cell, row) => {
      finite(cell, `Row ${row}, column "${column.name}" of table "${name}"`);
    });
  }
}

function finite(value: Scalar, where: string): void {
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new ArgumentError(`${where} is ${value}, which JSON cannot represent; use null where there is no number.`, {
      asked: value,
    });
  }
}

function unique(kind: string, items: readonly { readonly name: string }[]): string[] {
  const names = items.map((item) => item.name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new ArgumentError(`Two ${kind}s of the finding are called "${twice}": names must be unique.`, {
      asked: twice,
    });
  }
  return names;
}
