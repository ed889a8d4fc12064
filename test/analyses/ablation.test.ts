import { beforeAll, describe, expect, it } from "vitest";
import { ablation } from "../../src/analyses/ablation.ts";
import { rowCount } from "../../src/finding/table.ts";
import { tensor } from "../../src/graph/from-numbers.ts";
import { measureAblation } from "../../src/measures/ablation.ts";
import { HookedTransformer } from "../../src/node.ts";
import { drawn } from "../../src/report/views/picture-of.ts";
import { type Golden, golden, goldenModel } from "../goldens.ts";

describe("on golden models", () => {
  let g: Golden;
  let model: HookedTransformer;
  let prompts: number[][];
  beforeAll(async () => {
    g = await golden("solu_ln_2l");
    model = goldenModel(g);
    prompts = [0, 1].map((i) => [...g.tokens.data.slice(i * 12, i * 12 + 12)]);
  });

  it("ablating heads by zero is zeroing them with a hook", async () => {
    const { rows: components, clean } = await measureAblation(model, { prompts, by: "zero" });
    expect(components.map((c) => c.component)).toEqual(model.allHeadLabels());
    expect(clean).toBeCloseTo(g.info.scalars.loss, 4);
    for (const { layer, head, effect } of components) {
      const loss = await model.runWithHooks(g.tokens, {
        returnType: "loss",
        fwdHooks: [[`blocks.${layer}.attn.hook_z`, (z) => z.set({ head: head! }, 0)]],
      });
      expect(effect).toBeCloseTo(loss.item() - clean, 4);
    }
  });

  it("ablating layers by the mean equals doing it with a hook", async () => {
    const { rows: components, clean } = await measureAblation(model, { prompts, over: "layers" });
    expect(components.map((c) => c.component)).toEqual(["L0 attention", "L1 attention", "L0 MLP", "L1 MLP"]);
    const loss = await model.runWithHooks(g.tokens, {
      returnType: "loss",
      fwdHooks: [["blocks.0.hook_mlp_out", (x) => x.mean(["batch", "pos"], true).expandLike(x)]],
    });
    expect(components[2].effect).toBeCloseTo(loss.item() - clean, 4);
  });

  it("prompts of different lengths count as they would alone: padding does not matter", async () => {
    const [long, short] = [prompts[0], prompts[1].slice(0, 5)];
    const measure = (some: number[][]) => measureAblation(model, { prompts: some, by: "zero", answer: 3, wrong: 4 });
    const [both, first, second] = [await measure([long, short]), await measure([long]), await measure([short])];
    both.rows.forEach(({ effect }, i) => {
      expect(effect).toBeCloseTo((first.rows[i].effect + second.rows[i].effect) / 2, 4);
    });
    expect(both.unit).toBe("logits");
  });

  it("means of a padded batch are over its real tokens", async () => {
    const [long, short] = [prompts[0], prompts[1].slice(0, 5)];
    const { rows: components, clean } = await measureAblation(model, { prompts: [long, short], over: "layers" });
    const [, a] = await model.runWithCache(long, { namesFilter: "blocks.1.hook_mlp_out" });
    const [, b] = await model.runWithCache(short, { namesFilter: "blocks.1.hook_mlp_out" });
    const { dModel } = model.cfg;
    const sum = new Float32Array(dModel);
    for (const cache of [a, b]) {
      cache.get("blocks.1.hook_mlp_out").data.forEach((x: number, i: number) => {
        sum[i % dModel] += x / 17;
      });
    }
    const vector = tensor(sum, { axes: ["d_model"] });
    const loss = async (tokens: number[]) =>
      (
        await model.runWithHooks(tokens, {
          returnType: "loss",
          fwdHooks: [["blocks.1.hook_mlp_out", (x) => x.mul(0).add(vector)]],
        })
      ).item() *
      (tokens.length - 1);
    const expected = ((await loss(long)) + (await loss(short))) / (11 + 4);
    expect(components[3].effect + clean).toBeCloseTo(expected, 4);
  });

  it("resampling draws by the seed", async () => {
    const of = async (seed: number) =>
      (await measureAblation(model, { prompts, by: "resample", seed })).rows.map((c) => c.effect);
    expect(await of(3)).toEqual(await of(3));
    expect(await of(4)).not.toEqual(await of(3));
  });

  it("neurons and positions belong to one layer, and each prompt's positions are ablated separately", async () => {
    const neurons = await measureAblation(model, { prompts, over: "neurons", by: "zero", layer: 0 });
    expect(neurons.rows).toHaveLength(80);
    expect(neurons.rows[7].component).toBe("L0N7");
    const positions = await measureAblation(model, { prompts, over: "positions", by: "zero" });
    expect(positions.rows).toHaveLength(2 * 2 * 12);
    const one = positions.rows.find((c) => c.component === "L1 MLP" && c.prompt === 1 && c.pos === 4)!;
    const loss = async (hooked: boolean) =>
      (
        await model.runWithHooks(prompts[1], {
          returnType: "loss",
          fwdHooks: hooked ? [["blocks.1.hook_mlp_out", (x) => x.set({ pos: 4 }, 0)]] : [],
        })
      ).item();
    expect(one.effect).toBeCloseTo((await loss(true)) - (await loss(false)), 4);
    expect([one.layer, one.part, one.token]).toEqual([1, "MLP", positions.prompts[1][4]]);
  });

  it("options that do not fit the model are refused with a message", async () => {
    await expect(measureAblation(model, { prompts: [] })).rejects.toThrow(/no prompts/);
    await expect(measureAblation(model, { prompts: [[4]] })).rejects.toThrow(/1 token.*at least 2/);
    await expect(measureAblation(model, { prompts, layer: 2 })).rejects.toThrow(/no layer 2/);
    await expect(measureAblation(model, { prompts, answer: 3 })).rejects.toThrow(/both answer and wrong/);
    await expect(measureAblation(model, { prompts, over: "head" as never })).rejects.toThrow(
      /"heads", "layers", "neurons" or "positions", not "head"/,
    );
    const attention = goldenModel(await golden("attn_only_2l"));
    await expect(measureAblation(attention, { prompts, over: "neurons" })).rejects.toThrow(/attention-only/);
  });
});

