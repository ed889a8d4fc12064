/** The side of a queue that has a scan to do: it puts the shards on the queue, shows how they are getting on, and ends when all are done. */
import { setTimeout as wait } from "node:timers/promises";
import { InputError } from "../../tensor/errors.ts";
import { counted, firstOf } from "../../tensor/words.ts";
import { guarded } from "../interrupt.ts";
import type { ScanFolder } from "../scan/folder.ts";
import type { Part } from "../scan/sources.ts";
import { type Terminal, tell } from "../terminal.ts";
import { clock } from "../training-screen.ts";
import { Board, type QueuedScan, type ShardJob } from "./board.ts";
import { isLost, type QueueServer } from "./connection.ts";
import { marked, unmark } from "./mark.ts";
import { QueueScreen } from "./screen.ts";
import { patienceOf, ShardQueue } from "./shard-queue.ts";

const LOOK_EVERY_MS = 500;
/** Without workers it says how to start one after this long. */
const ALONE_AFTER_MS = 3000;
/** A shared folder may show a file this much later on another machine. */
const SEEN_AFTER_MS = 30_000;

/** What is done over a queue. */
export interface QueuedWork {
  readonly server: QueueServer;
  readonly folder: ScanFolder;
  readonly parts: readonly Part[];
  readonly about: Pick<QueuedScan, "data" | "model" | "adapter" | "folder" | "attempts" | "takeover">;
}

/**
 * Has all shards done that are not.
 * @returns whether they are; otherwise a signal came
 * @throws InputError if shards were set aside
 */
export async function scanOverQueue(work: QueuedWork, terminal: Terminal): Promise<boolean> {
  const { folder } = work;
  await folder.begin();
  const id = await marked(folder.path);
  const said = new Set<string>();
  for (;;) {
    try {
      return await scanOnce(work, id, said, terminal);
    } catch (error) {
      if (!isLost(error)) throw error;
      await wait(LOOK_EVERY_MS);
    }
  }
}

/** @throws an error that `isLost` knows if the server is lost in a moment in which that cannot be waited out */
async function scanOnce(work: QueuedWork, id: string, said: Set<string>, terminal: Terminal): Promise<boolean> {
  const { folder, about } = work;
  const { redis } = work.server;
  const board = new Board(redis);
  const queue = await ShardQueue.of(redis, id);
  try {
    await board.put({ id, settings: folder.settings, ...about });
    const stopTakingOver = await queue.takeOver(redis, patienceOf(about));
    try {
      const failed = await new Watched(work, id, board, queue, said, terminal).untilDone();
      if (failed === undefined) return false;
      await board.remove(id);
      await queue.delete();
      await unmark(folder.path);
      if (failed.length > 0) throw setAside(failed, folder);
      await folder.sweep();
      return true;
    } finally {
      await stopTakingOver().catch(() => {});
    }
  } finally {
    await queue.close().catch(() => {});
  }
}

function setAside(shards: readonly number[], { settings, path }: ScanFolder): InputError {
  const which = firstOf(shards.map((shard) => `${shard + 1}`));
  const [are, their] = shards.length === 1 ? ["is", "its reason"] : ["are", "their reasons"];
  return new InputError(
    `${counted(shards.length, "shard")} of ${settings.shards} ${are} set aside (${which}), so there is no finding; all others are in ${path}. Correct what ${their} above ${shards.length === 1 ? "says" : "say"}, and run the same command with --resume.`,
    { asked: path, found: shards.length },
  );
}

class Watched {
  private readonly work: QueuedWork;
  private readonly id: string;
  private readonly board: Board;
  private readonly queue: ShardQueue;
  private readonly terminal: Terminal;
  /** Sentences that were said. */
  private readonly said: Set<string>;
  private screen!: QueueScreen;

  constructor(work: QueuedWork, id: string, board: Board, queue: ShardQueue, said: Set<string>, terminal: Terminal) {
    this.work = work;
    this.id = id;
    this.board = board;
    this.queue = queue;
    this.said = said;
    this.terminal = terminal;
  }

