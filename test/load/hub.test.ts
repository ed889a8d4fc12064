import { existsSync } from "node:fs";
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { DownloadProgress, ModelFiles } from "../../src/load/index.ts";
import type { HubSettings } from "../../src/load/node.ts";
import { hubFiles } from "../../src/load/node.ts";
import { ArgumentError, HubError, UnknownNameError } from "../../src/tensor/errors.ts";
import { commit, gitSha1, sha256, TestHub } from "./hub-server.ts";

const id = "org/name";
const config = new TextEncoder().encode('{"n_layers": 1}');
const weights = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7919) >> 3);
const other = Uint8Array.from({ length: 5000 }, (_, i) => i);
const contents = {
  "config.json": { content: config, large: false },
  "model.safetensors": { content: weights, large: true },
  "checkpoints/step 1.pth": { content: other, large: true },
  "empty.txt": { content: new Uint8Array(0), large: false },
};

let hub: TestHub;
let cacheDir: string;
/** The model's folder in the cache. */
let folder: string;

beforeEach(async () => {
  hub = await TestHub.start(id, contents);
  cacheDir = await mkdtemp(join(tmpdir(), "glassformer-hub-"));
  folder = join(cacheDir, "models--org--name");
});
afterEach(async () => {
  await hub.stop();
  await rm(cacheDir, { recursive: true });
});

async function model(settings: Partial<HubSettings> = {}, name = id, revision?: string): Promise<ModelFiles> {
  // What is tried again is looked at in hub-bounds.test.ts.
  const limits = { tries: 1 };
  const endpoint = settings.endpoint ?? hub.endpoint;
  const all = { cacheDir, endpoint, offline: false, token: undefined, limits, ...settings };
  return hubFiles(name, { settings: all, revision });
}

/** A file's bytes, by their checksum. */
async function contentOf(files: ModelFiles, path: string, options = {}): Promise<string> {
  const source = await files.open(path, options);
  return sha256(await source.read(0, source.size));
}

