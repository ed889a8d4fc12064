/** What the scan says of heads is what their attention says, one row at a time. */
import { beforeAll, describe, expect, it } from "vitest";
import { HookedTransformer } from "../../src/node.ts";
import { type HeadsSummaries, LOOKS, MEASURES } from "../../src/scan/heads/summaries.ts";
import { headsScan } from "../../src/scan/heads.ts";
import { runShard } from "../../src/scan/shard.ts";
import { ABOUT, CORPUS, LENGTH, summariesOf, TEXTS, task } from "./corpus.ts";

let model: HookedTransformer;
beforeAll(async () => {
  model = await HookedTransformer.fromPretrained("gelu-3l-novels");
});

/** Whether a key is of a kind for a query. */
const isLook = {
  previous: (_ids: number[], q: number, k: number) => k === q - 1,
  bos: (_ids: number[], _q: number, k: number) => k === 0,
  duplicate: (ids: number[], q: number, k: number) => k < q && ids[k] === ids[q],
  induction: (ids: number[], q: number, k: number) => k > 0 && k <= q && ids[k - 1] === ids[q],
};

describe("scan heads", () => {
  it("has each head's mean attention to keys of each kind, and its entropy", async () => {
    const scan = headsScan.on(model, {}, CORPUS);
    const { state } = await runShard(model, scan, task());
    const { sums, queries, uniform } = summariesOf<HeadsSummaries>(state);
    const { tokenizer, bosTokenId } = model.text!;
    const { nHeads } = model.cfg;
    const expected = new Map<string, number>();
    const add = (name: string, value: number) => expected.set(name, (expected.get(name) ?? 0) + value);
    for (const text of TEXTS) {
      const all = tokenizer.encode(text, { addSpecialTokens: false });
      for (let at = 0; at < all.length; at += LENGTH - 1) {
        const ids = [bosTokenId!, ...all.slice(at, at + LENGTH - 1)];
        const [, cache] = await model.runWithCache([ids]);
        const n = ids.length;
        for (let q = 1; q < n; q++) {
          for (const look of LOOKS) {
            const keys = ids.map((_, k) => k).filter((k) => isLook[look](ids, q, k));
            if (keys.length === 0) continue;
            add(`queries ${look}`, 1);
            add(`uniform ${look}`, keys.length / (q + 1));
            for (const layer of [0, 2]) {
              const pattern = cache.get(`blocks.${layer}.attn.hook_pattern`).data;
              for (const k of keys) add(`${layer} ${look}`, pattern[(1 * n + q) * n + k] as number);
            }
          }
          const pattern = cache
            .get("blocks.2.attn.hook_pattern")
            .data.slice((n + q) * n, (n + q) * n + q + 1) as Float32Array;
          add("2 entropy", -pattern.reduce((sum, p) => sum + (p === 0 ? 0 : p * Math.log(p)), 0));
        }
      }
    }
    for (const look of LOOKS) {
      const m = MEASURES.indexOf(look);
      expect(queries.values[m]).toBe(expected.get(`queries ${look}`));
      expect(uniform.value(m)).toBeCloseTo(expected.get(`uniform ${look}`)!, 8);
      for (const layer of [0, 2]) {
        // Head 1 of the layer.
        const index = (layer * nHeads + 1) * MEASURES.length + m;
        expect(sums.value(index)).toBeCloseTo(expected.get(`${layer} ${look}`)!, 4);
      }
    }
    const entropy = (2 * nHeads + 1) * MEASURES.length + MEASURES.indexOf("entropy");
    expect(sums.value(entropy)).toBeCloseTo(expected.get("2 entropy")!, 3);
  });

  it("names the heads with most of each", async () => {
    const scan = headsScan.on(model, {}, CORPUS);
    const { state } = await runShard(model, scan, task());
    const { summary, tables, baselines } = scan.finding(state.summaries, ABOUT);
    expect(summary[0].text).toMatch(
      /^Most attention to the token before: L\dH\d \([\d.]+ %\) and L\dH\d \([\d.]+ %\)\.$/,
    );
    expect(tables[0].columns[0].values).toHaveLength(model.cfg.nLayers * model.cfg.nHeads);
    expect(baselines.map(({ name }) => name)).toContain("uniform attention, induction");
  });
});
