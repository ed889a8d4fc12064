import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { urlSource } from "../../src/load/index.ts";
import { ArgumentError, HubError } from "../../src/tensor/errors.ts";
import { type RangeServer, serveRanges } from "./range-server.ts";

const content = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);
let server: RangeServer;
beforeEach(async () => {
  server = await serveRanges({ "/data/file.bin": content, "/blob0123": content, "/100%.txt": content });
});
afterEach(() => server.stop());

describe("a file behind a URL", () => {
  test("has its size requested, and then only the bytes that are read", async () => {
    const source = await urlSource(`${server.url}/data/file.bin`);
    expect([source.name, source.size]).toEqual(["file.bin", 1000]);
    expect(await source.read(990, 1000)).toEqual(content.subarray(990));
    expect(await source.read(3, 5)).toEqual(content.subarray(3, 5));
    expect(await source.read(7, 7)).toEqual(new Uint8Array());
    expect(server.asked).toEqual([
      "HEAD /data/file.bin",
      "GET /data/file.bin bytes=990-999",
      "GET /data/file.bin bytes=3-4",
    ]);
    expect(server.sent).toBe(12);
  });

  test("on a server without ranges is fetched whole, once", async () => {
    server.ignoreRange = true;
    const source = await urlSource(`${server.url}/data/file.bin`);
    expect(await source.read(990, 1000)).toEqual(content.subarray(990));
    expect(await source.read(3, 5)).toEqual(content.subarray(3, 5));
    expect(server.sent).toBe(1000);
  });

  test("that does not exist, breaks off, or is not a URL gives an error", async () => {
    await expect(urlSource(`${server.url}/other.bin`)).rejects.toThrow(/other.bin answered with 404/);
    await expect(urlSource("file:///etc/passwd")).rejects.toThrow(ArgumentError);
    const secret = await urlSource("https://me:SECRET@host.example/a.txt").catch((e: Error) => e as Error);
    expect((secret as Error).message).toMatch(/URL of host\.example\/a\.txt contains a name or a password/);
    expect((secret as Error).message).not.toContain("SECRET");
    await expect(urlSource("data.parquet")).rejects.toThrow(/"data.parquet" is not an http or https URL/);
    const source = await urlSource(`${server.url}/data/file.bin`);
    server.cutAfter = 5;
    await expect(source.read(0, 10)).rejects.toThrow(/file.bin broke off.*Try again/);
    server.cutAfter = undefined;
    expect(await source.read(0, 2)).toEqual(content.subarray(0, 2));
    await server.stop();
    await expect(urlSource(`${server.url}/data/file.bin`)).rejects.toThrow(/cannot be reached.*ECONNREFUSED/);
    await expect(urlSource(`${server.url}/data/file.bin`)).rejects.toThrow(HubError);
    server = await serveRanges({});
  });

  test("has its name after all redirects, and may be on a server that only answers GET", async () => {
    server.redirect = { "/latest": "/data/file.bin", "/rows.jsonl": "/blob0123", "/a%20b.parquet": "/blob0123" };
    expect((await urlSource(`${server.url}/latest`)).name).toBe("file.bin");
    // Behind the name that says the format there may be one that says nothing.
    expect((await urlSource(`${server.url}/rows.jsonl`)).name).toBe("rows.jsonl");
    expect((await urlSource(`${server.url}/a%20b.parquet`)).name).toBe("a b.parquet");
    expect((await urlSource(`${server.url}/100%.txt`)).name).toBe("100%.txt");
    server.refuseHead = true;
    const source = await urlSource(`${server.url}/data/file.bin`);
    expect([source.name, source.size]).toEqual(["file.bin", 1000]);
    expect(await source.read(3, 5)).toEqual(content.subarray(3, 5));
    server.ignoreRange = true;
    expect((await urlSource(`${server.url}/data/file.bin`)).size).toBe(1000);
  });

  test("that is always sent compressed gives an error", async () => {
    server.encoding = "gzip";
    await expect(urlSource(`${server.url}/data/file.bin`)).rejects.toThrow(/sent compressed \(gzip\).*download it/);
  });

  test("is read no further once its signal is aborted", async () => {
    const stop = new AbortController();
    const source = await urlSource(`${server.url}/data/file.bin`, { signal: stop.signal });
    stop.abort(new Error("enough"));
    await expect(source.read(0, 10)).rejects.toThrow("enough");
  });
});