describe("on the bundled model", () => {
  let model: HookedTransformer;
  beforeAll(async () => {
    model = await HookedTransformer.fromPretrained("solu-1l-novels");
  });

  it("says which head matters, compared with a random one, and draws them", async () => {
    const seen: number[] = [];
    const found = await ablation(model, { onProgress: ({ done, total }) => seen.push(done / total) });
    expect(found.summary[0].text).toMatch(/^L0H\d matters most/);
    expect(found.summary[0].figure!.comparedWith).toEqual(["random head"]);
    expect(found.baselines.map((b) => b.name)).toEqual(["random head", "nothing ablated"]);
    expect(drawn(found).pictures[0].kind).toBe("imshow");
    expect(seen.at(-1)).toBe(1);
  });

  it("draws positions as coloured tokens", async () => {
    const found = await ablation(model, { prompts: ["The sun shines.", "Dogs bark."], over: "positions", top: 3 });
    const [picture] = drawn(found).pictures;
    expect(picture.kind === "tokens" && picture.texts.map((t) => t.values.map((v) => v.length))).toEqual(
      picture.kind === "tokens" && picture.texts.map((t) => [t.tokens.length, t.tokens.length]),
    );
    expect(rowCount(found.tables[0])).toBe(3);
  });

  it("stops when it is aborted", async () => {
    const stop = new AbortController();
    const running = ablation(model, {
      prompts: ["The sun shines."],
      over: "positions",
      signal: stop.signal,
      onProgress: () => stop.abort(new Error("enough")),
    });
    await expect(running).rejects.toThrow("enough");
  });
});
