/** A hub that misbehaves: nothing it does takes unlimited time, memory or disk, and temporary failures are retried. */

import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { NetworkLimits } from "../../src/load/network-limits.ts";
import { hubFiles } from "../../src/load/node.ts";
import { retryAfter } from "../../src/load/request.ts";
import { ArgumentError, HubError } from "../../src/tensor/errors.ts";
import { commit, type Faults, sha256, TestHub } from "./hub-server.ts";

const id = "org/name";
const weights = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7919) >> 3);
const config = new TextEncoder().encode('{"n_layers": 1}');
const contents = {
  "config.json": { content: config, large: false },
  "model.safetensors": { content: weights, large: true },
};
/** Retries come quickly, so that tests are fast. */
const QUICK: NetworkLimits = {
  answerMs: 5000,
  stallMs: 5000,
  slowMs: 300,
  slowBytes: 1000,
  tries: 4,
  retryMs: 5,
  longestRetryMs: 2000,
};

let hub: TestHub;
let cacheDir: string;
beforeEach(async () => {
  hub = await TestHub.start(id, contents);
  cacheDir = await mkdtemp(join(tmpdir(), "glassformer-hub-"));
});
afterEach(async () => {
  await hub.stop();
  await rm(cacheDir, { recursive: true });
});

const files = (limits: Partial<NetworkLimits> = {}) =>
  hubFiles(id, {
    settings: {
      ...{ cacheDir, endpoint: hub.endpoint, offline: false, token: undefined },
      limits: { ...QUICK, ...limits },
    },
  });
const download = async (limits: Partial<NetworkLimits> = {}, options = {}, path = "model.safetensors") => {
  const source = await (await files(limits)).open(path, options);
  return sha256(await source.read(0, source.size));
};
const failure = async (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => expect.unreachable("it should have failed"),
    (error) => error,
  );
const blobs = () => readdir(join(cacheDir, "models--org--name", "blobs")).catch(() => [] as string[]);

/** Endless bytes, as fast as they are read. */
function endless(response: ServerResponse, headers: Record<string, string> = {}): true {
  response.writeHead(200, headers);
  const bytes = Buffer.alloc(1 << 16, 0x20);
  const more = () => {
    while (!response.destroyed && response.write(bytes)) hub.sent += bytes.length;
  };
  response.on("drain", more);
  more();
  return true;
}

/** A byte now and then. */
function drip(response: ServerResponse, headers: Record<string, string> = {}): true {
  response.writeHead(200, headers);
  const timer = setInterval(() => (response.destroyed ? clearInterval(timer) : response.write("x")), 20);
  return true;
}

describe("a body", () => {
  test.each([
    ["that never ends", (r: ServerResponse) => endless(r)],
    ["with a different length from the file's", (r: ServerResponse) => endless(r, { "content-length": "900000000" })],
    [
      "that unpacks to more than the file",
      (r: ServerResponse) => {
        const bomb = gzipSync(Buffer.alloc(5_000_000));
        r.writeHead(200, { "content-encoding": "gzip", "content-length": bomb.length }).end(bomb);
        return true;
      },
    ],
  ])("%s is cut off at the announced size and discarded", async (_what, answer) => {
    hub.faults = { instead: (_, response, host) => host === "cdn" && answer(response) };
    const error = await failure(download());
    expect(error).toBeInstanceOf(HubError);
    expect(error.message).toMatch(/sent more than the 300000 bytes announced for model\.safetensors/);
    expect(await blobs()).toEqual([]);
    expect(hub.sent).toBeLessThan(20_000_000);
    hub.faults = {};
    expect(await download()).toBe(sha256(weights));
  });

  test("that is the file, sent compressed, is accepted", async () => {
    const packed = gzipSync(weights);
    hub.faults = {
      instead: (_, response, host) => {
        if (host === "cdn") response.writeHead(200, { "content-encoding": "gzip" }).end(packed);
        return host === "cdn";
      },
    };
    expect(await download()).toBe(sha256(weights));
  });

  test("with an invalid size, or an ETag that is not a name, is not started", async () => {
    for (const [etag, size] of [
      ["..", "10"],
      ["a/b", "10"],
      ["x".repeat(200), "10"],
      ["abc.lock", "10"],
      ["abc", "1e3"],
      ["abc", "9".repeat(40)],
    ]) {
      const headers = { "x-linked-etag": `"${etag}"`, "x-linked-size": size, location: "http://127.0.0.1:9/x" };
      hub.faults = {
        instead: (request, response) => {
          const here = request.url?.includes("/resolve/") ?? false;
          if (here) response.writeHead(302, headers).end();
          return here;
        },
      };
      const error = await failure(download());
      expect(error.message).toMatch(/without a usable ETag and size/);
      expect(error).toBeInstanceOf(HubError);
    }
  });

  test("that no disk has room for is not started", async () => {
    const headers = { etag: '"abc"', "content-length": String(2 ** 52) };
    hub.faults = {
      instead: (request, response) => {
        const here = request.url?.includes("/resolve/") ?? false;
        if (here) response.writeHead(200, headers).end();
        return here;
      },
    };
    expect((await failure(download())).message).toMatch(/The disk is full: model\.safetensors does not fit/);
  });
});

