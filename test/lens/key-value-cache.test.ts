import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ArgumentError, type Hook, HookedTransformer, KeyValueCache, ShapeError, type Tensor } from "../../src/node.ts";
import { smallModel } from "./small-model.ts";

const model = smallModel();

/** All that a cache says of itself, and what it does to the next run. */
async function told(cache: KeyValueCache, batch: number): Promise<unknown> {
  const layers = cache.layers?.map(({ keys, values }) => [keys, values].map((x) => [x.shape, [...x.data]]));
  const frozen = cache.frozen;
  cache.frozen = true;
  const next = await model.forward(
    Array.from({ length: batch }, (_, b) => [b % 5]),
    { pastKvCache: cache },
  );
  cache.frozen = frozen;
  return { length: cache.length, layers, next: [...next.data] };
}

const fails: Hook["1"] = () => {
  throw new Error("a mistake in a hook");
};

/** A run that does not succeed, in one of several ways. */
const failures: ((texts: readonly string[], pastKvCache: KeyValueCache) => Promise<unknown>)[] = [
  (texts, pastKvCache) => model.runWithHooks(texts, { pastKvCache, fwdHooks: [["blocks.1.hook_mlp_out", fails]] }),
  (texts, pastKvCache) =>
    model.runWithHooks(texts, {
      pastKvCache,
      fwdHooks: [["blocks.0.attn.hook_z", async (x, hook) => void fails(await x.compute(), hook)]],
    }),
  (texts, pastKvCache) => model.forward(texts, { pastKvCache, signal: AbortSignal.abort(new Error("stopped")) }),
  async (texts, pastKvCache) => {
    const stop = new AbortController();
    const waits = new Promise<void>(() => {});
    const hook: Hook["1"] = () => {
      stop.abort(new Error("stopped"));
      return waits;
    };
    await model.runWithHooks(texts, {
      pastKvCache,
      signal: stop.signal,
      fwdHooks: [["blocks.1.hook_resid_pre", hook]],
    });
  },
  (texts, pastKvCache) => model.forward(texts, { pastKvCache, logitsPos: 99 }),
  (texts, pastKvCache) => model.forward([...texts, "a", "b"], { pastKvCache, logitsPos: 99 }),
  (texts, pastKvCache) => model.runWithHooks(texts, { pastKvCache, fwdHooks: [["hook_embed", (x) => x.repeat(0, 3)]] }),
  (texts, pastKvCache) => model.runWithCache([...texts, ...texts], { pastKvCache, removeBatchDim: true }),
];

