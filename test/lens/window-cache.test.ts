/** Layers with a sliding window keep only the keys and values that a window can still reach. */
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { Tensor } from "../../src/graph/tensor.ts";
import { compose } from "../../src/models/compose.ts";
import { HookedTransformer, KeyValueCache } from "../../src/node.ts";
import { expectClose } from "../close.ts";

const folder = (name: string) => fileURLToPath(new URL(`../goldens/hf/${name}-tiny/`, import.meta.url));
const row = (length: number, by: number) => Array.from({ length }, (_, i) => (i * by + 3) % 97);
const leaf = (rows: readonly (readonly number[])[]) =>
  Tensor.leaf({ dtype: "int32", shape: [rows.length, rows[0].length], data: Int32Array.from(rows.flat()) }, [
    "batch",
    "pos",
  ]);

describe.each(["mistral", "qwen2_window", "gpt_neo"])("%s", (name) => {
  let model: HookedTransformer;
  let windows: readonly (number | null)[];
  beforeAll(async () => {
    model = await HookedTransformer.fromPretrained(folder(name));
    windows = compose(model.cfg).blocks.map(({ attention }) => attention.window);
  });

  test.each([
    ["one text", 1],
    ["two texts", 2],
  ])("%s in pieces of any length is as in one run, with fewer keys held", async (_what, batch) => {
    const tokens = [row(17, 5), row(17, 7)].slice(0, batch);
    const whole = await model.forward(leaf(tokens));
    const cache = new KeyValueCache();
    for (let at = 0, piece = 5; at < 17; piece = at % 3 === 0 ? 1 : 3) {
      const end = Math.min(at + piece, 17);
      const logits = await model.forward(leaf(tokens.map((ids) => ids.slice(at, end))), { pastKvCache: cache });
      const expected = await whole.slice("pos", at, end).compute();
      expectClose(logits, expected, 1e-4);
      at = end;
    }
    expect(cache.length).toBe(17);
    const held = cache.layers!.map(({ keys }) => keys.shape[1]);
    expect(held).toEqual(windows.map((window) => (window === null ? 17 : Math.min(17, window - 1))));
    expect(Math.min(...held)).toBeLessThan(17);
  });

  test("a padded batch in pieces is as in one run", async () => {
    const rows = [row(12, 5), [0, 0, 0, ...row(9, 7)]];
    const mask = rows.map((ids, b) => ids.map((_, p) => b === 0 || p >= 3));
    const whole = await model.forward(leaf(rows), { attentionMask: mask });
    const cache = new KeyValueCache();
    for (const [from, to] of [
      [0, 6],
      [6, 7],
      [7, 12],
    ]) {
      const options = { attentionMask: mask.map((is) => is.slice(from, to)), pastKvCache: cache };
      const logits = await model.forward(leaf(rows.map((ids) => ids.slice(from, to))), options);
      const expected = await whole.slice("pos", Math.max(from, 3), to).compute();
      expectClose(await logits.slice("pos", Math.max(3 - from, 0)).compute(), expected, 1e-4);
    }
  });

  test("a text continued far beyond the window is the same with the cache and without", async () => {
    const options = { maxNewTokens: 20, doSample: false, stopAtEos: false };
    const texts = await Promise.all(
      [true, false].map((usePastKvCache) => model.generate(leaf([row(4, 5)]), { ...options, usePastKvCache })),
    );
    expect([...(texts[0] as Tensor).data]).toEqual([...(texts[1] as Tensor).data]);
  });
});