describe("the list of files", () => {
  const instead = (answer: (response: ServerResponse) => boolean): Faults => ({
    instead: (request, response) => (request.url?.startsWith("/api/") ?? false) && answer(response),
  });

  test("is not read forever, compressed or not", async () => {
    hub.faults = instead((response) => endless(response));
    expect((await failure(download())).message).toMatch(/more than 16000000 bytes, too long for a list of files/);
    expect(hub.sent).toBeLessThan(40_000_000);
    const bomb = gzipSync(Buffer.alloc(40_000_000, 0x20));
    hub.faults = instead((response) => {
      response.writeHead(200, { "content-encoding": "gzip", "content-length": bomb.length }).end(bomb);
      return true;
    });
    expect((await failure(download())).message).toMatch(/more than 16000000 bytes/);
  });

  test("has at most 100,000 files, and anything else in it is skipped", async () => {
    const answer = (siblings: unknown[]) =>
      instead((response) => {
        response.writeHead(200).end(JSON.stringify({ sha: commit, siblings }));
        return true;
      });
    hub.faults = answer(Array.from({ length: 100_001 }, () => ({ rfilename: "a" })));
    const error = await failure(download());
    expect(error).toBeInstanceOf(HubError);
    expect(error.message).toMatch(/lists 100001 files/);
    hub.faults = answer([null, 5, "x", { rfilename: 5 }, {}, { rfilename: "config.json" }]);
    expect(await (await files()).list()).toEqual(["config.json"]);
  });

  test("with a header of a megabyte is refused", async () => {
    hub.faults = instead((response) => {
      response.socket?.end(`HTTP/1.1 200 OK\r\nx-long: ${"x".repeat(1_000_000)}\r\ncontent-length: 2\r\n\r\n{}`);
      return true;
    });
    expect(await failure(download())).toBeInstanceOf(HubError);
  });
});

describe("an invalid address", () => {
  test.each(["http://[", "ftp://127.0.0.1/x", "data:,x", "file:///etc/passwd", "javascript:1"])(
    "%s as a redirect is an error with it",
    async (location) => {
      hub.faults = {
        instead: (request, response) => {
          if (request.method === "GET" && request.url?.includes("/resolve/")) {
            response.socket?.end(`HTTP/1.1 302 Found\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`);
            return true;
          }
          return false;
        },
      };
      const error = await failure(download({}, {}, "config.json"));
      expect(error).toBeInstanceOf(HubError);
      expect(error.message).toContain(`redirects to "${location}", which is not an http or https URL`);
    },
  );

  test.each(["not a url", "huggingface.co", "ftp://hub", ""])(
    "%j as HF_ENDPOINT is refused by that name",
    async (endpoint) => {
      const settings = { cacheDir, offline: false, token: undefined, endpoint };
      const error = await failure(hubFiles(id, { settings }));
      expect(error).toBeInstanceOf(ArgumentError);
      expect(error.message).toMatch(/HF_ENDPOINT, is ".*", which is not an http or https URL/);
    },
  );

  test.each<[string, object]>([
    ["an address with a password", { endpoint: "https://me:SECRET@hub.example" }],
    ["an address with a query", { endpoint: "https://hub.example/?key=SECRET" }],
    ["a token of two lines", { token: "SECRET\nx: y" }],
    ["a token that no header takes", { token: "SECRET€" }],
  ])("%s is refused, and no secret told", async (_what, wrong) => {
    const error = await failure(hubFiles(id, { settings: { cacheDir, offline: false, ...wrong } }));
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error.message).toMatch(/HF_(ENDPOINT|TOKEN)/);
    expect(JSON.stringify([error.message, error])).not.toContain("SECRET");
  });

  test("an option or a setting that does not exist is refused", async () => {
    // @ts-expect-error a misspelt option
    await expect(hubFiles(id, { revison: "v2" })).rejects.toThrow(/no option "revison"\. Did you mean "revision"/);
    const settings = { cachedir: "/tmp" };
    // @ts-expect-error a misspelt setting
    await expect(hubFiles(id, { settings })).rejects.toThrow(/no option "cachedir"\. Did you mean "cacheDir"/);
    await expect(hubFiles(5 as never)).rejects.toThrow(ArgumentError);
  });

  test("an invalid limit is refused", async () => {
    await expect(files({ tries: 0 })).rejects.toThrow(/tries of limits must be a positive whole number, not 0/);
  });
});

