/** Prompts from a file, or from standard input. */
import { readFile } from "node:fs/promises";
import { addAbortSignal } from "node:stream";
import { buffer } from "node:stream/consumers";
import { InputError } from "../tensor/errors.ts";
import { parsePrompts } from "../text/prompts.ts";
import { isSystemError } from "./exit.ts";

/** @param path a file, its ending telling the format, or "-" for standard input, a prompt a line. @throws InputError */
export async function readPrompts(path: string, signal: AbortSignal): Promise<readonly string[]> {
  if (path === "-") return parsePrompts(await buffer(addAbortSignal(signal, process.stdin)), "Standard input");
  return parsePrompts(await contentOf(path), path);
}

async function contentOf(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    if (!isSystemError(cause)) throw cause;
    const why =
      cause.code === "ENOENT"
        ? "there is no such file"
        : cause.code === "EISDIR"
          ? "it is a folder, not a file"
          : cause.code === "EACCES"
            ? "it may not be read"
            : cause.message;
    throw new InputError(`The prompts in ${path} cannot be read: ${why}.`, { asked: path, found: cause.code, cause });
  }
}
