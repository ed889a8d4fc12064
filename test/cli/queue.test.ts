/** Scans over a queue, with a real server: the same bytes as without one, and what cannot be is said in a sentence. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { QueueBench, type Running } from "../../fuzz/faults/queue.ts";
import { freePort, RedisServer } from "../../fuzz/faults/redis-server.ts";
import { outcomeOf } from "../../src/cli/exit.ts";
import { runCommand } from "../../src/cli/program.ts";
import { queueLibraries } from "../../src/cli/queue/connection.ts";

// Many processes, on machines with two cores.
vi.setConfig({ testTimeout: 150_000 });

let bench: QueueBench;
beforeAll(async () => {
  bench = await QueueBench.begin();
  bench.text("text.txt", 240);
  await ended(bench.start(bench.scanArguments("text.txt", "whole")));
});
afterAll(() => bench?.remove());

/** @returns what it said, once it has ended with this code */
async function ended(running: Running, code = 0): Promise<string> {
  expect(await running.ended, running.stderr).toBe(code);
  return running.stderr;
}
const queue = (...args: readonly string[]) => bench.start(["queue", bench.server.address, ...args]);

describe("a scan over a queue", () => {
  it("has the bytes of a scan without one, whoever did which shard", async () => {
    const workers = [bench.worker(), bench.worker(["--concurrency", "2"])];
    const said = await ended(bench.coordinator("text.txt", "queued"));
    expect(said).toMatch(/^1 source, 0\.0 MB in 5 shards\n0 of 5 shards, 0 %, 0 workers, 0 tokens\/s\n/);
    expect(said).toMatch(/5 of 5 shards done after \d:\d\d\nWrote queued: report\/report\.html/);
    expect(bench.hashes("queued")).toEqual(bench.hashes("whole"));
    for (const { child } of workers) child.kill("SIGTERM");
    const shards = workers.flatMap(({ stderr }) => stderr.match(/Shard \d of 5: [\d,]+ tokens/g) ?? []);
    expect(new Set(shards).size).toBe(5);
    await Promise.all(workers.map((worker) => worker.ended));
    expect(await ended(queue())).toMatch(/has no scans/);
  });

  it("goes to another worker where one stopped", async () => {
    const alone = bench.start(bench.scanArguments("text.txt", "one-shard", 1));
    await ended(alone);
    const scan = bench.coordinator("text.txt", "stopped", [], 1);
    const first = bench.worker();
    await first.says(/1 shards? in all/);
    await bench.counted("stopped", "active", 1);
    first.child.kill("SIGINT");
    await first.ended;
    const saved = /stopped, and saved for another worker/.test(first.stderr);
    expect(saved || bench.done("stopped") === 1, first.stderr).toBe(true);
    await ended(bench.worker(["--once"]));
    await ended(scan);
    expect(bench.hashes("stopped")).toEqual(bench.hashes("one-shard"));
  });

  it("is paused, continued and cancelled, and continues from what is done", async () => {
    const scan = bench.coordinator("text.txt", "paused");
    await bench.counted("paused", "wait", 5);
    const folder = join(bench.folder, "paused");
    expect(await ended(queue("--pause", "paused"))).toBe(`Paused: no more shards of ${folder} are begun\n`);
    const listed = bench.start(["queue", bench.server.address], { stdout: true });
    await ended(listed);
    expect(listed.stdout).toBe(`${folder}\n  loss of solu-1l-novels: 0 of 5 shards done, 0 begun, 0 workers, paused\n`);
    expect(await ended(queue("--continue", "paused"))).toBe(`Shards of ${folder} are begun again\n`);
    expect(await ended(queue("--cancel", "paused"))).toMatch(
      /^Took .*paused off the queue\. What is done is in the folder/,
    );
    expect(await ended(scan, 2)).toMatch(/The scan was taken off the queue\. What is done is in paused: .* --resume/);
    const worker = bench.worker();
    await ended(bench.coordinator("text.txt", "paused", ["--resume"]));
    await worker.kill();
    expect(bench.hashes("paused")).toEqual(bench.hashes("whole"));
    expect(await ended(queue("--cancel", "paused"), 2)).toMatch(/has no scan in the folder paused: it has none/);
  });

  it("sets aside a shard that always fails, says why, and does the others", async () => {
    const bytes = Buffer.from(readFileSync(join(bench.folder, "text.txt")));
    bytes[3200] = 0xff;
    writeFileSync(join(bench.folder, "bad.txt"), bytes);
    const scan = bench.coordinator("bad.txt", "bad", ["--attempts", "2"]);
    const worker = bench.worker();
    const said = await ended(scan, 2);
    await worker.kill();
    expect(said).toMatch(/Shard 2 of 5 is set aside: .*bad\.txt is not UTF-8: the byte 0xFF at offset 3200/);
    expect(said).toMatch(
      /1 shard of 5 is set aside \(2\), so there is no finding; all others are in bad\. Correct what its reason above says/,
    );
    expect(bench.done("bad")).toBe(4);
  });

  it("says how to continue after Ctrl-C, and does", async () => {
    const scan = bench.coordinator("text.txt", "left");
    await scan.says(/0 of 5 shards/);
    await bench.counted("left", "wait", 5);
    scan.child.kill("SIGINT");
    await scan.ended;
    expect(scan.stderr).toMatch(/No longer watching: workers continue .* --resume .* queue redis:\S+ --cancel left/);
    await ended(bench.worker(["--once"]));
    expect(bench.done("left")).toBe(5);
    await ended(bench.coordinator("text.txt", "left", ["--resume"]));
    expect(bench.hashes("left")).toEqual(bench.hashes("whole"));
  });

  it("has its folder and texts elsewhere on another machine", async () => {
    const elsewhere = join(bench.folder, "elsewhere");
    mkdirSync(elsewhere);
    copyFileSync(join(bench.folder, "text.txt"), join(elsewhere, "moved.txt"));
    const scan = bench.coordinator("elsewhere/moved.txt", "elsewhere/out");
    await bench.counted("elsewhere/out", "wait", 5);
    const lost = bench.worker();
    // As another machine sees it: the folder is mounted under another name.
    const mounted = join(bench.folder, "mounted");
    renameSync(elsewhere, mounted);
    await lost.says(/Not taken: .*elsewhere\/out cannot be seen from here: share that folder .* --folder/);
    await lost.kill();
    const worker = bench.worker(["--folder", mounted]);
    await bench.until(() => bench.done("mounted/out") === 5);
    renameSync(mounted, elsewhere);
    await ended(scan);
    await worker.kill();
    expect(bench.done("elsewhere/out")).toBe(5);
  });
});

