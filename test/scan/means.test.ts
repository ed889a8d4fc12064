/** Means and covariances are those of what the model holds, and mean ablation takes them from the files. */
import { beforeAll, describe, expect, it } from "vitest";
import { HookedTransformer, memorySource, type NDArray, readSafetensors, sweeps, tensor } from "../../src/node.ts";
import { settle } from "../../src/options/settle.ts";
import { meansScan } from "../../src/scan/means.ts";
import type { ModelScan } from "../../src/scan/scan.ts";
import { runShard, type ShardState } from "../../src/scan/shard.ts";
import { ABOUT, CORPUS, LENGTH, TEXTS, task } from "./corpus.ts";

let model: HookedTransformer;
beforeAll(async () => {
  model = await HookedTransformer.fromPretrained("gelu-3l-novels");
});

const AT = ["z", "blocks.1.hook_mlp_out", "blocks.*.hook_resid_pre"];
const scanOf = (given: object) => meansScan.on(model, settle(given, meansScan.options, { model }), CORPUS);

/** What a scan writes for other programs, by file. */
async function filesOf(scan: ModelScan, { summaries }: ShardState): Promise<Map<string, Map<string, NDArray>>> {
  const files = new Map<string, Map<string, NDArray>>();
  for (const { name, content } of scan.files!(summaries)) {
    files.set(name, await readSafetensors(memorySource(name, content)));
  }
  return files;
}

/** The activations of each token of the corpus, a row at a time. */
async function expected(name: string): Promise<{ pos: number; numbers: number[] }[]> {
  const found: { pos: number; numbers: number[] }[] = [];
  const { tokenizer, bosTokenId } = model.text!;
  for (const text of TEXTS) {
    const ids = tokenizer.encode(text, { addSpecialTokens: false });
    for (let from = 0; from < ids.length; from += LENGTH - 1) {
      const row = [bosTokenId!, ...ids.slice(from, from + LENGTH - 1)];
      const [, cache] = await model.runWithCache([row], { namesFilter: name });
      const { data } = cache.get(name);
      const width = data.length / row.length;
      row.forEach((_, pos) => {
        found.push({ pos, numbers: Array.from(data.subarray(pos * width, (pos + 1) * width)) });
      });
    }
  }
  return found;
}
const average = (rows: readonly { numbers: number[] }[]) =>
  rows[0].numbers.map((_, i) => rows.reduce((sum, { numbers }) => sum + numbers[i], 0) / rows.length);
const farthest = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((most, x, i) => Math.max(most, Math.abs(x - b[i])), 0);

