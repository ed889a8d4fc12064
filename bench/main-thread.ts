/** What the main thread of a page does, by Chromium's trace: its tasks, with the time on the clock and on the processor. */
import type { CDPSession, Page } from "playwright-core";

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds. */
  readonly ts: number;
  readonly dur?: number;
  readonly tdur?: number;
}

/** One task of the main thread. Times are in milliseconds: the clock's, which counts what other processes take, and the processor's. */
export interface Task {
  readonly start: number;
  readonly clock: number;
  readonly processor: number;
  /** What happened in it: "EventDispatch", "Paint", or the name of a mark. */
  readonly of: ReadonlySet<string>;
}

/** The last are the marks of `performance.mark`. */
const CATEGORIES = ["toplevel", "devtools.timeline", "blink.user_timing"];

export class MainThread {
  readonly #session: CDPSession;
  readonly #events: TraceEvent[] = [];

  private constructor(session: CDPSession) {
    this.#session = session;
    session.on("Tracing.dataCollected", ({ value }) => this.#events.push(...(value as unknown as TraceEvent[])));
  }

  static async of(page: Page): Promise<MainThread> {
    return new MainThread(await page.context().newCDPSession(page));
  }

  /** The tasks while something is done. */
  async tasksOf(act: () => Promise<void>): Promise<Task[]> {
    this.#events.length = 0;
    await this.#session.send("Tracing.start", {
      transferMode: "ReportEvents",
      traceConfig: { includedCategories: CATEGORIES },
    });
    await act();
    const complete = new Promise((done) => this.#session.once("Tracing.tracingComplete", done));
    await this.#session.send("Tracing.end");
    await complete;
    return tasksIn(this.#events);
  }

  /** Bytes of JavaScript's heap, after its garbage has been collected. */
  async heap(): Promise<number> {
    await this.#session.send("HeapProfiler.collectGarbage");
    return (await this.#session.send("Runtime.getHeapUsage")).usedSize;
  }
}

function tasksIn(events: readonly TraceEvent[]): Task[] {
  // The page's main thread is the one that paints most.
  const paints = new Map<string, number>();
  const threadOf = ({ pid, tid }: TraceEvent) => `${pid} ${tid}`;
  for (const event of events) {
    if (event.name === "Paint") paints.set(threadOf(event), (paints.get(threadOf(event)) ?? 0) + 1);
  }
  const [main] = [...paints].sort(([, a], [, b]) => b - a)[0] ?? [];
  const own = events.filter((event) => threadOf(event) === main).sort((a, b) => a.ts - b.ts);
  const isTask = ({ name, ph }: TraceEvent) => ph === "X" && name.endsWith("RunTask");
  const tasks = own.filter(isTask);
  const inner = own.filter((event) => !isTask(event));
  let at = 0;
  return tasks.map(({ ts, dur = 0, tdur = dur }) => {
    const of = new Set<string>();
    while (at < inner.length && inner[at].ts < ts) at++;
    for (let i = at; i < inner.length && inner[i].ts < ts + dur; i++) of.add(inner[i].name);
    return { start: ts / 1000, clock: dur / 1000, processor: tdur / 1000, of };
  });
}