const blob = (etag: string) => join(folder, "blobs", etag);
const blobs = async () => (await readdir(join(folder, "blobs"))).sort();
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("a model on the hub", () => {
  test("lists the files of its revision", async () => {
    expect(await (await model()).list()).toEqual([
      "checkpoints/step 1.pth",
      "config.json",
      "empty.txt",
      "model.safetensors",
    ]);
  });

  test("returns the bytes of small files, large files, and empty ones", async () => {
    const files = await model();
    expect(await contentOf(files, "config.json")).toBe(sha256(config));
    expect(await contentOf(files, "model.safetensors")).toBe(sha256(weights));
    expect(await contentOf(files, "checkpoints/step 1.pth")).toBe(sha256(other));
    expect(await contentOf(files, "empty.txt")).toBe(sha256(new Uint8Array(0)));
    expect(await files.readText("config.json")).toBe('{"n_layers": 1}');
  });

  test("is stored as Python's hub library stores it: refs, blobs by checksum, snapshots of links", async () => {
    const files = await model();
    await files.open("config.json");
    await files.open("model.safetensors");
    await files.open("checkpoints/step 1.pth");
    expect(await readFile(join(folder, "refs/main"), "utf8")).toBe(commit);
    expect(await blobs()).toEqual([gitSha1(config), sha256(weights), sha256(other)].sort());
    const snapshot = join(folder, "snapshots", commit);
    expect(await readlink(join(snapshot, "config.json"))).toBe(`../../blobs/${gitSha1(config)}`);
    expect(await readlink(join(snapshot, "model.safetensors"))).toBe(`../../blobs/${sha256(weights)}`);
    expect(await readlink(join(snapshot, "checkpoints/step 1.pth"))).toBe(`../../../blobs/${sha256(other)}`);
  });

  test("is downloaded once: the second time only the revision is requested", async () => {
    await contentOf(await model(), "model.safetensors");
    hub.seen.length = 0;
    expect(await contentOf(await model(), "model.safetensors")).toBe(sha256(weights));
    expect(hub.seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
      `GET /api/models/${id}/revision/main?blobs=true`,
    ]);
  });

  test("reports each file's progress up to its size, and none for cached files", async () => {
    const seen: DownloadProgress[] = [];
    const whole = { done: weights.length, total: weights.length, unit: "bytes", file: "model.safetensors", of: id };
    const onProgress = (progress: DownloadProgress) => seen.push(progress);
    await (await model()).open("model.safetensors", { onProgress });
    expect(seen[0]).toEqual({ ...whole, done: 0 });
    expect(seen.at(-1)).toEqual(whole);
    const loaded = seen.map(({ done }) => done);
    expect(loaded).toEqual([...loaded].sort((a, b) => a - b));
    seen.length = 0;
    await (await model()).open("model.safetensors", { onProgress });
    expect(seen).toEqual([]);
  });

  test("sends the token to the hub, and never to the host of large files", async () => {
    hub.token = "hf_secret";
    expect(await contentOf(await model({ token: "hf_secret" }), "model.safetensors")).toBe(sha256(weights));
    const hosts = (host: string) => hub.seen.filter((request) => request.host === host);
    expect(hosts("hub").length).toBeGreaterThan(0);
    expect(hosts("cdn").length).toBeGreaterThan(0);
    expect(new Set(hosts("hub").map((request) => request.authorization))).toEqual(new Set(["Bearer hf_secret"]));
    expect(new Set(hosts("cdn").map((request) => request.authorization))).toEqual(new Set([undefined]));
  });

  test("that was renamed is found under its old name", async () => {
    expect(await contentOf(await model({}, "old-org/name"), "config.json")).toBe(sha256(config));
    expect(await contentOf(await model({}, "old-org/name"), "model.safetensors")).toBe(sha256(weights));
  });

  test("at a commit has no ref", async () => {
    await (await model({}, id, commit)).open("config.json");
    expect(existsSync(join(folder, "refs"))).toBe(false);
    expect(existsSync(join(folder, "snapshots", commit, "config.json"))).toBe(true);
  });

  test("can be asked for several files at the same time, even the same one", async () => {
    const files = await model();
    const paths = [
      "model.safetensors",
      "config.json",
      "model.safetensors",
      "checkpoints/step 1.pth",
      "model.safetensors",
    ];
    const found = await Promise.all(paths.map((path) => contentOf(files, path)));
    expect(found).toEqual([weights, config, weights, other, weights].map(sha256));
    expect(hub.downloads().filter(({ host }) => host === "cdn").length).toBe(2);
    expect(await blobs()).toEqual([gitSha1(config), sha256(weights), sha256(other)].sort());
  });

  test("can be asked for one file by two programs at the same time", async () => {
    vi.resetModules(); // a second copy of the library, which knows nothing of what the first is doing
    const second: typeof import("../../src/load/node.ts") = await import("../../src/load/node.ts");
    expect(second.hubFiles).not.toBe(hubFiles);
    const settings = { cacheDir, endpoint: hub.endpoint, offline: false, token: undefined };
    const both = [await model(), await second.hubFiles(id, { settings })];
    const found = await Promise.all(both.map((files) => contentOf(files, "model.safetensors")));
    expect(found).toEqual([sha256(weights), sha256(weights)]);
    expect(await blobs()).toEqual([sha256(weights)]);
  });

  test("suggests the file that a wrong path probably means", async () => {
    const error = await failure((await model()).open("model.safetensor"));
    expect(error).toBeInstanceOf(UnknownNameError);
    expect(error).toMatchObject({ nearest: "model.safetensors" });
  });

  test.each(["../../../etc/passwd", "/etc/passwd", "a/../../b", "a\\..\\b", "C:/x", ""])(
    "does not open %j",
    async (path) => {
      await expect((await model()).open(path)).rejects.toBeInstanceOf(UnknownNameError);
    },
  );

  test("needs a valid id, and a valid revision", async () => {
    await expect(model({}, "a/b/c")).rejects.toBeInstanceOf(ArgumentError);
    await expect(model({}, "..")).rejects.toBeInstanceOf(ArgumentError);
    await expect(model({}, id, "../main")).rejects.toBeInstanceOf(ArgumentError);
  });
});

