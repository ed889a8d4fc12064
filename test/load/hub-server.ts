/**
 * A Hugging Face hub on this machine: two real HTTP servers, the hub and the other host that large files lie on, which
 * answer like the real ones and can be made to misbehave.
 */
import { createHash } from "node:crypto";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface HubFile {
  readonly content: Uint8Array;
  /** Large files are on the other host, under their SHA-256. */
  readonly large: boolean;
}

/** What goes wrong. Each may be set and cleared while the server runs. */
export interface Faults {
  /** Bodies end, with the connection, after this many bytes. */
  cutAfter?: number | undefined;
  /** Bodies have their last byte changed. */
  garble?: boolean | undefined;
  /** Range is not understood: 200 and everything. */
  ignoreRange?: boolean | undefined;
  /** Bodies begin and then nothing more comes. */
  stall?: boolean | undefined;
  /** Bodies come in pieces of 10 kB, with this many milliseconds between them. */
  slow?: number | undefined;
  /** No more than this many bytes of a file are sent, until this is raised. */
  allowed?: number | undefined;
  /** Answers in place of either host, if it returns true. */
  instead?: ((request: IncomingMessage, response: ServerResponse, host: "hub" | "cdn") => boolean) | undefined;
  /** All that the hub says, with the `X-Error-Code`, if any. */
  refuse?: { status: number; code?: string } | undefined;
}

export interface Seen {
  readonly host: "hub" | "cdn";
  readonly method: string;
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
}

/** The files of each branch. */
type Branches = Readonly<Record<string, Readonly<Record<string, HubFile>>>>;

/** The commit of a branch other than main. */
export const commitOf = (branch: string): string => createHash("sha1").update(branch).digest("hex");

export const commit = "0123456789abcdef0123456789abcdef01234567";

export class TestHub {
  /** The required token: requests to the hub without it get a 401. */
  token: string | undefined;
  faults: Faults = {};
  /** Bytes of bodies sent so far. */
  sent = 0;
  readonly seen: Seen[] = [];
  readonly id: string;
  private readonly files: Readonly<Record<string, HubFile>>;
  private readonly branches: Branches;
  private readonly hub: Server;
  private readonly cdn: Server;

  private constructor(id: string, files: Readonly<Record<string, HubFile>>, branches: Branches) {
    this.id = id;
    this.files = files;
    this.branches = branches;
    this.hub = createServer((request, response) => this.answerAsHub(request, response));
    this.cdn = createServer((request, response) => this.answerAsCdn(request, response));
  }

  /** @param branches the files of other branches than main */
  static async start(id: string, files: Readonly<Record<string, HubFile>>, branches: Branches = {}): Promise<TestHub> {
    const hub = new TestHub(id, files, branches);
    for (const server of [hub.hub, hub.cdn]) {
      await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    }
    return hub;
  }

  async stop(): Promise<void> {
    for (const server of [this.hub, this.cdn]) {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    }
  }

  get endpoint(): string {
    return addressOf(this.hub);
  }

  /** The requests for a file's bytes, wherever they went. */
  downloads(): Seen[] {
    return this.seen.filter(
      ({ method, path, host }) => method === "GET" && (host === "cdn" || path.includes("/resolve/")),
    );
  }

  private note(host: "hub" | "cdn", request: IncomingMessage): void {
    const { range, authorization } = request.headers;
    this.seen.push({ host, method: request.method ?? "", path: request.url ?? "", range, authorization });
  }

