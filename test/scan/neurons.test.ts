/** What the scan says of neurons is what their activations say, one row at a time. */
import { beforeAll, describe, expect, it } from "vitest";
import { HookedTransformer } from "../../src/node.ts";
import { EDGES, type NeuronsSummaries } from "../../src/scan/neurons/summaries.ts";
import { neuronsScan } from "../../src/scan/neurons.ts";
import { runShard } from "../../src/scan/shard.ts";
import { ABOUT, CORPUS, LENGTH, summariesOf, TEXTS, task } from "./corpus.ts";

let model: HookedTransformer;
beforeAll(async () => {
  model = await HookedTransformer.fromPretrained("gelu-3l-novels");
});

/** Each row's activations in a layer, [pos][d_mlp], without BOS. */
async function activations(layer: number): Promise<Float32Array[][]> {
  const { tokenizer, bosTokenId } = model.text!;
  const { dMlp } = model.cfg;
  const rows: Float32Array[][] = [];
  for (const text of TEXTS) {
    const ids = tokenizer.encode(text, { addSpecialTokens: false });
    for (let at = 0; at < ids.length; at += LENGTH - 1) {
      const [, cache] = await model.runWithCache([[bosTokenId!, ...ids.slice(at, at + LENGTH - 1)]]);
      const data = cache.get(`blocks.${layer}.mlp.hook_post`).data as Float32Array;
      rows.push(
        Array.from({ length: data.length / dMlp! - 1 }, (_, i) => data.slice((i + 1) * dMlp!, (i + 2) * dMlp!)),
      );
    }
  }
  return rows;
}

describe("scan neurons", () => {
  it("has each neuron's mean, spread, counts and examples", async () => {
    const options = { layer: undefined, top: 5, examples: 3 };
    const scan = neuronsScan.on(model, options, CORPUS);
    const { state } = await runShard(model, scan, task());
    const { tokens, sums, squares, above, examples } = summariesOf<NeuronsSummaries>(state);
    for (const layer of [0, 2]) {
      const rows = await activations(layer);
      const all = rows.flat();
      expect(tokens.values[0]).toBe(all.length);
      for (const neuron of [0, 17, 200]) {
        const index = layer * model.cfg.dMlp! + neuron;
        const values = all.map((one) => one[neuron]);
        const total = values.reduce((a, b) => a + b, 0);
        expect(sums.value(index)).toBeCloseTo(total, 3);
        expect(squares.value(index)).toBeCloseTo(
          values.reduce((a, b) => a + b * b, 0),
          3,
        );
        EDGES.forEach((edge, e) => {
          expect(above.values[index * EDGES.length + e]).toBe(values.filter((value) => value > edge).length);
        });
        const best = rows.map((row) => Math.max(...row.map((one) => one[neuron]))).sort((a, b) => b - a);
        examples.of(index).forEach(({ value }, i) => {
          expect(value).toBeCloseTo(best[i], 4);
        });
        expect(examples.of(index)).toHaveLength(3);
      }
    }
  });

  it("shows examples in their texts, and has a table of all", async () => {
    const scan = neuronsScan.on(model, { layer: 1, top: 4, examples: 2 }, CORPUS);
    const { state } = await runShard(model, scan, task());
    const { tables, summary } = scan.finding(state.summaries, ABOUT);
    expect(summary[0].text).toMatch(
      /^Half of the \d+ neurons are active \(above 0\) at less than [\d.]+ % of the \d+ tokens/,
    );
    const examples = tables.find(({ name }) => name === "examples")!;
    const cell = (name: string, row: number) =>
      `${examples.columns.find((column) => column.name === name)!.values[row]}`;
    for (let row = 0; row < 8; row++) {
      const shown = ["before", "token", "after"].map((name) => cell(name, row)).join("");
      const words = shown.replaceAll("<|BOS|>", "").replaceAll(/\p{L}?[⁰¹²³⁴]⁄[₀₁₂₃₄]/gu, "");
      if (!/⁄/.test(shown))
        expect(
          TEXTS.some((text) => text.includes(words.trim())),
          shown,
        ).toBe(true);
    }
    const [neurons, each] = scan.tables!(state.summaries);
    expect([neurons.columns[0].values.length, each.columns[0].values.length]).toEqual([
      model.cfg.dMlp,
      2 * model.cfg.dMlp!,
    ]);
  });
});