  /** @returns the shards that were set aside; undefined after a signal */
  async untilDone(): Promise<readonly number[] | undefined> {
    const { folder, server } = this.work;
    const { shards } = folder.settings;
    const before = await folder.done();
    this.screen = new QueueScreen(this.terminal.stderr, before.size);
    const start = performance.now();
    await this.queue.forgetEnded();
    await this.send(this.jobs(before));
    return guarded(async ({ signal, listen }) => {
      listen();
      const stopped = new Promise<undefined>((resolve) => signal.addEventListener("abort", () => resolve(undefined)));
      const failed = await Promise.race([this.watch(signal, before.size), stopped]);
      this.screen.clear();
      if (failed === undefined) {
        const { path } = folder;
        this.say(
          `No longer watching: workers continue with what is on the queue. The same command with --resume watches it again and makes the finding; glassformer queue ${server.shown} --cancel ${path} takes it off.`,
        );
        return undefined;
      }
      this.say(`${shards - failed.length} of ${shards} shards done after ${clock((performance.now() - start) / 1000)}`);
      return failed;
    });
  }

  private say(line: string): void {
    if (this.said.has(line)) return;
    this.said.add(line);
    this.screen.clear();
    tell(this.terminal.stderr, line);
  }

  /** The jobs of shards that are not done. */
  private jobs(done: ReadonlySet<number>): ShardJob[] {
    const scan = this.work.folder.id;
    return this.work.parts.map((part, shard) => ({ scan, shard, part })).filter(({ shard }) => !done.has(shard));
  }

  private send(jobs: readonly ShardJob[]): Promise<void> {
    return this.queue.add(jobs, this.work.about.attempts);
  }

  private async watch(signal: AbortSignal, doneBefore: number): Promise<readonly number[]> {
    const { shards } = this.work.folder.settings;
    const start = performance.now();
    let failures = 0;
    let endedAt: number | undefined;
    for (; !signal.aborted; await wait(LOOK_EVERY_MS)) {
      const [counts, workers, paused] = await Promise.all([
        this.queue.counts(),
        this.board.workers(this.id),
        this.queue.isPaused(),
      ]);
      if (!(await this.board.has(this.id))) await this.heedCancelled();
      if (counts.failed !== failures) await this.sayFailures();
      failures = counts.failed;
      for (const { host, pid, waits } of workers) if (waits) this.say(`Worker ${pid} on ${host}: ${waits}`);
      const working = workers.filter(({ waits }) => waits === undefined);
      if (working.length === 0 && performance.now() - start > ALONE_AFTER_MS) {
        this.say(
          `No worker is there yet. Start some, here or elsewhere: glassformer worker --queue ${this.work.server.shown}`,
        );
      }
      const left = counts.waiting + counts.active;
      const done = shards - left - failures;
      this.screen.update({
        ...{ done: Math.max(doneBefore, done), shards, setAside: failures, workers: working.length, paused },
        tokensPerSecond: working.reduce((sum, one) => sum + one.tokensPerSecond, 0),
      });
      if (left > 0) {
        endedAt = undefined;
        continue;
      }
      endedAt ??= performance.now();
      const failed = (await this.queue.setAside()).map(({ shard }) => shard);
      const missing = this.jobs(new Set([...(await this.work.folder.done()), ...failed]));
      if (missing.length === 0) return failed;
      await this.sendAgain(missing, performance.now() - endedAt);
    }
    return [];
  }

  private async heedCancelled(): Promise<void> {
    const { folder, about } = this.work;
    if (!(await this.board.isCancelled(this.id))) {
      // The server has lost everything.
      await this.board.put({ id: this.id, settings: folder.settings, ...about });
      return;
    }
    await unmark(folder.path);
    throw new InputError(
      `The scan was taken off the queue. What is done is in ${folder.path}: the same command with --resume continues it.`,
      { asked: folder.path },
    );
  }

  private async sayFailures(): Promise<void> {
    const { shards } = this.work.folder.settings;
    for (const { shard, reason } of await this.queue.setAside()) {
      this.say(`Shard ${shard + 1} of ${shards} is set aside: ${reason}`);
    }
  }

  /** Shards that are neither done nor on the queue: the server has lost them. @throws InputError if it says that they are done */
  private async sendAgain(missing: readonly ShardJob[], waited: number): Promise<void> {
    const { path } = this.work.folder;
    const { shard } = missing[0];
    if (!(await this.queue.isDone(shard))) return this.send(missing);
    if (waited < SEEN_AFTER_MS) return;
    throw new InputError(
      `A worker has done shard ${shard + 1}, but ${path} has no file of it: share this folder with all workers, and run the same command with --resume.`,
      { asked: path },
    );
  }
}
