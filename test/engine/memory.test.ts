import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Backend } from "../../src/engine/backend.ts";
import { Engine } from "../../src/engine/engine.ts";
import { peakBytes } from "../../src/engine/memory.ts";
import { nodeMemory } from "../../src/engine/node-memory.ts";
import { nodeBackend } from "../../src/engine/ort-node.ts";
import { webMemory } from "../../src/engine/web-memory.ts";
import { tensor } from "../../src/graph/from-numbers.ts";
import { Tensor } from "../../src/graph/tensor.ts";
import { HookedTransformer, initWeights, MemoryError, parseConfig } from "../../src/node.ts";
import { zeros } from "../../src/tensor/array.ts";
import { needMemory, showBytes } from "../../src/tensor/free-memory.ts";
import { setMemory } from "../memory.ts";

const ort = nodeBackend({ threads: 1 });

/** A backend that must not be asked for anything. */
const untouched: Backend = {
  name: "untouched",
  createSession: () => {
    throw new Error("a session was made");
  },
};

const cfg = parseConfig({
  ...{ n_layers: 2, d_model: 16, n_ctx: 64, d_head: 4, n_heads: 4, d_vocab: 500, act_fn: "relu" },
  ...{ normalization_type: "LN", seed: 1 },
});
const weights = initWeights(cfg);
const model = (engine: Engine) => new HookedTransformer(cfg, weights, { engine });
const rows = (batch: number, pos: number) => Array.from({ length: batch }, () => new Array<number>(pos).fill(3));

/** A leaf that claims its size without having it. */
const claimed = (shape: readonly number[]) =>
  Tensor.leaf({ dtype: "float32", shape, data: new Float32Array(0) }, ["row", "d"]);

describe("a run over the limit is refused before a session is made", () => {
  const engine = new Engine(untouched, { memoryBytes: 2e6 });

  test("with what it needs, what it may use, its largest value and what would need less", async () => {
    const error: MemoryError = await model(engine)
      .forward(rows(100, 32))
      .catch((e) => e);
    expect(error).toBeInstanceOf(MemoryError);
    expect(error.message).toBe(
      "This run needs about 13.2 MB of memory at one time ([batch 100, pos 32, d_vocab 500] alone is 6.4 MB), but may use only 2 MB: pass fewer texts at a time, or ask only for the last position's logits (logitsPos: -1); or allow more (`memoryBytes` of the Engine, --memory of a command).",
    );
    expect(error.asked).toBeGreaterThan(12.8e6);
    expect(error.found).toBe(2e6);
  });

  const asked: Readonly<Record<string, [RegExp, (m: HookedTransformer) => Promise<unknown>]>> = {
    "a loss": [/fewer texts/, (m) => m.forward(rows(100, 32), { returnType: "loss" })],
    "everything cached": [/namesFilter/, (m) => m.runWithCache(rows(40, 32), { returnType: null })],
    gradients: [/gradients of fewer points/, (m) => m.runWithCache(rows(40, 32), { inclBwd: true })],
    "a run in parts that hooks await": [
      /fewer texts/,
      (m) => m.runWithHooks(rows(100, 32), { fwdHooks: [["hook_embed", async (x) => x.mul(2)]] }),
    ],
    generation: [/fewer prompts/, (m) => m.generate(rows(500, 32), { maxNewTokens: 20, stopAtEos: false })],
    "values of a graph": [/fewer/, (m) => m.compute([m.graph(rows(100, 32)).output])],
  };
  for (const [what, [advice, run]] of Object.entries(asked)) {
    test(what, async () => {
      const error = (await run(model(engine)).catch((e) => e)) as Error;
      expect(error).toBeInstanceOf(MemoryError);
      expect(error.message).toMatch(advice);
    });
  }

  test("what fits runs", async () => {
    const small = new Engine(ort, { memoryBytes: 2e6 });
    const logits = await model(small).forward(rows(20, 32), { logitsPos: -1 });
    expect(logits.shape).toEqual([20, 1, 500]);
    await small.dispose();
  });
});

test("a limit that is not a number of bytes is refused", () => {
  for (const memoryBytes of [0, -1, Number.NaN, "2 GB"]) {
    expect(() => new Engine(untouched, { memoryBytes: memoryBytes as number })).toThrow(
      /memoryBytes of Engine must be a positive number/,
    );
  }
});

