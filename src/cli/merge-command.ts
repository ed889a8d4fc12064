/** `glassformer merge`: the shards of a scan, done in one folder or several, as one result. */
import type { OptionRecords } from "../options/records.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { counted, firstOf } from "../tensor/words.ts";
import { command } from "./command.ts";
import { OPENING_OPTIONS } from "./model-options.ts";
import { finishScan } from "./scan/finish.ts";
import { ScanFolder } from "./scan/folder.ts";
import { openScan } from "./scan/open.ts";
import { needSame } from "./scan/settings.ts";
import { tell } from "./terminal.ts";

const { device, memory } = OPENING_OPTIONS;

const OPTIONS = {
  out: {
    type: "path",
    names: "folder",
    description: "the folder for all shards and the result",
    defaultText: "the first",
  },
  model: { type: "model", description: "the model, if it is elsewhere on this machine", defaultText: "the scan's" },
  full: { type: "flag", description: "print all tables, comparisons and caveats" },
  json: {
    type: "flag",
    description: "print the finding as JSON instead of as text",
    only: [{ option: "full", is: [false] }],
  },
  ...{ device, memory },
} as const satisfies OptionRecords;

export const mergeCommand = command({
  name: "merge",
  group: "Corpora:",
  summary: "Merge the shards of a scan that was done in parts",
  description:
    "Takes the folders that the parts of a scan were written to, copies all shards to one of them, and makes the finding. The order of the folders makes no difference. A shard that is missing or damaged is named.",
  argument: { name: "folder", several: true, description: "folders of one scan", is: "file" },
  options: OPTIONS,
  examples: ["merge scanned", "merge part-1 part-2 part-3 --out scanned"],
  async run(flags, { args, terminal }) {
    const paths = [...new Set(args)];
    if (paths.length === 0)
      throw new ArgumentError("There is nothing to merge: name folders of scans.", { asked: "merge" });
    const folders: ScanFolder[] = [];
    for (const path of paths) folders.push(await ScanFolder.at(path));
    const [first, ...others] = folders;
    for (const { path, settings } of others) needSame(path, settings, first.settings);
    const { settings } = first;
    const { scan } = await openScan(first.path, settings, flags.model ?? settings.model, flags);
    const out = flags.out ?? first.path;
    const into = await ScanFolder.of(out, settings);
    const missing = Array.from({ length: settings.shards }, (_, shard) => shard);
    const sets = await Promise.all(folders.map((folder) => folder.done()));
    const lacking = missing.filter((shard) => !sets.some((set) => set.has(shard)));
    if (lacking.length > 0) {
      throw new ArgumentError(
        `${counted(lacking.length, "shard")} of ${settings.shards} ${lacking.length === 1 ? "is" : "are"} missing (${firstOf(lacking.map((shard) => `${shard + 1}`))}): do ${lacking.length === 1 ? "it" : "them"} with --resume in one of the folders, or name the folder that has ${lacking.length === 1 ? "it" : "them"}.`,
        { asked: paths, found: lacking.length },
      );
    }
    const there = await into.done();
    let copied = 0;
    for (const shard of missing.filter((shard) => !there.has(shard))) {
      await into.take(shard, folders[sets.findIndex((set) => set.has(shard))], scan);
      copied++;
    }
    if (copied > 0) tell(terminal.stderr, `Copied ${counted(copied, "shard")} to ${out}.`);
    await finishScan({ folder: into, scan }, flags, terminal);
  },
});
