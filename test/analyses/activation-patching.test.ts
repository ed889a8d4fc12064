import { beforeAll, describe, expect, it } from "vitest";
import { activationPatching } from "../../src/analyses/activation-patching.ts";
import type { Finding } from "../../src/finding/finding.ts";
import { rowsOf } from "../../src/finding/table.ts";
import { getActPatchAttnHeadOutAllPos } from "../../src/measures/patching.ts";
import { HookedTransformer } from "../../src/node.ts";
import { drawn } from "../../src/report/views/picture-of.ts";
import { zeros } from "../../src/tensor/array.ts";
import { golden, goldenModel } from "../goldens.ts";

const rows = (found: Finding, name: string) => rowsOf(found.tables, name);

describe("on the bundled model", () => {
  let model: HookedTransformer;
  let found: Finding;
  const seen: number[] = [];
  beforeAll(async () => {
    model = await HookedTransformer.fromPretrained("solu-1l-novels");
    found = await activationPatching(model, { onProgress: ({ done, total }) => seen.push(done / total) });
  });

  it("regains everything from the embedding where the prompts differ, and nothing where they agree", () => {
    const stream = rows(found, "all").filter((row) => row.site === "resid_pre");
    expect(stream).toHaveLength(7);
    for (const row of stream) expect(row.regained).toBeCloseTo(row.pos === 2 ? 1 : 0, 4);
  });

  it("shows both runs' logit differences as baselines", () => {
    const value = (name: string) => found.baselines.find((b) => b.name === name)!.value!;
    expect(value("clean run")).toBeGreaterThan(1);
    expect(value("corrupted run")).toBeLessThan(-1);
    expect(found.summary[0].figure!.comparedWith.length).toBeGreaterThan(0);
  });

  it("draws layer by position with tokens, and layer by head", () => {
    expect(drawn(found).pictures.map((p) => p.name)).toEqual(["positions", "heads"]);
    const [positions, heads] = drawn(found).pictures;
    if (positions.kind !== "facets" || heads.kind !== "facets") throw new Error("not facets");
    expect(positions.facets.map((f) => f.title)).toEqual(["resid_pre", "attn_out", "mlp_out"]);
    expect(positions.x?.ticks?.[2]).toBe("␣lady/␣gentleman");
    expect(heads.facets[0].values[0]).toHaveLength(4);
  });

  it("reports progress up to the end", () => {
    expect(seen.length).toBeGreaterThan(5);
    expect(seen.at(-1)).toBe(1);
    expect([...seen].sort((a, b) => a - b)).toEqual(seen);
  });

  it("stops when it is aborted", async () => {
    const stop = new AbortController();
    const running = activationPatching(model, {
      signal: stop.signal,
      onProgress: () => stop.abort(new Error("enough")),
    });
    await expect(running).rejects.toThrow("enough");
  });

  it("refuses prompts of different lengths, and lists their tokens", async () => {
    const wrong = activationPatching(model, { clean: "The queen said that" });
    await expect(wrong).rejects.toThrow(/clean prompt has 6 tokens and the corrupted one 7.*“ que” “en”/);
  });

  it("refuses the same prompt twice, the same answer twice, and answers of several tokens", async () => {
    const same = activationPatching(model, { clean: "He was", corrupted: "He was" });
    await expect(same).rejects.toThrow(/are the same/);
    await expect(activationPatching(model, { wrong: " she" })).rejects.toThrow(/Both answers are the token “ she”/);
    await expect(activationPatching(model, { wrong: " Elizabeth" })).rejects.toThrow(/token/);
  });

  it("refuses prompts that the model does not distinguish, and sites that do not exist", async () => {
    const { weights, cfg } = model;
    const blind = new Map([...weights.entries()].map(([name, { array }]) => [name, array!] as const));
    blind.set("blocks.0.attn.W_O", zeros("float32", [cfg.nHeads, cfg.dHead, cfg.dModel]));
    const alike = activationPatching(new HookedTransformer(cfg, blind), {
      clean: [0, 5, 9],
      corrupted: [0, 6, 9],
      answer: 7,
      wrong: 8,
    });
    await expect(alike).rejects.toThrow(/does not distinguish the two prompts/);
    await expect(activationPatching(model, { sites: ["resid_per"] })).rejects.toThrow(/Did you mean "resid_pre"/);
  });
});

describe("on a golden model", () => {
  it("has the numbers of getActPatch, normalised", async () => {
    const g = await golden("attn_only_2l");
    const model = goldenModel(g);
    const prompt = (row: number) => [...g.tokens.data.slice(row * 12, row * 12 + 12)];
    const [right, wrong] = g.info.patching_metric.logit_diff_last;
    const found = await activationPatching(model, {
      clean: prompt(0),
      corrupted: prompt(1),
      answer: right,
      wrong,
      sites: ["z"],
    });
    const [, cache] = await model.runWithCache(prompt(0));
    const direct = await getActPatchAttnHeadOutAllPos(model, prompt(1), cache, (logits) => {
      const last = logits.at({ pos: -1 });
      return last
        .at({ d_vocab: right })
        .sub(last.at({ d_vocab: wrong }))
        .mean();
    });
    const { clean_metric: clean, corrupted_metric: corrupted } = g.info.scalars;
    const all = rows(found, "all");
    expect(all).toHaveLength(8);
    all.forEach((row, i) => {
      expect(row.logit_difference).toBeCloseTo(direct.data[i], 4);
      expect(row.regained).toBeCloseTo((direct.data[i] - corrupted) / (clean - corrupted), 3);
    });
  });

  it("refuses MLPs for a model that has none", async () => {
    const model = goldenModel(await golden("attn_only_2l"));
    const running = activationPatching(model, {
      clean: [1, 2],
      corrupted: [1, 3],
      answer: 4,
      wrong: 5,
      sites: ["mlp_out"],
    });
    await expect(running).rejects.toThrow(/has no MLPs/);
  });
});
