/** Several processes and one cache: each file is downloaded once, and a killed process does not block others. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { inTurn } from "../../src/load/node-hub-turn.ts";
import { sha256, TestHub } from "./hub-server.ts";

const id = "org/name";
const weights = Uint8Array.from({ length: 400_000 }, (_, i) => (i * 7919) >> 3);
const child = fileURLToPath(new URL("hub-child.ts", import.meta.url));

let hub: TestHub;
let cacheDir: string;
let blobs: string;
const running: ChildProcess[] = [];
beforeEach(async () => {
  hub = await TestHub.start(id, { "model.safetensors": { content: weights, large: true } });
  cacheDir = await mkdtemp(join(tmpdir(), "glassformer-hub-"));
  blobs = join(cacheDir, "models--org--name", "blobs");
});
afterEach(async () => {
  for (const process of running.splice(0)) process.kill("SIGKILL");
  await hub.stop();
  await rm(cacheDir, { recursive: true });
});

interface Download {
  readonly process: ChildProcess;
  /** What it printed: bytes loaded, and finally the checksum. */
  readonly lines: string[];
  /** Once it has reported this many bytes. */
  reached(bytes: number): Promise<void>;
  readonly ended: Promise<number | null>;
}

function download(): Download {
  const process_ = spawn(
    process.execPath,
    ["--import", "tsx", child, hub.endpoint, cacheDir, id, "model.safetensors"],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  running.push(process_);
  const lines: string[] = [];
  const waiting: (() => void)[] = [];
  process_.stdout.setEncoding("utf8").on("data", (text: string) => {
    lines.push(...text.trim().split("\n"));
    for (const look of waiting) look();
  });
  return {
    process: process_,
    lines,
    reached: (bytes) =>
      new Promise((resolve) => {
        const look = () => Number(lines.at(-1)) >= bytes && resolve();
        waiting.push(look);
        look();
      }),
    ended: new Promise((resolve) => process_.on("close", resolve)),
  };
}

const bodies = () => hub.seen.filter(({ host, method }) => host === "cdn" && method === "GET");

describe("a file that two processes want", () => {
  test("is downloaded by one, while the other reports the progress and then finds it", async () => {
    hub.faults = { allowed: 50_000 };
    const first = download();
    await first.reached(50_000);
    const second = download();
    await second.reached(50_000);
    hub.faults.allowed = 400_000;
    expect(await Promise.all([first.ended, second.ended])).toEqual([0, 0]);
    expect([first.lines.at(-1), second.lines.at(-1)]).toEqual([sha256(weights), sha256(weights)]);
    expect(bodies()).toHaveLength(1);
    expect(hub.sent).toBe(400_000);
    expect(await readdir(blobs)).toEqual([sha256(weights)]);
  });

  test("continues in the second from the bytes that the first had when it was killed", async () => {
    hub.faults = { allowed: 100_000 };
    const first = download();
    await first.reached(100_000);
    const second = download();
    await second.reached(100_000);
    first.process.kill("SIGKILL");
    hub.faults.allowed = 400_000;
    expect(await second.ended).toBe(0);
    expect(second.lines.at(-1)).toBe(sha256(weights));
    expect(bodies()).toHaveLength(2);
    expect(bodies()[1].range).toBe("bytes=100000-");
    expect(await readdir(blobs)).toEqual([sha256(weights)]);
  });

  test("arrives whole however often processes are killed", async () => {
    for (const at of [1, 60_000, 130_000, 200_000]) {
      hub.faults = { allowed: at };
      const both = [download(), download()];
      await Promise.race(both.map(({ reached }) => reached(at)));
      for (const { process } of both) process.kill("SIGKILL");
      await Promise.all(both.map(({ ended }) => ended));
    }
    hub.faults = {};
    const last = download();
    expect(await last.ended).toBe(0);
    expect(last.lines.at(-1)).toBe(sha256(weights));
    expect(Number(last.lines[0])).toBeGreaterThanOrEqual(200_000);
    expect(await readdir(blobs)).toEqual([sha256(weights)]);
  });
});

describe("a lock that was left", () => {
  const lock = (content: string) =>
    mkdir(blobs, { recursive: true }).then(() => writeFile(join(blobs, `${sha256(weights)}.lock`), content));

  test.each([
    ["by a process that is gone", { pid: 4_194_304 }],
    ["by a process whose number is now another's", { pid: process.pid, started: "1" }],
  ])("%s holds nobody up", async (_who, holder) => {
    await lock(JSON.stringify({ host: hostname(), started: "5", token: "x", ...holder }));
    const only = download();
    expect(await only.ended).toBe(0);
    expect(only.lines.at(-1)).toBe(sha256(weights));
    expect(await readdir(blobs)).toEqual([sha256(weights)]);
  });

  test("half taken by a process that was killed is removed with the next", async () => {
    await lock(JSON.stringify({ host: hostname(), started: "5", token: "x", pid: 4_194_304 }));
    await rm(join(blobs, `${sha256(weights)}.lock`));
    const beside = (machine: string, pid: number) =>
      join(blobs, `${sha256(weights)}.lock.${machine}-${pid}-0123456789abcdef`);
    const here = createHash("sha256").update(hostname()).digest("hex").slice(0, 8);
    const dead = beside(here, 4_194_304); // killed before it wrote anything, and just now
    const alive = beside(here, process.pid);
    const old = beside("01234567", 1);
    const young = beside("76543210", 1);
    for (const path of [dead, alive, old, young]) await writeFile(path, "");
    await utimes(old, 1e9, 1e9);
    expect(await download().ended).toBe(0);
    const left = await readdir(blobs);
    expect(left.toSorted()).toEqual([sha256(weights), basename(alive), basename(young)].toSorted());
  });

  test("by a silent machine is waited for until it counts as gone, whatever its clock says", async () => {
    const theirs = join(blobs, `${sha256(weights)}.lock`);
    await lock(JSON.stringify({ pid: 1, host: "elsewhere", started: "5", token: "x" }));
    const waiting = { signal: undefined, onBytes: () => {}, staleMs: 600 };
    let signs = 0;
    let last = 0;
    const alive = setInterval(() => {
      if (++signs > 5) return;
      last = performance.now();
      void utimes(theirs, 1e9 + signs, 1e9 + signs).catch(() => {});
    }, 200);
    await inTurn(join(blobs, sha256(weights)), waiting, async () => {
      await writeFile(join(blobs, sha256(weights)), weights);
    });
    clearInterval(alive);
    expect(signs).toBeGreaterThan(1);
    expect(performance.now() - last).toBeGreaterThan(600);
    expect(await readdir(blobs)).toEqual([sha256(weights)]);
  });

  test("is not waited for once the signal is aborted", async () => {
    await lock(JSON.stringify({ pid: 1, host: "elsewhere", started: "5", token: "x" }));
    const waiting = { signal: AbortSignal.timeout(100), onBytes: () => {} };
    const blob = join(blobs, sha256(weights));
    await expect(inTurn(blob, waiting, async () => {})).rejects.toThrow(/timeout/);
  });

  test("and then taken by another process ends the work of the one that was inactive for too long", async () => {
    const blob = join(blobs, sha256(weights));
    const theirs = `${blob}.lock`;
    let times = 0;
    await inTurn(blob, { signal: undefined, onBytes: () => {}, staleMs: 300 }, async (turn) => {
      if (++times === 2) return writeFile(blob, weights);
      await writeFile(theirs, JSON.stringify({ pid: 1, host: "elsewhere", started: "5", token: "x" }));
      const spy = vi.spyOn(performance, "now").mockReturnValue(performance.now() + 20_000);
      await turn.check().finally(() => spy.mockRestore());
      expect.unreachable("the turn is over");
    });
    expect(times).toBe(2);
    expect(await readdir(blobs)).toEqual([sha256(weights)]);
  });
});