describe("a cache", () => {
  const blob = join("models--org--name", "blobs");

  test("with a truncated file downloads it again", async () => {
    await mkdir(join(cacheDir, blob), { recursive: true });
    await writeFile(join(cacheDir, blob, sha256(weights)), weights.subarray(0, 100));
    expect(await download()).toBe(sha256(weights));
  });

  test("with another file under an ETag that is not a checksum is left as it is", async () => {
    await mkdir(join(cacheDir, blob), { recursive: true });
    await writeFile(join(cacheDir, blob, "v1"), "another");
    hub.faults = {
      instead: (request, response) => {
        if (request.method === "HEAD") response.writeHead(200, { etag: '"v1"', "content-length": "15" }).end();
        return request.method === "HEAD";
      },
    };
    const error = await failure(download({}, {}, "config.json"));
    expect(error).toBeInstanceOf(HubError);
    expect(error.message).toMatch(
      /has another file under the ETag of config\.json .*with 7 bytes instead of 15: remove/,
    );
    expect(await readFile(join(cacheDir, blob, "v1"), "utf8")).toBe("another");
  });

  test.runIf(process.platform === "linux")(
    "where no folder can be created is reported, and not retried forever",
    async () => {
      for (const folder of ["/proc/glassformer", "/dev/null/cache"]) {
        const settings = { cacheDir: folder, endpoint: hub.endpoint, offline: false, token: undefined };
        const error = await failure((await hubFiles(id, { settings })).open("config.json"));
        expect(error).toBeInstanceOf(HubError);
        expect(error.message).toMatch(/cannot be stored in the cache at .* set HF_HUB_CACHE to a writable folder/);
      }
    },
  );
});

