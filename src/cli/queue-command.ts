/** `glassformer queue`: the scans on a queue's server, and what can be done with them. */
import { resolve } from "node:path";
import type { OptionRecords } from "../options/records.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { counted } from "../tensor/words.ts";
import { command } from "./command.ts";
import { tell } from "./terminal.ts";

const OPTIONS = {
  pause: { type: "path", names: "folder", description: "begin no more shards of the scan in this folder" },
  continue: { type: "path", names: "folder", description: "begin shards again of the scan in this folder" },
  cancel: { type: "path", names: "folder", description: "take the scan in this folder off the queue" },
} as const satisfies OptionRecords;

export const queueCommand = command({
  name: "queue",
  group: "Corpora:",
  summary: "List, pause and cancel the scans that are on a queue",
  description:
    "Lists the scans on a Redis or Valkey server, with their folders, shards and workers. A scan that is cancelled can be continued by its own command with --resume: what is done stays in its folder.",
  argument: { name: "address", mandatory: true, description: "the server: redis://host:port", is: "text" },
  options: OPTIONS,
  examples: ["queue redis://10.0.0.5", "queue redis://10.0.0.5 --cancel scanned"],
  async run(flags, { args, terminal }) {
    const [{ connectedQueue }, { Board }, { ShardQueue }] = await Promise.all([
      import("./queue/connection.ts"),
      import("./queue/board.ts"),
      import("./queue/shard-queue.ts"),
    ]);
    const say = (line: string) => tell(terminal.stderr, line);
    const { redis, shown } = await connectedQueue(args[0], say);
    try {
      const board = new Board(redis);
      const scans = await board.scans();
      const asked = (["pause", "continue", "cancel"] as const).flatMap((what) => {
        const folder = flags[what];
        return folder === undefined ? [] : [{ what, folder }];
      });
      for (const { what, folder } of asked) {
        const scan = scans.find((one) => one.folder === folder || one.folder === resolve(folder));
        if (!scan) {
          throw new ArgumentError(
            `${shown} has no scan in the folder ${folder}: it has ${scans.length === 0 ? "none" : scans.map((one) => one.folder).join(", ")}.`,
            { asked: folder, found: scans.map((one) => one.folder) },
          );
        }
        const queue = await ShardQueue.of(redis, scan.id);
        if (what === "pause") await queue.pause();
        else if (what === "continue") await queue.resume();
        else {
          await board.cancel(scan.id);
          await queue.delete();
        }
        await queue.close();
        say(SAID[what](scan.folder));
      }
      if (asked.length > 0) return;
      if (scans.length === 0) say(`${shown} has no scans`);
      for (const { id, folder, settings } of scans) {
        const queue = await ShardQueue.of(redis, id);
        const [{ waiting, active, failed }, workers, paused] = await Promise.all([
          queue.counts(),
          board.workers(id),
          queue.isPaused(),
        ]);
        await queue.close();
        const done = settings.shards - waiting - active - failed;
        const words = [
          `${settings.scan} of ${settings.model}: ${done} of ${counted(settings.shards, "shard")} done, ${active} begun`,
          ...(failed > 0 ? [`${failed} set aside`] : []),
          counted(workers.filter(({ waits }) => waits === undefined).length, "worker"),
          ...(paused ? ["paused"] : []),
        ];
        tell(terminal.stdout, `${folder}\n  ${words.join(", ")}`);
        for (const { host, pid, waits } of workers) {
          if (waits !== undefined) tell(terminal.stdout, `  Worker ${pid} on ${host}: ${waits}`);
        }
      }
    } finally {
      redis.disconnect();
    }
  },
});

const SAID: Readonly<Record<"pause" | "continue" | "cancel", (folder: string) => string>> = {
  pause: (folder) => `Paused: no more shards of ${folder} are begun`,
  continue: (folder) => `Shards of ${folder} are begun again`,
  cancel: (folder) => `Took ${folder} off the queue. What is done is in the folder, and scan --resume continues it`,
};
