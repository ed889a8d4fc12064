/** `glassformer scan`: one question over texts of any size, shard by shard, in a folder that can be resumed and merged. */
import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { OptionRecord, OptionRecords } from "../options/records.ts";
import { type Settled, settle } from "../options/settle.ts";
import { dashed } from "../options/written.ts";
import { SCANS } from "../scan/index.ts";
import type { Scan, StoredColumns } from "../scan/scan.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { counted, listed } from "../tensor/words.ts";
import { command } from "./command.ts";
import { FLAGS } from "./flags.ts";
import { guarded } from "./interrupt.ts";
import { MODEL_OPTION, OPENING_OPTIONS, openedWith } from "./model-options.ts";
import { checksumOfModel, scanCommandLine } from "./origin.ts";
import type { QueueServer } from "./queue/connection.ts";
import { needDisk } from "./scan/disk.ts";
import { finishScan } from "./scan/finish.ts";
import { ScanFolder } from "./scan/folder.ts";
import { SCAN_NAMES, scanCalled } from "./scan/open.ts";
import { ScanScreen } from "./scan/screen.ts";
import { type ScanSettings, THIS_VERSION } from "./scan/settings.ts";
import { ShardWorker } from "./scan/shard-work.ts";
import {
  datasetOf,
  type Part,
  partsOf,
  type ScanSource,
  STANDARD_INPUT,
  scanSources,
  withDatasets,
} from "./scan/sources.ts";
import { type Terminal, tell } from "./terminal.ts";
import { QUEUE_OPTION } from "./worker-command.ts";

/** The options of all scans. Those of one scan alone say so. */
function optionsOfScans(): OptionRecords {
  const found: Record<string, OptionRecord> = {};
  for (const { name, options } of SCANS) {
    for (const [option, record] of Object.entries(options)) {
      const alone = SCANS.filter((one) => option in one.options).length === 1;
      found[option] ??= alone ? { ...record, description: `${name}: ${record.description}` } : record;
    }
  }
  return found;
}

/** @throws ArgumentError for an option of other scans */
function needOwn({ name, options }: Scan, typed: object): void {
  for (const option of Object.keys(typed)) {
    const others = SCANS.filter((one) => option in one.options).map((one) => one.name);
    if (option in options || others.length === 0) continue;
    throw new ArgumentError(
      `${dashed(option)} is an option of ${listed(others)}, and means nothing for ${name}: leave it out.`,
      {
        asked: option,
      },
    );
  }
}

/** MB of text in a shard. */
const USUAL_SHARD = 2;

const ON_QUEUE = [{ option: "queue", not: [undefined] }] as const;

const OPTIONS = {
  data: {
    type: "paths",
    description:
      'texts: .txt, .jsonl or .parquet, also .gz or .zst, by path or URL; hf://org/name, a dataset of the hub; "-" for stdin',
  },
  split: {
    type: "text",
    placeholder: "name",
    description: "the split of a dataset of the hub",
    defaultText: '"train", or the only one',
  },
  limit: { type: "integer", least: 1, description: "only this many texts, the first rows of Parquet" },
  out: { type: "path", names: "folder", mandatory: true, description: "the folder for the results" },
  model: MODEL_OPTION,
  column: {
    type: "text",
    placeholder: "name",
    default: "text",
    description: "the field of .jsonl or column of .parquet with the text",
  },
  maxLength: {
    type: "integer",
    least: 2,
    description: "tokens per row, including BOS",
    defaultText: "the model's context, at most 256",
  },
  batchTokens: {
    type: "integer",
    least: 2,
    description: "tokens that run together, at most",
    defaultText: "as many as memory allows, at most 4096",
  },
  shardSize: {
    type: "number",
    placeholder: "MB",
    above: 0,
    description: "text per shard",
    defaultText: `${USUAL_SHARD}, less where every token has many numbers`,
  },
  resume: { type: "flag", description: "continue the scan in --out" },
  shard: {
    type: "text",
    placeholder: "i/n",
    description: "only every n-th shard from the i-th on: 1/8 to 8/8 are all, for eight machines",
  },
  queue: {
    ...QUEUE_OPTION,
    description: "have workers do the shards (glassformer worker), by a Redis or Valkey server: redis://host:port",
    only: [{ option: "shard", is: [undefined] }],
  },
  attempts: {
    type: "integer",
    least: 1,
    default: 5,
    description: "how often a shard is tried before it is set aside",
    only: ON_QUEUE,
  },
  takeover: {
    type: "number",
    placeholder: "seconds",
    least: 1,
    default: 30,
    description: "a worker that is not heard of for this long loses its shards to others",
    only: ON_QUEUE,
  },
  full: { type: "flag", description: "print all tables, comparisons and caveats" },
  json: {
    type: "flag",
    description: "print the finding as JSON instead of as text",
    only: [{ option: "full", is: [false] }],
  },
  ...OPENING_OPTIONS,
} as const satisfies OptionRecords;

