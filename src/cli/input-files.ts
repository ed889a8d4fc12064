/** What a command reads: prompts or a text, from a file or from standard input. */
import { readFile } from "node:fs/promises";
import { addAbortSignal } from "node:stream";
import { buffer } from "node:stream/consumers";
import type { FileText } from "../analyses/analysis.ts";
import { unreadable } from "../load/node-file.ts";
import { InputError } from "../tensor/errors.ts";
import { parsePrompts } from "../text/prompts.ts";
import { decodeUtf8 } from "../text/utf8.ts";
import { isSystemError } from "./exit.ts";

/** @param path a file, its ending telling the format, or "-" for standard input, a prompt a line. @throws InputError */
export async function readPrompts(path: string, signal: AbortSignal): Promise<readonly string[]> {
  const { name, bytes } = await inputOf(path, "prompts", signal);
  return parsePrompts(bytes, name);
}

/** The whole of a UTF-8 text. @param path a file, or "-" for standard input. @throws InputError also where it is empty */
export async function readText(path: string, signal: AbortSignal): Promise<FileText> {
  const { name, bytes } = await inputOf(path, "text", signal);
  const text = decodeUtf8(bytes, name);
  if (text.trim() === "") {
    throw new InputError(`${name} holds no text: it is empty. Give a file with a few sentences at least.`, {
      asked: path,
    });
  }
  return { name, text };
}

async function inputOf(
  path: string,
  what: "prompts" | "text",
  signal: AbortSignal,
): Promise<{ readonly name: string; readonly bytes: Uint8Array }> {
  if (path === "-") return { name: "Standard input", bytes: await buffer(addAbortSignal(signal, process.stdin)) };
  try {
    return { name: path, bytes: await readFile(path) };
  } catch (cause) {
    if (!isSystemError(cause)) throw cause;
    throw unreadable(`The ${what} in ${path}`, cause);
  }
}
