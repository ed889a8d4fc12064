/** A worker that computes, as its page sees it: what it was sent, what it still has to answer, and whether it lives. */
import type { NDArray } from "../tensor/array.ts";
import { GlassformerError, ShapeError } from "../tensor/errors.ts";
import type { Feed } from "./feeds.ts";
import type { WebBackendOptions } from "./ort-web-settings.ts";
import { pause } from "./pause.ts";
import { lifeLock, onceGone } from "./worker-life.ts";
import { errorOf, type KeptFeed, type Message, type Reply, type Request } from "./worker-messages.ts";

/** Bytes that are copied before the page gets a turn. */
const PART_BYTES = 4e6;

interface Waiting {
  readonly resolve: (results: readonly NDArray[]) => void;
  readonly reject: (error: unknown) => void;
}

export class RunningWorker {
  /** Whether it may be asked for more. */
  alive = true;
  private readonly worker: Worker;
  private readonly lock = lifeLock();
  private started = false;
  private ended: GlassformerError | undefined;
  private ids = 0;
  private readonly waiting = new Map<number, Waiting>();
  private readonly sessions = new Set<number>();
  /** Numbers that the worker has, or is being sent. */
  private sent = new WeakMap<object, { readonly kept: number; readonly arrived: Promise<void> }>();
  private all: number[] = [];
  /** Bytes that were copied since the page's last turn. */
  private copied = 0;
  private readonly gone = new FinalizationRegistry<number>((kept) => this.drop([kept]));

  constructor(worker: Worker, options: WebBackendOptions) {
    this.worker = worker;
    worker.onmessage = ({ data }: MessageEvent<Reply>) => this.hear(data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.end(event.message || undefined);
    };
    worker.onmessageerror = () => this.end("a message could not be read");
    const { device, threads, runtimeFolder } = options;
    this.post({ kind: "start", options: { device, threads, runtimeFolder }, lock: this.lock });
  }

  private hear(reply: Reply): void {
    if (reply.kind === "started") {
      this.started = true;
      onceGone(this.lock, () => this.end());
      return;
    }
    const waiting = this.waiting.get(reply.id);
    this.waiting.delete(reply.id);
    if (reply.kind === "done") waiting?.resolve(reply.results);
    else {
      const error = errorOf(reply.error);
      waiting?.reject(error);
      // What is left of a runtime that failed is unknown, and its memory never shrinks.
      if (!(error instanceof ShapeError)) this.alive = false;
    }
    if (!this.alive && this.waiting.size === 0) this.end();
  }

  /** Ends it. @param reason what happened, for those who still wait for an answer */
  end(reason?: string): void {
    if (this.ended) return;
    this.alive = false;
    this.worker.terminate();
    const because = reason === undefined ? "" : ` (${reason.replace(/\.$/, "")})`;
    this.ended = new GlassformerError(
      this.started
        ? `The worker that computes ended before it answered${because}: it was closed, perhaps for lack of memory. Run it again, and a new worker is started.`
        : `The worker that computes could not be started${because}: check that the site serves all files of its build, and that its Content-Security-Policy allows workers (worker-src).`,
    );
    const waiting = [...this.waiting.values()];
    this.waiting.clear();
    for (const { reject } of waiting) reject(this.ended);
  }

  async compile(model: Uint8Array, outputs: readonly string[]): Promise<number> {
    const session = ++this.ids;
    this.sessions.add(session);
    try {
      await this.ask({ kind: "compile", session, model, outputs });
    } catch (error) {
      this.sessions.delete(session);
      throw error;
    }
    return session;
  }

  async run(session: number, feeds: ReadonlyMap<string, Feed>, fixed?: ReadonlySet<string>): Promise<NDArray[]> {
    const sent: [string, Feed | KeptFeed][] = [];
    const copies: ArrayBuffer[] = [];
    for (const [name, feed] of feeds) {
      if (fixed?.has(name)) {
        sent.push([name, { kept: await this.keep(feed.data), dtype: feed.dtype, shape: feed.shape }]);
        continue;
      }
      // A copy of these numbers alone: a view would be sent with the whole buffer under it.
      const data = feed.data.slice();
      await this.turnAfter(data.byteLength);
      copies.push(data.buffer as ArrayBuffer);
      sent.push([name, { dtype: feed.dtype, shape: feed.shape, data }]);
    }
    return [...(await this.ask({ kind: "run", session, feeds: sent }, copies))];
  }

  /** Lets go of a compiled graph, and with the last one of all numbers that were kept for later runs. */
  async release(session: number): Promise<void> {
    this.sessions.delete(session);
    await this.ask({ kind: "release", session });
    if (this.sessions.size > 0) return;
    this.drop(this.all);
    this.sent = new WeakMap();
  }

  /** The worker's number for an array, once it has it. */
  private async keep(data: Feed["data"]): Promise<number> {
    const known = this.sent.get(data);
    if (known) {
      await known.arrived;
      return known.kept;
    }
    const kept = ++this.ids;
    const arrived = this.sendParts(kept, data);
    this.sent.set(data, { kept, arrived });
    this.all.push(kept);
    this.gone.register(data, kept);
    await arrived;
    return kept;
  }

  private async sendParts(kept: number, { buffer, byteOffset, byteLength }: Feed["data"]): Promise<void> {
    const whole = new Uint8Array(buffer, byteOffset, byteLength);
    for (let at = 0; at === 0 || at < byteLength; at += PART_BYTES) {
      const bytes = whole.slice(at, at + PART_BYTES);
      const count = bytes.length; // none once they are handed over
      this.post({ kind: "keep", kept, size: byteLength, at, bytes }, [bytes.buffer as ArrayBuffer]);
      await this.turnAfter(count);
    }
  }

  private async turnAfter(bytes: number): Promise<void> {
    this.copied += bytes;
    if (this.copied < PART_BYTES) return;
    this.copied = 0;
    await pause();
  }

  private drop(kept: readonly number[]): void {
    const dropped = new Set(kept);
    this.all = this.all.filter((each) => !dropped.has(each));
    if (this.alive) this.post({ kind: "drop", kept });
  }

  private ask(request: Request, transfer: Transferable[] = []): Promise<readonly NDArray[]> {
    if (this.ended) return Promise.reject(this.ended);
    return new Promise((resolve, reject) => {
      const id = ++this.ids;
      this.waiting.set(id, { resolve, reject });
      this.post({ kind: "request", id, request }, transfer);
    });
  }

  private post(message: Message, transfer: Transferable[] = []): void {
    this.worker.postMessage(message, transfer);
  }
}
