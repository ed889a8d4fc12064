/**
 * Requests with limits, for every platform: an answer in time, a body that does not stall, trickle or continue
 * forever, and retries if a connection breaks or a server says that it is busy.
 */
import { OutOfTime, pause, within } from "./deadline.ts";
import type { NetworkLimits } from "./network-limits.ts";

/** No answer, or not for now. The message says why in a few words: `ECONNRESET`, `it answered 503`. */
export class NoAnswer extends Error {
  override name = "NoAnswer";
  /** Whether retrying may help. */
  readonly passing: boolean;
  /** Milliseconds to wait first, if the server said so. */
  readonly retryAfter: number | undefined;
  /** The status of the answer, if there was one. */
  readonly status: number | undefined;

  constructor(
    why: string,
    how: { passing: boolean; retryAfter?: number | undefined; status?: number; cause?: unknown },
  ) {
    super(why, { cause: how.cause });
    this.passing = how.passing;
    this.retryAfter = how.retryAfter;
    this.status = how.status;
  }
}

/** A body that is longer than allowed. */
export class TooLong extends Error {
  override name = "TooLong";
}

/** Status codes of temporary failures. */
const BUSY = [429, 500, 502, 503, 504];
/** Errors of broken connections, which a retry may fix; all others would be the same a second later. */
const PASSING = ["ECONNRESET", "EPIPE", "ETIMEDOUT", "EAI_AGAIN", "UND_ERR_SOCKET", "UND_ERR_CONNECT_TIMEOUT"];

/** One answer to one request. @throws NoAnswer if there is none, or if it says that the server is busy; the signal's reason */
export async function ask(
  url: URL,
  init: Omit<RequestInit, "signal">,
  limits: NetworkLimits,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const response = await within(limits.answerMs, `no answer in ${seconds(limits.answerMs)}`, signal, (stop) =>
    fetch(url, { ...init, signal: stop }),
  ).catch((cause) => {
    signal?.throwIfAborted();
    throw new NoAnswer(reasonOf(cause), { passing: isPassing(cause), cause });
  });
  if (!BUSY.includes(response.status)) return response;
  await discard(response);
  throw new NoAnswer(`it answered ${response.status}`, {
    passing: true,
    retryAfter: retryAfter(response.headers.get("retry-after")),
    status: response.status,
  });
}

/**
 * The chunks of a body; the connection is closed however reading ends.
 * @param most bytes after which it is cut off
 * @throws NoAnswer if the connection breaks, or nothing (or almost nothing) arrives any more; TooLong; the signal's reason
 */
export async function* chunksOf(
  response: Response,
  most: number,
  limits: NetworkLimits,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  if (response.body === null) return;
  const reader = response.body.getReader();
  let all = 0;
  let since = performance.now();
  let lately = 0;
  try {
    for (;;) {
      const stalled = `no bytes arrived for ${seconds(limits.stallMs)}`;
      const next = await within(limits.stallMs, stalled, signal, () => reader.read()).catch((cause) => {
        signal?.throwIfAborted();
        throw new NoAnswer(reasonOf(cause), { passing: !(cause instanceof OutOfTime), cause });
      });
      if (next.done) return;
      all += next.value.length;
      lately += next.value.length;
      if (all > most) throw new TooLong(`more than ${most} bytes`);
      const now = performance.now();
      if (now - since > limits.slowMs) {
        if (lately < limits.slowBytes)
          throw new NoAnswer(`only ${lately} bytes arrived in ${seconds(now - since)}`, { passing: false });
        since = now;
        lately = 0;
      }
      yield next.value;
    }
  } finally {
    reader.cancel().catch(() => {}); // not awaited: a stalled stream may stall here too
  }
}

/** The whole of a body, in memory. @throws as `chunksOf` */
export async function bytesOf(
  response: Response,
  most: number,
  limits: NetworkLimits,
  signal: AbortSignal | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of chunksOf(response, most, limits, signal)) chunks.push(chunk);
  const bytes = new Uint8Array(chunks.reduce((n, chunk) => n + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** Discards an answer whose body is not read. */
export async function discard(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => {});
}

/**
 * Retries work that fails temporarily, up to `limits.tries` tries in total, with a wait before each.
 * @param work may report progress with `fresh()`, after which tries are counted from the start
 * @throws what the last try threw; a `NoAnswer` says how often it was tried
 */
export async function retried<T>(
  limits: NetworkLimits,
  signal: AbortSignal | undefined,
  work: (fresh: () => void) => Promise<T>,
): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await work(() => {
        tried = 1;
      });
    } catch (error) {
      if (!(error instanceof NoAnswer) || !error.passing) throw error;
      if (tried >= limits.tries) {
        if (tried > 1) error.message += `, tried ${tried} times`;
        throw error;
      }
      const backoff = limits.retryMs * 2 ** (tried - 1) * (0.75 + Math.random() / 2);
      await pause(Math.min(error.retryAfter ?? backoff, limits.longestRetryMs), signal);
    }
  }
}

/** What went wrong inside `fetch`, which itself only says that it failed. */
export function reasonOf(cause: unknown): string {
  const code = codeOf(cause);
  if (code !== undefined) return code;
  const inner = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;
  return inner instanceof Error ? inner.message : String(inner);
}

function isPassing(cause: unknown): boolean {
  return PASSING.includes(codeOf(cause) ?? "");
}

function codeOf(cause: unknown): string | undefined {
  const inner = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;
  const code = (inner as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : undefined;
}

/** The milliseconds that a `Retry-After` asks for, given in seconds or as a date. */
export function retryAfter(value: string | null, now = Date.now()): number | undefined {
  if (value === null) return undefined;
  if (/^\s*\d+\s*$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}