describe("a server that misbehaves behind a URL", () => {
  const limits = { tries: 3, retryMs: 5, stallMs: 5000 };
  const open = (more = {}) => urlSource(`${server.url}/data/file.bin`, { limits: { ...limits, ...more } });
  /** Answers reads so. */
  const reads = (status: number, headers: Record<string, string>, body: Uint8Array | string = "") => {
    server.instead = (request, response) => {
      if (request.method === "GET") response.writeHead(status, headers).end(body);
      return request.method === "GET";
    };
  };
  const refused = async (told: RegExp) => {
    const error = await (await open()).read(10, 20).catch((e) => e);
    expect(error).toBeInstanceOf(HubError);
    expect(error.message).toMatch(told);
  };

  test("and sends the wrong bytes is refused", async () => {
    reads(206, { "content-range": "bytes 0-9/1000" }, content.subarray(0, 10));
    await refused(/answered with the bytes 0 to 9, not 10 to 19/);
    reads(206, { "content-range": "bytes 10-19/1000" }, content.subarray(10, 40));
    await refused(/sent more than 10 bytes/);
    reads(206, {}, content.subarray(10, 15));
    await refused(/broke off: only 5 of 10 bytes arrived, tried 3 times/);
    reads(200, { "content-length": "400" }, content.subarray(0, 400));
    await refused(/has changed while it was being read/);
  });

  test("and whose file has changed is refused", async () => {
    reads(206, { "content-range": "bytes 10-19/1001" }, content.subarray(10, 20));
    await refused(/has changed while it was being read: start again/);
    let etag = '"one"';
    server.instead = (request, response) => {
      const headers =
        request.method === "HEAD" ? { "content-length": "1000" } : { "content-range": "bytes 10-19/1000" };
      response.writeHead(request.method === "HEAD" ? 200 : 206, { ...headers, etag });
      response.end(request.method === "HEAD" ? undefined : content.subarray(10, 20));
      return true;
    };
    const source = await open();
    expect(await source.read(10, 20)).toEqual(content.subarray(10, 20));
    etag = '"two"';
    await expect(source.read(10, 20)).rejects.toThrow(/has changed/);
  });

  test("and sends endlessly is cut off", async () => {
    server.instead = (request, response) => {
      if (request.method === "HEAD") return false;
      response.writeHead(206, { "content-range": "bytes 10-19/1000" });
      const timer = setInterval(() => (response.destroyed ? clearInterval(timer) : response.write("x".repeat(50))), 1);
      return true;
    };
    await refused(/sent more than 10 bytes/);
  });

  test("and does not support ranges must send a file that can be held", async () => {
    server.instead = (_, response) => response.writeHead(200, { "content-length": String(3e9) }).end() && true;
    await refused(/is only sent whole, all 3000 MB: download it/);
  });

  test("and is busy, or breaks off, is retried", async () => {
    let times = 0;
    server.instead = (_, response) => {
      if (++times % 3 === 1) response.writeHead(503).end();
      else if (times % 3 === 2) response.destroy();
      return times % 3 !== 0;
    };
    const source = await open();
    expect(await source.read(10, 20)).toEqual(content.subarray(10, 20));
    server.instead = (_, response) => response.writeHead(500).end() && true;
    await expect(open()).rejects.toThrow(/could not be read: it answered 500, tried 3 times/);
  });

  test("and says nothing, or stops in the middle, is not waited for", async () => {
    server.instead = () => true;
    await expect(open({ answerMs: 200 })).rejects.toThrow(/cannot be reached: no answer in 0\.2 s/);
    server.instead = (request, response) => {
      if (request.method === "HEAD") return false;
      response.writeHead(206, { "content-range": "bytes 10-19/1000" });
      response.write("abc");
      return true;
    };
    await expect((await open({ stallMs: 200 })).read(10, 20)).rejects.toThrow(/broke off: no bytes arrived for 0\.2 s/);
  });

  test("does not accept options that do not exist", async () => {
    // @ts-expect-error a misspelt option
    await expect(urlSource(server.url, { header: {} })).rejects.toThrow(/no option "header"\. Did you mean "headers"/);
  });
});