type Flags = Settled<typeof OPTIONS> & { readonly analysis?: string };

/** The most tokens of a row, and of a batch, unless they are named. */
const USUAL_LENGTH = 256;
const USUAL_BATCH = 4096;

export const scanCommand = command({
  name: "scan",
  group: "Corpora:",
  summary: "Ask a question of every token of a corpus, in memory that does not grow with it",
  description:
    "Reads texts of any size in shards, runs the model on them, and writes a folder with the finding, what was seen, and a row for each token as Parquet. Ctrl-C stops after the current batch; the same command with --resume continues, to the same bytes.\n\n" +
    SCANS.map(({ name, question }) => `${name}: ${question}`).join("\n"),
  argument: { name: "analysis", description: SCAN_NAMES.join(", "), option: "analysis", is: SCAN_NAMES },
  options: {
    analysis: { type: "text", inCode: true, description: "what is asked" },
    ...OPTIONS,
    ...optionsOfScans(),
  } as typeof OPTIONS,
  headings: {
    data: "The text and the model:",
    maxLength: "How it is read:",
    resume: "The run:",
    queue: "Many machines:",
    full: "What is printed:",
  },
  examples: [
    "scan diffuse-mlp --data novels.txt --out scanned",
    "scan diffuse-mlp --data novels.txt --out scanned --shard 2/8",
    "scan diffuse-mlp --data novels.txt --out scanned --queue redis://10.0.0.5",
    "merge scanned",
  ],
  run: (flags, { terminal, read }) => run(flags as Flags, terminal, read),
});

async function run(flags: Flags, terminal: Terminal, read: () => Promise<object>): Promise<void> {
  if (flags.queue === undefined) return runOver(undefined, flags, terminal, read);
  const { connectedQueue } = await import("./queue/connection.ts");
  const server = await connectedQueue(flags.queue, (line) => tell(terminal.stderr, line));
  try {
    await runOver(server, flags, terminal, read);
  } finally {
    server.redis.disconnect();
  }
}

async function runOver(
  server: QueueServer | undefined,
  asked: Flags,
  terminal: Terminal,
  read: () => Promise<object>,
): Promise<void> {
  const { stderr } = terminal;
  const record = scanCalled(asked.analysis);
  const typed = await read();
  needOwn(record, typed);
  const share = shareOf(asked.shard);
  const flags = { ...asked, data: await withDatasets(asked.data ?? [], asked.split) };
  const holds = await ScanFolder.isAt(flags.out);
  if (flags.resume && !holds) {
    throw new ArgumentError(`${flags.out} holds no scan to resume: leave out --resume to start.`, { asked: flags.out });
  }
  const sources = await scanSources(flags.data, flags.out);
  const { HookedTransformer } = await import("../node.ts");
  const model = await HookedTransformer.fromPretrained(flags.model, await openedWith(flags));
  const own = Object.fromEntries(Object.entries(typed).filter(([name]) => name in record.options));
  const options = settle(own, record.options, { model, spelling: FLAGS });
  const maxLength = lengthOf(flags, model.cfg.nCtx);
  const scan = record.on(model, options, { sources: sources.map(({ name }) => name), maxLength });
  const shardSize = flags.shardSize ?? Math.min(USUAL_SHARD, scan.mostShardMB ?? Infinity);
  const parts = await partsOf(sources, Math.max(1, Math.round(shardSize * 1e6)), flags.column, flags.limit);
  const settings = await settingsOf(record, options, flags, sources, parts.length, {
    ...{ maxLength, shardSize },
    most: scan.mostTokens,
    command: scanCommandLine(record.name, { ...typed, ...pinned(flags.data) }),
  });
  const folder = await ScanFolder.of(flags.out, settings);
  const done = await folder.done();
  const mine = parts.map((_, shard) => shard).filter((shard) => shard % share.of === share.index);
  if (!flags.resume && mine.some((shard) => done.has(shard))) {
    throw new ArgumentError(
      `${flags.out} already holds this scan, with ${done.size} of ${counted(parts.length, "shard")} done: continue it with --resume, or name another folder.`,
      { asked: flags.out, found: done.size },
    );
  }
  const left = mine.filter((shard) => !done.has(shard));
  if (scan.stored)
    await needDisk(
      flags.out,
      left.map((shard) => parts[shard]),
      bytesPerToken(scan.stored),
    );
  tell(stderr, begins(sources, parts, left.length, mine.length));
  await (server ? scanOnQueue(server) : scanAll(left));
  const all = await folder.done();
  if (all.size < parts.length) {
    tell(
      stderr,
      `${all.size} of ${counted(parts.length, "shard")} done. Once all are, glassformer merge ${flags.out} makes the finding.`,
    );
    return;
  }
  await finishScan({ folder, scan }, flags, terminal);

  async function scanOnQueue(server: QueueServer): Promise<void> {
    const { scanOverQueue } = await import("./queue/coordinate.ts");
    const about = { ...(await placesOf(flags)), attempts: flags.attempts!, takeover: flags.takeover! };
    await scanOverQueue({ server, folder, parts, about }, terminal);
  }

  async function scanAll(shards: readonly number[]): Promise<void> {
    if (shards.length === 0) return;
    const screen = new ScanScreen(
      stderr,
      shards.reduce((sum, shard) => sum + parts[shard].bytes, 0),
    );
    await guarded(async ({ signal, listen }) => {
      listen();
      signal.addEventListener("abort", () =>
        tell(stderr, "Stopping after this batch and saving. Press Ctrl-C again to stop now."),
      );
      const worker = new ShardWorker({ folder, model, scan, source: (index) => sources[index].source });
      for (const shard of shards) {
        const part = parts[shard];
        const { done, tokens } = await worker.do(shard, part, {
          signal,
          onProgress: (tokens) => screen.update(shard, parts.length, part, tokens),
        });
        if (!done) {
          screen.end();
          tell(stderr, `Saved in ${flags.out}. Run the same command with --resume to continue from there.`);
          return;
        }
        screen.complete(part, tokens);
      }
      tell(stderr, screen.end());
      // Then the process ends here.
      if (signal.aborted)
        tell(stderr, `All shards are saved in ${flags.out}. Run the same command with --resume to make the finding.`);
    });
  }
}