describe("a server", () => {
  const worker = (queue: string) => said("worker", "--queue", queue, "--once");

  it("that does not answer is named", async () => {
    const silent = await answering(() => "");
    try {
      const [nothing, nowhere, waited] = await Promise.all([
        worker(`redis://127.0.0.1:${await freePort()}`),
        worker("redis://nowhere.invalid"),
        worker(silent.address),
      ]);
      expect(nothing).toMatch(
        /does not answer \(nothing listens there\): start redis-server or valkey-server there.*2$/,
      );
      expect(nowhere).toMatch(/does not answer \(there is no such host\).*2$/);
      expect(waited).toMatch(/does not answer \(no answer within 5 seconds\).*2$/);
    } finally {
      silent.server.close();
    }
  });

  it("that asks for a password gets it from the address or the environment, and it is not shown", async () => {
    const server = await RedisServer.start("--requirepass", "geheim");
    try {
      const { address, port } = server;
      expect(await worker(address)).toMatch(/asks for a password: put it into the environment as REDISCLI_AUTH.*2$/);
      expect(await worker(`redis://:falsch@127.0.0.1:${port}`)).toMatch(/refuses the password: correct it\. 2$/);
      const open = await worker(`redis://:geheim@127.0.0.1:${port}`);
      expect(open).toMatch(/takes shards from redis:\/\/127.* 0$/);
      expect(open).not.toMatch(/geheim/);
      process.env.REDISCLI_AUTH = "geheim";
      expect(await worker(address)).toBe(open);
      expect(await worker(`${address}/99`)).toMatch(/no database of that number.*2$/);
    } finally {
      delete process.env.REDISCLI_AUTH;
      await server.remove();
    }
  });

  it("that is too old, or something else, is refused", async () => {
    const names = (text: string) => [...text.matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)].map(([, name]) => name);
    const old = await answering((text) => names(text).map(of2018).join(""));
    const page = await answering(() => "HTTP/1.1 400 Bad Request\r\n\r\n");
    try {
      expect(await worker(old.address)).toMatch(/is Redis 4\.0\.14, which is too old .* 6\.2 or later, or Valkey\. 2$/);
      expect(await worker(page.address)).toMatch(/does not speak the language of Redis.*2$/);
    } finally {
      for (const { server } of [old, page]) server.close();
    }
  });

  it("is not reached without the libraries for it, which are named", async () => {
    const load = () => import("ioredis-not-there" as "ioredis");
    await expect(queueLibraries(load)).rejects.toThrow(/which are not installed: run npm install bullmq ioredis/);
  });

  it("with another time is refused", async () => {
    vi.spyOn(Date, "now").mockImplementation(() => performance.timeOrigin + performance.now() + 3_600_000);
    try {
      expect(await worker(bench.server.address)).toMatch(
        /This machine's clock is 3,60\d seconds ahead of that of redis:.*: set the clock\. 2$/,
      );
    } finally {
      vi.restoreAllMocks();
    }
  });

  it.each([
    ["no address", [], /Name the server whose queue has the shards: --queue redis:\/\/host/],
    ["an address of something else", ["--queue", "http://x"], /http:\/\/x is not the address of a Redis or Valkey/],
    ["a name for a database", ["--queue", "redis://h/abc"], /has something other than a database's number after/],
    ["a share", ["--queue", "redis://h", "--shard", "1/2"], /--queue does not apply with --shard/],
    ["attempts without it", ["--attempts", "2"], /--attempts only applies together with --queue/],
  ])("is not asked with %s", async (_what, args, message) => {
    const scan = [...bench.scanArguments("text.txt", join(bench.folder, "refused")), ...args];
    expect(await said(...(args.length === 0 ? ["worker"] : scan))).toMatch(message);
    expect(existsSync(join(bench.folder, "refused"))).toBe(false);
  });
});

/** What a command says on stderr, in this process, and its exit code. */
async function said(...args: readonly string[]): Promise<string> {
  let stderr = "";
  const write = (text: string) => (stderr += text);
  const terminal = { stdout: { write: () => true }, stderr: { write } };
  const code = await runCommand(args, terminal).then(
    () => 0,
    (error) => {
      const { message, exitCode } = outcomeOf(error);
      write(message);
      return exitCode;
    },
  );
  return `${stderr.trim()} ${code}`;
}

/** What a server of 2018 answers to commands. */
function of2018(name: string): string {
  const info = "# Server\r\nredis_version:4.0.14\r\nloading:0\r\n";
  if (/^hello$/i.test(name)) return "-ERR unknown command 'HELLO'\r\n";
  return /^info$/i.test(name) ? `$${info.length}\r\n${info}\r\n` : "+OK\r\n";
}

/** Something on a port that answers in this way. */
async function answering(
  answer: (text: string) => string,
): Promise<{ readonly server: Server; readonly address: string }> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (bytes) => void socket.write(answer(`${bytes}`)));
  });
  const port = await freePort();
  await new Promise<void>((resolve) => void server.listen(port, "127.0.0.1", resolve));
  return { server, address: `redis://127.0.0.1:${port}` };
}
