/** What is saved is what the model holds, in the order of the corpus, and a dictionary trained on it is one trained on the model. */
import { beforeAll, describe, expect, it } from "vitest";
import { needDisk } from "../../src/cli/scan/disk.ts";
import { TokenTexts } from "../../src/cli/scan/parquet.ts";
import { rowsFile } from "../../src/cli/scan/row-files.ts";
import {
  HookedTransformer,
  memoryFiles,
  memorySource,
  openActivations,
  readSafetensors,
  trainDictionary,
} from "../../src/node.ts";
import { settle } from "../../src/options/settle.ts";
import { activationsScan } from "../../src/scan/activations.ts";
import type { ModelScan } from "../../src/scan/scan.ts";
import { runShard } from "../../src/scan/shard.ts";
import { CORPUS, LENGTH, TEXTS, task } from "./corpus.ts";

let model: HookedTransformer;
beforeAll(async () => {
  model = await HookedTransformer.fromPretrained("gelu-3l-novels");
});

const HOOKS = ["blocks.0.attn.hook_z", "blocks.2.hook_mlp_out"];
const scanOf = (given: object) => activationsScan.on(model, settle(given, activationsScan.options, { model }), CORPUS);

/** A shard's file. */
async function fileOf(scan: ModelScan, more: Parameters<typeof task>[0] = {}) {
  const { state } = await runShard(model, scan, task(more));
  return rowsFile(scan, state.rows, new TokenTexts(model));
}
const read = (bytes: Uint8Array) => readSafetensors(memorySource("shard", bytes));

describe("scan activations", () => {
  it("saves what each hook point holds at every token, in the order of the corpus", async () => {
    const arrays = await read(await fileOf(scanOf({ at: HOOKS })));
    const { tokenizer, bosTokenId } = model.text!;
    let at = 0;
    for (const text of TEXTS) {
      const ids = tokenizer.encode(text, { addSpecialTokens: false });
      for (let from = 0; from < ids.length; from += LENGTH - 1) {
        const row = [bosTokenId!, ...ids.slice(from, from + LENGTH - 1)];
        const [, cache] = await model.runWithCache([row], { namesFilter: HOOKS });
        expect(Array.from(arrays.get("token")!.data.subarray(at, at + row.length))).toEqual(row);
        expect(Array.from(arrays.get("pos")!.data.subarray(at, at + row.length))).toEqual(row.map((_, pos) => pos));
        for (const hook of HOOKS) {
          const { shape, data } = arrays.get(hook)!;
          const held = cache.get(hook);
          expect(shape.slice(1)).toEqual(held.shape.slice(2));
          const width = held.data.length / row.length;
          const own = data.subarray(at * width, (at + row.length) * width);
          const off = Array.from(own).reduce((most, x, i) => Math.max(most, Math.abs(x - held.data[i])), 0);
          expect(off, `${hook} from ${at}`).toBeLessThan(1e-4);
        }
        at += row.length;
      }
    }
    expect(arrays.get("token")!.shape).toEqual([at]);
  });

  it("has the same tokens in the same order however they are batched, and numbers as close as float32 allows", async () => {
    const scan = scanOf({ at: HOOKS });
    const [some, all] = [await fileOf(scan, { batchTokens: 16 }), await fileOf(scan, { batchTokens: 512 })];
    const [a, b] = [await read(some), await read(all)];
    expect(a.get("token")).toEqual(b.get("token"));
    for (const hook of HOOKS) {
      const other = b.get(hook)!.data;
      const off = Array.from(a.get(hook)!.data).reduce((most, x, i) => Math.max(most, Math.abs(x - other[i])), 0);
      expect(off).toBeLessThan(1e-4);
    }
    expect(Buffer.compare(await fileOf(scan), await fileOf(scan))).toBe(0);
  });

  it("saves float16, and leaves out positions", async () => {
    const [whole, half] = [await fileOf(scanOf({ at: "z" })), await fileOf(scanOf({ at: "z", store: "float16" }))];
    expect(half.length).toBeLessThan(0.55 * whole.length);
    const [a, b] = [(await read(whole)).get("blocks.1.attn.hook_z")!, (await read(half)).get("blocks.1.attn.hook_z")!];
    a.data.forEach((x, i) => {
      if (Math.abs(x - b.data[i]) > 2 ** -11 * Math.abs(x) + 2 ** -24)
        throw new Error(`${x} was saved as ${b.data[i]}`);
    });
    const later = await read(await fileOf(scanOf({ at: "z", fromPosition: 1 })));
    expect(later.get("pos")!.data.includes(0 as never)).toBe(false);
    expect(later.get("pos")!.data.includes(1 as never)).toBe(true);
  });

  it("is what trainDictionary trains on, the same for the same seed, and as well as on the model's own", async () => {
    const hook = HOOKS[1];
    const bytes = await fileOf(scanOf({ at: hook }));
    const tokens = (await read(bytes)).get(hook)!.shape[0];
    // Ten times the same shard: enough to mix.
    const files = Array.from({ length: 10 }, (_, i) => ({ file: `activations/${i}.safetensors`, tokens }));
    const index = {
      ...{
        format: "glassformer activations",
        version: 1,
        id: "test",
        model: "gelu-3l-novels",
        weights: null,
        dtype: "F32",
      },
      ...{ tokens: 10 * tokens, hooks: { [hook]: [model.cfg.dModel] }, files },
    };
    const folder = memoryFiles("stored", {
      "index.json": new TextEncoder().encode(JSON.stringify(index)),
      ...Object.fromEntries(files.map(({ file }) => [file, bytes])),
    });
    const data = await openActivations(folder);
    const across = await data.read(hook, tokens - 1, tokens + 1);
    const width = model.cfg.dModel;
    const one = await data.read(hook, 0, tokens);
    expect(across.subarray(0, width)).toEqual(one.subarray((tokens - 1) * width));
    expect(across.subarray(width)).toEqual(one.subarray(0, width));
    const options = {
      at: hook,
      dSae: 32,
      steps: 30,
      batchSize: 64,
      mixedBatches: 4,
      kind: "topk",
      k: 8,
      lr: 3e-3,
    } as const;
    const [first, second] = [
      await trainDictionary(model, { ...options, data }),
      await trainDictionary(model, { ...options, data }),
    ];
    expect(second.history).toEqual(first.history);
    expect(first.history.at(-1)!.explained_variance).toBeGreaterThan(0.5);
    expect(first.history.at(-1)!.mse_loss).toBeLessThan(0.5 * first.history[0].mse_loss);
    await expect(trainDictionary(model, { ...options, data, fromPosition: 1 })).rejects.toThrow(
      /scan with --from-position 1/,
    );
    await expect(trainDictionary(model, { ...options, data, at: "blocks.0.hook_mlp_out" })).rejects.toThrow(
      /no hook point "blocks\.0\.hook_mlp_out".*blocks\.2\.hook_mlp_out/s,
    );
  });

  it("is refused before anything is written where the disk has no room", async () => {
    const part = { sourceIndex: 0, slice: { from: 0, to: 1 }, bytes: 1e15 };
    await expect(needDisk("nowhere/yet", [part], 2048)).rejects.toThrow(
      /^The activations need about [\d.]+ GB \(250,000,000,000,000 tokens of 2048 bytes\), but the disk of nowhere\/yet has [\d.]+ GB free/,
    );
    await needDisk("nowhere/yet", [{ ...part, bytes: 1000 }], 2048);
  });
});
