import { describe, expect, it } from "vitest";
import { attentionPatterns } from "../../src/analyses/attention-patterns.ts";
import { denseWeights, valueNormsOf } from "../../src/finding/attention-weights.ts";
import type { AttentionSpec } from "../../src/finding/picture.ts";
import { rowsOf } from "../../src/finding/table.ts";
import { measureAttentionPatterns } from "../../src/measures/attention-patterns.ts";
import { HookedTransformer } from "../../src/node.ts";
import { golden, goldenModel } from "../goldens.ts";
import { smallModel } from "../lens/small-model.ts";
import { command, widest } from "./command.ts";

const load = () => HookedTransformer.fromPretrained("solu-1l-novels");

describe("attention patterns", () => {
  it("are hook_pattern, for the requested layers and heads", async () => {
    const g = await golden("gelu_2l");
    const model = goldenModel(g);
    const ids = Array.from(g.tokens.row(0).data);
    const { heads } = await measureAttentionPatterns(model, { prompt: ids, layers: [-1], heads: [1, 0] });
    expect(heads.map((h) => h.component)).toEqual(["L1H1", "L1H0"]);
    const [, cache] = await model.runWithCache([ids]);
    const pattern = cache.get("blocks.1.attn.hook_pattern" as never);
    for (const { head, pattern: found } of heads) {
      const [n] = found.shape;
      found.data.forEach((p, i) => {
        expect(p).toBeCloseTo(pattern.get(0, head, Math.floor(i / n), i % n), 5);
      });
    }
  });

  it("are summarised as entropy, distance and shares over the queries from the second on", async () => {
    const { heads, prompt } = await measureAttentionPatterns(await load(), { prompt: "The old man shook his head." });
    expect(prompt.startsWithBos).toBe(true);
    for (const { pattern, entropy, distance, first, previous, self } of heads) {
      let [e, d, f, p, s] = [0, 0, 0, 0, 0];
      const tokens = pattern.shape[0];
      for (let q = 1; q < tokens; q++) {
        let sum = 0;
        for (let k = 0; k <= q; k++) {
          const weight = pattern.get(q, k);
          sum += weight;
          e -= weight * Math.log(weight);
          d += weight * (q - k);
        }
        expect(sum).toBeCloseTo(1, 5);
        f += pattern.get(q, 0);
        p += pattern.get(q, q - 1);
        s += pattern.get(q, q);
      }
      const n = tokens - 1;
      [
        [entropy, e],
        [distance, d],
        [first, f],
        [previous, p],
        [self, s],
      ].forEach(([found, wanted]) => {
        expect(found).toBeCloseTo(wanted / n, 6);
      });
    }
  });

  it("are compared with a head that looks everywhere equally: log(q + 1), q / 2 and 1 / (q + 1)", async () => {
    const { uniform, prompt } = await measureAttentionPatterns(await load(), { prompt: "The old man shook his head." });
    const queries = Array.from({ length: prompt.ids.length - 1 }, (_, i) => i + 1);
    const mean = (f: (q: number) => number) => queries.reduce((sum, q) => sum + f(q), 0) / queries.length;
    expect(uniform.entropy).toBeCloseTo(
      mean((q) => Math.log(q + 1)),
      10,
    );
    expect(uniform.distance).toBeCloseTo(
      mean((q) => q / 2),
      10,
    );
    for (const share of [uniform.first, uniform.previous, uniform.self]) {
      expect(share).toBeCloseTo(
        mean((q) => 1 / (q + 1)),
        10,
      );
    }
  });

  it("have an induction score where a token repeats: the attention on what followed it earlier", async () => {
    const model = await load();
    const none = await measureAttentionPatterns(model, { prompt: "The old man shook his head." });
    expect(none.uniform.induction).toBeNull();
    const { heads, prompt, uniform } = await measureAttentionPatterns(model, {
      prompt: "The old man saw the old man.",
    });
    const earlier = prompt.ids.map((id, q) => prompt.ids.flatMap((other, k) => (k < q && other === id ? [k] : [])));
    const queries = earlier.flatMap((keys, q) => (keys.length > 0 ? [q] : []));
    expect(queries.length).toBeGreaterThan(1);
    const mean = (of: (q: number, k: number) => number) =>
      queries.reduce((sum, q) => sum + earlier[q].reduce((all, k) => all + of(q, k + 1), 0), 0) / queries.length;
    expect(uniform.induction).toBeCloseTo(
      mean((q) => 1 / (q + 1)),
      10,
    );
    for (const { pattern, induction } of heads) expect(induction).toBeCloseTo(mean((q, k) => pattern.get(q, k)));
  });

  it("have the norms of the values that are read, which heads may share", async () => {
    for (const fields of [{}, { n_heads: 4, d_head: 4, n_key_value_heads: 2 }]) {
      const model = smallModel(1, fields);
      const ids = [5, 0, 1, 2, 0, 1];
      const { heads } = await measureAttentionPatterns(model, { prompt: ids, layers: [1] });
      const [, cache] = await model.runWithCache([ids]);
      const v = cache.get("blocks.1.attn.hook_v");
      const [, , stored, size] = v.shape;
      for (const { head, valueNorms } of heads) {
        const own = Math.floor((head * stored) / model.cfg.nHeads);
        ids.forEach((_, key) => {
          const vector = Array.from({ length: size }, (_, i) => v.get(0, key, own, i));
          expect(valueNorms.data[key] / Math.hypot(...vector)).toBeCloseTo(1, 5);
        });
      }
    }
  });

  it("say of each query which key it looks at most", async () => {
    const { heads, strongest, prompt } = await measureAttentionPatterns(await load(), { prompt: "He shook his head." });
    expect(strongest.length).toBe(heads.length * prompt.ids.length);
    for (const { component, pattern } of heads) {
      prompt.ids.forEach((_, query) => {
        const weights = Array.from(pattern.row(query).data);
        const attention = Math.max(...weights);
        const key = weights.indexOf(attention);
        const tokens = { query_token: prompt.tokens[query], key_token: prompt.tokens[key] };
        expect(strongest.at({ component, query })).toMatchObject({ key, attention, ...tokens });
      });
    }
  });

  it("are all in one picture, whatever their number, with what heads can be sorted by", async () => {
    const model = smallModel(1, { n_layers: 6, n_ctx: 130 });
    const ids = Array.from({ length: 128 }, (_, i) => (i * i) % 5);
    const { pictures, tables } = await attentionPatterns(model, { prompt: ids });
    const [picture] = pictures as [AttentionSpec];
    expect(picture.heads.map(({ name }) => name)).toEqual([0, 1, 2, 3, 4, 5].flatMap((l) => [`L${l}H0`, `L${l}H1`]));
    expect(picture.metrics?.map(({ name }) => name)).toContain("induction");
    const { heads } = await measureAttentionPatterns(model, { prompt: ids });
    picture.heads.forEach(({ pattern, valueNorms }, i) => {
      const shown = denseWeights(pattern, ids.length);
      heads[i].pattern.data.forEach((weight, at) => {
        if (weight > 0.002) expect(Math.abs(shown[at] / weight - 1)).toBeLessThan(0.02);
      });
      expect(valueNormsOf(valueNorms!)).toEqual(heads[i].valueNorms.data);
    });
    expect(rowsOf(tables, "strongest").length).toBe(128 * 12);
  });

  it("cover all tokens in a bidirectional model", async () => {
    const g = await golden("bidirectional_1l");
    const { uniform, prompt } = await measureAttentionPatterns(goldenModel(g), {
      prompt: Array.from(g.tokens.row(0).data),
    });
    expect(uniform.self).toBeCloseTo(1 / prompt.ids.length, 10);
  });

  it("refuse layers and heads that do not exist", async () => {
    const model = await load();
    await expect(attentionPatterns(model, { prompt: "He shook his head.", layers: [1] })).rejects.toThrow(
      "There is no layer 1: this model's only layer is 0.",
    );
    await expect(attentionPatterns(model, { prompt: "He shook his head.", heads: [4] })).rejects.toThrow(
      "There is no head 4",
    );
  });

  it("are a command that runs without arguments, and takes lists of heads", async () => {
    const { stdout } = await command("attention-patterns");
    expect(stdout).toContain("Where does each head look?");
    expect(widest(stdout)).toBeLessThanOrEqual(80);
    const { stdout: two } = await command("attention-patterns", "--layers", "-1", "--heads", "2", "0", "--json");
    expect(rowsOf(JSON.parse(two).tables, "heads").map(({ component }) => component)).toEqual(["L2H2", "L2H0"]);
  });
});