  private answerAsHub(request: IncomingMessage, response: ServerResponse): ServerResponse {
    this.note("hub", request);
    if (this.faults.instead?.(request, response, "hub")) return response;
    if (this.faults.refuse) return refuse(response, this.faults.refuse.status, this.faults.refuse.code);
    if (this.token && request.headers.authorization !== `Bearer ${this.token}`) return refuse(response, 401);
    const path = decodeURIComponent(request.url ?? "");
    if (path.startsWith("/old-org/")) {
      // A model that was renamed: the hub says where it is now, on the hub itself.
      return response.writeHead(307, { location: path.replace("/old-org/name", `/${this.id}`) }).end();
    }
    if (path === `/api/models/${this.id}/refs`) {
      const ref = (name: string, targetCommit: string) => ({ name, ref: `refs/heads/${name}`, targetCommit });
      const branches = [ref("main", commit), ...Object.keys(this.branches).map((name) => ref(name, commitOf(name)))];
      const answer = JSON.stringify({ branches, converts: [], tags: [] });
      return response.writeHead(200, { "content-type": "application/json" }).end(answer);
    }
    if (/^\/api\/(models|datasets)\//.test(path)) {
      const asked = /^\/api\/(?:models|datasets)\/(.+?)\/revision\/([^?]+)/.exec(path);
      if (asked?.[1] !== this.id && asked?.[1] !== "old-org/name") return refuse(response, 401, "RepoNotFound");
      const found = this.revision(asked[2]);
      if (!found) return refuse(response, 404, "RevisionNotFound");
      const siblings = Object.keys(found.files).map((rfilename) => ({ rfilename }));
      const answer = JSON.stringify({ sha: found.sha, siblings });
      return response.writeHead(200, { "content-type": "application/json" }).end(answer);
    }
    const [, sha, name] = /^\/.+\/resolve\/([0-9a-f]{40})\/(.+)$/.exec(path) ?? [];
    const file = path.replace(/^\/datasets/, "").startsWith(`/${this.id}/`)
      ? this.revision(sha)?.files[name]
      : undefined;
    if (!file) return refuse(response, 404, "EntryNotFound");
    response.setHeader("x-repo-commit", sha);
    if (!file.large) return this.sendBody(request, response, file.content);
    const etag = sha256(file.content);
    response.writeHead(302, {
      location: `${addressOf(this.cdn)}/${etag}?signature=abc`,
      "x-linked-etag": `"${etag}"`,
      "x-linked-size": String(file.content.length),
    });
    return response.end();
  }

  /** A branch or a commit. */
  private revision(
    name: string,
  ): { readonly sha: string; readonly files: Readonly<Record<string, HubFile>> } | undefined {
    if (name === "main" || name === commit) return { sha: commit, files: this.files };
    const branch = Object.keys(this.branches).find((one) => one === name || commitOf(one) === name);
    return branch === undefined ? undefined : { sha: commitOf(branch), files: this.branches[branch] };
  }

  private answerAsCdn(request: IncomingMessage, response: ServerResponse): ServerResponse {
    this.note("cdn", request);
    if (this.faults.instead?.(request, response, "cdn")) return response;
    const all = [this.files, ...Object.values(this.branches)].flatMap((files) => Object.values(files));
    const file = all.find(({ content }) => request.url?.startsWith(`/${sha256(content)}`));
    if (!file) return refuse(response, 404);
    return this.sendBody(request, response, file.content);
  }

  private sendBody(request: IncomingMessage, response: ServerResponse, content: Uint8Array): ServerResponse {
    const { cutAfter, garble, ignoreRange, stall, allowed, slow } = this.faults;
    const [, start, last] = ignoreRange ? [] : (/^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? []);
    const from = Number(start ?? 0);
    const to = last ? Math.min(content.length, Number(last) + 1) : content.length;
    response.setHeader("etag", `"${gitSha1(content)}"`);
    if (from > 0 && from >= content.length) return refuse(response, 416);
    const body = Buffer.from(content.subarray(from, to));
    if (garble) body[body.length - 1] ^= 1;
    response.setHeader("content-length", body.length);
    if (start !== undefined) response.setHeader("content-range", `bytes ${from}-${to - 1}/${content.length}`);
    response.writeHead(start === undefined ? 200 : 206);
    if (request.method === "HEAD") {
      response.end();
    } else if (allowed !== undefined || slow !== undefined) {
      let at = 0;
      const timer = setInterval(() => {
        if (response.destroyed || at >= body.length) {
          clearInterval(timer);
          response.end();
          return;
        }
        const piece = body.subarray(at, slow ? at + 10_000 : Math.max(at, (this.faults.allowed ?? body.length) - from));
        at += piece.length;
        this.sent += piece.length;
        if (piece.length > 0) response.write(piece);
      }, slow ?? 10);
    } else if (stall || (cutAfter !== undefined && cutAfter < body.length)) {
      const some = body.subarray(0, cutAfter ?? body.length >> 1);
      this.sent += some.length;
      response.write(some, () => {
        // A moment for the bytes to arrive before the connection goes.
        if (!stall) setTimeout(() => response.destroy(), 30);
      });
    } else {
      this.sent += body.length;
      response.end(body);
    }
    return response;
  }
}

export function sha256(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

export function gitSha1(content: Uint8Array): string {
  return createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex");
}

function refuse(response: ServerResponse, status: number, code?: string): ServerResponse {
  return response.writeHead(status, code === undefined ? {} : { "x-error-code": code }).end("no");
}

function addressOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
