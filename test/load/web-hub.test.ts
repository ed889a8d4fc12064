/** A page's requests to a hub and to folders behind URLs, with the same limits as in Node. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { DownloadProgress } from "../../src/load/index.ts";
import type { NetworkLimits } from "../../src/load/network-limits.ts";
import { hubFiles, urlFiles } from "../../src/load/web.ts";
import { ArgumentError, HubError, UnknownNameError } from "../../src/tensor/errors.ts";
import { commit, TestHub } from "./hub-server.ts";
import { type RangeServer, serveRanges } from "./range-server.ts";

const id = "org/name";
const weights = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7919) >> 3);
let hub: TestHub;
beforeEach(async () => {
  hub = await TestHub.start(id, {
    "config.json": { content: new TextEncoder().encode("{}"), large: false },
    "model.safetensors": { content: weights, large: true },
  });
});
afterEach(() => hub.stop());

const files = (limits: Partial<NetworkLimits> = {}, endpoint = hub.endpoint) =>
  hubFiles(id, { settings: { endpoint, cache: false, limits: { retryMs: 5, ...limits } } });
const read = async (limits = {}, options = {}) => {
  const source = await (await files(limits)).open("model.safetensors", options);
  return source.read(0, source.size);
};
const failure = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => expect.unreachable("it should have failed"),
    (error) => error,
  );

describe("a model on the hub, in a page,", () => {
  test("is read whole, with progress", async () => {
    const seen: DownloadProgress[] = [];
    expect(await read({}, { onProgress: (progress: DownloadProgress) => seen.push(progress) })).toEqual(weights);
    expect(seen.at(-1)).toEqual({
      ...{ done: 300_000, total: 300_000, unit: "bytes", file: "model.safetensors", of: id },
    });
    expect(await (await files()).list()).toEqual(["config.json", "model.safetensors"]);
  });

  test("arrives even though the connection breaks and the hub is busy in between", async () => {
    let times = 0;
    // A page does not see what breaks before there is an answer, and does not retry it.
    hub.faults = { instead: (_, r, host) => host === "hub" && times++ % 2 === 0 && r.writeHead(503).end() && true };
    expect(await read()).toEqual(weights);
    hub.faults = { cutAfter: 100_000 };
    expect(await read()).toEqual(weights);
    const ranges = hub.downloads().filter(({ host }) => host === "cdn");
    expect(ranges.slice(1).map(({ range }) => range)).toEqual([undefined, "bytes=100000-", "bytes=200000-"]);
    hub.faults = { cutAfter: 1000 };
    const error = await failure(read());
    expect(error).toBeInstanceOf(HubError);
    expect(error.message).toMatch(
      /^The download of model\.safetensors of org\/name broke off after 4 kB of 300 kB \(.*, tried 4 times\): try again\.$/,
    );
  });

  test("is not read past the announced size, nor waited for endlessly", async () => {
    const api = (siblings: unknown[]) => JSON.stringify({ sha: commit, siblings });
    hub.faults = {
      instead: (request, response) => {
        if (!request.url?.startsWith("/api/")) return false;
        response.writeHead(200).end(api([{ rfilename: "model.safetensors", size: 1000 }, { rfilename: 5 }]));
        return true;
      },
    };
    expect((await failure(read())).message).toMatch(/should have 1000 bytes, but more arrived/);
    hub.faults = { stall: true };
    expect((await failure(read({ stallMs: 200 }))).message).toMatch(/no bytes arrived for 0\.2 s/);
    hub.faults = { instead: () => true };
    expect((await failure(read({ answerMs: 200 }))).message).toMatch(/no answer in 0\.2 s/);
    hub.faults = {
      instead: (_, response) => {
        response.writeHead(200);
        const bytes = Buffer.alloc(1 << 20, 0x20);
        const more = () => {
          while (!response.destroyed && response.write(bytes));
        };
        response.on("drain", more);
        more();
        return true;
      },
    };
    const endless = await failure((await files()).list());
    expect(endless).toBeInstanceOf(HubError);
    expect(endless.message).toMatch(/more than 16000000 bytes, too long for a list of files/);
  });

  test("ends with the reason of the caller's signal", async () => {
    hub.faults = { stall: true };
    const stop = new AbortController();
    const onProgress = () => stop.abort(new Error("enough"));
    expect(await failure(read({}, { signal: stop.signal, onProgress }))).toBe(stop.signal.reason);
  });

  test.each(["not a url", "ftp://hub", ""])("is not requested from the address %j", async (endpoint) => {
    const error = await failure(files({}, endpoint));
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error.message).toMatch(/endpoint is ".*", which is not an http or https URL/);
  });
});

describe("a folder behind a URL", () => {
  let server: RangeServer;
  beforeEach(async () => {
    server = await serveRanges({ "/m/config.json": new TextEncoder().encode("{}"), "/m/a.bin": weights });
  });
  afterEach(() => server.stop());

  test("lists existing files, opens them, and says which do not exist", async () => {
    const folder = urlFiles(`${server.url}/m`);
    expect(await folder.list()).toEqual(["config.json"]);
    expect(await folder.readText("config.json")).toBe("{}");
    expect((await folder.open("a.bin")).size).toBe(300_000);
    await expect(folder.open("b.bin")).rejects.toThrow(UnknownNameError);
    server.instead = (_, response) => response.writeHead(403).end() && true;
    await expect(urlFiles(`${server.url}/m`).open("a.bin")).rejects.toThrow(/a\.bin answered with 403/);
  });

  test("that is not a URL is refused", () => {
    expect(() => urlFiles("http://[")).toThrow(ArgumentError);
  });
});