describe("a retry", () => {
  /** Fails the first few requests that `which` matches. */
  const failing = (times: number, which: RegExp, how: (response: ServerResponse) => void): { tried: number } => {
    const count = { tried: 0 };
    hub.faults = {
      instead: (request, response, host) => {
        if (!which.test(`${host} ${request.method} ${request.url}`)) return false;
        if (count.tried++ >= times) return false;
        how(response);
        return true;
      },
    };
    return count;
  };
  const busy = (status: number) => (response: ServerResponse) => response.writeHead(status).end("busy");
  const reset = (response: ServerResponse) => response.socket?.destroy();

  test.each([
    ["the list, at 503", /api/, busy(503)],
    ["the list, at 429", /api/, busy(429)],
    ["the list, at a reset", /api/, reset],
    ["what a file is, at 502", /HEAD/, busy(502)],
    ["a file's bytes, at 504", /cdn GET/, busy(504)],
    ["a file's bytes, at a reset", /cdn GET/, reset],
  ])("is made for %s", async (_what, which, how) => {
    failing(3, which, how);
    expect(await download()).toBe(sha256(weights));
  });

  test("continues from the bytes already downloaded", async () => {
    hub.faults = { cutAfter: 100_000 };
    expect(await download()).toBe(sha256(weights));
    expect(hub.sent).toBe(300_000);
    expect(
      hub
        .downloads()
        .filter(({ host }) => host === "cdn")
        .map(({ range }) => range),
    ).toEqual([undefined, "bytes=100000-", "bytes=200000-"]);
  });

  test("is the last one eventually, and the error says how often it was tried", async () => {
    const api = failing(100, /api/, busy(503));
    expect((await failure(download())).message).toMatch(/it answered 503, tried 4 times/);
    expect(api.tried).toBe(4);
    const cdn = failing(100, /cdn/, reset);
    expect((await failure(download())).message).toMatch(/broke off after 0 of 300000 bytes \(.*, tried 4 times\)/);
    expect(cdn.tried).toBe(4);
    hub.faults = { cutAfter: 10 };
    const error = await failure(download());
    expect(error.message).toMatch(/after 40 of 300000 bytes.*tried 4 times.*resume from there/);
    hub.faults = {};
    expect(await download()).toBe(sha256(weights));
  });

  test.each([400, 401, 403, 404, 410, 451])("is not made after status %d", async (status) => {
    const api = failing(100, /api/, busy(status));
    expect(await failure(download())).toBeInstanceOf(HubError);
    expect(api.tried).toBe(1);
  });

  test("for a range that the server does not have is made once, from the start", async () => {
    const cdn = failing(100, /cdn/, busy(416));
    const error = await failure(download());
    expect(error).toBeInstanceOf(HubError);
    expect(error.message).toMatch(/answered with none \(416\)/);
    expect(cdn.tried).toBe(1);
    hub.faults = { cutAfter: 1000 };
    await failure(download({ tries: 1 }));
    const again = failing(100, /cdn/, busy(416));
    expect((await failure(download())).message).toMatch(/416/);
    expect(again.tried).toBe(2);
  });

  test("waits as long as the server says, in seconds or until a date, but not forever", async () => {
    const started = performance.now();
    failing(1, /api/, (response) => response.writeHead(503, { "retry-after": "1" }).end());
    await download();
    expect(performance.now() - started).toBeGreaterThan(950);
    const now = Date.parse("2026-01-01T00:00:00Z");
    expect(retryAfter("7", now)).toBe(7000);
    expect(retryAfter("Thu, 01 Jan 2026 00:00:09 GMT", now)).toBe(9000);
    expect(retryAfter("Thu, 01 Jan 2025 00:00:09 GMT", now)).toBe(0);
    expect(retryAfter("soon", now)).toBe(undefined);
    failing(1, /api/, (response) => response.writeHead(503, { "retry-after": "9".repeat(300) }).end());
    await (await files({ longestRetryMs: 10 })).list();
  });

  test("is not waited for once the signal is aborted", async () => {
    failing(100, /api/, (response) => response.writeHead(503, { "retry-after": "60" }).end());
    const stop = new AbortController();
    const waiting = failure((await files({ longestRetryMs: 60_000 })).list({ signal: stop.signal }));
    setTimeout(() => stop.abort(new Error("Ctrl-C")), 50);
    expect(await waiting).toBe(stop.signal.reason);
  });
});

describe("a time limit, while the garbage collector is working,", () => {
  let collecting: NodeJS.Timeout;
  beforeEach(() => {
    setFlagsFromString("--expose-gc");
    const gc: () => void = runInNewContext("gc");
    collecting = setInterval(gc, 40);
  });
  afterEach(() => clearInterval(collecting));

  test("ends the wait for an answer", async () => {
    hub.faults = { instead: () => true };
    expect((await failure(download({ answerMs: 400 }))).message).toMatch(/no answer in 0\.4 s/);
  });

  test("ends a download that stalls, and keeps its bytes", async () => {
    hub.faults = { stall: true };
    expect((await failure(download({ stallMs: 1500 }))).message).toMatch(
      /after 150000 of 300000 bytes \(no bytes arrived for 1\.5 s\)/,
    );
    hub.faults = {};
    hub.sent = 0;
    expect(await download()).toBe(sha256(weights));
    expect(hub.sent).toBe(150_000);
  });

  test("ends a download that trickles", async () => {
    hub.faults = { instead: (_, r, host) => host === "cdn" && drip(r, { "content-length": "300000" }) };
    expect((await failure(download())).message).toMatch(/only \d+ bytes arrived in 0\.\d s/);
  });

  test("still obeys the caller's signal", async () => {
    hub.faults = { instead: (_, r, host) => host === "cdn" && drip(r, { "content-length": "300000" }) };
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error("the caller's")), 200);
    expect(await failure(download({ slowBytes: 0 }, { signal: stop.signal }))).toBe(stop.signal.reason);
  });
});
