/** Losses are those of the model, wherever a token is counted. */
import { beforeAll, describe, expect, it } from "vitest";
import { HookedTransformer } from "../../src/node.ts";
import type { LossSummaries } from "../../src/scan/loss/summaries.ts";
import { lossScan } from "../../src/scan/loss.ts";
import type { ModelScan } from "../../src/scan/scan.ts";
import { runShard } from "../../src/scan/shard.ts";
import { ABOUT, CORPUS, LENGTH, summariesOf, TEXTS, task } from "./corpus.ts";

let model: HookedTransformer;
let scan: ModelScan;
beforeAll(async () => {
  model = await HookedTransformer.fromPretrained("bundled");
  scan = lossScan.on(model, { top: 4 }, { ...CORPUS, sources: ["a", "b"] });
});

/** Each prediction of the rows, run one at a time. */
async function expected(): Promise<{ pos: number; next: number; loss: number }[]> {
  const found: { pos: number; next: number; loss: number }[] = [];
  const { tokenizer, bosTokenId } = model.text!;
  for (const text of TEXTS) {
    const ids = tokenizer.encode(text, { addSpecialTokens: false });
    for (let at = 0; at < ids.length; at += LENGTH - 1) {
      const row = [bosTokenId!, ...ids.slice(at, at + LENGTH - 1)];
      const loss = await model.forward([row], { returnType: "loss", lossPerToken: true });
      for (const [pos, next] of row.slice(1).entries()) found.push({ pos, next, loss: loss.data[pos] as number });
    }
  }
  return found;
}

describe("scan loss", () => {
  it("has the loss of each token, and its means by position, token and source", async () => {
    const { state } = await runShard(model, scan, task({ sourceIndex: 1 }));
    const each = await expected();
    const numbers = state.rows.inOrder();
    expect(Array.from(numbers.get("next")!)).toEqual(each.map(({ next }) => next));
    const loss = numbers.get("loss")!;
    each.forEach((one, i) => {
      expect(loss[i]).toBeCloseTo(one.loss, 4);
    });
    const mean = (list: readonly { loss: number }[]) => list.reduce((sum, one) => sum + one.loss, 0) / list.length;
    const { all, byPosition, byToken, bySource, largest } = summariesOf<LossSummaries>(state);
    expect(all.mean()).toBeCloseTo(mean(each), 4);
    for (const pos of [0, 3, 14])
      expect(byPosition.mean(pos)).toBeCloseTo(mean(each.filter((one) => one.pos === pos)), 4);
    const [{ next }] = each;
    expect(byToken.mean(next)).toBeCloseTo(mean(each.filter((one) => one.next === next)), 4);
    expect([bySource.count(0), bySource.count(1)]).toEqual([0, each.length]);
    expect(largest.of().map(({ value }) => value)).toEqual(
      Array.from(loss)
        .sort((a, b) => b - a)
        .slice(0, 4),
    );
  });

  it("compares with the frequencies of the corpus' tokens", async () => {
    const { state } = await runShard(model, scan, task());
    const { summary, baselines, tables } = scan.finding(state.summaries, ABOUT);
    expect(summary[0].text).toMatch(/^The mean loss of the \d+ next tokens is [\d.]+ nats \(a perplexity of [\d.]+\)/);
    const counts = new Map<number, number>();
    const each = await expected();
    for (const { next } of each) counts.set(next, (counts.get(next) ?? 0) + 1);
    const entropy = [...counts.values()].reduce((sum, n) => sum - (n / each.length) * Math.log(n / each.length), 0);
    expect(baselines.find(({ name }) => name === "token frequencies")!.value).toBeCloseTo(entropy, 10);
    const shares = tables.find(({ name }) => name === "tokens")!.columns.find(({ name }) => name === "share")!.values;
    expect(shares).toEqual([...shares].sort((a, b) => (b as number) - (a as number)));
  });
});