describe("without a limit what is free counts", () => {
  const large = () => claimed([1000, 50_000]).exp();
  const free = (bytes: number) => setMemory({ read: () => bytes });

  test("a run over it is refused", async () => {
    free(300e6);
    await expect(new Engine(untouched).run([large()])).rejects.toThrow(
      "This run needs about 400 MB of memory at one time ([row 1000, d 50000] alone is 200 MB), but only 300 MB is free",
    );
  });

  test("attention's mask is not made if its scores would not fit", () => {
    free(70e6);
    const long = { ...cfg, nCtx: 100_000 };
    const wide = new HookedTransformer(
      long,
      new Map([...weights, ["pos_embed.W_pos", zeros("float32", [100_000, 16])]]),
    );
    expect(() => wide.graph(rows(1, 80_000))).toThrow(/^Attention from 80000 positions to 80000 .* 102 GB/);
  });

  test("for a small run, free memory is not even looked up", async () => {
    setMemory({
      read: () => {
        throw new Error("looked up");
      },
    });
    const engine = new Engine(ort);
    expect((await engine.run([tensor([1, 2]).add(1)]))[0].data).toEqual(Float32Array.of(2, 3));
    await engine.dispose();
  });

  test("what a session holds of its last run is used again", async () => {
    const engine = new Engine(ort);
    const value = () => Tensor.leaf(zeros("float32", [1000, 10_000])).exp(); // 40 MB, 80 MB planned
    free(90e6);
    await engine.run([value()]);
    free(50e6);
    await engine.run([value()]);
    await expect(engine.run([value().add(1).exp().mul(value())])).rejects.toThrow(MemoryError);
    await engine.dispose();
  });

  test("garbage is collected before a run is refused", () => {
    let bytes = 100e6;
    setMemory({
      read: () => bytes,
      collect: () => {
        bytes = 200e6;
      },
    });
    const need = (n: number) => needMemory({ what: "It", bytes: n, advice: "less" });
    need(150e6);
    expect(() => need(250e6)).toThrow("It needs about 250 MB of memory at one time, but only 200 MB is free: less.");
  });
});

test("values count from their step to their last use, outputs to the end, and so does what an op makes on the way", () => {
  const x = claimed([10, 25]); // 1000 bytes
  expect(peakBytes([x.exp()])).toBe(1000);
  expect(peakBytes([x.exp().add(1).mul(2).sub(3)])).toBe(2000);
  const first = x.exp();
  expect(peakBytes([first.add(1).mul(2).add(first)])).toBe(3000);
  expect(peakBytes([x.exp(), x.sqrt(), x.abs()])).toBe(3000);
  const index = Tensor.leaf(zeros("int32", [10]));
  expect(peakBytes([x.exp().crossEntropy(index)])).toBe(2040);
});

test("more rows are never planned to take less", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 2, max: 30 }),
      (a, b, pos) => {
        const planned = (batch: number) => {
          const graph = model(new Engine(untouched)).graph(rows(batch, pos));
          return peakBytes([graph.output, graph.loss()]);
        };
        expect(planned(a + b)).toBeGreaterThan(planned(a));
      },
    ),
    { numRuns: 20 },
  );
});

describe("what Node says is free", () => {
  let root = "";
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "glassformer-memory-"));
  });
  afterEach(() => rmSync(root, { recursive: true }));
  const files = (contents: Readonly<Record<string, string>>) => {
    for (const [path, text] of Object.entries(contents)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
  };
  const meminfo = { "proc/meminfo": "MemTotal: 9000000 kB\nMemFree: 10 kB\nMemAvailable:    1000000 kB\n" };

  test("MemAvailable, less a tenth", () => {
    files(meminfo);
    expect(nodeMemory(root).read()).toBeCloseTo(0.9 * 1000000 * 1024);
  });

  test("the least that a control group of version 2 or one above it leaves, not counting cached files", () => {
    files({
      ...meminfo,
      "proc/self/cgroup": "0::/a/b\n",
      "sys/fs/cgroup/a/b/memory.max": "max\n",
      "sys/fs/cgroup/a/memory.max": "500000000\n",
      "sys/fs/cgroup/a/memory.current": "450000000\n",
      "sys/fs/cgroup/a/memory.stat": "anon 1\ninactive_file 100000000\n",
    });
    expect(nodeMemory(root).read()).toBeCloseTo(0.9 * 150e6);
  });

  test("what a control group of version 1 leaves", () => {
    files({
      ...meminfo,
      "proc/self/cgroup": "9:name=systemd:/\n4:cpu,memory:/job\n0::/\n",
      "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
      "sys/fs/cgroup/memory/job/memory.limit_in_bytes": "300000000\n",
      "sys/fs/cgroup/memory/job/memory.usage_in_bytes": "200000000\n",
      "sys/fs/cgroup/memory/job/memory.stat": "cache 5\ntotal_inactive_file 20000000\n",
    });
    expect(nodeMemory(root).read()).toBeCloseTo(0.9 * 120e6);
  });

  test("something, on this machine, and collecting garbage is harmless", () => {
    const memory = nodeMemory();
    memory.collect!();
    expect(memory.read()).toBeGreaterThan(1e6);
  });
});

describe("what a page may use", () => {
  afterAll(() => vi.unstubAllGlobals());

  test("less than WebAssembly can address, and half of a small device", () => {
    vi.stubGlobal("navigator", {});
    expect(webMemory().read()).toBe(0.75 * 2 ** 32);
    vi.stubGlobal("navigator", { deviceMemory: 2 });
    expect(webMemory().read()).toBe(0.75 * 2 ** 30);
  });

  test("inputs count, too: they are copied there", () => {
    const copying = new Engine({ ...untouched, copiesFeeds: true });
    const value = () => claimed([10, 25]).exp();
    expect(copying.plannedBytes([value()]) - new Engine(untouched).plannedBytes([value()])).toBe(1000);
  });
});

test("bytes are shown with three digits", () => {
  expect([0, 999, 1000, 64e6, 1.234e9, 84.23e9, 999.6e9, 5e24].map(showBytes)).toEqual([
    "0 bytes",
    "999 bytes",
    "1 kB",
    "64 MB",
    "1.23 GB",
    "84.2 GB",
    "1 TB",
    "5.0e+9 PB",
  ]);
});
