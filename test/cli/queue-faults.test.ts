/** Scans over a queue whose workers are killed, frozen, without room or not fit: no row is lost, none is doubled, and the bytes are those of an undisturbed scan. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { killedWorkers, QueueBench } from "../../fuzz/faults/queue.ts";
import { Random } from "../../fuzz/random.ts";

// Many processes, on machines with two cores.
vi.setConfig({ testTimeout: 150_000 });

let bench: QueueBench;
beforeAll(async () => {
  bench = await QueueBench.begin();
  bench.text("text.txt", 400);
  const whole = bench.start(bench.scanArguments("text.txt", "whole"));
  expect(await whole.ended, whole.stderr).toBe(0);
});
afterAll(() => bench?.remove());

it("survives workers and servers that are killed at random moments (npm run faults has 200 and 20)", async () => {
  const found = await killedWorkers(new Random(1, 0), { kills: 5, restarts: 1, lines: 800, workers: 2 });
  expect(found["workers killed"]).toBeGreaterThanOrEqual(5);
  expect(found["servers killed"]).toBe(1);
  expect(found["same bytes"]).toBe(found.scans);
});

it("takes over the shard of a frozen worker, which spoils nothing when it wakes up", async () => {
  const scan = bench.coordinator("text.txt", "frozen");
  const [first, second] = [bench.worker(), bench.worker()];
  await bench.counted("frozen", "active", 2);
  first.child.kill("SIGSTOP");
  second.child.kill("SIGSTOP");
  const third = bench.worker();
  await bench.until(() => bench.done("frozen") === 8);
  // One wakes up while the scan is there, or just ends; the other after its end.
  first.child.kill("SIGCONT");
  expect(await scan.ended, scan.stderr).toBe(0);
  const before = bench.hashes("frozen");
  second.child.kill("SIGCONT");
  await wait(1500);
  for (const worker of [first, second, third]) worker.child.kill("SIGTERM");
  await Promise.all([first, second, third].map((worker) => worker.ended));
  expect(bench.hashes("frozen")).toEqual(before);
  expect(before).toEqual(bench.hashes("whole"));
});

it("leaves shards to others where a worker is not fit, and says why", async () => {
  const scan = bench.coordinator("text.txt", "unfit");
  const version = bench.worker([], { main: bench.otherVersion() });
  const weights = bench.worker(["--model", bench.otherWeights()]);
  // A limit on the size of files stands in for a full disk, which only root can make.
  const full = bench.worker([], { through: ["bash", "-c", 'ulimit -f 1; exec "$@"', "bash"] });
  await Promise.all([
    version.says(
      /Not taken: this is glassformer 9\.9\.9, and .*unfit is a scan of glassformer 0\.1\.0: install that version/,
    ),
    weights.says(/Not taken: other-weights has other weights here than where .*unfit was begun/),
    full.says(/Waiting: .*could not be written: .*No partial file was left behind/),
  ]);
  await scan.says(/Worker \d+ on \S+: .*could not be written/);
  const fit = bench.worker();
  expect(await scan.ended, scan.stderr).toBe(0);
  expect(scan.stderr).toMatch(/Worker \d+ on \S+: this is glassformer 9\.9\.9/);
  expect(scan.stderr).toMatch(/Worker \d+ on \S+: other-weights has other weights/);
  for (const worker of [version, weights, full, fit]) worker.child.kill("SIGTERM");
  await Promise.all([version, weights, full, fit].map((worker) => worker.ended));
  for (const worker of [version, weights, full]) expect(worker.stderr).not.toMatch(/Shard \d of 8: [\d,]+ tokens/);
  expect(bench.hashes("unfit")).toEqual(bench.hashes("whole"));
  expect(existsSync(join(bench.folder, "unfit/queue.json"))).toBe(false);
});
