/** A hub that misbehaves: each answer may have the wrong status, length, body, header or redirect, or break off. */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hubFiles } from "../../src/node.ts";
import { outcomeOf } from "../outcome.ts";
import { Random } from "../random.ts";
import type { Target } from "../target.ts";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const CONTENT = Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7) % 251));
const SHA = createHash("sha256").update(CONTENT).digest("hex");
/** A hub on this machine answers immediately. */
const LIMITS = { answerMs: 300, stallMs: 300, retryMs: 1, longestRetryMs: 10, tries: 3 };
const TOKEN = "hf_secret";

export const hub: Target = {
  name: "hub",
  description:
    "answers of a hub, wrong in status, size, headers, redirects or bytes; the result must be the file, and the token must stay with the hub",
  async prepare() {
    let random = new Random(0, 0);
    let leaked = false;
    /** Whether the hub gave a checksum of the file; without one, nobody can check its bytes. */
    let vouched = true;
    const listen = async (handler: (request: IncomingMessage, response: ServerResponse) => void) => {
      const server = createServer((request, response) => {
        response.on("error", () => {});
        handler(request, response);
      });
      await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
      server.unref();
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    };
    const cdn = await listen((request, response) => {
      leaked ||= request.headers.authorization !== undefined;
      answer(random, request, response, CONTENT, {});
    });
    const endpoint = await listen((request, response) => {
      if (request.url?.startsWith("/api/")) {
        const siblings = [{ rfilename: "model.safetensors" }];
        const list: unknown = random.chance(0.8)
          ? siblings
          : random.pick([null, 5, [null], [{}], "x", [{ rfilename: "../../x" }], [[]]]);
        const sha: unknown = random.chance(0.9) ? COMMIT : random.pick([null, "main", "..", 7, COMMIT.slice(1)]);
        return answer(random, request, response, Buffer.from(JSON.stringify({ sha, siblings: list })), {});
      }
      vouched &&= random.chance(0.95);
      const headers = {
        "x-linked-etag": vouched ? `"${SHA}"` : random.pick(['"x/../y"', "", '"../x"', "W/5"]),
        "x-linked-size": random.chance(0.95)
          ? String(CONTENT.length)
          : random.pick(["-1", "1e9", "10", "99999999999999", "x"]),
        location: random.chance(0.95)
          ? `${cdn}/blob`
          : random.pick(["http://[", "/x", "", "file:///etc/passwd", "javascript:1", `${cdn}/blob#x`]),
      };
      if (random.chance(0.1)) return answer(random, request, response, CONTENT, {});
      response.writeHead(302, headers).end();
    });
    return async (chance) => {
      random = chance;
      leaked = false;
      vouched = true;
      const cacheDir = mkdtempSync(join(tmpdir(), "glassformer-fuzz-hub-"));
      const settings = { endpoint, cacheDir, token: TOKEN, offline: false, limits: LIMITS };
      try {
        return await outcomeOf(
          async () => {
            const files = await hubFiles("org/name", { settings });
            const source = await files.open("model.safetensors");
            return source.read(0, source.size);
          },
          (bytes) => {
            if (leaked) return "the token went to another host";
            if (!vouched) return undefined;
            return Buffer.compare(Buffer.from(bytes), CONTENT) === 0 ? undefined : `${bytes.length} other bytes`;
          },
        );
      } finally {
        rmSync(cacheDir, { recursive: true, force: true });
      }
    };
  },
};

/** The right answer in three of four cases. */
function answer(
  random: Random,
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
  headers: Record<string, string>,
): void {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  const rest = body.subarray(from);
  const range = from > 0 ? { "content-range": `bytes ${from}-${body.length - 1}/${body.length}` } : {};
  const honest = { ...headers, etag: `"${SHA}"`, "content-length": String(rest.length), ...range };
  if (random.chance(0.75)) {
    response.writeHead(from > 0 ? 206 : 200, honest).end(request.method === "HEAD" ? undefined : rest);
    return;
  }
  switch (random.below(7)) {
    case 0:
      response
        .writeHead(random.pick([204, 206, 301, 304, 400, 401, 403, 404, 416, 418, 429, 500, 503]), headers)
        .end("no");
      return;
    case 1: // shorter than announced
      response.writeHead(200, honest);
      response.write(rest.subarray(0, random.below(rest.length + 1)), () => response.destroy());
      return;
    case 2: // longer than the file
      response
        .writeHead(200, { ...honest, "content-length": String(rest.length + 50_000) })
        .end(Buffer.concat([rest, Buffer.alloc(50_000)]));
      return;
    case 3: // other bytes
      response.writeHead(from > 0 ? 206 : 200, honest).end(Buffer.from(rest.map((x, i) => (i === 3 ? x ^ 1 : x))));
      return;
    case 4: // not the requested range
      response
        .writeHead(206, {
          ...honest,
          "content-range": random.pick(["bytes 5-9/10", "x", `bytes 0-${body.length - 1}/${body.length}`]),
        })
        .end(rest);
      return;
    case 5:
      response.writeHead(200, { ...honest, "content-encoding": random.pick(["gzip", "br", "x"]) }).end(rest);
      return;
    default:
      response.destroy();
  }
}
