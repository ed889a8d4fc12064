/** Where a finding comes from, so that it can be made again and compared. */
import { instanceOf, OBJECT, TEXT } from "../tensor/kinds.ts";
import { checkArgument, checkOptions, type OptionKinds } from "../tensor/options.ts";
import { type Checksum, type Finding, finding, type Provenance } from "./finding.ts";

/** The version of this package: that of package.json, which a page cannot read. */
export const VERSION = "0.1.0";

/** What a caller knows about how a finding was made. */
export interface ProvenanceOptions {
  /** The command line that makes it. */
  readonly command?: string | undefined;
  /** The TypeScript that makes it. */
  readonly code?: string | undefined;
  /** Of the model's files. Leave it out for a model that was not read from files. */
  readonly checksum?: Checksum | undefined;
  /** When it was made. Default: now. */
  readonly date?: Date | undefined;
}

const KINDS: OptionKinds<ProvenanceOptions> = {
  command: TEXT,
  code: TEXT,
  checksum: OBJECT,
  date: instanceOf(Date, "a Date"),
};

/**
 * A finding that says how it was made: with which version of this package, when, from which files, and by what to make it again. Reports
 * show it, and files of pictures contain it. The same `date` gives the same bytes.
 * @throws ArgumentError for something that is not a finding, or a date that is none
 */
export function withProvenance(of: Finding, options: ProvenanceOptions = {}): Finding {
  checkArgument("The finding of withProvenance", of, OBJECT);
  checkOptions("withProvenance", options, KINDS);
  const { command, code, checksum, date = new Date() } = options;
  checkArgument("The date of withProvenance", date, DATE);
  const provenance: Provenance = {
    version: `glassformer ${VERSION}`,
    date: date.toISOString().replace(/\.\d+Z$/, "Z"),
    ...(command === undefined ? {} : { command }),
    ...(code === undefined ? {} : { code }),
    ...(checksum === undefined ? {} : { checksum }),
  };
  return finding({ ...of, provenance });
}

const DATE = {
  accepts: (value: unknown) => value instanceof Date && Number.isFinite(value.getTime()),
  describe: "a Date with a time",
};
