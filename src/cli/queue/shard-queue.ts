/** The queue of one scan's shards: a job for each. The scan's folder says what is done; the queue only says who does what. */
import type { Queue } from "bullmq";
import type { Redis } from "ioredis";
import { PREFIX, type QueuedScan, type ShardJob } from "./board.ts";

/** How often shards are looked after. */
export interface Patience {
  readonly lockDuration: number;
  readonly stalledInterval: number;
}

/** @param takeover seconds */
export const patienceOf = ({ takeover }: Pick<QueuedScan, "takeover">): Patience => ({
  lockDuration: 1000 * takeover,
  stalledInterval: 500 * takeover,
});

/** The first wait before a shard that failed is tried again; it doubles. */
const FIRST_WAIT_MS = 1000;
/** Jobs that are sent together. */
const TOGETHER = 500;
/** A reason is one sentence: no stack is saved. */
const NO_STACK = 0;

/** How many shards are where. */
export interface ShardCounts {
  /** Not begun, or to be tried again. */
  readonly waiting: number;
  readonly active: number;
  readonly failed: number;
}

/** A shard that was set aside. */
export interface SetAside {
  readonly shard: number;
  readonly reason: string;
}

export class ShardQueue {
  private readonly queue: Queue<ShardJob>;
  private readonly id: string;

  private constructor(queue: Queue<ShardJob>, id: string) {
    this.queue = queue;
    this.id = id;
  }

  static async of(redis: Redis, id: string): Promise<ShardQueue> {
    const { Queue } = await import("bullmq");
    const queue = new Queue<ShardJob>(id, {
      connection: redis,
      prefix: PREFIX,
      skipVersionCheck: true,
      skipMetasUpdate: true,
    });
    // The connection says it.
    queue.on("error", () => {});
    return new ShardQueue(queue, id);
  }

  /** Puts shards on the queue; those that are on it stay where they are. */
  async add(jobs: readonly ShardJob[], attempts: number): Promise<void> {
    for (let from = 0; from < jobs.length; from += TOGETHER) {
      await this.queue.addBulk(
        jobs.slice(from, from + TOGETHER).map((data) => ({
          name: "shard",
          data,
          opts: {
            jobId: `shard-${data.shard}`,
            attempts,
            backoff: { type: "exponential", delay: FIRST_WAIT_MS },
            stackTraceLimit: NO_STACK,
          },
        })),
      );
    }
  }

  /** Forgets what was set aside and what is done. */
  async forgetEnded(): Promise<void> {
    for (const state of ["failed", "completed"] as const) await this.queue.clean(0, 0, state);
  }

  async counts(): Promise<ShardCounts> {
    const { waiting, delayed, prioritized, active, failed } = await this.queue.getJobCounts();
    return { waiting: waiting + delayed + prioritized, active, failed };
  }

  /** Whether a shard is said to be done. */
  async isDone(shard: number): Promise<boolean> {
    return (await this.queue.getJobState(`shard-${shard}`)) === "completed";
  }

  async setAside(): Promise<SetAside[]> {
    const jobs = await this.queue.getFailed(0, -1);
    return jobs
      .filter((job) => job !== undefined)
      .map(({ data: { shard }, failedReason }) => ({ shard, reason: failedReason }))
      .sort((a, b) => a.shard - b.shard);
  }

  isPaused(): Promise<boolean> {
    return this.queue.isPaused();
  }

  /** From now on no shard is begun. */
  pause(): Promise<void> {
    return this.queue.pause();
  }

  resume(): Promise<void> {
    return this.queue.resume();
  }

  /** Takes everything off the server. */
  async delete(): Promise<void> {
    await this.queue.obliterate({ force: true });
  }

  close(): Promise<void> {
    return this.queue.close();
  }

  /** Gives shards whose workers are not heard of to others, until it is stopped. @returns what stops it */
  async takeOver(redis: Redis, patience: Patience): Promise<() => Promise<void>> {
    const { Worker } = await import("bullmq");
    const watching = new Worker(this.id, null, {
      connection: redis,
      prefix: PREFIX,
      skipVersionCheck: true,
      ...patience,
      maxStalledCount: MOST_STALLED,
    });
    watching.on("error", () => {});
    await watching.startStalledCheckTimer();
    return () => watching.close(true);
  }
}

/** Workers count it themselves, together with the times that a shard failed. */
export const MOST_STALLED = 2 ** 30;
