/**
 * How much memory the platform says there is, and the refusal of anything that needs more: a run that is too large ends
 * with a clear message before it starts, instead of running the machine out of memory.
 */
import { type MemoryReader, platform } from "../platform.ts";
import { MemoryError } from "./errors.ts";

/** Anything smaller is not checked: this much is always free, or nothing works. */
export const SMALL_BYTES = 64e6;

/** How long a reading stays valid, in milliseconds. */
const FRESH_MS = 50;

let known: { readonly of: MemoryReader | undefined; readonly bytes: number; readonly at: number } | undefined;

/** Bytes that can be allocated now. */
export function freeMemory(): number {
  const { memory } = platform();
  if (!memory) return Infinity;
  const now = performance.now();
  if (known?.of !== memory || now - known.at > FRESH_MS) known = { of: memory, bytes: memory.read(), at: now };
  return known.bytes;
}

/** Bytes that can be allocated once garbage has been collected. */
function freeAfterCollecting(): number {
  platform().memory?.collect?.();
  known = undefined;
  return freeMemory();
}

/** Work that is about to take memory. */
export interface MemoryNeed {
  /** The subject of the sentence: "This run", "A model of this configuration". */
  readonly what: string;
  /** Its largest part, in words; called only when the work is refused. */
  readonly largest?: () => string;
  readonly bytes: number;
  /** What to do instead, to end the sentence. */
  readonly advice: string;
  /** The most bytes that it may take. Default: what is free. */
  readonly limit?: number | undefined;
  /** Bytes already held that would be reused. */
  readonly held?: number | undefined;
  /** Whether it consists of strings and objects. */
  readonly heap?: boolean | undefined;
}

/** @throws MemoryError if it needs more than is free, or more than the limit */
export function needMemory({ what, largest, bytes, advice, limit, held = 0, heap = false }: MemoryNeed): void {
  const size = showBytes(bytes);
  const part = () => (largest ? ` (${largest()})` : "");
  if (limit !== undefined) {
    if (bytes <= limit) return;
    throw new MemoryError(
      `${what} needs about ${size} of memory at one time${part()}, but may use only ${showBytes(limit)}: ${advice}; or allow more (\`memoryBytes\` of the Engine, --memory of a command).`,
      { asked: bytes, found: limit },
    );
  }
  const more = bytes - held;
  const ofHeap = () => (heap ? (platform().memory?.heap?.() ?? Infinity) : Infinity);
  if (more <= SMALL_BYTES || more <= Math.min(freeMemory(), ofHeap())) return;
  const free = Math.min(freeAfterCollecting(), ofHeap());
  if (more <= free) return;
  throw new MemoryError(
    `${what} needs about ${size} of memory at one time${part()}, but ${limitOf(showBytes(Math.max(free, 0) + held))}: ${advice}.`,
    { asked: bytes, found: free + held },
  );
}

function limitOf(bytes: string): string {
  return platform().memory?.limit?.(bytes) ?? `only ${bytes} is free`;
}

/** "84.2 GB". */
export function showBytes(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB", "PB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  if (value >= 1e6) return `${value.toExponential(1)} ${units[unit]}`;
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : Number(value.toPrecision(3))} ${units[unit]}`;
}
