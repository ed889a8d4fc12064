import { describe, expect, it } from "vitest";
import { logitLens } from "../../src/analyses/logit-lens.ts";
import { rowsOf } from "../../src/finding/table.ts";
import { measureLogitLens } from "../../src/measures/logit-lens.ts";
import { HookedTransformer } from "../../src/node.ts";
import { golden, goldenModel } from "../goldens.ts";
import { command, widest } from "./command.ts";

const load = () => HookedTransformer.fromPretrained("solu-1l-novels");

/** Log probabilities of one stream, by definition, in float64. */
function lensOf(model: HookedTransformer, x: ArrayLike<number>): Float64Array {
  const { dModel, dVocabOut, eps, normalizationType } = model.cfg;
  const values = Array.from(x);
  const mean = values.reduce((a, b) => a + b) / dModel;
  const centred = values.map((v) => v - mean);
  const scale = Math.sqrt(centred.reduce((a, b) => a + b * b, 0) / dModel + eps);
  const weights = normalizationType === "LN" ? model.weights.get("ln_final.w").data : undefined;
  const bias = normalizationType === "LN" ? model.weights.get("ln_final.b").data : undefined;
  const normed = centred.map((v, i) => (v / scale) * (weights?.[i] ?? 1) + (bias?.[i] ?? 0));
  const logits = new Float64Array(dVocabOut);
  for (let t = 0; t < dVocabOut; t++) {
    logits[t] = model.b_U.data[t];
    for (let i = 0; i < dModel; i++) logits[t] += normed[i] * model.W_U.data[i * dVocabOut + t];
  }
  const most = logits.reduce((a, b) => Math.max(a, b));
  const total = most + Math.log(logits.reduce((sum, l) => sum + Math.exp(l - most), 0));
  return logits.map((l) => l - total);
}

async function expectLens(model: HookedTransformer, prompt: string | readonly number[]) {
  const measured = await measureLogitLens(model, { prompt, top: 4 });
  const { ids } = measured.prompt;
  const [, cache] = await model.runWithCache([ids]);
  const names = Array.from({ length: model.cfg.nLayers }, (_, l) => [
    `blocks.${l}.hook_resid_pre`,
    `blocks.${l}.hook_resid_mid`,
  ]).flat();
  names.push(`blocks.${model.cfg.nLayers - 1}.hook_resid_post`);
  expect(measured.labels.length).toBe(names.length);
  names.forEach((name, i) => {
    const layer = measured.labels[i];
    const stream = cache.get(name as never);
    ids.forEach((_, pos) => {
      const x = stream.data.subarray(pos * model.cfg.dModel, (pos + 1) * model.cfg.dModel);
      const logProbs = lensOf(model, x);
      const cell = measured.at({ layer, pos });
      const { rows: top } = measured.tokens.where({ layer, pos });
      const order = Array.from(logProbs.keys()).sort((a, b) => logProbs[b] - logProbs[a]);
      expect([top[0].token, top[0].probability]).toEqual([cell.top, cell.top_probability]);
      top.forEach(({ id, probability }, k) => {
        expect(Math.abs(logProbs[id] - logProbs[order[k]])).toBeLessThan(1e-3);
        expect(probability).toBeCloseTo(Math.exp(logProbs[id]), 4);
      });
      const entropy = logProbs.reduce((sum, l) => sum - Math.exp(l) * l, 0);
      expect(Math.abs(cell.entropy - entropy)).toBeLessThan(1e-3);
      if (pos === ids.length - 1) {
        expect([cell.rank, cell.log_prob, cell.next, cell.other_rank]).toEqual([null, null, null, null]);
        return;
      }
      const right = logProbs[ids[pos + 1]];
      expect(Math.abs(cell.log_prob! - right)).toBeLessThan(1e-3);
      // Tokens that are equally probable to the last digits may be counted either way.
      const surely = logProbs.filter((l) => l > right + 1e-4).length;
      const perhaps = logProbs.filter((l) => l > right - 1e-4).length;
      expect(cell.rank!).toBeGreaterThanOrEqual(surely);
      expect(cell.rank!).toBeLessThanOrEqual(perhaps);
    });
  });
  return measured;
}

