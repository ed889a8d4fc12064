/** The scan's numbers are those of the logit lens on each row, and its divergences those of the distributions. */
import { beforeAll, describe, expect, it } from "vitest";
import { HookedTransformer, measureLogitLens } from "../../src/node.ts";
import { LENS_QUANTITIES, type LogitLensSummaries } from "../../src/scan/logit-lens/summaries.ts";
import { logitLensScan } from "../../src/scan/logit-lens.ts";
import type { ModelScan } from "../../src/scan/scan.ts";
import { runShard } from "../../src/scan/shard.ts";
import { ABOUT, CORPUS, LENGTH, summariesOf, TEXTS, task } from "./corpus.ts";

let model: HookedTransformer;
let scan: ModelScan;
const LABELS = ["0_pre", "0_mid", "1_pre", "1_mid", "2_pre", "2_mid", "final_post"];
beforeAll(async () => {
  model = await HookedTransformer.fromPretrained("gelu-3l-novels");
  scan = logitLensScan.on(model, { top: 4 }, CORPUS);
});

/** Each prediction of the rows, a row at a time. */
async function expected() {
  const found: { rank: number; log_prob: number; stream: string; at: number }[] = [];
  const { tokenizer, bosTokenId } = model.text!;
  let at = 0;
  for (const text of TEXTS) {
    const ids = tokenizer.encode(text, { addSpecialTokens: false });
    for (let from = 0; from < ids.length; from += LENGTH - 1) {
      const row = [bosTokenId!, ...ids.slice(from, from + LENGTH - 1)];
      const measured = await measureLogitLens(model, { prompt: row, top: 1 });
      for (const { layer, pos, rank, log_prob } of measured.rows) {
        if (rank !== null) found.push({ rank, log_prob: log_prob!, stream: layer, at: at + pos });
      }
      at += row.length - 1;
    }
  }
  return found;
}

describe("scan logit-lens", () => {
  it("has the ranks and log probabilities of measureLogitLens at every stream", async () => {
    const { state } = await runShard(model, scan, task());
    const rows = state.rows.inOrder();
    const measured = await expected();
    expect([...new Set(measured.map(({ stream }) => stream))]).toEqual(LABELS);
    expect(measured).toHaveLength(LABELS.length * rows.get("next")!.length);
    for (const { rank, log_prob, stream, at } of measured) {
      expect(Math.abs(rows.get(`rank_${stream}`)![at] - rank), `rank of ${at} at ${stream}`).toBeLessThanOrEqual(1);
      expect(rows.get(`log_prob_${stream}`)![at]).toBeCloseTo(log_prob, 3);
    }
  });

  it("has the divergence of each stream's distribution from the model's own", async () => {
    const { state } = await runShard(model, scan, task({ from: 104, to: 150 }));
    const rows = state.rows.inOrder();
    const { tokenizer, bosTokenId } = model.text!;
    const ids = [bosTokenId!, ...tokenizer.encode(TEXTS[1], { addSpecialTokens: false })];
    const probabilities = async (stream: string) => {
      const pass = model.graph([ids]);
      if (stream === "final_post") return (await model.compute([pass.output.softmax()]))[0];
      const at = `blocks.${stream[0]}.hook_resid_${stream.slice(2)}`;
      // The model itself, with its last stream replaced by this one.
      const end = pass.with([["blocks.2.hook_resid_post", () => pass.at(at)]]);
      return (await model.compute([end.output.softmax()]))[0];
    };
    const own = await probabilities("final_post");
    const [, count, vocabulary] = own.shape;
    for (const stream of ["0_pre", "1_mid", "final_post"]) {
      const there = await probabilities(stream);
      for (let pos = 0; pos + 1 < count; pos++) {
        let kl = 0;
        for (let token = 0; token < vocabulary; token++) {
          const i = pos * vocabulary + token;
          if (own.data[i] > 0) kl += own.data[i] * Math.log(own.data[i] / there.data[i]);
        }
        expect(rows.get(`kl_${stream}`)![pos], `${stream} at ${pos}`).toBeCloseTo(kl, 3);
      }
    }
  });

  it("says of all tokens what their rows say", async () => {
    const { state } = await runShard(model, scan, task());
    const { numbers, ranks, settled, types } = summariesOf<LogitLensSummaries>(state);
    const rows = state.rows.inOrder();
    const count = rows.get("next")!.length;
    LABELS.forEach((label, stream) => {
      for (const name of ["rank", "log_prob", "kl"] as const) {
        const values = Array.from(rows.get(`${name}_${label}`)!);
        const index = stream * LENS_QUANTITIES.length + LENS_QUANTITIES.indexOf(name);
        expect(numbers.mean(index)).toBeCloseTo(values.reduce((a, b) => a + b, 0) / count, 6);
      }
      const sorted = Array.from(rows.get(`rank_${label}`)!).sort((a, b) => a - b);
      const median = sorted[Math.floor(0.5 * (count - 1))];
      expect(Math.abs(Math.floor(ranks.quantile(0.5, stream)) - median)).toBeLessThanOrEqual(median / 64);
    });
    const from = Array.from({ length: count }, (_, i) => {
      const right = LABELS.map((label) => rows.get(`rank_${label}`)![i] === 0);
      return right.lastIndexOf(false) + 1;
    });
    for (let stream = 0; stream <= LABELS.length; stream++) {
      expect(settled.values[stream]).toBe(from.filter((s) => s === stream).length);
    }
    expect(types.values.reduce((a, b) => a + b, 0)).toBe(count);
  });

  it("lists the tokens that the model had before the end", async () => {
    const { state } = await runShard(model, scan, task());
    const { tables, summary } = scan.finding(state.summaries, ABOUT);
    const lost = tables.find(({ name }) => name === "lost")!;
    const cell = (name: string) => lost.columns.find((column) => column.name === name)!.values as number[];
    expect(cell("difference").length).toBeGreaterThan(0);
    cell("difference").forEach((difference, i) => {
      const ratio = Math.log(cell("probability")[i] / cell("probability_at_end")[i]);
      expect(ratio).toBeCloseTo(difference, 3);
    });
    expect(cell("difference")).toEqual([...cell("difference")].sort((a, b) => b - a));
    expect(summary[0].text).toMatch(/^Between \d_(pre|mid) and \S+ the right token gains most/);
  });
});
