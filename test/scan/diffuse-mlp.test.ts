/** The scan's numbers are those of the measure, and do not depend on how the text was divided. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HookedTransformer, measureDiffuseMlp } from "../../src/node.ts";
import { type DiffuseMlpSummaries, QUANTITIES } from "../../src/scan/diffuse-mlp/summaries.ts";
import { diffuseMlpScan } from "../../src/scan/diffuse-mlp.ts";
import type { ModelScan } from "../../src/scan/scan.ts";
import { emptyShard, runShard, type ShardState } from "../../src/scan/shard.ts";
import { addShard, shardBytes } from "../../src/scan/shard-file.ts";
import { ABOUT, CORPUS, HASH, summariesOf, TEXTS, task } from "./corpus.ts";

let model: HookedTransformer;
let scan: ModelScan;
const options = { top: 5, seed: 3 };
beforeAll(async () => {
  model = await HookedTransformer.fromPretrained("bundled");
  scan = diffuseMlpScan.on(model, options, CORPUS);
});
afterAll(() => model?.engine.dispose?.());

const summaries = (state: ShardState) => summariesOf<DiffuseMlpSummaries>(state);

describe("scan diffuse-mlp", () => {
  it("gives each token the numbers that measureDiffuseMlp gives it", async () => {
    const { state } = await runShard(model, scan, task());
    const numbers = state.rows.inOrder();
    const rows = TEXTS.flatMap((text) => {
      const { tokenizer, bosTokenId } = model.text!;
      const ids = tokenizer.encode(text, { addSpecialTokens: false });
      const cut = Array.from({ length: Math.ceil(ids.length / 15) }, (_, i) => ids.slice(15 * i, 15 * (i + 1)));
      return cut.map((row) => [bosTokenId!, ...row]);
    });
    const measured = await measureDiffuseMlp(model, { prompts: rows });
    const predicting = [...measured].filter((row) => row.next !== null);
    const column = (name: string) => Array.from(numbers.get(name)!);
    expect(column("next")).toEqual(predicting.map(({ target }) => target));
    expect(column("largest_neuron")).toEqual(predicting.map((row) => row.largest_neuron));
    const same = {
      loss: "loss",
      loss_change: "loss_change",
      outlier: "outlier",
      attribution: "attribution",
      bias: "bias",
    };
    for (const name of [...Object.values(same), "max_share", "effective_neurons", "outlier_after", "scale"] as const) {
      const found = column(name);
      predicting.forEach((row, i) => {
        const expected = row[name as "loss"] as number;
        expect(Math.abs(found[i] - expected), `${name} of row ${i}`).toBeLessThan(
          1e-4 * Math.max(1, Math.abs(expected)),
        );
      });
    }
    // The notebook's score is that of the prompt's mean loss.
    predicting.forEach((row, i) => {
      const n = rows[row.prompt].length - 1;
      expect(Math.abs(column("score")[i] - n * row.score!)).toBeLessThan(2e-3 * Math.max(1, Math.abs(n * row.score!)));
    });
    expect(state.summaries.seen.state()).toMatchObject({ counts: Float64Array.of(4, rows.length, rows.flat().length) });
  });

  it("says of all tokens what their rows say", async () => {
    const { state } = await runShard(model, scan, task());
    const { quantities, largest, scores } = summaries(state);
    const rows = state.rows.inOrder();
    QUANTITIES.forEach(({ name }, q) => {
      const values = Array.from(rows.get(name)!);
      expect(quantities.count(q)).toBe(values.length);
      expect(quantities.mean(q)).toBeCloseTo(values.reduce((a, b) => a + b, 0) / values.length, 6);
      expect([quantities.min(q), quantities.max(q)]).toEqual([Math.min(...values), Math.max(...values)]);
    });
    expect(largest.values.reduce((a, b) => a + b, 0)).toBe(rows.get("loss")!.length);
    const sorted = Array.from(rows.get("score")!).sort((a, b) => b - a);
    expect(scores.of().map(({ value }) => value)).toEqual(sorted.slice(0, 5));
  });

  it("has a finding with the tokens in their texts", async () => {
    const { state } = await runShard(model, scan, task());
    const { summary, tables } = scan.finding(state.summaries, ABOUT);
    expect(summary[0].text).toMatch(/^At \d+ of the \d+ tokens \([\d.]+ %\) the MLP matters without any single neuron/);
    const scores = tables.find(({ name }) => name === "scores")!;
    const cells = (name: string) => scores.columns.find((column) => column.name === name)!.values;
    expect(cells("token")).toHaveLength(5);
    const [before, token, next] = ["before", "token", "next"].map((name) => `${cells(name)[0]}`);
    expect(TEXTS.some((text) => text.includes(`${before}${token}${next}`.replace("<|BOS|>", "").trim()))).toBe(true);
  });

  it("refuses shards that are cut off, damaged, or of another scan", async () => {
    const { state } = await runShard(model, scan, task());
    const file = shardBytes(state, HASH, { rows: false });
    const add = (bytes: Uint8Array, of = HASH) => addShard("000001.safetensors", bytes, of, emptyShard(scan));
    for (const length of [0, 7, 100, file.length - 1]) {
      await expect(add(file.slice(0, length))).rejects.toThrow(/000001\.safetensors is cut off or damaged: delete it/);
    }
    const flipped = file.slice();
    flipped[file.length - 9] ^= 1;
    await expect(add(flipped)).rejects.toThrow(/is damaged: its checksum does not match/);
    await expect(
      add(
        file,
        HASH.map((word) => word + 1),
      ),
    ).rejects.toThrow(/belongs to another scan/);
  });
});