describe("the logit lens", () => {
  it("has the ranks, probabilities and entropies of the definition, on the bundled model", async () => {
    const { labels, error } = await expectLens(await load(), "He shook his head.");
    expect(labels).toEqual(["0_pre", "0_mid", "final_post"]);
    expect(error).toBeLessThan(1e-4);
  });

  it("has them with two layers and a final norm with weights", async () => {
    const g = await golden("solu_ln_2l");
    const { labels } = await expectLens(goldenModel(g), Array.from(g.tokens.row(0).data).slice(0, 6));
    expect(labels).toEqual(["0_pre", "0_mid", "1_pre", "1_mid", "final_post"]);
  });

  it("ends with the model's own output: the mean log probability is minus the loss", async () => {
    const model = await load();
    const prompt = "She opened the door and went into the room.";
    const { layers } = await measureLogitLens(model, { prompt });
    const loss = (await model.forward(prompt, { returnType: "loss" })).item();
    expect(layers.rows.at(-1)!.log_prob).toBeCloseTo(-loss, 4);
  });

  it("has means by stream, over the positions whose next token is known", async () => {
    const measured = await measureLogitLens(await load(), { prompt: "She opened the door and went into the room." });
    const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
    expect(measured.layers.rows.map(({ layer }) => layer)).toEqual(measured.labels);
    measured.layers.rows.forEach(({ layer, ...row }, i) => {
      const { rows } = measured.where({ layer });
      const known = rows.slice(0, -1);
      expect(row.rank).toBeCloseTo(mean(known.map(({ rank }) => rank!)), 8);
      expect(row.probability).toBeCloseTo(mean(known.map(({ log_prob }) => Math.exp(log_prob!))), 8);
      expect(row.right).toBe(mean(known.map(({ rank }) => +(rank === 0))));
      expect(row.entropy).toBeCloseTo(mean(rows.map(({ entropy }) => entropy)), 8);
      const before = measured.layers.rows[i - 1];
      if (before) expect(row.gain).toBe(row.log_prob - before.log_prob);
      else expect(row.gain).toBeNull();
    });
  });

  it("has no streams between attention and MLP where there is no MLP", async () => {
    const g = await golden("attn_only_2l");
    const { labels } = await measureLogitLens(goldenModel(g), { prompt: Array.from(g.tokens.row(0).data) });
    expect(labels).toEqual(["0_pre", "1_pre", "final_post"]);
  });

  it("has guessing as a baseline, and the mean rank of its table", async () => {
    const made = await logitLens(await load());
    expect(made.baselines.find((b) => b.name === "guessing")?.value).toBe((4096 - 1) / 2);
    const layers = rowsOf(made.tables, "layers");
    expect(made.summary[0].figure?.value).toBe(layers.at(-1)!.rank);
    // One sentence, with the first rank, the last, and the largest gain.
    const { text } = made.summary[0];
    expect(text).toMatch(/^[^.]*([.]\d[^.]*)*\.$/);
    const numbers = text.match(/\d+\.\d+/g)!.map(Number);
    const gains = layers.slice(1).map((row, i) => Number(row.log_prob) - Number(layers[i].log_prob));
    expect(numbers[0]).toBeCloseTo(Math.max(...gains), 2);
    expect(numbers.slice(1)).toEqual([layers[0], layers.at(-1)!].map(({ rank }) => Number(Number(rank).toFixed(1))));
  });

  it("refuses a prompt that predicts nothing, one that is too long, and no tokens to keep", async () => {
    const model = await load();
    await expect(logitLens(model, { prompt: "" })).rejects.toThrow("The prompt is empty");
    await expect(logitLens(model, { prompt: [1] })).rejects.toThrow("needs at least 2");
    await expect(logitLens(model, { prompt: "a ".repeat(400) })).rejects.toThrow("the model's context holds only 256");
    await expect(logitLens(model, { prompt: [1, 99999] })).rejects.toThrow("outside the vocabulary of 4096");
    await expect(logitLens(model, { prompt: "He shook his head.", top: 0 })).rejects.toThrow(
      /top must be a whole number/,
    );
  });

  it("is a command that runs without arguments, at 80 columns", async () => {
    const { stdout, stderr } = await command("logit-lens");
    expect(stderr).toBe("");
    expect(stdout).toContain("At which layer does the model arrive at its prediction?");
    expect(stdout).toContain("final_post");
    expect(widest(stdout)).toBeLessThanOrEqual(80);
  });
});
