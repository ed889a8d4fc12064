/** A worker: it looks for scans on the server that it can do, and does their shards, one scan after the other. */
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import type { Redis } from "ioredis";
import { Board, type QueuedScan, type WorkerState } from "./board.ts";
import { isLost } from "./connection.ts";
import { NotFit, type OwnOptions, openedHere } from "./fit.ts";
import { Serving } from "./serving.ts";
import { ShardQueue } from "./shard-queue.ts";

/** With work and without. */
const LOOK_EVERY_MS = { working: 1000, idle: 500 };
const BEAT_EVERY_MS = 2000;
/** What a machine lacks may come. */
const TRY_AGAIN_AFTER_MS = 5000;

/** Why a scan was left to others. */
interface Refusal {
  readonly why: string;
  /** When it is tried again. */
  readonly until: number;
}

export interface WorkerSetup {
  readonly redis: Redis;
  readonly own: OwnOptions;
  /** Shards at the same time. */
  readonly concurrency: number;
  /** Ends once nothing is left to do. */
  readonly once: boolean;
  readonly say: (line: string) => void;
}

export class QueueWorker {
  private readonly setup: WorkerSetup;
  private readonly board: Board;
  private readonly name = `${hostname()}-${process.pid}-${randomBytes(3).toString("hex")}`;
  private readonly queues = new Map<string, ShardQueue>();
  private readonly refused = new Map<string, Refusal>();
  private serving: Serving | undefined;
  private beatAt = Number.NEGATIVE_INFINITY;

  constructor(setup: WorkerSetup) {
    this.setup = setup;
    this.board = new Board(setup.redis);
  }

  /** Works until the signal comes, or with `once` until nothing is left. */
  async run(signal: AbortSignal): Promise<void> {
    const stopped = new Promise<true>((resolve) => signal.addEventListener("abort", () => resolve(true)));
    try {
      while (!signal.aborted) {
        // Without a server a look takes forever.
        if (await Promise.race([this.look().catch((error) => this.heed(error)), stopped])) break;
        await Promise.race([
          new Promise((resolve) => setTimeout(resolve, this.serving ? LOOK_EVERY_MS.working : LOOK_EVERY_MS.idle)),
          stopped,
        ]);
      }
    } finally {
      await this.leave({ save: true });
      if (this.setup.redis.status === "ready") for (const queue of this.queues.values()) await queue.close();
    }
  }

  /** A server that was lost in the middle of something: all of it is begun again. @throws any other error */
  private async heed(error: unknown): Promise<false> {
    if (!isLost(error)) throw error;
    this.queues.clear();
    return false;
  }

  /** @returns whether it is over */
  private async look(): Promise<boolean> {
    const scans = await this.board.scans();
    if (this.serving?.isBroken) await this.leave({ save: true });
    if (this.serving && !scans.some(({ id }) => id === this.serving!.queued.id)) await this.leave({ save: false });
    for (const id of this.refused.keys()) if (!scans.some((one) => one.id === id)) this.refused.delete(id);
    const next = await this.choose(scans);
    if (next && next.id !== this.serving?.queued.id) {
      await this.leave({ save: true });
      await this.begin(next);
    }
    if (performance.now() - this.beatAt > BEAT_EVERY_MS) await this.beat(scans);
    return this.setup.once && next === undefined;
  }

  /** The scan to work on: the one that is begun as long as it has shards to give, then the earliest that has; else one whose shards others have. */
  private async choose(scans: readonly QueuedScan[]): Promise<QueuedScan | undefined> {
    const now = performance.now();
    const fit = scans.filter(({ id }) => (this.refused.get(id)?.until ?? 0) <= now);
    const current = this.serving?.queued.id;
    const ordered = [...fit.filter(({ id }) => id === current), ...fit.filter(({ id }) => id !== current)];
    let others: QueuedScan | undefined;
    for (const scan of ordered) {
      const { waiting, active } = await (await this.queueOf(scan.id)).counts();
      if (waiting > 0) return scan;
      if (active > 0) others ??= scan;
    }
    return others;
  }

  private async queueOf(id: string): Promise<ShardQueue> {
    let queue = this.queues.get(id);
    if (!queue) this.queues.set(id, (queue = await ShardQueue.of(this.setup.redis, id)));
    return queue;
  }

  private async begin(scan: QueuedScan): Promise<void> {
    const { redis, own, concurrency, say } = this.setup;
    try {
      const work = await openedHere(scan, own);
      say(`${scan.settings.scan} of ${scan.folder}: ${scan.settings.shards} shards in all`);
      this.refused.delete(scan.id);
      this.serving = await Serving.begin(scan, work, { redis, concurrency, say });
    } catch (error) {
      if (!(error instanceof NotFit)) throw error;
      const { message, forever } = error;
      if (this.refused.get(scan.id)?.why !== message) say(`Not taken: ${message}`);
      const until = forever ? Number.POSITIVE_INFINITY : performance.now() + TRY_AGAIN_AFTER_MS;
      this.refused.set(scan.id, { why: message, until });
    }
    this.beatAt = Number.NEGATIVE_INFINITY;
  }

  private async beat(scans: readonly QueuedScan[]): Promise<void> {
    this.beatAt = performance.now();
    const idle = { host: hostname(), pid: process.pid, tokensPerSecond: 0, doing: 0 };
    for (const { id } of scans) {
      const why = this.refused.get(id)?.why;
      const state: WorkerState | undefined =
        this.serving?.queued.id === id ? this.serving.state : why === undefined ? undefined : { ...idle, waits: why };
      if (state) await this.board.beat(id, this.name, state);
    }
  }

  private async leave(how: { readonly save: boolean }): Promise<void> {
    const { serving } = this;
    this.serving = undefined;
    if (!serving) return;
    await serving.end(how);
    if (this.setup.redis.status === "ready") await this.board.leave(serving.queued.id, this.name);
  }
}
