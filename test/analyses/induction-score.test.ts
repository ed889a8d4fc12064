import { beforeAll, describe, expect, it } from "vitest";
import { inductionScore } from "../../src/analyses/induction-score.ts";
import type { Finding } from "../../src/finding/finding.ts";
import { rowsOf } from "../../src/finding/table.ts";
import { measureInductionScore } from "../../src/measures/induction-score.ts";
import { parseConfig } from "../../src/models/config/parse.ts";
import { HookedTransformer } from "../../src/node.ts";
import { drawn } from "../../src/report/views/picture-of.ts";
import { golden, goldenModel } from "../goldens.ts";

const rows = (found: Finding) => rowsOf(found.tables, "heads");
const baseline = (found: Finding, name: string) => found.baselines.find((b) => b.name === name)!.value!;

describe("induction-score", () => {
  it("is 1 for a head that always looks at what followed, and the baseline's for one that looks everywhere equally", async () => {
    const g = await golden("attn_only_2l");
    const length = 10;
    const uniform = new Map(
      [...g.under("weights.")].map(([name, array]) => {
        const zero = /\.[Wb]_Q$/.test(name);
        return [name, zero ? { ...array, data: new Float32Array(array.data.length) } : array] as const;
      }),
    );
    // Head 1 of layer 1 attends by position only: queries and keys are made from W_pos, which is one-hot.
    const { cfg } = goldenModel(g);
    const put = (name: string, set: (data: Float32Array) => void) => {
      const data = new Float32Array(uniform.get(name)!.data.length);
      set(data);
      uniform.set(name, { ...uniform.get(name)!, data } as never);
    };
    for (const name of uniform.keys()) {
      if (/W_[EOVK]$|b_[KVO]$|\.b$/.test(name)) put(name, () => {});
      if (/\.w$/.test(name)) put(name, (data) => data.fill(1));
    }
    // Position p is at the angle p of a circle, so that a rotation by length - 1 finds the earlier place.
    const angle = (p: number) => (2 * Math.PI * p) / cfg.nCtx;
    put("pos_embed.W_pos", (data) => {
      for (let p = 0; p < cfg.nCtx; p++) {
        data[p * cfg.dModel] = Math.cos(angle(p));
        data[p * cfg.dModel + 1] = Math.sin(angle(p));
        data[p * cfg.dModel + 2] = -Math.cos(angle(p));
        data[p * cfg.dModel + 3] = -Math.sin(angle(p));
      }
    });
    const head = cfg.dModel * cfg.dHead;
    const back = angle(length - 1);
    put("blocks.1.attn.W_Q", (data) => {
      const sharp = 300;
      data[head] = sharp * Math.cos(back);
      data[head + 1] = -sharp * Math.sin(back);
      data[head + cfg.dHead] = sharp * Math.sin(back);
      data[head + cfg.dHead + 1] = sharp * Math.cos(back);
    });
    put("blocks.1.attn.W_K", (data) => {
      data[head] = 1;
      data[head + cfg.dHead + 1] = 1;
    });
    const found = await inductionScore(new HookedTransformer(parseConfig(g.info.config), uniform), { length });
    const score = (name: string) => Number(rows(found).find(({ component }) => component === name)!.score);
    expect(score("L1H1")).toBeGreaterThan(0.99);
    expect(score("L0H0")).toBeCloseTo(baseline(found, "uniform attention"), 5);
    expect(found.summary[0].text).toContain("L1H1");
  });

  it("is the same for the same seed, and different for another", async () => {
    const model = goldenModel(await golden("solu_ln_2l"));
    const of = async (seed: number) =>
      rows(await inductionScore(model, { length: 12, seed })).map(({ score }) => score);
    expect(await of(1)).toEqual(await of(1));
    expect(await of(2)).not.toEqual(await of(1));
  });

  it("comes with the loss at each position, and its mean over each half without the half's first token", async () => {
    const model = goldenModel(await golden("solu_ln_2l"));
    const { losses, repeated, unrepeated, period, lead, length } = await measureInductionScore(model, { length: 12 });
    expect([period, length]).toEqual([12, model.cfg.nLayers * model.cfg.nHeads]);
    expect(losses.length).toBe(lead + 23);
    const mean = (of: "repeated" | "unrepeated", from: number) =>
      losses.rows.slice(lead + from, lead + from + 11).reduce((sum, row) => sum + row[of], 0) / 11;
    expect(repeated.first).toBeCloseTo(mean("repeated", 0), 10);
    expect(repeated.second).toBeCloseTo(mean("repeated", 12), 10);
    expect(unrepeated.saved).toBeCloseTo(mean("unrepeated", 0) - mean("unrepeated", 12), 10);
    // The first halves are the same tokens.
    expect(repeated.first).toBeCloseTo(unrepeated.first, 4);
  });

  describe("of the bundled model", () => {
    let model: HookedTransformer;
    let found: Finding;
    beforeAll(async () => {
      model = await HookedTransformer.fromPretrained("solu-1l-novels");
      found = await inductionScore(model);
    });

    it("is not above chance: one layer cannot do induction", () => {
      expect(found.summary[0].figure!.value).toBeLessThan(2 * baseline(found, "uniform attention"));
      expect(Math.abs(found.summary[1].figure!.value)).toBeLessThan(0.5);
    });

    it("draws the loss of every position but the last", () => {
      const line = drawn(found).pictures.find((p) => p.name === "loss")!;
      expect(line.kind === "line" && line.series.map((s) => s.y.length)).toEqual([100, 100]);
    });

    it("refuses lengths that do not fit twice, with a message", async () => {
      await expect(inductionScore(model, { length: 128 })).rejects.toThrow(
        /length must be a whole number from 2 to 127, not 128/,
      );
      await expect(inductionScore(model, { samples: 0 })).rejects.toThrow(/samples must be a whole number/);
    });
  });
});
