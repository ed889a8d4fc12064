/** Rows that say their beginning twice, and training on them. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { initWeights } from "../../src/models/weights/init.ts";
import { HookedTransformer, lossCurve, parseConfig, repeatRows, type TrainOptions, train } from "../../src/node.ts";
import { type NDArray, ndarray } from "../../src/tensor/array.ts";
import { makeBatches } from "../../src/training/data/batches.ts";

/** Rows of BOS (0) and numbers that are all different, so that nothing repeats by chance. */
function different(rows: number, pos: number): NDArray<"int32"> {
  const data = Int32Array.from({ length: rows * pos }, (_, i) => (i % pos === 0 ? 0 : 1 + i));
  return ndarray("int32", [rows, pos], data);
}
const split = ({ shape: [rows, pos], data }: NDArray<"int32">) =>
  Array.from({ length: rows }, (_, row) => [...data.subarray(row * pos, (row + 1) * pos)]);
/** How many tokens after BOS are repeated; 0 if none are. */
const repeated = (row: readonly number[]): number => Math.max(0, row.lastIndexOf(row[1]) - 1);

describe("repeated rows", () => {
  const rows = different(2000, 41);
  const before = split(rows);

  test("are BOS, the beginning, the beginning again, and then the text from there on", () => {
    const after = split(repeatRows(rows, { share: 1, seed: 3 }));
    const lengths = new Set<number>();
    for (const [i, row] of after.entries()) {
      const length = repeated(row);
      lengths.add(length);
      const [bos, ...text] = before[i];
      expect(row).toEqual([bos, ...text.slice(0, length), ...text].slice(0, 41));
    }
    // Every length from 8 to half of the 40 tokens after BOS occurs.
    expect([...lengths].sort((a, b) => a - b)).toEqual(Array.from({ length: 13 }, (_, i) => 8 + i));
  });

  test("are the share that was asked for, and the others are as they were", () => {
    for (const share of [0.1, 0.5, 0.9]) {
      const after = split(repeatRows(rows, { share }));
      const count = after.filter((row) => repeated(row) > 0).length;
      // Four standard deviations of a binomial distribution with 2000 rows are at most 90.
      expect(Math.abs(count - 2000 * share)).toBeLessThan(90);
      for (const [i, row] of after.entries()) if (repeated(row) === 0) expect(row).toEqual(before[i]);
    }
  });

  test("depend on the seed alone, and leave the original as it was", () => {
    const [a, b, c] = [1, 1, 2].map((seed) => split(repeatRows(rows, { share: 0.5, seed })));
    expect(a).toEqual(b);
    expect(a).not.toEqual(c);
    expect(split(rows)).toEqual(before);
    expect(split(repeatRows(rows, { share: 0, seed: 1 }))).toEqual(before);
  });

  test("with a larger share include those of a smaller one, repeated as far", () => {
    const [some, more] = [0.3, 0.6].map((share) => split(repeatRows(rows, { share })));
    for (const [i, row] of some.entries()) if (repeated(row) > 0) expect(more[i]).toEqual(row);
  });

  test("may be as short as BOS and twice eight tokens, and no shorter", () => {
    const [row] = split(repeatRows(different(1, 17), { share: 1 }));
    expect(repeated(row)).toBe(8);
    expect(() => repeatRows(different(1, 16), { share: 1 })).toThrow(/Rows of 16 tokens are too short.*need 17/);
    expect(split(repeatRows(different(1, 16), { share: 0 }))).toEqual(split(different(1, 16)));
    expect(() => repeatRows(rows, { share: 1.5 })).toThrow(/share must be a number from 0 to 1, not 1.5/);
    expect(() => repeatRows(rows, { part: 1 } as never)).toThrow(/repeatRows has no option "part"/);
  });
});

describe("training on repeated rows", () => {
  const data = different(12, 20);
  const cfg = parseConfig({ n_layers: 1, d_model: 8, d_head: 4, n_ctx: 20, d_vocab: 241, attn_only: true });
  const run = (options: Partial<TrainOptions>, signal?: AbortSignal, onProgress?: (p: { step: number }) => void) =>
    train(
      new HookedTransformer(cfg, initWeights(cfg)),
      { data, batchSize: 5, steps: 6, lr: 0.01, ...options },
      { signal, onProgress },
    );

  test("draws again in each epoch and step, from the same rows in the same order", () => {
    const options = { batchSize: 12, seed: 4, nCtx: 20, dVocab: 241 };
    const [plain, all] = [0, 1].map((repeat) => makeBatches(data, { ...options, repeat }));
    const texts = (rows: NDArray<"int32">) => split(rows).map((row) => row[1]);
    for (const step of [0, 1]) expect(texts(all.at(step))).toEqual(texts(plain.at(step)));
    const lengths = [0, 1].map((step) => split(all.at(step)).map(repeated));
    expect(lengths[0]).not.toEqual(lengths[1]);
    expect(split(all.at(1))).toEqual(split(makeBatches(data, { ...options, repeat: 1 }).at(1)));
  });

  test("with a share of 0 gives the same numbers as without, and with another share different ones", async () => {
    const [without, zero, half] = [await run({}), await run({ repeat: 0 }), await run({ repeat: 0.5 })];
    expect(zero.losses).toEqual(without.losses);
    expect(half.losses).not.toEqual(without.losses);
  });

  test("resumes to the numbers of a training run that was not interrupted", async () => {
    const folder = await mkdtemp(join(tmpdir(), "glassformer-repeat-"));
    try {
      const whole = await run({ repeat: 0.5 });
      const control = new AbortController();
      const half = run(
        { repeat: 0.5, saveDir: folder },
        control.signal,
        ({ step }) => step === 3 && control.abort(new Error("stopped")),
      );
      await expect(half).rejects.toThrow("stopped");
      expect((await run({ repeat: 0.5, resume: folder })).losses).toEqual(whole.losses);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("measures the held-out loss on rows as they are", async () => {
    const rate = { lr: 0, heldOut: data };
    const [plain, all] = [await run(rate), await run({ ...rate, repeat: 1 })];
    expect(all.heldOut).toEqual(plain.heldOut);
  });

  test("is refused for data from a function, a share that is none, and rows that are too short", async () => {
    await expect(run({ data: () => data, repeat: 0.5 })).rejects.toThrow(/the data is a function: call repeatRows/);
    await expect(run({ repeat: -1 })).rejects.toThrow(/repeat of train must be a number from 0 to 1, not -1/);
    await expect(run({ data: different(12, 9), repeat: 0.5 })).rejects.toThrow(/Rows of 9 tokens are too short/);
  });

  test("is a caveat of the loss curve", async () => {
    const { model, losses } = await run({ repeat: 0.25 });
    const chances = [{ name: "even", text: "All alike.", loss: Math.log(241) }] as const;
    const caveats = (repeat?: number) => lossCurve(model, { losses, chances, repeat }).caveats.join("\n");
    expect(caveats(0.25)).toContain("25 % say their beginning twice");
    expect(caveats()).not.toContain("twice");
  });
});
