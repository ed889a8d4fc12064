/**
 * How much memory there is, as the platform tells it, and the refusal of what would take more: a run that is too large ends
 * in a sentence before it begins, not in the middle of the machine's memory.
 */
import { MemoryError } from "./errors.ts";

/** What a platform knows of its memory. */
export interface MemoryReader {
  /** Bytes that may be taken now, a margin left out. */
  read(): number;
  /** Bytes that strings and objects may still take, where the JavaScript engine has a limit of its own for those. */
  heap?(): number;
  /** Gives back what is garbage already, where that can be asked for. */
  collect?(): void;
}

/** Below this nothing is looked up: so much is always there, or nothing works. */
export const SMALL_BYTES = 64e6;

/** What was read is good for so long. */
const FRESH_MS = 50;

let reader: MemoryReader | undefined;
let known = { bytes: Infinity, at: -Infinity };

/** Sets what tells how much memory there is; without it nothing is refused but what goes over a limit that is given. */
export function setMemoryReader(platform: MemoryReader | undefined): void {
  reader = platform;
  known = { bytes: Infinity, at: -Infinity };
}

/** Bytes that may be taken now. */
export function freeMemory(): number {
  if (!reader) return Infinity;
  const now = performance.now();
  if (now - known.at > FRESH_MS) known = { bytes: reader.read(), at: now };
  return known.bytes;
}

/** Bytes that may be taken once what is garbage has been given back. */
function freeAfterCollecting(): number {
  reader?.collect?.();
  known.at = -Infinity;
  return freeMemory();
}

/** What is about to take memory. */
export interface MemoryNeed {
  /** The subject of the sentence: "This run", "A model of this configuration". */
  readonly what: string;
  /** Its largest part, in words; asked for where it is refused. */
  readonly largest?: () => string;
  readonly bytes: number;
  /** What to do instead, as the end of the sentence. */
  readonly advice: string;
  /** Most bytes that it may take, where somebody said so; what is free unless given. */
  readonly limit?: number | undefined;
  /** Bytes held already that would be used again. */
  readonly held?: number | undefined;
  /** Whether it is strings and objects. */
  readonly heap?: boolean | undefined;
}

/** @throws MemoryError if it is more than there is, or than the limit */
export function needMemory({ what, largest, bytes, advice, limit, held = 0, heap = false }: MemoryNeed): void {
  const told = showBytes(bytes);
  const part = () => (largest ? ` (${largest()})` : "");
  if (limit !== undefined) {
    if (bytes <= limit) return;
    throw new MemoryError(
      `${what} takes about ${told} of memory at one time${part()}, but may take ${showBytes(limit)}: ${advice}; or allow more (\`memoryBytes\` of the Engine, --memory of a command).`,
      { asked: bytes, found: limit },
    );
  }
  const more = bytes - held;
  const ofHeap = () => (heap ? (reader?.heap?.() ?? Infinity) : Infinity);
  if (more <= SMALL_BYTES || more <= Math.min(freeMemory(), ofHeap())) return;
  const free = Math.min(freeAfterCollecting(), ofHeap());
  if (more <= free) return;
  throw new MemoryError(
    `${what} takes about ${told} of memory at one time${part()}, but ${showBytes(Math.max(free, 0) + held)} are free: ${advice}.`,
    { asked: bytes, found: free + held },
  );
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
