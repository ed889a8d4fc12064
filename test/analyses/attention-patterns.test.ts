import { describe, expect, it } from "vitest";
import { attentionPatterns } from "../../src/analyses/attention-patterns.ts";
import { rowsOf } from "../../src/finding/table.ts";
import { measureAttentionPatterns } from "../../src/measures/attention-patterns.ts";
import { HookedTransformer } from "../../src/node.ts";
import { golden, goldenModel } from "../goldens.ts";
import { command, widest } from "./command.ts";

const load = () => HookedTransformer.fromPretrained("solu-1l-novels");

describe("attention patterns", () => {
  it("are hook_pattern, for the requested layers and heads", async () => {
    const g = await golden("gelu_2l");
    const model = goldenModel(g);
    const ids = Array.from(g.tokens.row(0).data);
    const { heads } = await measureAttentionPatterns(model, { prompt: ids, layers: [-1], heads: [1, 0] });
    expect(heads.map((h) => h.name)).toEqual(["L1H1", "L1H0"]);
    const [, cache] = await model.runWithCache([ids]);
    const pattern = cache.get("blocks.1.attn.hook_pattern" as never);
    for (const { head, pattern: found } of heads) {
      found.forEach((row, q) => {
        row.forEach((p, k) => {
          expect(p).toBeCloseTo(pattern.get(0, head, q, k), 5);
        });
      });
    }
  });

  it("are summarised as entropy, distance and shares over the queries from the second on", async () => {
    const { heads, prompt } = await measureAttentionPatterns(await load(), { prompt: "The old man shook his head." });
    expect(prompt.startsWithBos).toBe(true);
    for (const { pattern, entropy, distance, first, previous, self } of heads) {
      let [e, d, f, p, s] = [0, 0, 0, 0, 0];
      for (let q = 1; q < pattern.length; q++) {
        expect(pattern[q].reduce((a, b) => a + b)).toBeCloseTo(1, 5);
        for (let k = 0; k <= q; k++) {
          e -= pattern[q][k] * Math.log(pattern[q][k]);
          d += pattern[q][k] * (q - k);
        }
        f += pattern[q][0];
        p += pattern[q][q - 1];
        s += pattern[q][q];
      }
      const n = pattern.length - 1;
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
    expect(rowsOf(JSON.parse(two).tables, "heads").map(({ component }) => component)).toEqual(["L0H2", "L0H0"]);
  });
});