describe("a broken download", () => {
  test("says how far it got, and leaves its bytes for the next one", async () => {
    hub.faults = { cutAfter: 100_000 };
    const error = await failure((await model()).open("model.safetensors"));
    expect(error).toBeInstanceOf(HubError);
    expect((error as Error).message).toMatch(
      /model\.safetensors of "org\/name" broke off after 100000 of 300000 bytes/,
    );
    expect(await blobs()).toEqual([`${sha256(weights)}.incomplete`]);
    expect((await lstat(blob(`${sha256(weights)}.incomplete`))).size).toBe(100_000);
    expect(existsSync(join(folder, "snapshots"))).toBe(false);
  });

  test("is resumed: only the missing bytes are requested and sent", async () => {
    hub.faults = { cutAfter: 100_000 };
    await failure((await model()).open("model.safetensors"));
    hub.faults = {};
    hub.seen.length = hub.sent = 0;
    const seen: number[] = [];
    const onProgress = ({ done }: DownloadProgress) => seen.push(done);
    expect(await contentOf(await model(), "model.safetensors", { onProgress })).toBe(sha256(weights));
    expect(hub.downloads().map(({ range }) => range)).toEqual(["bytes=100000-", "bytes=100000-"]); // hub, then its redirect
    expect(hub.sent).toBe(200_000);
    expect(seen[0]).toBe(100_000);
    expect(await blobs()).toEqual([sha256(weights)]);
  });

  test("starts over if the server answers a range with everything", async () => {
    hub.faults = { cutAfter: 100_000 };
    await failure((await model()).open("model.safetensors"));
    hub.faults = { ignoreRange: true };
    expect(await contentOf(await model(), "model.safetensors")).toBe(sha256(weights));
  });

  test("resumes what a process that is gone left under its name", async () => {
    await mkdir(join(folder, "blobs"), { recursive: true });
    await writeFile(blob(`${sha256(weights)}.4194304-0123abcd.incomplete`), weights.subarray(0, 250_000)); // no such process
    expect(await contentOf(await model(), "model.safetensors")).toBe(sha256(weights));
    expect(hub.sent).toBe(50_000);
    expect(await blobs()).toEqual([sha256(weights)]);
  });

  test("does not touch what a running process is writing, until it has been inactive for a minute", async () => {
    await mkdir(join(folder, "blobs"), { recursive: true });
    const theirs = `${sha256(weights)}.${process.ppid}-0123abcd.incomplete`;
    await writeFile(blob(theirs), weights.subarray(0, 250_000));
    expect(await contentOf(await model(), "model.safetensors")).toBe(sha256(weights));
    expect(hub.sent).toBe(300_000);
    expect(await blobs()).toEqual([sha256(weights), theirs].sort());

    await rm(blob(sha256(weights)));
    await utimes(blob(theirs), new Date(Date.now() - 61_000), new Date(Date.now() - 61_000));
    hub.sent = 0;
    expect(await contentOf(await model(), "model.safetensors")).toBe(sha256(weights));
    expect(hub.sent).toBe(50_000);
  });

  test("that resumes from damaged bytes notices, and fetches everything again", async () => {
    await mkdir(join(folder, "blobs"), { recursive: true });
    await writeFile(blob(`${sha256(weights)}.incomplete`), new Uint8Array(100_000));
    expect(await contentOf(await model(), "model.safetensors")).toBe(sha256(weights));
    expect(hub.sent).toBe(200_000 + 300_000);
  });

  test("with leftover bytes beyond the file's size is started again", async () => {
    await mkdir(join(folder, "blobs"), { recursive: true });
    await writeFile(blob(`${sha256(weights)}.incomplete`), new Uint8Array(400_000));
    expect(await contentOf(await model(), "model.safetensors")).toBe(sha256(weights));
  });

  test("that only lacked its final name is checked and kept", async () => {
    await mkdir(join(folder, "blobs"), { recursive: true });
    await writeFile(blob(`${sha256(weights)}.incomplete`), weights);
    expect(await contentOf(await model(), "model.safetensors")).toBe(sha256(weights));
    expect(hub.sent).toBe(0);
  });

  test.each(["model.safetensors", "config.json"])(
    "whose bytes of %s do not match their checksum is discarded",
    async (path) => {
      hub.faults = { garble: true };
      const error = await failure((await model()).open(path));
      expect(error).toBeInstanceOf(HubError);
      expect((error as Error).message).toMatch(/arrived damaged: its checksum is [0-9a-f]+, not/);
      expect(await blobs()).toEqual([]);
      hub.faults = {};
      expect(await contentOf(await model(), path)).toBe(sha256(contents[path as "config.json"].content));
    },
  );

  test("by the caller's signal ends with the signal's reason and can be resumed", async () => {
    hub.faults = { stall: true };
    const stop = new AbortController();
    const onProgress = ({ done }: DownloadProgress) => done >= 150_000 && stop.abort(new Error("Ctrl-C"));
    const error = await failure((await model()).open("model.safetensors", { signal: stop.signal, onProgress }));
    expect(error).toBe(stop.signal.reason);
    expect(await blobs()).toEqual([`${sha256(weights)}.incomplete`]);
    hub.faults = {};
    hub.sent = 0;
    expect(await contentOf(await model(), "model.safetensors")).toBe(sha256(weights));
    expect(hub.sent).toBe(150_000);
  });

  test.skipIf(!existsSync("/dev/full"))("on a full disk says so, and leaves the cache as it was", async () => {
    await mkdir(join(folder, "blobs"), { recursive: true });
    await symlink("/dev/full", blob(`${sha256(weights)}.incomplete`)); // every write to it fails for want of space
    const error = await failure((await model()).open("model.safetensors"));
    expect(error).toBeInstanceOf(HubError);
    expect((error as Error).message).toMatch(/The disk is full: model\.safetensors does not fit/);
    expect(await blobs()).toEqual([]);
    expect(await contentOf(await model(), "model.safetensors")).toBe(sha256(weights));
  });

  test("into a cache that cannot be written says so", async () => {
    await writeFile(folder, "a file where the model's folder should be");
    const error = await failure((await model()).open("config.json"));
    expect(error).toBeInstanceOf(HubError);
    expect((error as Error).message).toMatch(/cannot be stored in the cache at .* set HF_HUB_CACHE/);
  });
});

