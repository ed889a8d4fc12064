/** How a finding was made, from what the user typed: the command line and the TypeScript that make it again, and the model's checksum. */
import { createHash } from "node:crypto";
import type { ProvenanceOptions } from "../finding/provenance.ts";
import { checksumOf } from "../lens/checksum.ts";
import type { ByteSource } from "../load/index.ts";
import { openModelFiles } from "../load/node.ts";
import { resolveModelName } from "../models/families/index.ts";
import { codeOf, commandLine, type Written } from "../options/written.ts";
import { ArgumentError } from "../tensor/errors.ts";

export interface Origin extends Written {
  /** Options as typed, by name; those that are left out are undefined. */
  readonly typed: Readonly<Record<string, unknown>>;
  /** The analysis' own options, with the contents of files. */
  readonly options: object;
}

/** Options that change where results go, and not what they are; of a training run also those that split it. */
const OF_OUTPUT = ["full", "json", "quiet", "noColor", "color"];
const OF_ANALYSIS = new Set([...OF_OUTPUT, "out"]);
const OF_SCAN = new Set([...OF_OUTPUT, "resume", "shard", "queue", "attempts", "takeover", "analysis", "out"]);
const OF_TRAINING = new Set([...OF_OUTPUT, "report", "resume"]);

/** The most characters of code: prompts of whole files are not copied into every report. */
const LONGEST_CODE = 20_000;

export async function provenanceOf(origin: Origin): Promise<ProvenanceOptions> {
  const code = codeOf(origin);
  return {
    command: commandLine(origin.analysis, without(OF_ANALYSIS, origin.typed)),
    ...(code.length > LONGEST_CODE ? {} : { code }),
    checksum: await checksumOfModel(origin.model),
    date: now(),
  };
}

/** Where a trained model and its loss curve come from. @param typed the names of the options that were typed */
export async function trainedFrom(
  files: readonly string[],
  flags: { readonly out: string },
  typed: readonly string[],
): Promise<ProvenanceOptions> {
  const own = Object.fromEntries(Object.entries(flags).filter(([name]) => typed.includes(name)));
  return {
    command: commandLine("train", without(OF_TRAINING, own), files),
    checksum: await checksumOfModel(flags.out),
    date: now(),
  };
}

/** The command that makes a scan, wherever and in however many parts it was made. @param typed the options, without the scan's name */
export function scanCommandLine(scan: string, typed: object): string {
  const own = without(OF_SCAN, typed as Readonly<Record<string, unknown>>);
  return commandLine("scan", { ...own, out: "scanned" }, [scan]);
}

/** Where the finding of a scan comes from. */
export async function scannedFrom(command: string, model: string): Promise<ProvenanceOptions> {
  return { command, checksum: await checksumOfModel(model), date: now() };
}

/** Now, or the time in the environment for builds whose results are compared byte by byte (reproducible-builds.org). */
function now(): Date {
  const fixed = process.env.SOURCE_DATE_EPOCH;
  if (!fixed) return new Date();
  const date = new Date(1000 * Number(fixed));
  if (/^\d+$/.test(fixed) && Number.isFinite(date.getTime())) return date;
  throw new ArgumentError(
    `The environment's SOURCE_DATE_EPOCH is "${fixed}", but must be a number of seconds since 1970: set it to one, or unset it.`,
    { asked: fixed },
  );
}

/** Options as typed, without some of them. */
function without(names: ReadonlySet<string>, typed: Readonly<Record<string, unknown>>) {
  return Object.fromEntries(Object.entries(typed).filter(([name]) => !names.has(name)));
}

/** The checksum of a model's configuration and weights; undefined if its files cannot be read again. */
export async function checksumOfModel(model: string): Promise<ProvenanceOptions["checksum"]> {
  const opened = await openModelFiles(model, { resolve: resolveModelName }).catch(() => undefined);
  return opened && checksumOf(opened, sha256);
}

/** Bytes that are read at a time. */
const PIECE = 8 << 20;

async function sha256(source: ByteSource): Promise<string> {
  const hash = createHash("sha256");
  for (let at = 0; at < source.size; at += PIECE) {
    hash.update(await source.read(at, Math.min(source.size, at + PIECE)));
  }
  return hash.digest("hex");
}