describe("scan means", () => {
  it("writes the mean of each hook point, of its first positions, and its covariance", async () => {
    const scan = scanOf({ at: AT, positions: 5, covariance: "resid_pre" });
    const { state } = await runShard(model, scan, task());
    const files = await filesOf(scan, state);
    const means = files.get("means.safetensors")!;
    const { nHeads, dHead, dModel } = model.cfg;
    expect([...means.keys()].sort()).toEqual(
      [0, 1, 2]
        .flatMap((layer) => [`blocks.${layer}.attn.hook_z`, `blocks.${layer}.hook_resid_pre`])
        .concat("blocks.1.hook_mlp_out")
        .sort(),
    );
    for (const [name, shape] of [
      ["blocks.2.attn.hook_z", [nHeads, dHead]],
      ["blocks.1.hook_resid_pre", [dModel]],
    ] as const) {
      const tokens = await expected(name);
      const counted = tokens.filter(({ pos }) => pos > 0);
      const mean = average(counted);
      expect(means.get(name)!.shape).toEqual(shape);
      expect(farthest(means.get(name)!.data, mean)).toBeLessThan(1e-4);
      const atPositions = files.get("position-means.safetensors")!.get(name)!;
      expect(atPositions.shape).toEqual([5, ...shape]);
      for (const pos of [0, 3]) {
        const own = atPositions.data.slice(pos * mean.length, (pos + 1) * mean.length);
        const there = tokens.filter((token) => token.pos === pos);
        expect(farthest(own, average(there)), `${name} at ${pos}`).toBeLessThan(2e-3);
      }
    }
    const covariances = files.get("covariances.safetensors")!;
    expect([...covariances.keys()]).toHaveLength(3);
    const tokens = (await expected("blocks.1.hook_resid_pre")).filter(({ pos }) => pos > 0);
    const mean = average(tokens);
    const found = covariances.get("blocks.1.hook_resid_pre")!;
    expect(found.shape).toEqual([dModel, dModel]);
    for (const [i, j] of [
      [0, 0],
      [3, 17],
      [17, 3],
      [dModel - 1, 5],
    ]) {
      const products = tokens.map(({ numbers }) => (numbers[i] - mean[i]) * (numbers[j] - mean[j]));
      const covariance = products.reduce((a, b) => a + b, 0) / tokens.length;
      expect(found.data[i * dModel + j]).toBeCloseTo(covariance, 3);
    }
  });

  it("has what mean ablation takes: a sweep with it, and a hook with it, replace values by the corpus' means", async () => {
    const scan = scanOf({ at: "z", positions: 16 });
    const { state } = await runShard(model, scan, task());
    const files = await filesOf(scan, state);
    const prompt = "The Queen smiled and passed on.";
    for (const file of ["means.safetensors", "position-means.safetensors"]) {
      const edit = sweeps.meanFrom(files.get(file)!);
      const metric: sweeps.Metric = (_logits, graph) => graph.loss();
      const { values, baseline } = await sweeps.sweep(model, prompt, {
        site: "z",
        over: ["layer", "head"],
        edit,
        metric,
      });
      expect(values.shape).toEqual([3, model.cfg.nHeads]);
      const z = "blocks.1.attn.hook_z";
      const mean = files.get(file)!.get(z)!;
      const { nHeads, dHead } = model.cfg;
      // Head 2 of layer 1, by hand.
      const own = model.toTokens(prompt).shape[1];
      const hooked = await model.runWithHooks(prompt, {
        returnType: "loss",
        fwdHooks: [
          [
            z,
            (x) => {
              const all = Array.from({ length: own }, (_, pos) => {
                const at = ((mean.shape.length === 3 ? pos * nHeads : 0) + 2) * dHead;
                return [Array.from(mean.data.subarray(at, at + dHead) as Float32Array)];
              });
              return x.set({ batch: 0, head: 2 }, tensor(all));
            },
          ],
        ],
      });
      expect(values.data[nHeads + 2]).toBeCloseTo(hooked.item() as number, 4);
      expect(Math.abs(values.data[nHeads + 2] - baseline)).toBeGreaterThan(1e-4);
      const whole = await model.runWithHooks(prompt, { returnType: "loss", fwdHooks: [["z1", edit]] });
      expect(Math.abs((whole.item() as number) - baseline)).toBeGreaterThan(1e-3);
    }
  });

  it("says which hook point is mostly its mean", async () => {
    const scan = scanOf({});
    const { state } = await runShard(model, scan, task());
    const { summary, tables } = scan.finding(state.summaries, ABOUT);
    expect(summary[0].text).toMatch(
      /^Of the squared norm the mean has the largest share at blocks\.\d\.\S+ \([\d.]+ %\)/,
    );
    const [points] = tables;
    const cells = (name: string) => points.columns.find((column) => column.name === name)!.values as number[];
    expect(cells("hook")).toHaveLength(3 * 5 + 1);
    const at = (cells("hook") as unknown as string[]).indexOf("blocks.2.hook_resid_post");
    const tokens = (await expected("blocks.2.hook_resid_post")).filter(({ pos }) => pos > 0);
    const norm = (numbers: number[]) => numbers.reduce((sum, x) => sum + x * x, 0);
    const squares = tokens.reduce((sum, { numbers }) => sum + norm(numbers), 0) / tokens.length;
    expect(cells("share")[at]).toBeCloseTo(norm(average(tokens)) / squares, 4);
    expect(cells("directions")[at]).toBeGreaterThan(1);
    expect(cells("directions")[at]).toBeLessThanOrEqual(Math.min(model.cfg.dModel, tokens.length));
  });

  it.each([
    [
      "a hook point that does not exist",
      { at: "blocks.0.hook_mlp_aut" },
      /no hook point "blocks\.0\.hook_mlp_aut".*mlp_out/s,
    ],
    ["a pattern that means nothing", { at: "blocks.*.hook_nothing" }, /means none of the \d+ hook points of/],
    ["a hook point that is not of tokens", { at: "pattern" }, /hook_pattern does not hold numbers for each token/],
    [
      "a covariance of another",
      { at: "z", covariance: "mlp_out" },
      /names blocks\.0\.hook_mlp_out, which is not among/,
    ],
  ])("refuses %s", (_what, given, message) => {
    expect(() => scanOf(given)).toThrow(message);
  });

  it("refuses means that do not fit", async () => {
    const scan = scanOf({ at: "z", positions: 4 });
    const { state } = await runShard(model, scan, task());
    const files = await filesOf(scan, state);
    const run = (file: string, at: string) =>
      model.runWithHooks("The Queen smiled and passed on.", { fwdHooks: [[at, sweeps.meanFrom(files.get(file)!)]] });
    await expect(run("position-means.safetensors", "z0")).rejects.toThrow(/for 4 positions, but the prompt has \d+/);
    await expect(run("means.safetensors", "blocks.0.hook_mlp_out")).rejects.toThrow(/hook point with a mean/);
    const renamed = new Map([["blocks.0.hook_mlp_out", files.get("means.safetensors")!.get("blocks.0.attn.hook_z")!]]);
    await expect(
      model.runWithHooks("The Queen", { fwdHooks: [["blocks.0.hook_mlp_out", sweeps.meanFrom(renamed)]] }),
    ).rejects.toThrow(/does not fit/);
  });
});
