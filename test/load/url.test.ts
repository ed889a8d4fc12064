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
  test("is asked for its size, and then for the bytes that are read alone", async () => {
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

  test("of a server without ranges is fetched whole, once", async () => {
    server.ignoreRange = true;
    const source = await urlSource(`${server.url}/data/file.bin`);
    expect(await source.read(990, 1000)).toEqual(content.subarray(990));
    expect(await source.read(3, 5)).toEqual(content.subarray(3, 5));
    expect(server.sent).toBe(1000);
  });

  test("that is not there, or breaks off, or is no URL, is told so", async () => {
    await expect(urlSource(`${server.url}/other.bin`)).rejects.toThrow(/other.bin was answered with 404/);
    await expect(urlSource("file:///etc/passwd")).rejects.toThrow(ArgumentError);
    await expect(urlSource("data.parquet")).rejects.toThrow(/"data.parquet" is no http or https URL/);
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

  test("is called what it is called after all redirects, and may be at a server that answers GET alone", async () => {
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

  test("that is sent compressed whatever is asked is told so", async () => {
    server.encoding = "gzip";
    await expect(urlSource(`${server.url}/data/file.bin`)).rejects.toThrow(/sent compressed \(gzip\).*download it/);
  });

  test("is not read on once its signal is aborted", async () => {
    const stop = new AbortController();
    const source = await urlSource(`${server.url}/data/file.bin`, { signal: stop.signal });
    stop.abort(new Error("enough"));
    await expect(source.read(0, 10)).rejects.toThrow("enough");
  });
});
