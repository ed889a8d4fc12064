/** Files with ETags, ranges and conditions, as static hosts serve them, and what goes wrong with them. */
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";

export class FileServer {
  /** Files by path; each may be replaced. */
  readonly files = new Map<string, Buffer>();
  /** "HEAD /a.bin", "GET /a.bin bytes=10- 206", in order. */
  readonly seen: string[] = [];
  /** Bytes of bodies sent so far. */
  sent = 0;
  /** Bodies end, with the connection, after this many bytes. */
  cutAfter: number | undefined;
  /** Milliseconds between pieces of 100 kB. */
  pace: number | undefined;
  /** Whether answers say how long their bodies are. */
  saysLength = true;
  /** Connections end without an answer. */
  isDown = false;
  /** Lengths that are announced for files that are never sent. */
  readonly announced = new Map<string, number>();
  /** Another origin may read the files. */
  allowed = false;

  /** Forgets what has been asked for. */
  fresh(): void {
    this.seen.length = 0;
    this.sent = 0;
    this.cutAfter = undefined;
    this.pace = undefined;
    this.isDown = false;
    this.saysLength = true;
  }

  /** @returns whether the path is one of its own */
  answer(request: IncomingMessage, response: ServerResponse): boolean {
    const path = new URL(request.url ?? "", "http://x").pathname;
    if (!path.startsWith("/files/")) return false;
    if (this.isDown) {
      response.destroy();
      return true;
    }
    const status = this.respond(path, request, response);
    this.seen.push([request.method, path, request.headers.range, status].filter(Boolean).join(" "));
    return true;
  }

  private respond(path: string, { method, headers }: IncomingMessage, response: ServerResponse): number {
    const send = (status: number, more = {}) => {
      response.writeHead(status, { ...(this.allowed && { "access-control-allow-origin": "*" }), ...more });
      return status;
    };
    const announced = this.announced.get(path);
    if (method === "HEAD" && announced !== undefined) {
      send(200, { "content-length": announced });
      response.end();
      return 200;
    }
    const content = this.files.get(path);
    if (method === "OPTIONS" || !content) {
      send(404);
      response.end();
      return 404;
    }
    const etag = `"${createHash("sha256").update(content).digest("hex").slice(0, 16)}"`;
    const common = { etag, "last-modified": modifiedOf(etag), "accept-ranges": "bytes" };
    if (headers["if-none-match"] === etag) {
      send(304, common);
      response.end();
      return 304;
    }
    const isSame = headers["if-range"] === undefined || headers["if-range"] === etag;
    const from = isSame ? Number(/^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1] ?? 0) : 0;
    const body = content.subarray(from);
    const range = from > 0 ? { "content-range": `bytes ${from}-${content.length - 1}/${content.length}` } : {};
    const length = this.saysLength ? { "content-length": body.length } : {};
    const status = send(from > 0 ? 206 : 200, { ...common, ...range, ...length });
    if (method === "HEAD") response.end();
    else void this.stream(body, response);
    return status;
  }

  private async stream(body: Buffer, response: ServerResponse): Promise<void> {
    const end = Math.min(body.length, this.cutAfter ?? body.length);
    for (let at = 0; at < end && !response.destroyed; ) {
      const piece = body.subarray(at, Math.min(at + 100_000, end));
      await new Promise<void>((written) => response.write(piece, () => written()));
      this.sent += piece.length;
      at += piece.length;
      if (this.pace) await new Promise((later) => setTimeout(later, this.pace));
    }
    if (end === body.length) response.end();
    else setTimeout(() => response.destroy(), 100);
  }
}

/** A date that changes with the file. */
const modifiedOf = (etag: string) => new Date(1e12 + 1000 * Number.parseInt(etag.slice(1, 8), 16)).toUTCString();
