/** What holds for every scan: it can be stopped, resumed, divided and merged without a trace, and its finding can be drawn. */
import { beforeAll, describe, expect, it } from "vitest";
import { HookedTransformer } from "../../src/node.ts";
import { settle } from "../../src/options/settle.ts";
import { render } from "../../src/report/index.ts";
import { SCANS } from "../../src/scan/index.ts";
import type { ModelScan } from "../../src/scan/scan.ts";
import { emptyShard, runShard } from "../../src/scan/shard.ts";
import { addShard, shardBytes } from "../../src/scan/shard-file.ts";
import { ABOUT, BYTES, CORPUS, HASH, task } from "./corpus.ts";

/** `toEqual` takes seconds for a megabyte. */
const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

describe.each(SCANS)("scan $name", (record) => {
  let model: HookedTransformer;
  let scan: ModelScan;
  beforeAll(async () => {
    model = await HookedTransformer.fromPretrained("bundled");
    scan = record.on(model, settle({}, record.options, { model }), CORPUS);
  });

  it("is the same when it is stopped after a batch, saved and resumed", async () => {
    const all = task({ batchTokens: 32 });
    const whole = await runShard(model, scan, all);
    const controller = new AbortController();
    let batches = 0;
    const stopped = await runShard(model, scan, all, {
      signal: controller.signal,
      onProgress: () => ++batches === 2 && controller.abort(),
    });
    expect([stopped.done, stopped.state.batches]).toEqual([false, 2]);
    const saved = shardBytes(stopped.state, HASH, { rows: true });
    const from = await addShard("part", saved, HASH, emptyShard(scan));
    const { state, done } = await runShard(model, scan, all, { from });
    expect(done).toBe(true);
    expect(same(shardBytes(state, HASH, { rows: false }), shardBytes(whole.state, HASH, { rows: false }))).toBe(true);
    expect(state.rows.inOrder()).toEqual(whole.state.rows.inOrder());
  });

  it("merges shards in any order to the same bytes", async () => {
    const files: Uint8Array[] = [];
    for (const [shard, [from, to]] of [
      [0, 130],
      [130, 260],
      [260, BYTES.length],
    ].entries()) {
      files.push(shardBytes((await runShard(model, scan, task({ shard, from, to }))).state, HASH, { rows: false }));
    }
    const merged = async (order: readonly number[]) => {
      let all = emptyShard(scan);
      for (const i of order) all = await addShard(`shard ${i}`, files[i], HASH, all);
      return shardBytes({ ...all, batches: 0 }, HASH, { rows: false });
    };
    const first = await merged([0, 1, 2]);
    for (const order of [
      [2, 1, 0],
      [1, 2, 0],
    ])
      expect(same(await merged(order), first)).toBe(true);
  });

  it("has a finding that every format draws, also of few tokens", async () => {
    for (const part of [task(), task({ from: 108, to: 150 })]) {
      const { state } = await runShard(model, scan, part);
      const found = scan.finding(state.summaries, ABOUT);
      expect(found.question).toBe(record.question);
      for (const format of ["text", "html", "json", "csv", "svg"] as const) await render(found, format);
    }
  });
});