describe("a key/value cache", () => {
  test("is unchanged by runs that fail or are aborted", async () => {
    const text = fc.stringMatching(/^[a-e]{1,4}$/);
    const run = fc.record({ texts: fc.tuple(text, text), fails: fc.option(fc.nat(failures.length - 1)) });
    await fc.assert(
      fc.asyncProperty(fc.array(run, { minLength: 1, maxLength: 5 }), async (runs) => {
        const [all, good] = [new KeyValueCache(), new KeyValueCache()];
        for (const { texts, fails: how } of runs) {
          if (how !== null) {
            await expect(failures[how](texts, all)).rejects.toThrow();
          } else {
            const outputs = await Promise.all([all, good].map((pastKvCache) => model.forward(texts, { pastKvCache })));
            expect([...outputs[0].data]).toEqual([...outputs[1].data]);
          }
        }
        expect(await told(all, 2)).toEqual(await told(good, 2));
      }),
      { numRuns: 15 },
    );
  });

  test("continues a padded batch with the logits that each text has alone, whichever side was padded", async () => {
    const texts = ["a", "abcde"];
    for (const paddingSide of ["left", "right"] as const) {
      const cache = new KeyValueCache();
      await model.forward(texts, { pastKvCache: cache, paddingSide });
      const next = await model.forward([[2], [3]], { pastKvCache: cache });
      for (const [b, id] of [2, 3].entries()) {
        const alone = new KeyValueCache();
        await model.forward(texts[b], { pastKvCache: alone });
        const expected = await model.forward([[id]], { pastKvCache: alone });
        next.row(b).data.forEach((x: number, i: number) => {
          expect(x).toBeCloseTo(expected.data[i], 3);
        });
      }
    }
  });

  test("has a loss of only the new tokens, with padding before them", async () => {
    const cache = new KeyValueCache();
    await model.forward(["a", "abc"], { pastKvCache: cache, paddingSide: "left" });
    const tokens = [
      [1, 2, 3],
      [1, 2, 3],
    ];
    const frozen = { pastKvCache: cache, returnType: "loss" } as const;
    cache.frozen = true;
    const [mean, each] = [
      await model.forward(tokens, frozen),
      await model.forward(tokens, { ...frozen, lossPerToken: true }),
    ];
    expect(each.shape).toEqual([2, 2]);
    expect(mean.item()).toBeCloseTo([...each.data].reduce((a, b) => a + b, 0) / 4, 4);
  });

  test("belongs to one run at a time, one model, one batch and whole passes", async () => {
    const cache = new KeyValueCache();
    const first = model.forward("abc", { pastKvCache: cache });
    await expect(model.forward("abc", { pastKvCache: cache })).rejects.toThrow(/Another run is using/);
    await first;
    expect(cache.length).toBe(4);
    await expect(smallModel(2).forward([1], { pastKvCache: cache })).rejects.toThrow(/a run of another model/);
    await expect(model.forward([[1], [2]], { pastKvCache: cache })).rejects.toThrow(/holds a batch of 1/);
    const stream = await model.forward([1, 2], { stopAtLayer: 1 });
    await expect(model.forward(stream, { startAtLayer: 1, pastKvCache: cache })).rejects.toThrow(ArgumentError);
    await expect(model.forward([1], { stopAtLayer: 1, pastKvCache: cache })).rejects.toThrow(/freeze it/);
    const more = model.runWithHooks([1], { pastKvCache: cache, fwdHooks: [["hook_embed", (x) => x.repeat(0, 2)]] });
    await expect(more).rejects.toThrow(ShapeError);
    cache.frozen = true;
    const together = await Promise.all([1, 2].map((id) => model.forward([id], { pastKvCache: cache })));
    expect(together).toHaveLength(2);
    expect(cache.length).toBe(4);
  });

  test("returns nothing that a later run changes", async () => {
    const cache = new KeyValueCache();
    await model.forward("ab", { pastKvCache: cache });
    const before = cache.layers!.map(({ keys }) => [...keys.data]);
    const kept: Tensor[] = cache.layers!.map(({ keys }) => keys);
    await model.forward([3, 4], { pastKvCache: cache });
    expect(kept.map((keys) => [...keys.data])).toEqual(before);
  });
});

test("what hooks remember is unchanged by a run that fails", async () => {
  let seen: unknown;
  const hooked = smallModel();
  const count: Hook["1"] = (_x, { ctx }) => {
    ctx.runs = ((ctx.runs as number) ?? 0) + 1;
    ((ctx.list ??= []) as number[]).push(1);
    seen = structuredClone(ctx);
  };
  hooked.addHook("hook_embed", count);
  await hooked.forward("a");
  await expect(hooked.runWithHooks("a", { fwdHooks: [["blocks.1.hook_mlp_out", fails]] })).rejects.toThrow("a mistake");
  await hooked.forward("a");
  expect(seen).toEqual({ runs: 2, list: [1, 1] });
});

test("a cache also belongs to one configuration, and to a model's views with hooks", async () => {
  const cache = new KeyValueCache();
  await model.forward([1, 2], { pastKvCache: cache });
  const other = new HookedTransformer({ ...model.cfg, actFn: "relu" }, model.weights);
  await expect(other.forward([3], { pastKvCache: cache })).rejects.toThrow(/filled by a run of another model/);
  await model.hooks({ fwdHooks: [] }).forward([3], { pastKvCache: cache });
  await new HookedTransformer(model.cfg, model.weights).forward([4], { pastKvCache: cache });
  expect(cache.length).toBe(4);
});
