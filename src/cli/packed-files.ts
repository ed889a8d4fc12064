/** Files in fewer bytes, for browsers that can unpack them. */
import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";

const TEXT = new Set([".html", ".js", ".mjs", ".css", ".json", ".svg"]);

/** Whether a file is smaller when it is packed: numbers hardly are, and on this machine the runtime arrives sooner than it is unpacked. */
export const isPackable = (path: string): boolean => TEXT.has(extname(path));

/** Whether a request says that its answer may be packed by gzip. */
export function takesGzip(acceptEncoding = ""): boolean {
  return acceptEncoding.split(",").some((one) => {
    const [name, ...parameters] = one.split(";").map((part) => part.trim().toLowerCase());
    return name === "gzip" && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}

/** Each file as it was packed last, under its path. */
export class PackedFiles {
  readonly #files = new Map<string, { readonly etag: string; readonly bytes: Promise<Uint8Array> }>();

  /** @param etag another one means other bytes */
  bytes(path: string, etag: string): Promise<Uint8Array> {
    const known = this.#files.get(path);
    if (known?.etag === etag) return known.bytes;
    const bytes = readFile(path).then(promisify(gzip));
    this.#files.set(path, { etag, bytes });
    bytes.catch(() => this.#files.delete(path));
    return bytes;
  }
}
