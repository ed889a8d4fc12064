/** What a scan is: everything that its result depends on. Two folders belong to the same scan if all of it is the same. */
import { createHash } from "node:crypto";
import { VERSION } from "../../finding/provenance.ts";
import { ArgumentError } from "../../tensor/errors.ts";
import { shown } from "../../tensor/show.ts";
import { listed } from "../../tensor/words.ts";

/** What `scan.json` has. */
export interface ScanSettings {
  readonly glassformer: string;
  readonly scan: string;
  /** The scan's own. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly model: string;
  readonly adapter: string | null;
  readonly dtype: string | null;
  /** Of the model's files; null if they cannot be read again. */
  readonly weights: string | null;
  readonly data: readonly { readonly name: string; readonly size: number; readonly sha256: string }[];
  readonly column: string;
  /** Only this many texts. */
  readonly limit: number | null;
  readonly maxLength: number;
  readonly batchTokens: number;
  /** MB of text. */
  readonly shardSize: number;
  readonly shards: number;
  /** How it was begun, to be begun again. */
  readonly command: string;
}

export const THIS_VERSION = VERSION;

/** Where a scan's settings are typed, if they are. */
const OPTION_OF: Readonly<Record<string, string>> = {
  scan: "the analysis",
  model: "--model",
  adapter: "--adapter",
  dtype: "--dtype",
  weights: "the model's weights",
  data: "--data",
  column: "--column",
  limit: "--limit",
  maxLength: "--max-length",
  batchTokens: "--batch-tokens",
  shardSize: "--shard-size",
  glassformer: "the version of glassformer",
};

/** Names are for people: the same model or text may be elsewhere on another machine. */
const comparable = ({ model, data, command: _, ...rest }: ScanSettings) => ({
  ...rest,
  ...(rest.weights === null ? { model } : {}),
  data: data.map(({ size, sha256 }) => ({ size, sha256 })),
});

/** Eight numbers that are the same for the same settings. */
export function hashOf(settings: ScanSettings): Int32Array {
  const digest = createHash("sha256")
    .update(JSON.stringify(comparable(settings)))
    .digest();
  return Int32Array.from({ length: 8 }, (_, i) => digest.readInt32LE(4 * i));
}

/** @throws ArgumentError that names the settings in which a folder's scan differs */
export function needSame(folder: string, there: ScanSettings, asked: ScanSettings): void {
  const [before, now] = [comparable(there), comparable(asked)] as Record<string, unknown>[];
  const named = (name: string, value: unknown) => {
    if (name === "data") return (value === now.data ? asked : there).data.map((one) => one.name).join(" ");
    return typeof value === "string" ? value : value === null ? "none" : shown(value);
  };
  const lines = [...new Set([...Object.keys(before), ...Object.keys(now)])].flatMap((name) => {
    if (name === "shards" || JSON.stringify(before[name]) === JSON.stringify(now[name])) return [];
    if (name === "options") return differentOptions(there.options, asked.options);
    if (name === "weights") return ["the model's weights are others"];
    const [a, b] = [named(name, before[name]), named(name, now[name])];
    return [a === b ? `${OPTION_OF[name]} ${a} has changed since` : `${OPTION_OF[name]} was ${a}, and is ${b}`];
  });
  if (lines.length === 0) return;
  throw new ArgumentError(
    `${folder} holds another scan: ${listed(lines)}. Name another folder, or scan with the same settings.`,
    { asked: asked, found: there },
  );
}

function differentOptions(there: ScanSettings["options"], asked: ScanSettings["options"]): string[] {
  return [...new Set([...Object.keys(there), ...Object.keys(asked)])]
    .filter((name) => JSON.stringify(there[name]) !== JSON.stringify(asked[name]))
    .map((name) => `--${name} was ${shown(there[name] ?? null)}, and is ${shown(asked[name] ?? null)}`);
}
