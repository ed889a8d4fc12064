/** A worker on one scan: it takes shards from the queue, does them, and says how it is getting on. */
import { hostname } from "node:os";
import type { Job, Worker } from "bullmq";
import type { Redis } from "ioredis";
import { visibleControls } from "../../tensor/visible.ts";
import { counted } from "../../tensor/words.ts";
import { type ShardWork, ShardWorker } from "../scan/shard-work.ts";
import { PREFIX, type QueuedScan, type ShardJob, type WorkerState } from "./board.ts";
import { isOfThisMachine, Misplaced } from "./fit.ts";
import { markIn } from "./mark.ts";
import { MOST_STALLED, patienceOf } from "./shard-queue.ts";
import { Speed } from "./speed.ts";

/** A worker that cannot save waits, each time twice as long. */
const FIRST_REST_MS = 1000;
const LONGEST_REST_MS = 30_000;
/** If the server is gone, it is not waited for. */
const CLOSED_WITHIN_MS = 3000;

async function soon(answer: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, CLOSED_WITHIN_MS);
  });
  await Promise.race([answer.catch(() => {}), late]);
  clearTimeout(timer);
}

export class Serving {
  readonly queued: QueuedScan;
  private readonly work: ShardWork;
  private readonly worker: ShardWorker;
  private readonly say: (line: string) => void;
  private readonly speed = new Speed();
  /** Whether the server was lost while it began: it takes no shards. */
  isBroken = false;
  private bull!: Worker<ShardJob>;
  private doing = 0;
  private readonly stopped = new AbortController();
  /** Whether what is done of a shard is worth saving. */
  private saves = true;
  private waits: string | undefined;
  private rests = 0;
  private restTimer: NodeJS.Timeout | undefined;

  private constructor(queued: QueuedScan, work: ShardWork, say: (line: string) => void) {
    this.queued = queued;
    this.work = work;
    this.worker = new ShardWorker(work);
    this.say = say;
  }

  static async begin(
    queued: QueuedScan,
    work: ShardWork,
    {
      redis,
      concurrency,
      say,
    }: { readonly redis: Redis; readonly concurrency: number; readonly say: (line: string) => void },
  ): Promise<Serving> {
    const bull = await import("bullmq");
    const serving = new Serving(queued, work, say);
    serving.bull = new bull.Worker<ShardJob>(
      queued.id,
      (job, token, signal) => serving.process(bull, job, token, signal!),
      {
        ...{ connection: redis, prefix: PREFIX, skipVersionCheck: true, concurrency, autorun: false },
        ...patienceOf(queued),
        // `process` counts them.
        maxStalledCount: MOST_STALLED,
      },
    );
    // The connection says that it is lost, and `lockRenewalFailed` that a shard is.
    serving.bull.on("error", () => {});
    serving.bull.on("lockRenewalFailed", (jobs: string[]) => {
      for (const job of jobs) serving.bull.cancelJob(job);
    });
    serving.bull.run().catch(() => {
      serving.isBroken = true;
    });
    return serving;
  }

  get state(): WorkerState {
    return {
      ...{ host: hostname(), pid: process.pid, tokensPerSecond: this.speed.now(), doing: this.doing },
      ...(this.waits === undefined ? {} : { waits: this.waits }),
    };
  }

  /** Stops after the batches that run. @param save whether the rest of a shard should begin where this worker stops */
  async end({ save }: { readonly save: boolean }): Promise<void> {
    this.saves = save;
    this.stopped.abort();
    clearTimeout(this.restTimer);
    while (this.doing > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    await soon(this.bull.close());
  }

  private async process(
    { WaitingError, DelayedError, UnrecoverableError }: typeof import("bullmq"),
    job: Job<ShardJob>,
    token: string | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { shard, part, scan } = job.data;
    const { settings, attempts } = this.queued;
    if (scan !== this.work.folder.id) throw new UnrecoverableError("the job is of another scan than its queue");
    if (job.stalledCounter + job.attemptsMade >= attempts) {
      throw new UnrecoverableError(
        `${counted(job.stalledCounter, "worker")} that had it ended without a word: it may need more memory than they had.`,
      );
    }
    this.doing++;
    const stop = new AbortController();
    const abort = () => stop.abort();
    for (const one of [signal, this.stopped.signal]) one.addEventListener("abort", abort);
    if (this.stopped.signal.aborted) abort();
    const name = `Shard ${shard + 1} of ${settings.shards}`;
    try {
      await this.needFolder();
      if (await this.work.folder.has(shard)) return;
      let seen = 0;
      const { done, tokens } = await this.worker.do(shard, part, {
        signal: stop.signal,
        onProgress: (tokens) => {
          this.speed.add(tokens - seen);
          seen = tokens;
        },
        beforeSaving: async () => {
          if (signal.aborted) throw new Error("it is another worker's now");
          if (!this.saves) throw new Error("the scan was taken off the queue");
          await this.needFolder();
        },
      });
      this.rests = 0;
      if (done) return this.say(`${name}: ${counted(tokens, "token")}`);
      this.say(`${name}: stopped, and saved for another worker`);
      await soon(job.moveToWait(token));
      throw new WaitingError();
    } catch (error) {
      if (error instanceof WaitingError) throw error;
      if (signal.aborted) this.say(`${name}: this worker was not heard of for a while, and another one has it now`);
      else if (!this.saves) throw error;
      else if (isOfThisMachine(error)) {
        this.rest(error);
        await job.moveToDelayed(Date.now() + FIRST_REST_MS, token);
        throw new DelayedError();
      } else this.say(`${name}: ${(error as Error).message}`);
      throw new Error(visibleControls((error as Error).message));
    } finally {
      this.doing--;
      for (const one of [signal, this.stopped.signal]) one.removeEventListener("abort", abort);
    }
  }

  /** @throws Misplaced if the folder is not the scan's any more */
  private async needFolder(): Promise<void> {
    const { path } = this.work.folder;
    if ((await markIn(path)) === this.queued.id) return;
    throw new Misplaced(
      `${path} is gone, or is not the folder of the scan any more: share it with this machine again.`,
      {
        asked: path,
      },
    );
  }

  /** Takes no shard for a while: the next one would fail likewise. */
  private rest(error: Error): void {
    const ms = Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** this.rests++);
    if (this.waits !== error.message) this.say(`Waiting: ${error.message}`);
    this.waits = error.message;
    clearTimeout(this.restTimer);
    void this.bull.pause(true);
    this.restTimer = setTimeout(() => {
      this.waits = undefined;
      void this.bull.resume();
    }, ms);
  }
}
