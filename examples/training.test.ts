/** The examples that train, at sizes that take seconds. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { induction } from "./induction-heads.ts";
import { grok } from "./modular-addition.ts";
import { soluOnText } from "./solu-on-text.ts";

const sorted = (list: readonly number[]) => [...list].sort((a, b) => b - a);
const sum = (list: readonly number[]) => list.reduce((a, b) => a + b, 0);

describe("modular addition", () => {
  it("is first memorised and then understood, with a few frequencies in the embedding", async () => {
    const sizes = { p: 23, share: 0.7, dModel: 64, steps: 700, batchSize: 64, lr: 3e-3, every: 50 };
    const { curve, shares, before, pictures } = await grok(sizes);
    const last = curve[curve.length - 1];
    const worst = Math.max(...curve.map((c) => c.test));
    const learnt = curve.find((c) => c.train < 0.3)!;
    // Memorised: the training sums are known while the others are as unknown as ever.
    expect(learnt.test).toBeGreaterThan(10 * learnt.train);
    expect(last.train).toBeLessThan(0.1);
    expect(last.test).toBeLessThan(worst / 3);
    // 11 frequencies are possible; the untrained embedding has some of each.
    expect(sum(sorted(shares).slice(0, 3))).toBeGreaterThan(0.6);
    expect(sum(sorted(before).slice(0, 3))).toBeLessThan(0.4);
    expect(await pictures.losses.svg()).toMatch(/^<svg /);
    expect(await pictures.frequencies.svg()).toMatch(/^<svg /);
  });
});

describe("repeated random tokens", () => {
  it("make induction heads in the second layer, which the head detector finds", async () => {
    const sizes = { dVocab: 20, length: 10, dModel: 32, nHeads: 2, steps: 250, lr: 1e-2, every: 50 };
    const { curve, before, after, best, pictures } = await induction(sizes);
    expect(curve[curve.length - 1].loss).toBeLessThan(1);
    expect(best.layer).toBe(1);
    const score = after.induction.get(best.layer, best.head);
    expect(score).toBeGreaterThan(0.35);
    expect(score).toBeGreaterThan(3 * Math.max(...before.induction.data));
    // What it reads: earlier heads that look one token back.
    const previous = Math.max(...after.previous.row(0).data);
    expect(previous).toBeGreaterThan(1.2 * Math.max(...before.previous.row(0).data));
    for (const picture of Object.values(pictures)) expect(await picture.svg()).toMatch(/^<svg /);
  });
});

describe("a SoLU model on text", () => {
  const folder = mkdtemp(join(tmpdir(), "glassformer-solu-"));
  afterAll(async () => rm(await folder, { recursive: true }));

  it("learns, is saved, continues from where it was stopped, and opens like any model", async () => {
    const text = await readFile(new URL("../docs/architecture.md", import.meta.url), "utf8");
    const sizes = { dVocab: 320, dModel: 32, nHeads: 2, nCtx: 32, batchSize: 8, steps: 60 };
    const stop = new AbortController();
    const saveDir = await folder;
    const first = soluOnText(text, {
      sizes,
      saveDir,
      signal: stop.signal,
      onProgress: ({ step }) => {
        if (step === 20) stop.abort(new Error("stopped"));
      },
    });
    await expect(first).rejects.toThrow("stopped");
    const steps: number[] = [];
    const onProgress = ({ step }: { readonly step: number }) => {
      steps.push(step);
    };
    const { model, losses, picture } = await soluOnText(text, { sizes, saveDir, onProgress });
    expect(steps[0]).toBe(21);
    expect(losses).toHaveLength(60);
    expect(losses[59]).toBeLessThan(losses[0] - 1);
    expect(model.toStrTokens("graph")[0]).toBe("<|BOS|>");
    expect((await model.generate("The", { maxNewTokens: 5, doSample: false })).length).toBeGreaterThan(3);
    expect(await picture.svg()).toMatch(/^<svg /);
  });
});
