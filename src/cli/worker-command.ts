/** `glassformer worker`: does shards of scans that are on a queue, until it is stopped. */
import type { OptionRecords } from "../options/records.ts";
import { command } from "./command.ts";
import { guarded } from "./interrupt.ts";
import { OPENING_OPTIONS } from "./model-options.ts";
import { tell } from "./terminal.ts";

const { device, memory } = OPENING_OPTIONS;

export const QUEUE_OPTION = {
  type: "text",
  placeholder: "address",
  description: "a Redis or Valkey server: redis://host, redis://host:port, redis://host:port/0",
} as const;

const OPTIONS = {
  queue: QUEUE_OPTION,
  folder: {
    type: "paths",
    description: "folders with the scan's folder and its texts, if they are elsewhere on this machine",
  },
  model: {
    type: "model",
    description: "the model, if it is elsewhere on this machine",
    defaultText: "the scan's",
  },
  concurrency: { type: "integer", least: 1, default: 1, description: "shards at the same time" },
  threads: {
    type: "integer",
    least: 1,
    most: 1024,
    description: "threads that compute",
    defaultText: "as many as there are cores",
  },
  once: { type: "flag", description: "end once no shard is left" },
  ...{ device, memory },
} as const satisfies OptionRecords;

export const workerCommand = command({
  name: "worker",
  group: "Corpora:",
  summary: "Do shards of scans that are on a queue",
  description:
    "Takes shards from the queue of a Redis or Valkey server, where scan --queue puts them, and writes what it has seen to the scan's folder, which it has to share. Any number of workers can run, on any number of machines; they may be started, stopped and killed at any time. Ctrl-C stops after the current batch and leaves the rest of the shard to another worker. BullMQ and its client are installed separately: npm install bullmq ioredis.",
  options: OPTIONS,
  headings: { queue: "The queue, and this machine:" },
  examples: ["worker --queue redis://10.0.0.5", "worker --queue redis://10.0.0.5 --folder /mnt/shared --threads 4"],
  async run(flags, { terminal }) {
    const say = (line: string) => tell(terminal.stderr, line);
    const [{ connectedQueue }, { QueueWorker }] = await Promise.all([
      import("./queue/connection.ts"),
      import("./queue/worker.ts"),
    ]);
    const { redis, shown } = await connectedQueue(flags.queue, say);
    const { concurrency, once } = flags;
    try {
      await guarded(async ({ signal, listen }) => {
        listen();
        signal.addEventListener("abort", () => say("Stopping after this batch. Press Ctrl-C again to stop now."));
        say(`Worker ${process.pid} takes shards from ${shown}`);
        await new QueueWorker({ redis, own: flags, concurrency, once, say }).run(signal);
      });
    } finally {
      redis.disconnect();
    }
  },
});
