/** What a command reads: prompts or a text, from a file, a pipe or standard input, within a size limit. */
import { open, stat } from "node:fs/promises";
import { type ByteSource, memorySource } from "../load/bytes.ts";
import { fileSource } from "../load/node.ts";
import { kindOfFile, unreadable } from "../load/node-file.ts";
import { unpacked } from "../load/node-unpacked.ts";
import type { FileText } from "../options/records.ts";
import { InputError } from "../tensor/errors.ts";
import { parsePrompts } from "../text/prompts.ts";
import { decodeUtf8 } from "../text/utf8.ts";
import { isSystemError } from "./exit.ts";

/** The most bytes of prompts, or of a text that an analysis reads. */
const MOST_BYTES = 64_000_000;
/** The most bytes of a training text that comes through a pipe and so must be held in memory. */
const MOST_PIPED_BYTES = 512_000_000;
const PIECE = 2 ** 20;

/** @param path a file whose extension gives the format, or "-" for standard input with one prompt per line. @throws InputError */
export async function readPrompts(path: string): Promise<readonly string[]> {
  const { name, bytes } = await inputOf(path, "prompts", MOST_BYTES);
  return parsePrompts(bytes, name);
}

/** The whole of a UTF-8 text. @param path a file, or "-" for standard input. @throws InputError, also for an empty text */
export async function readText(path: string): Promise<FileText> {
  const { name, bytes } = await inputOf(path, "text", MOST_BYTES);
  const text = decodeUtf8(bytes, name);
  if (text.trim() === "") {
    throw new InputError(`${name} is empty: give a file with at least a few sentences.`, {
      asked: path,
    });
  }
  return { name, text };
}

/** A file to read in pieces, unpacked; what can be read only once (a pipe, "-" for standard input) is held in memory. */
export async function inputSource(path: string): Promise<ByteSource> {
  const stats = path === "-" ? undefined : await stat(path).catch(() => undefined);
  // Files in /proc report a size of 0 even when they have content.
  if (path !== "-" && (!stats || stats.isDirectory() || (stats.isFile() && stats.size > 0))) {
    return unpacked(await fileSource(path));
  }
  const most = stats && kindOfFile(stats) === "a device" ? MOST_BYTES : MOST_PIPED_BYTES;
  const { name, bytes } = await inputOf(path, "text", most);
  return memorySource(name, bytes);
}

async function inputOf(
  path: string,
  what: "prompts" | "text",
  most: number,
): Promise<{ readonly name: string; readonly bytes: Uint8Array }> {
  const name = path === "-" ? "Standard input" : path;
  try {
    return { name, bytes: await gathered(path === "-" ? standardInput() : bytesOf(path), name, most) };
  } catch (cause) {
    if (!isSystemError(cause)) throw cause;
    throw await unreadable(path === "-" ? name : `The ${what} in ${path}`, path, cause);
  }
}

/** @throws InputError if there are more bytes than `most`, without reading them all */
async function gathered(chunks: AsyncIterable<Uint8Array>, name: string, most: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > most) {
      throw new InputError(`${name} is larger than ${most / 1e6} MB, the most that is read: give less.`, {
        asked: name,
        found: length,
      });
    }
    pieces.push(chunk);
  }
  return Buffer.concat(pieces);
}

async function* standardInput(): AsyncGenerator<Uint8Array> {
  try {
    yield* process.stdin;
  } finally {
    process.stdin.destroy(); // so that the writer can stop
  }
}

/** The bytes at a path, from its start, including pipes and devices, which do not report a size. */
async function* bytesOf(path: string): AsyncGenerator<Uint8Array> {
  if (kindOfFile(await stat(path)) === "a folder")
    throw Object.assign(new Error(), { code: "EISDIR", syscall: "read" });
  const file = await open(path);
  try {
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(PIECE), 0, PIECE, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}
