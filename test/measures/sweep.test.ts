import { beforeAll, describe, expect, test } from "vitest";
import { Engine } from "../../src/engine/engine.ts";
import { nodeBackend } from "../../src/engine/ort-node.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import type { Metric } from "../../src/lens/metric.ts";
import * as patching from "../../src/measures/patching.ts";
import { mean, scale, sweep, zero } from "../../src/measures/sweep.ts";
import { parseConfig } from "../../src/models/config/parse.ts";
import { HookedTransformer, initWeights } from "../../src/node.ts";
import { expectClose } from "../close.ts";
import { type Golden, golden, goldenContrast, goldenNames } from "../goldens.ts";

function setup(g: Golden) {
  const engine = new Engine(nodeBackend({ threads: 1 }));
  const model = new HookedTransformer(parseConfig(g.info.config), g.under("weights."), { engine });
  return { engine, model, ...goldenContrast(g) };
}

const functions: Readonly<Record<string, patching.ActPatch>> = {
  resid_pre: patching.getActPatchResidPre,
  resid_mid: patching.getActPatchResidMid,
  attn_out: patching.getActPatchAttnOut,
  mlp_out: patching.getActPatchMlpOut,
  attn_head_out_by_pos: patching.getActPatchAttnHeadOutByPos,
  attn_head_q_by_pos: patching.getActPatchAttnHeadQByPos,
  attn_head_k_by_pos: patching.getActPatchAttnHeadKByPos,
  attn_head_v_by_pos: patching.getActPatchAttnHeadVByPos,
  attn_head_pattern_by_pos: patching.getActPatchAttnHeadPatternByPos,
  attn_head_out_all_pos: patching.getActPatchAttnHeadOutAllPos,
  attn_head_pattern_all_pos: patching.getActPatchAttnHeadPatternAllPos,
};

describe.each(goldenNames)("activation patching of %s is TransformerLens'", (name) => {
  let g: Golden;
  beforeAll(async () => {
    g = await golden(name);
  });
  test("at every site and place", async () => {
    const { model, clean, corrupted, metric } = setup(g);
    const [, cache] = await model.runWithCache(clean);
    const expected = g.under("patch.");
    expect(expected.size).toBeGreaterThan(8);
    for (const [site, values] of expected) {
      const found = await functions[site](model, corrupted, cache, metric);
      expectClose(found, values, 1e-4);
    }
  });
});

