/**
 * Packed files as sources of their unpacked bytes. Unpacking goes forward only: what was read last is remembered, a little backwards is
 * served from that, and further back it begins again. So a file is unpacked once to know its size, and once while it is read in order.
 */
import { createGunzip } from "node:zlib";
import { FileFormatError, GlassformerError } from "../tensor/errors.ts";
import type { ByteSource } from "./bytes.ts";
import { packingOf } from "./file-kinds.ts";

/** Packed bytes that are read at a time. */
const PIECE = 1 << 18;
/** Unpacked bytes that are remembered. */
const REMEMBERED = 1 << 23;

/**
 * The unpacked bytes of a `.gz` or `.zst` file; any other source as it is.
 * @throws FileFormatError if it is damaged, or ends before it should
 */
export async function unpacked(source: ByteSource, signal?: AbortSignal): Promise<ByteSource> {
  const packing = packingOf(source.name);
  if (packing === undefined) return source;
  const open = () => asFileErrors(source, packing === "gz" ? gunzipped(source) : unzstd(source));
  let size = 0;
  for await (const piece of open()) {
    signal?.throwIfAborted();
    size += piece.length;
  }
  return forwardSource(source.name, size, open);
}

function forwardSource(name: string, size: number, open: () => AsyncGenerator<Uint8Array>): ByteSource {
  let stream: AsyncGenerator<Uint8Array> | undefined;
  /** What was read last, and where the stream stands. */
  let last: Uint8Array[] = [];
  let held = 0;
  let at = 0;
  async function read(start: number, end: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
    if (!stream || start < at - held) {
      await stream?.return(undefined);
      [stream, last, held, at] = [open(), [], 0, 0];
    }
    const into = new Uint8Array(end - start);
    const take = (piece: Uint8Array, from: number) => {
      const [first, after] = [Math.max(start, from), Math.min(end, from + piece.length)];
      if (first < after) into.set(piece.subarray(first - from, after - from), first - start);
    };
    let from = at - held;
    for (const piece of last) {
      take(piece, from);
      from += piece.length;
    }
    while (at < end) {
      signal?.throwIfAborted();
      const { value: piece, done } = await stream.next();
      if (done) throw cutOff(name);
      take(piece, at);
      at += piece.length;
      last.push(piece);
      held += piece.length;
      while (held - last[0].length >= REMEMBERED) held -= last.shift()!.length;
    }
    return into;
  }
  // One after the other: there is one stream.
  let turn: Promise<unknown> = Promise.resolve();
  return {
    name,
    size,
    read(start, end, signal) {
      const mine = turn.then(() => read(start, end, signal));
      turn = mine.catch(() => {});
      return mine;
    },
  };
}

async function* piecesOf({ read, size }: ByteSource): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < size; at += PIECE) yield read(at, Math.min(size, at + PIECE));
}

async function* gunzipped(source: ByteSource): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: PIECE });
  const feeding = (async () => {
    for await (const piece of piecesOf(source)) {
      if (gunzip.destroyed) return;
      if (!gunzip.write(piece))
        await new Promise<void>((resolve) => void gunzip.once("drain", resolve).once("close", resolve));
    }
    gunzip.end();
  })();
  feeding.catch((error) => gunzip.destroy(error));
  try {
    yield* gunzip;
  } finally {
    gunzip.destroy();
    await feeding.catch(() => {});
  }
}

async function* unzstd(source: ByteSource): AsyncGenerator<Uint8Array> {
  const { Decompress } = await import("fzstd");
  let out: Uint8Array[] = [];
  // What it hands out is a view of memory that it uses again.
  const unpacking = new Decompress((piece) => void out.push(piece.slice()));
  for await (const piece of piecesOf(source)) {
    unpacking.push(piece);
    yield* out;
    out = [];
  }
  unpacking.push(new Uint8Array(), true);
  yield* out;
}

/** Errors of the libraries as errors about the file. */
async function* asFileErrors({ name }: ByteSource, pieces: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* pieces;
  } catch (cause) {
    if (cause instanceof GlassformerError) throw cause;
    const { message, code } = cause as { readonly message?: string; readonly code?: unknown };
    const short = code === "Z_BUF_ERROR" || code === UNEXPECTED_END;
    if (short) throw cutOff(name, cause);
    const known = typeof code === "number" || `${code}`.startsWith("Z_");
    if (!known) throw cause;
    throw new FileFormatError(
      `${name} cannot be unpacked: it is damaged, or not packed as its name says (${message}).`,
      {
        asked: name,
        cause,
      },
    );
  }
}

/** fzstd's number for it. */
const UNEXPECTED_END = 5;

function cutOff(name: string, cause?: unknown): FileFormatError {
  return new FileFormatError(`${name} ends in the middle: it is cut off, so copy or download it again.`, {
    asked: name,
    cause,
  });
}
