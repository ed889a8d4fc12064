/**
 * Compiled sessions by structure. A runtime gives each session threads and memory of its own, so only a limited number lives at a
 * time: the one unused for longest goes first, and none goes while a run is in it. Who asks for one more than may live
 * waits, in order, until one is free. The memory that sessions keep for their next runs is bounded, too.
 */
import type { Session } from "./backend.ts";

/** Bytes that unused sessions together may keep, not counting the one used last. */
const MOST_KEPT_BYTES = 128e6;

/** What is done with a session. */
export interface Use<T> {
  /** Makes the session, if it does not exist. */
  readonly compile: () => Promise<Session>;
  readonly run: (session: Session) => Promise<T>;
  /** Bytes that the session keeps for its next run after this one. */
  readonly bytes?: number;
  /** Cancels what has not begun. */
  readonly signal?: AbortSignal | undefined;
}

/** A session that lives, is being compiled, or is going. */
interface Held {
  readonly session: Promise<Session>;
  /** Runs that are in it or wait for it to be compiled. */
  users: number;
  /** Bytes that it keeps for its next run: those of its largest. */
  bytes: number;
  /** It takes no new users, and goes when the last one has left. */
  leaving: boolean;
  readonly gone: Promise<void>;
  readonly left: () => void;
}

export class Sessions {
  /** Sessions compiled so far. */
  created = 0;
  private readonly most: number;
  /** Those that take new users, in order of last use. */
  private readonly kept = new Map<string, Held>();
  /** All that have memory: kept, or leaving and not yet gone. */
  private living = 0;
  /** Ends when everyone who waits for room has some. */
  private line: Promise<unknown> = Promise.resolve();
  /** Notifies the first in line that a session was left or is gone. */
  private tell: (() => void) | undefined;

  /** @param most sessions that live at one time */
  constructor(most: number) {
    this.most = most;
  }

  has(key: string): boolean {
    return this.kept.has(key);
  }

  /** Bytes that the session of a structure keeps for its next run. */
  bytesOf(key: string): number {
    return this.kept.get(key)?.bytes ?? 0;
  }

  /**
   * The result of a run in the session of a structure. A session that failed is not used again: its state is unknown.
   */
  async use<T>(key: string, { compile, run, bytes = 0, signal }: Use<T>): Promise<T> {
    const held = this.join(key) ?? (await this.open(key, compile, signal));
    try {
      const session = await this.sound(key, held, held.session);
      signal?.throwIfAborted();
      const result = await this.sound(key, held, run(session));
      held.bytes = Math.max(held.bytes, bytes);
      return result;
    } finally {
      held.users--;
      if (held.users === 0 && held.leaving) this.release(held);
      this.shrink(key);
      this.tell?.();
    }
  }

  /** The result of a promise; if it fails, the session takes no new users. */
  private async sound<T>(key: string, held: Held, promised: Promise<T>): Promise<T> {
    try {
      return await promised;
    } catch (error) {
      this.dismiss(key, held);
      throw error;
    }
  }

  /** Lets unused sessions go, those unused for longest first, until the others keep no more bytes than allowed. */
  private shrink(last: string): void {
    let bytes = 0;
    for (const held of this.kept.values()) bytes += held.bytes;
    for (const [key, held] of this.kept) {
      if (bytes <= MOST_KEPT_BYTES) return;
      if (held.users > 0 || key === last) continue;
      bytes -= held.bytes;
      this.dismiss(key, held);
      this.release(held);
    }
  }

  /** Lets go of a session once nobody is in it. */
  async forget(key: string): Promise<void> {
    const held = this.kept.get(key);
    if (!held) return;
    this.dismiss(key, held);
    if (held.users === 0) this.release(held);
    await held.gone;
  }

  async dispose(): Promise<void> {
    await Promise.all([...this.kept.keys()].map((key) => this.forget(key)));
  }

  /** The kept session of a structure, with one more user. */
  private join(key: string): Held | undefined {
    const held = this.kept.get(key);
    if (!held) return undefined;
    held.users++;
    this.kept.delete(key);
    this.kept.set(key, held);
    return held;
  }

  /** A new session, once there is room for it; or the same one, if another caller opened it in the meantime. */
  private open(key: string, compile: () => Promise<Session>, signal: AbortSignal | undefined): Promise<Held> {
    const opened = this.line.then(async () => {
      while (true) {
        signal?.throwIfAborted();
        const known = this.join(key);
        if (known) return known;
        if (this.living < this.most) return this.start(key, compile);
        await this.room();
      }
    });
    this.line = opened.catch(() => {});
    return opened;
  }

  /** Lets go of the session that was unused for longest; if all are in use, waits until one is not. */
  private async room(): Promise<void> {
    for (const [key, held] of this.kept) {
      if (held.users > 0) continue;
      this.dismiss(key, held);
      this.release(held);
      return held.gone;
    }
    await new Promise<void>((resolve) => {
      this.tell = resolve;
    });
    this.tell = undefined;
  }

  private start(key: string, compile: () => Promise<Session>): Held {
    this.living++;
    this.created++;
    let left = () => {};
    const gone = new Promise<void>((resolve) => {
      left = resolve;
    });
    const session = (async () => compile())();
    const held = { session, users: 1, bytes: 0, leaving: false, gone, left };
    this.kept.set(key, held);
    return held;
  }

  private dismiss(key: string, held: Held): void {
    held.leaving = true;
    if (this.kept.get(key) === held) this.kept.delete(key);
  }

  private async release(held: Held): Promise<void> {
    try {
      await (await held.session).release();
    } catch {
      // It was never compiled, or is already gone.
    }
    this.living--;
    held.left();
    this.tell?.();
  }
}
