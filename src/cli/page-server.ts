/** A server for the page's files: it reads a few folders, and nothing outside them. */
import { createReadStream } from "node:fs";
import { readFile, realpath, stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { ArgumentError } from "../tensor/errors.ts";
import { isSystemError } from "./exit.ts";
import { isPackable, PackedFiles, takesGzip } from "./packed-files.ts";
import { isHashed, isRuntimeFile, type WebFolders } from "./web-folders.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/** Serves the folders as one site. What a page may do is said in a header as in the page itself. */
export function pageServer(folders: WebFolders): Server {
  const packed = new PackedFiles();
  return createServer((request, response) => {
    answer(folders, packed, request, response).catch(() => {
      if (response.headersSent) response.destroy();
      else refuse(response, 500);
    });
  });
}

/** Listens on this machine alone, at a port that is free unless one is named. @returns the port @throws ArgumentError for one that cannot be used */
export async function listenAt(server: Server, port?: number): Promise<number> {
  await new Promise<void>((listening, failed) => {
    server.once("error", (error) => failed(refusal(error, port)));
    server.listen(port ?? 0, "127.0.0.1", listening);
  });
  return (server.address() as AddressInfo).port;
}

function refusal(error: Error, port: number | undefined): Error {
  if (!isSystemError(error) || port === undefined) return error;
  const why: Readonly<Record<string, string>> = {
    EADDRINUSE: "something else listens there",
    EACCES: "the system does not allow it",
  };
  const reason = why[error.code ?? ""];
  if (reason === undefined) return error;
  return new ArgumentError(`The port ${port} cannot be used: ${reason}. Choose another, or leave out --port.`, {
    asked: port,
    cause: error,
  });
}

async function answer(
  folders: WebFolders,
  packed: PackedFiles,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== "GET" && request.method !== "HEAD") return refuse(response, 405);
  // Another site may point its own name to this machine.
  if (!/^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(request.headers.host ?? "")) return refuse(response, 403);
  const file = await fileOf(folders, request.url ?? "/");
  if (!file) return refuse(response, 404);
  const isText = isPackable(file.path);
  const bytes =
    isText && takesGzip(request.headers["accept-encoding"]) ? await packed.bytes(file.path, file.etag) : undefined;
  // Other bytes have another mark.
  const etag = bytes ? file.etag.replace(/"$/, '-gzip"') : file.etag;
  const isKnown = request.headers["if-none-match"] === etag;
  response.writeHead(isKnown ? 304 : 200, {
    "content-type": TYPES[extname(file.path)] ?? "application/octet-stream",
    ...(isKnown ? {} : { "content-length": bytes?.length ?? file.size }),
    ...(bytes ? { "content-encoding": "gzip" } : {}),
    ...(isText ? { vary: "accept-encoding" } : {}),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-resource-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": file.isFixed ? "max-age=31536000, immutable" : "no-cache",
    etag,
    "content-security-policy": await policyOf(folders.page),
  });
  if (request.method === "HEAD" || isKnown) response.end();
  else if (bytes) response.end(bytes);
  // A browser may leave before the end.
  else await pipeline(createReadStream(file.path), response).catch(() => {});
}

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, { "content-type": "text/plain", "cross-origin-embedder-policy": "require-corp" }).end();
}

interface Found {
  readonly path: string;
  readonly size: number;
  readonly etag: string;
  /** Whether what it is called never means other bytes. */
  readonly isFixed: boolean;
}

/** The file that a request is for, if it is one inside the folders. */
async function fileOf(folders: WebFolders, address: string): Promise<Found | undefined> {
  const parts = partsOf(address);
  if (!parts) return undefined;
  const [first, ...rest] = parts;
  if (first === "models") return inside(folders.models, rest);
  if (first === folders.runtime.name) {
    return rest.length === 1 && isRuntimeFile(rest[0]) ? inside(folders.runtime.path, rest, true) : undefined;
  }
  return inside(folders.page, parts, isHashed(parts.at(-1)!));
}

/** The parts of a path; undefined for one that could lead elsewhere. */
function partsOf(address: string): string[] | undefined {
  try {
    const [path] = address.split(/[?#]/);
    const parts = path.split("/").slice(1).map(decodeURIComponent);
    if (parts.at(-1) === "") parts[parts.length - 1] = "index.html";
    const isPlain = (part: string) => /^[\w][\w.@-]*$/.test(part);
    return path.startsWith("/") && parts.every(isPlain) ? parts : undefined;
  } catch {
    return undefined;
  }
}

/** A file of a folder, also after links are followed. */
async function inside(folder: string, parts: readonly string[], isFixed = false): Promise<Found | undefined> {
  try {
    const path = await realpath(join(folder, ...parts));
    if (!path.startsWith((await realpath(folder)) + sep)) return undefined;
    const found = await stat(path);
    if (!found.isFile()) return undefined;
    const etag = `"${found.size.toString(36)}-${Math.round(found.mtimeMs).toString(36)}"`;
    return { path, size: found.size, etag, isFixed };
  } catch {
    return undefined;
  }
}

/** The page's policy, which its head has. */
async function policyOf(page: string): Promise<string> {
  const html = await readFile(join(page, "index.html"), "utf8");
  const [, policy] = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(html) ?? [];
  return policy ?? "default-src 'none'";
}