describe("a sweep", () => {
  let g: Golden;
  beforeAll(async () => {
    g = await golden("solu_ln_2l");
  });
  const loss: Metric = (_logits, graph) => graph.loss();

  test("compiles one session for the cells of all layers if they are few, one for the clean pass, and one for laying out weights", async () => {
    const { engine, model, clean, corrupted, metric } = setup(g);
    const [, cache] = await model.runWithCache(clean);
    const before = engine.sessionsCreated;
    await patching.getActPatchResidPre(model, corrupted, cache, metric);
    expect(engine.sessionsCreated - before).toBeLessThanOrEqual(3);
  });

  test.each(goldenNames)(
    "of several layers together gives what each gives alone, in whatever order: %s",
    async (name) => {
      const g = await golden(name);
      const { model } = setup(g);
      const order = Array.from({ length: model.cfg.nLayers }, (_, i) => model.cfg.nLayers - 1 - i);
      for (const [site, over, edit] of [
        ["resid_pre", ["layer", "pos"], mean],
        ["z", ["layer", "head"], scale(2)],
        ["pattern", ["layer", "query"], zero],
      ] as const) {
        const options = { site, over, edit, metric: (logits: Tensor) => logits.at({ pos: -1, d_vocab: 3 }).mean() };
        const all = await sweep(model, g.tokens, { ...options, layers: order });
        const each = await Promise.all(order.map((layer) => sweep(model, g.tokens, { ...options, layers: [layer] })));
        const alone = each.flatMap(({ values }) => [...values.data]);
        expectClose(
          { ...all.values.array!, data: all.values.data },
          { ...all.values.array!, data: Float32Array.from(alone.map(Number)) },
          1e-5,
        );
      }
    },
  );

  test("of layers that do not follow each other reads rows that attention and the stream give different names", async () => {
    const cfg = parseConfig({
      ...{ n_layers: 4, d_model: 16, n_ctx: 8, d_head: 8, n_heads: 2, d_vocab: 20, act_fn: "gelu" },
      ...{ normalization_type: "LN", seed: 1 },
    });
    const model = new HookedTransformer(cfg, initWeights(cfg));
    const options = { site: "resid_pre", over: ["layer", "d_model"], edit: scale(3), metric: loss };
    const layers = [2, 0, 3];
    const { values } = await sweep(model, [1, 2, 3], { ...options, layers });
    for (const [i, layer] of layers.entries()) {
      const alone = await sweep(model, [1, 2, 3], { ...options, layers: [layer] });
      const [found] = await model.compute([values.at({ layer: [i] })]);
      expectClose(found, alone.values, 1e-5);
    }
  });

  test("in chunks within a memory budget gives the same numbers", async () => {
    const { model } = setup(g);
    const options = { site: "post", over: ["layer", "d_mlp"], edit: zero, metric: loss } as const;
    const whole = await sweep(model, g.tokens, options);
    const seen: number[] = [];
    const small = await sweep(model, g.tokens, {
      ...options,
      memory: whole.plannedBytes / 5,
      onProgress: ({ done, total }) => seen.push(done / total),
    });
    expectClose(small.values, whole.values, 1e-6);
    expect(small.plannedBytes).toBeLessThanOrEqual(whole.plannedBytes / 5);
    expect(seen.length).toBeGreaterThan(4);
    expect(seen.at(-1)).toBe(1);
    expect(whole.values.axes).toEqual(["layer", "d_mlp"]);
  });

  test("equals a loop of hooked runs", async () => {
    const { model } = setup(g);
    const { values, baseline } = await sweep(model, g.tokens, {
      site: "z",
      over: ["head", "layer", "pos"],
      edit: mean,
      metric: loss,
    });
    expect(values.shape).toEqual([4, 2, 12]);
    expect(baseline).toBeCloseTo(g.info.scalars.loss, 4);
    const one = await model.runWithHooks(g.tokens, {
      returnType: "loss",
      fwdHooks: [["blocks.1.attn.hook_z", (x) => x.set({ head: 2, pos: 7 }, x.mean(["batch", "pos"], true))]],
    });
    expect(values.get(2, 1, 7)).toBeCloseTo(one.item(), 4);
  });

  test("reaches the points that TransformerLens hides behind flags", async () => {
    const { model } = setup(g);
    const result = await sweep(model, g.tokens, { site: "result", over: ["layer", "head"], edit: zero, metric: loss });
    const z = await sweep(model, g.tokens, { site: "z", over: ["layer", "head"], edit: zero, metric: loss });
    expectClose(result.values, z.values, 1e-5);
    const q = await sweep(model, g.tokens, { site: "hook_q_input", over: ["layer", "head"], edit: zero, metric: loss });
    expect(q.values.data).not.toEqual(z.values.data);
  });

  test("of changes that change nothing gives the baseline", async () => {
    const { model } = setup(g);
    const { values, baseline } = await sweep(model, g.tokens, {
      site: "mlp_out",
      over: ["layer"],
      edit: scale(1),
      metric: loss,
    });
    for (const value of values.data) expect(value).toBeCloseTo(baseline, 4);
  });

  test("of texts of different lengths leaves their padding out", async () => {
    const model = await HookedTransformer.fromPretrained("solu-1l-novels");
    const { values, baseline } = await sweep(model, ["The sun shines.", "He was so tired that he slept."], {
      site: "z",
      over: ["layer", "head"],
      edit: scale(1),
      metric: loss,
    });
    for (const value of values.data) expect(value).toBeCloseTo(baseline, 4);
  });

  test("with a metric that reads a layer below one of the sweep's is refused, whichever layers run together", async () => {
    const { model } = setup(g);
    const metric: Metric = (_logits, graph) => graph.at("blocks.0.mlp.hook_post").mean();
    for (const memory of [1, 1e9]) {
      const wrong = sweep(model, g.tokens, { site: "z", over: ["layer", "head"], edit: zero, metric, memory });
      await expect(wrong).rejects.toThrow(/is outside the layers that this pass runs/);
    }
    const own = await sweep(model, g.tokens, { site: "z", over: ["layer", "head"], edit: zero, metric, layers: [0] });
    expect(own.values.shape).toEqual([1, 4]);
  });

  test("of changes that change nothing has exactly the baseline, where layers run together", async () => {
    const { model } = setup(g);
    const options = {
      site: "resid_pre",
      edit: scale(1),
      metric: (logits: Tensor) => logits.at({ pos: -1, d_vocab: 3 }).mean(),
    };
    for (const over of [["layer"], ["layer", "pos"]]) {
      const { values, baseline } = await sweep(model, g.tokens, { ...options, over });
      for (const value of values.data) expect(value).toBe(baseline);
    }
  });

  test("over an axis that the site lacks is refused, with the axes it has", async () => {
    const { model } = setup(g);
    const wrong = sweep(model, g.tokens, { site: "mlp_out", over: ["layer", "head"], edit: zero, metric: loss });
    await expect(wrong).rejects.toThrow(/cannot be swept over head.*layer, pos, d_model/);
  });

  test("with a metric that is not one number is refused", async () => {
    const { model } = setup(g);
    const wrong = sweep(model, g.tokens, {
      site: "z",
      over: ["layer"],
      edit: zero,
      metric: (logits) => logits.at({ pos: -1 }),
    });
    await expect(wrong).rejects.toThrow(/must be one number.*batch 2, d_vocab 97/);
  });

  test("from a clean prompt of another length is refused", async () => {
    const { model, clean, metric } = setup(g);
    const [, cache] = await model.runWithCache(clean);
    const shorter = [1, 2, 3];
    const wrong = patching.getActPatchResidPre(model, shorter, cache, metric);
    await expect(wrong).rejects.toThrow(/same number of tokens/);
  });

  test("can be aborted between runs", async () => {
    const { model } = setup(g);
    const stop = new AbortController();
    const running = sweep(model, g.tokens, {
      site: "z",
      over: ["layer", "head"],
      edit: zero,
      metric: loss,
      memory: 1, // one cell in each run
      signal: stop.signal,
      onProgress: () => stop.abort(new Error("enough")),
    });
    await expect(running).rejects.toThrow("enough");
  });
});
