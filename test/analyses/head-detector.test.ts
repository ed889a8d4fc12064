import { beforeAll, describe, expect, it } from "vitest";
import { headDetector } from "../../src/analyses/head-detector.ts";
import type { Finding } from "../../src/finding/finding.ts";
import { rowsOf } from "../../src/finding/table.ts";
import { detectHead } from "../../src/measures/head-detector/detect-head.ts";
import { parseConfig } from "../../src/models/config/parse.ts";
import { HookedTransformer } from "../../src/node.ts";
import { drawn } from "../../src/report/views/picture-of.ts";
import { golden, goldenModel } from "../goldens.ts";

const baseline = (found: Finding, name: string) => found.baselines.find((b) => b.name.includes(name))!.value!;

describe("head-detector", () => {
  it("lists detectHead's scores for the golden model", async () => {
    const model = goldenModel(await golden("solu_ln_2l"));
    const ids = [1, 5, 9, 5, 9, 13, 5, 9];
    const found = await headDetector(model, { prompts: [ids], excludeBos: true });
    const direct = await detectHead(model, ids, "induction_head", { excludeBos: true });
    const rows = rowsOf(found.tables, "heads");
    expect(rows.map(({ component }) => component)).toEqual(model.allHeadLabels());
    rows.forEach((row, i) => {
      expect(row.induction_head).toBeCloseTo(direct.data[i], 6);
    });
  });

  it.each(["mul", "abs"] as const)(
    "gives a model that attends uniformly its baseline's score, by %s",
    async (measure) => {
      const g = await golden("attn_only_2l");
      const weights = g.under("weights.");
      for (const [name, array] of weights) {
        if (/\.[Wb]_Q$/.test(name)) weights.set(name, { ...array, data: new Float32Array(array.data.length) } as never);
      }
      const model = new HookedTransformer(parseConfig(g.info.config), weights);
      const found = await headDetector(model, {
        prompts: [[1, 5, 9, 5, 9, 13, 5, 9]],
        measure,
        excludeCurrentToken: true,
      });
      for (const row of rowsOf(found.tables, "heads")) {
        expect(row.previous_token_head).toBeCloseTo(baseline(found, "previous"), 5);
        expect(row.duplicate_token_head).toBeCloseTo(baseline(found, "duplicate"), 5);
        expect(row.induction_head).toBeCloseTo(baseline(found, "induction"), 5);
      }
    },
  );

  describe("on the bundled model", () => {
    let found: Finding;
    beforeAll(async () => {
      found = await headDetector(await HookedTransformer.fromPretrained("solu-1l-novels"));
    });

    it("finds that one head attends to the previous token", () => {
      expect(found.summary[0].text).toMatch(/^The best previous-token head is L0H2/);
      expect(found.summary[0].figure!.value).toBeGreaterThan(2 * baseline(found, "previous"));
    });

    it("draws each kind's scores by layer and head, on one scale", () => {
      const [picture] = drawn(found).pictures;
      if (picture.kind !== "facets") throw new Error("not facets");
      expect(picture.facets.map((f) => f.title)).toEqual(["previous-token", "duplicate-token", "induction"]);
      expect(picture.facets[0].values.map((row) => row.length)).toEqual([4]);
    });
  });
});