/** `2/8`: of every eight shards the second. @throws ArgumentError */
function shareOf(text: string | undefined): { readonly index: number; readonly of: number } {
  if (text === undefined) return { index: 0, of: 1 };
  const [, i, n] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  const [index, of] = [Number(i) - 1, Number(n)];
  if (index >= 0 && index < of) return { index, of };
  throw new ArgumentError(`--shard must be i/n with i from 1 to n, such as 2/8, not ${text}.`, { asked: text });
}

/** The most tokens in a row. @throws ArgumentError for more than the context */
function lengthOf({ maxLength }: Flags, nCtx: number): number {
  if (maxLength === undefined) return Math.min(nCtx, USUAL_LENGTH);
  if (maxLength <= nCtx) return maxLength;
  throw new ArgumentError(`--max-length is ${maxLength}, but the model's context holds only ${nCtx} tokens.`, {
    asked: maxLength,
    found: nCtx,
  });
}

async function settingsOf(
  { name }: Scan,
  options: object,
  flags: Flags,
  sources: readonly ScanSource[],
  shards: number,
  {
    maxLength,
    shardSize,
    most,
    command,
  }: { readonly maxLength: number; readonly shardSize: number; readonly most: number; readonly command: string },
): Promise<ScanSettings> {
  return {
    ...{ glassformer: THIS_VERSION, scan: name, options: options as ScanSettings["options"] },
    ...{ model: flags.model, adapter: flags.adapter ?? null, dtype: flags.dtype ?? null },
    weights: (await checksumOfModel(flags.model))?.sha256 ?? null,
    data: sources.map(({ name, size, sha256 }) => ({ name, size, sha256 })),
    ...{
      column: flags.column,
      limit: flags.limit ?? null,
      maxLength,
      batchTokens: flags.batchTokens ?? Math.max(maxLength, Math.min(most, USUAL_BATCH)),
    },
    ...{ shardSize, shards, command },
  };
}

/** The folder, the texts and the model as other machines may have them, too: by whole paths. */
async function placesOf({ out, data = [], model, adapter }: Flags) {
  const folder = resolve(out);
  const whole = async (name: string) => ((await stat(name).catch(() => undefined)) ? resolve(name) : name);
  return {
    folder,
    data: await Promise.all(data.map((path) => (path === "-" ? join(folder, STANDARD_INPUT) : whole(path)))),
    model: await whole(model),
    adapter: adapter === undefined ? null : await whole(adapter),
  };
}

function begins(sources: readonly ScanSource[], parts: readonly Part[], left: number, mine: number): string {
  const size = sources.reduce((sum, { source }) => sum + source.size, 0);
  const what = `${counted(sources.length, "source")}, ${(size / 1e6).toFixed(1)} MB in ${counted(parts.length, "shard")}`;
  if (left < mine) return `${what}, ${mine - left} of ${mine} done already`;
  return mine < parts.length ? `${what}, of which this share has ${mine}` : what;
}

function bytesPerToken({ points, dtype }: StoredColumns): number {
  return points.reduce((sum, { width }) => sum + width, 0) * (dtype === "F16" ? 2 : 4);
}

/** Datasets of the hub in a command that means the same forever: at their commits. */
function pinned(data: readonly string[]): { readonly data?: readonly string[] } {
  return data.some((name) => /^hf:/i.test(name)) ? { data: [...new Set(data.map(datasetOf))] } : {};
}
