import { beforeAll, describe, expect, it } from "vitest";
import { ioi } from "../../src/analyses/ioi.ts";
import type { Finding } from "../../src/finding/finding.ts";
import { measureIoi } from "../../src/measures/ioi.ts";
import { HookedTransformer } from "../../src/node.ts";
import { golden, goldenModel } from "../goldens.ts";

describe("ioi on the bundled model", () => {
  let model: HookedTransformer;
  let found: Finding;
  beforeAll(async () => {
    model = await HookedTransformer.fromPretrained("solu-1l-novels");
    found = await ioi(model, { samples: 70 });
  });

  it("measures each prompt as it would alone, whatever the padding", async () => {
    const { prompts, rows, orders } = await measureIoi(model, { samples: 70 });
    expect(new Set(prompts.map(({ text }) => model.toTokens(text).data.length)).size).toBeGreaterThan(1);
    for (const i of [0, 31, 69]) {
      const { io, s } = prompts[i];
      for (const [text, expected] of [
        [prompts[i].text, rows[i].logit_difference],
        [prompts[i].control, rows[i].control],
      ] as const) {
        const { data } = await model.forward(text, { logitsPos: -1 });
        expect(data[model.toSingleToken(io)] - data[model.toSingleToken(s)]).toBeCloseTo(expected, 3);
      }
    }
    expect(orders.map(({ order, prompts }) => [order, prompts])).toEqual([
      ["both", 70],
      ["ABBA", 35],
      ["BABA", 35],
      ["control", 70],
    ]);
    const right = rows.filter(({ order, logit_difference }) => order === "BABA" && logit_difference > 0);
    expect(orders[2].accuracy).toBeCloseTo(right.length / 35);
    expect(orders[3].logit_difference).toBeCloseTo(rows.reduce((sum, { control }) => sum + control, 0) / 70);
  });

  it("names both people once and the giver twice, who is not the answer", async () => {
    const { prompts, names } = await measureIoi(model, { samples: 40 });
    const times = (text: string, name: string) => text.split(new RegExp(`\\b${name.trim()}\\b`)).length - 1;
    for (const { text, control, order, io, s } of prompts) {
      expect([times(text, io), times(text, s), times(control, io), times(control, s)]).toEqual([1, 2, 1, 1]);
      expect(text.indexOf(io.trim()) < text.indexOf(s.trim())).toBe(order === "ABBA");
      expect(text).not.toMatch(/[[\]]/);
      expect(names).toContain(io.trim());
    }
  });

  it("gives its results next to chance and the control, and says how many names it left out", () => {
    expect(found.summary[0].figure!.comparedWith).toEqual(["chance", "a third person gives, accuracy"]);
    expect(found.baselines.find((b) => b.name === "chance")!.value).toBe(50);
    expect(found.summary[2].text).toMatch(
      /^\d+ names are one token for this model; [1-9]\d* that are several were left out/,
    );
    expect(found.tables[0].columns[1].values).toEqual([70, 35, 35, 70]);
  });

  it("is the same for the same seed, and different for another", async () => {
    const of = async (seed: number) => (await measureIoi(model, { samples: 10, seed })).prompts.map(({ text }) => text);
    expect(await of(1)).toEqual(await of(1));
    expect(await of(2)).not.toEqual(await of(1));
  });

  it("accepts other names, and refuses too few that are one token", async () => {
    const { names } = await measureIoi(model, { samples: 4, names: ["Mary", "John", "Tom", "Mary"] });
    expect(names).toEqual(["Mary", "John", "Tom"]);
    const wrong = measureIoi(model, { names: ["Mary", "Elizabeth", "Sarah"] });
    await expect(wrong).rejects.toThrow(/Only 1 of the 3 names are one token/);
  });
});

it("ioi refuses a model without a tokenizer", async () => {
  await expect(ioi(goldenModel(await golden("gelu_2l")))).rejects.toThrow(/no tokenizer/);
});
