/** A scan over a queue whose workers are killed, frozen and unfit, and whose server is killed: whether its result is that of an undisturbed one, to the byte. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { Redis } from "ioredis";
import { type Installed, installed } from "../../test/repository/installed.ts";
import type { Random } from "../random.ts";
import { RedisServer } from "./redis-server.ts";

/** A process, with what it has said so far. */
export class Running {
  readonly child: ChildProcess;
  stderr = "";
  stdout = "";
  code: number | undefined;
  readonly ended: Promise<number>;

  constructor(child: ChildProcess) {
    this.child = child;
    child.stderr!.setEncoding("utf8").on("data", (text) => {
      this.stderr += text;
    });
    child.stdout?.setEncoding("utf8").on("data", (text) => {
      this.stdout += text;
    });
    this.ended = new Promise((resolve) =>
      child.on("close", (code) => {
        this.code = code ?? -1;
        resolve(this.code);
      }),
    );
  }

  /** Waits until stderr says this. */
  async says(pattern: RegExp, seconds = 60): Promise<void> {
    for (const end = performance.now() + 1000 * seconds; !pattern.test(this.stderr); await wait(20)) {
      if (performance.now() > end || this.code !== undefined) {
        throw new Error(`It never said ${pattern}. It said:\n${this.stderr}`);
      }
    }
  }

  async kill(): Promise<void> {
    if (this.code !== undefined) return;
    this.child.kill("SIGKILL");
    await this.ended;
  }
}

/** A folder with a text, a server, and the command: what a queue is tried with. */
export class QueueBench {
  readonly folder = mkdtempSync(join(tmpdir(), "glassformer-queue-"));
  readonly there: Installed;
  readonly server: RedisServer;
  private readonly running = new Set<Running>();

  private constructor(there: Installed, server: RedisServer) {
    this.there = there;
    this.server = server;
  }

  static async begin(): Promise<QueueBench> {
    const [there, server] = await Promise.all([installed(), RedisServer.start()]);
    return new QueueBench(there, server);
  }

  /** Kills what still runs. */
  async stop(): Promise<void> {
    await Promise.all([...this.running].map((one) => one.kill()));
  }

  async remove(): Promise<void> {
    await this.stop();
    await this.server.remove();
    rmSync(this.folder, { recursive: true, force: true });
    this.there.remove();
  }

  /** The command, as a process. @param through what starts it */
  start(
    args: readonly string[],
    {
      main = join(this.there.folder, "dist/cli/main.js"),
      node = [],
      through = [],
      env = {},
      stdout = false,
    }: {
      readonly main?: string;
      readonly node?: readonly string[];
      readonly through?: readonly string[];
      readonly env?: Readonly<Record<string, string>>;
      /** Whether it is looked at. */
      readonly stdout?: boolean;
    } = {},
  ): Running {
    const [program, ...rest] = [...through, process.execPath, ...node, main, ...args];
    const own = { NO_COLOR: "1", SOURCE_DATE_EPOCH: "1700000000", HOME: this.folder };
    const running = new Running(
      spawn(program, rest, {
        cwd: this.folder,
        env: { PATH: process.env.PATH, ...own, ...env },
        stdio: ["ignore", stdout ? "pipe" : "ignore", "pipe"],
      }),
    );
    this.running.add(running);
    void running.ended.then(() => this.running.delete(running));
    return running;
  }

  worker(more: readonly string[] = [], how: Parameters<QueueBench["start"]>[1] = {}): Running {
    return this.start(["worker", "--queue", this.server.address, "--threads", "1", ...more], how);
  }

  /** A text of this many lines, of which a shard has 50. */
  text(name: string, lines: number): string {
    const line = (i: number) =>
      `The ${["cat", "dog", "bird"][i % 3]} sat on the ${["mat", "log"][i % 2]}, ${i * 7}, and was glad.\n`;
    writeFileSync(join(this.folder, name), Array.from({ length: lines }, (_, i) => line(i)).join(""));
    return name;
  }

  /** @param shardSize in MB */
  scanArguments(text: string, out: string, shardSize = 0.0025): string[] {
    const small = ["--shard-size", `${shardSize}`, "--max-length", "32", "--batch-tokens", "128", "--top", "3"];
    return ["scan", "loss", "--data", text, ...small, "--out", out];
  }

  /** A scan over the queue. */
  coordinator(text: string, out: string, more: readonly string[] = [], shardSize?: number): Running {
    const patience = ["--takeover", "1", "--attempts", "1000"];
    const scan = this.scanArguments(text, out, shardSize);
    return this.start([...scan, "--queue", this.server.address, ...patience, ...more]);
  }