describe("without the network", () => {
  test("offline, everything comes from the cache and nothing is requested", async () => {
    const online = await model();
    await online.open("config.json");
    await online.open("model.safetensors");
    hub.seen.length = 0;
    const files = await model({ offline: true });
    expect(await files.list()).toEqual(["config.json", "model.safetensors"]);
    expect(await contentOf(files, "model.safetensors")).toBe(sha256(weights));
    expect(await contentOf(await model({ offline: true }, id, commit), "config.json")).toBe(sha256(config));
    expect(hub.seen).toEqual([]);
  });

  test("offline, a file or model that is not cached is an error that says which and how to get it", async () => {
    const missing = await failure((await model({ offline: true })).list());
    expect(missing).toBeInstanceOf(HubError);
    expect((missing as Error).message).toMatch(
      /"org\/name" \(main\) is not in the cache .*HF_HUB_OFFLINE.*load it once/,
    );
    await (await model()).open("config.json");
    const file = await failure((await model({ offline: true })).open("model.safetensors"));
    expect(file).toBeInstanceOf(HubError);
    expect((file as Error).message).toMatch(/"model\.safetensors" of "org\/name" is not in the cache/);
  });

  test("an unreachable hub is like being offline: the cache is used", async () => {
    await (await model()).open("config.json");
    const endpoint = hub.endpoint;
    await hub.stop();
    expect(await contentOf(await model({ endpoint }), "config.json")).toBe(sha256(config));
    hub = await TestHub.start(id, contents);
    hub.faults = { refuse: { status: 503 } };
    expect(await contentOf(await model(), "config.json")).toBe(sha256(config));
  });

  test("an unreachable hub, with nothing cached, gives one sentence", async () => {
    const error = await failure((await model({ endpoint: "http://127.0.0.1:9" })).list());
    expect(error).toBeInstanceOf(HubError);
    expect((error as Error).message).toMatch(
      /^"org\/name" \(main\) is not in the cache .*http:\/\/127\.0\.0\.1:9 cannot be reached: .*\.$/,
    );
    expect((error as Error).message.split("\n").length).toBe(1);
  });
});

describe("each kind of refusal by the hub has its own sentence", () => {
  const ask = async (settings = {}, name = id, revision?: string) =>
    ((await failure((await model(settings, name, revision)).list())) as HubError).message;

  test("a model that does not exist, or is private", async () => {
    expect(await ask({}, "org/nmae")).toMatch(
      /There is no model "org\/nmae" on http.*check the spelling.*set HF_TOKEN/,
    );
    hub.token = "right";
    expect(await ask({ token: "wrong" })).toMatch(/There is no model "org\/name".*your token may lack access/);
  });

  test("a gated model, without a token and with one", async () => {
    hub.faults = { refuse: { status: 401, code: "GatedRepo" } };
    expect(await ask()).toMatch(/"org\/name" is gated \(401\): accept its terms at http.*set HF_TOKEN/);
    hub.faults = { refuse: { status: 403, code: "GatedRepo" } };
    expect(await ask({ token: "hf_x" })).toMatch(/Your token cannot read "org\/name" \(403\): accept its terms/);
  });

  test("a revision that does not exist", async () => {
    expect(await ask({}, id, "v2")).toMatch(/"org\/name" has no revision "v2"/);
  });

  test("anything else, by its status", async () => {
    hub.faults = { refuse: { status: 418 } };
    expect(await ask()).toMatch(/answered 418 to a request for "org\/name"/);
  });

  test("none is written to the cache", async () => {
    await ask({}, "org/nmae");
    expect(await readdir(cacheDir)).toEqual([]);
  });
});