  /** The hash of every file of a folder, by its path. */
  hashes(folder: string): Record<string, string> {
    const root = join(this.folder, folder);
    const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const named = files.map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1)).sort();
    const hash = (name: string) =>
      createHash("sha256")
        .update(readFileSync(join(root, name)))
        .digest("hex");
    return Object.fromEntries(named.map((name) => [name, hash(name)]));
  }

  isSame(a: string, b: string): boolean {
    return JSON.stringify(this.hashes(a)) === JSON.stringify(this.hashes(b));
  }

  /** Waits until this holds. */
  async until(holds: () => boolean | Promise<boolean>, seconds = 60): Promise<void> {
    for (const end = performance.now() + 1000 * seconds; !(await holds()); await wait(20)) {
      if (performance.now() > end) throw new Error(`This never held: ${holds}`);
    }
  }

  /** Waits until this many shards of a folder's scan wait, or until this many are being done. */
  async counted(folder: string, where: "wait" | "active", count: number): Promise<void> {
    const redis = new Redis(this.server.port);
    redis.on("error", () => {});
    try {
      await this.until(() => existsSync(join(this.folder, folder, "queue.json")));
      const { queue } = JSON.parse(readFileSync(join(this.folder, folder, "queue.json"), "utf8"));
      await this.until(async () => (await redis.llen(`glassformer:${queue}:${where}`)) === count);
    } finally {
      redis.disconnect();
    }
  }

  /** How many shards of a folder are done. */
  done(folder: string): number {
    const shards = join(this.folder, folder, "shards");
    return existsSync(shards) ? readdirSync(shards).filter((name) => name.endsWith(".safetensors")).length : 0;
  }

  /** The command of a package that says it has another version. */
  otherVersion(): string {
    const folder = join(this.there.project, "node_modules/other-glassformer");
    if (!existsSync(folder)) cpSync(this.there.folder, folder, { recursive: true });
    const file = join(folder, "dist/finding/provenance.js");
    writeFileSync(file, readFileSync(file, "utf8").replace(/(VERSION = )"[^"]+"/, '$1"9.9.9"'));
    return join(folder, "dist/cli/main.js");
  }

  /** The bundled model with one bit of its weights changed. */
  otherWeights(): string {
    const model = "other-weights";
    const folder = join(this.folder, model);
    mkdirSync(folder, { recursive: true });
    cpSync(join(this.there.folder, "models/solu-1l-novels"), folder, { recursive: true });
    const file = join(folder, "model.safetensors");
    const bytes = readFileSync(file);
    bytes[bytes.length - 3] ^= 1;
    writeFileSync(file, bytes);
    return model;
  }
}

/** Workers killed at random moments while the server is, too; what came of it. */
export async function killedWorkers(
  random: Random,
  {
    kills,
    restarts,
    lines,
    workers = 3,
  }: { readonly kills: number; readonly restarts: number; readonly lines: number; readonly workers?: number },
): Promise<Record<string, unknown>> {
  const bench = await QueueBench.begin();
  try {
    bench.text("text.txt", lines);
    const undisturbed = bench.start(bench.scanArguments("text.txt", "whole"));
    if ((await undisturbed.ended) !== 0) throw new Error(undisturbed.stderr);
    const count = { scans: 0, "workers killed": 0, "servers killed": 0, "shards done": 0, "same bytes": 0 };
    while (count["workers killed"] < kills || count["servers killed"] < restarts) {
      const out = `scan-${count.scans++}`;
      const scan = bench.coordinator("text.txt", out);
      const over = () => scan.code !== undefined;
      const killing = async () => {
        while (!over()) {
          const worker = bench.worker();
          if (count["workers killed"] >= kills) return;
          await Promise.race([wait(300 + random.below(2500)), scan.ended]);
          if (over()) return;
          await worker.kill();
          count["workers killed"]++;
        }
      };
      const restarting = async () => {
        await scan.says(/ of \d+ shards/); // without a server a scan is refused before it begins
        while (!over() && count["servers killed"] < restarts) {
          await Promise.race([wait(1000 + random.below(4000)), scan.ended]);
          if (over()) return;
          await bench.server.kill();
          await wait(random.below(600));
          await bench.server.start();
          count["servers killed"]++;
        }
      };
      await Promise.all([...Array.from({ length: workers }, killing), restarting()]);
      if ((await scan.ended) !== 0) throw new Error(scan.stderr);
      count["shards done"] += bench.done(out);
      if (bench.isSame(out, "whole")) count["same bytes"]++;
      else return { ...count, differs: differing(bench.hashes(out), bench.hashes("whole")) };
      rmSync(join(bench.folder, out), { recursive: true });
    }
    return count;
  } finally {
    await bench.remove();
  }
}

function differing(a: Record<string, string>, b: Record<string, string>): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => a[name] !== b[name]);
}

/** A scan in a folder on a small disk, which fills up and is emptied again. Needs root, for the disk. */
export async function fullQueueDisk(): Promise<Record<string, unknown>> {
  const bench = await QueueBench.begin();
  const disk = join(bench.folder, "disk");
  mkdirSync(disk);
  if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", disk]).status !== 0) {
    await bench.remove();
    return { skipped: "a small disk cannot be mounted here: that needs root" };
  }
  try {
    bench.text("text.txt", 800);
    const whole = bench.start(bench.scanArguments("text.txt", "whole"));
    if ((await whole.ended) !== 0) throw new Error(whole.stderr);
    const filled = join(disk, "other");
    const scan = bench.coordinator("text.txt", "disk/scan", ["--attempts", "3"]);
    await scan.says(/0 of \d+ shards/);
    writeFileSync(filled, "x");
    // To the last block.
    spawnSync("dd", ["if=/dev/zero", `of=${filled}`, "bs=4k"]);
    const workers = [bench.worker(), bench.worker()];
    await scan.says(/Worker \d+ on \S+: .*the disk is full/);
    await wait(5000);
    const doneWhileFull = bench.done("disk/scan");
    rmSync(filled);
    const code = await scan.ended;
    await Promise.all(workers.map((worker) => worker.kill()));
    return {
      "shards done while it was full": doneWhileFull,
      "exit code": code,
      "same bytes": bench.isSame("disk/scan", "whole"),
    };
  } finally {
    await bench.stop();
    spawnSync("umount", [disk]);
    await bench.remove();
  }
}
