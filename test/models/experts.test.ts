/** Mixtures of experts: what their fields may say, and what can be done with each expert. */
import { beforeAll, describe, expect, test } from "vitest";
import { interpret } from "../../src/engine/reference.ts";
import { grad } from "../../src/graph/rewrite/grad.ts";
import { Tensor } from "../../src/graph/tensor.ts";
import { parseConfig } from "../../src/models/config/parse.ts";
import { processWeights } from "../../src/models/processing/process-weights.ts";
import { initWeights } from "../../src/models/weights/init.ts";
import { HookedTransformer } from "../../src/node.ts";
import { ConfigError } from "../../src/tensor/errors.ts";
import { normal } from "../../src/tensor/random.ts";
import { expectClose } from "../close.ts";
import { golden, goldenModel } from "../goldens.ts";
import { tensors, under } from "./stored.ts";

const SMALL = {
  ...{ n_layers: 2, d_model: 12, n_ctx: 16, d_head: 6, n_heads: 2, d_mlp: 10, d_vocab: 17 },
  ...{ act_fn: "silu", gated_mlp: true, num_experts: 4, experts_per_token: 2, seed: 1 },
};

/** A model with random weights, those of norms and biases too. */
function modelOf(config: object): HookedTransformer {
  const cfg = parseConfig({ ...SMALL, ...config });
  const next = normal(3);
  const drawn = [...initWeights(cfg)].map(([name, array]) => {
    const about = /\.w$/.test(name) ? 1 : 0;
    const isMatrix = /W_/.test(name);
    const data = isMatrix ? array.data.map((x) => 3 * x) : array.data.map(() => about + 0.3 * next());
    return [name, { ...array, data }] as const;
  });
  return new HookedTransformer(cfg, new Map(drawn));
}

const tokens = Tensor.leaf(
  { dtype: "int32", shape: [2, 7], data: Int32Array.of(3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7) },
  ["batch", "pos"],
);

describe("fields that contradict each other are refused:", () => {
  test.each([
    ["experts without a number for each position", { experts_per_token: null }, /experts_per_token is null/],
    ["a number for each position without experts", { num_experts: null }, /num_experts is null/],
    ["more for each position than there are", { experts_per_token: 5 }, /only 4 experts/],
    ["none for each position", { experts_per_token: 0 }, /experts_per_token is 0, but it must be/],
    ["experts without gates", { gated_mlp: false }, /set gated_mlp/],
    ["experts with a norm of their neurons", { act_fn: "solu_ln" }, /use "solu"/],
    ["experts without an activation", { act_fn: null }, /act_fn is null/],
    ["experts in a model without MLPs", { attn_only: true }, /attn_only/],
    ["types of other layers than there are", { mlp_types: ["dense"] }, /each of the 2 layers, but has 1/],
    ["a type that no layer has", { mlp_types: ["dense", "sparse"] }, /mlp_types is .*"sparse".* must be a list/],
    [
      "a shared expert without experts",
      { num_experts: null, experts_per_token: null, shared_expert_d_mlp: 8 },
      /shared_expert_d_mlp is set/,
    ],
  ])("%s", (_, change, words) => {
    const read = () => parseConfig({ ...SMALL, ...change });
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(words);
  });
});

test("the weights that TransformerLens saves are read under its names, Linears and all", async () => {
  const g = await golden("mixtral_2l");
  const stored = under("weights.", await tensors("test/goldens/mixtral_2l.safetensors"));
  expect(stored.has("blocks.0.mlp.experts.3.W_in.weight")).toBe(true);
  const model = new HookedTransformer(parseConfig(g.info.config), stored);
  expectClose(await model.forward(g.tokens), g.get("logits"), 1e-4);
  expect(model.weights.get("blocks.0.mlp.experts.3.W_in").shape).toEqual([32, 80]);
  expect(model.weights.get("blocks.0.mlp.W_gate").shape).toEqual([32, 4]);
});

test("a configuration says how many weights it has, as TransformerLens counts them", () => {
  const { nParams } = parseConfig(SMALL);
  expect(nParams).toBe(2 * (4 * 12 * 6 * 2 + 4 * (3 * 12 * 10 + 12)));
  const mixed = parseConfig({ ...SMALL, mlp_types: ["dense", "experts"], expert_d_mlp: 5, shared_expert_d_mlp: 7 });
  expect(mixed.nParams).toBe(2 * (4 * 12 * 6 * 2) + 3 * 12 * 10 + 4 * (3 * 12 * 5 + 12) + 3 * 12 * 7 + 12);
});

/** Every variation, one at least in each. */
const KINDS = {
  plain: { normalization_type: "RMS" },
  "not normalised, with a shared expert and a dense layer": {
    ...{ normalization_type: "RMS", norm_topk_prob: false, mlp_types: ["dense", "experts"] },
    ...{ expert_d_mlp: 5, shared_expert_d_mlp: 7 },
  },
  "with biases and limits, weighed after the choice, behind LayerNorms": {
    ...{ normalization_type: "LN", softmax_after_topk: true, expert_biases: true, expert_limit: 1.5 },
    act_fn: "quick_gelu",
  },
};

describe.each(Object.entries(KINDS))("%s", (_name, config) => {
  let model: HookedTransformer;
  beforeAll(() => {
    model = modelOf(config);
  });

  test("what is written is the sum over experts of what each would write, by its weight", async () => {
    const { cfg, weights } = model;
    const [at] = ["blocks.1.mlp"];
    const [, cache] = await model.runWithCache(tokens);
    const get = (name: string) => cache.get(`${at}.${name}`);
    const indices = get("hook_expert_indices");
    const all = get("hook_expert_weights");
    const weight = (name: string) => weights.get(`${at}.${name}`);
    const normed = cache.get("blocks.1.ln2.hook_normalized");
    const x = config.normalization_type === "RMS" ? normed.mul(weights.get("blocks.1.ln2.w")) : normed;
    const act = (g: Tensor) => (cfg.actFn === "silu" ? g.mul(g.sigmoid()) : g.mul(g.mul(1.702).sigmoid()));
    let out: Tensor = x.mul(0);
    for (let i = 0; i < 4; i++) {
      const biased = (y: Tensor, name: string) => (cfg.expertBiases ? y.add(weight(`experts.${i}.b_${name}`)) : y);
      let gate = biased(x.matmul(weight(`experts.${i}.W_gate`)), "gate");
      let pre = biased(x.matmul(weight(`experts.${i}.W_in`)), "in");
      if (cfg.expertLimit !== null) {
        gate = gate.minimum(cfg.expertLimit);
        pre = pre.minimum(cfg.expertLimit).maximum(-cfg.expertLimit).add(1);
      }
      const wrote = biased(
        act(gate)
          .mul(pre)
          .matmul(weight(`experts.${i}.W_out`)),
        "out",
      );
      const has = indices.equal(Tensor.leaf({ dtype: "int32", shape: [], data: Int32Array.of(i) }));
      const chosen = has.cast("float32").sum(-1);
      const share = all.at({ expert: i }).mul(chosen);
      const sum = cfg.normTopkProb ? all.topK(2).values.sum(-1) : share.mul(0).add(1);
      out = out.add(wrote.mul(share.div(sum).unsqueeze(-1)));
    }
    if (cfg.sharedExpertDMlp !== null) {
      const gate = x.matmul(weight("shared_expert.W_gate"));
      const post = gate.mul(gate.sigmoid()).mul(x.matmul(weight("shared_expert.W_in")));
      out = out.add(
        x
          .matmul(weight("W_shared"))
          .sigmoid()
          .mul(post.matmul(weight("shared_expert.W_out"))),
      );
    }
    expectClose(cache.get("blocks.1.hook_mlp_out"), await out.compute(), 1e-4);
  });

  test("a hook on one expert changes the positions that have it, and no other", async () => {
    const [logits, cache] = await model.runWithCache(tokens);
    const indices = cache.get("blocks.1.mlp.hook_expert_indices");
    for (const point of ["hook_gate", "hook_pre", "hook_post"]) {
      for (let expert = 0; expert < 4; expert++) {
        const name = `blocks.1.mlp.experts.${expert}.${point}`;
        const same = await model.runWithHooks(tokens, { fwdHooks: [[name, (x) => x.mul(1)]] });
        expectClose(same, logits, 1e-5);
        const changed = await model.runWithHooks(tokens, { fwdHooks: [[name, (x) => x.mul(0.9).sub(0.05)]] });
        for (let row = 0; row < 14; row++) {
          const has = indices.data.subarray(2 * row, 2 * row + 2).includes(expert);
          const [a, b] = [logits, changed].map((t) => Array.from(t.data.subarray(17 * row, 17 * row + 17)));
          const far = Math.max(...a.map((v, i) => Math.abs(v - b[i])));
          expect(far > 1e-4, `${name}, row ${row}`).toBe(has);
        }
      }
    }
  });

  test("an expert that another choice brings in is computed, even if it is chosen twice", async () => {
    const name = "blocks.1.mlp.hook_expert_indices";
    const first = await model.runWithHooks(tokens, { fwdHooks: [[name, (x) => x.sub(x)]] });
    const zeroed = await model.runWithHooks(tokens, {
      fwdHooks: [
        [name, (x) => x.sub(x)],
        ["blocks.1.mlp.experts.0.hook_post", (x) => x.mul(1)],
      ],
    });
    expectClose(zeroed, first, 1e-5);
    expect(first.data).not.toEqual((await model.forward(tokens)).data);
  });

  test("processing changes logits by a constant only", async () => {
    const { config: cfg, weights } = processWeights(
      model.cfg,
      new Map([...model.weights.entries()].map(([n, w]) => [n, w.array as never])),
    );
    const processed = new HookedTransformer(cfg, weights);
    expect(cfg.normalizationType).toMatch(/Pre$/);
    const [a, b] = [await model.forward(tokens), await processed.forward(tokens)];
    expectClose(await b.logSoftmax().compute(), await a.logSoftmax().compute(), 1e-4);
    if (cfg.normalizationType !== "LNPre") return;
    const { data, shape } = await processed.weights.get("blocks.1.mlp.experts.2.W_out").mean(-1).compute();
    expect(shape).toEqual([10]);
    for (const mean of data) expect(Math.abs(mean)).toBeLessThan(1e-6);
  });

  test("gradients are those of the definition, and of finite differences", async () => {
    const names = [...model.weights.entries()].map(([name]) => name);
    const loss = model.graph(tokens).loss();
    const wrt = names.map((name) => model.weights.get(name));
    const found = await model.compute(grad(loss, wrt, { unused: "zero" }));
    const expected = interpret(grad(loss, wrt, { unused: "zero" }));
    for (const [i, name] of names.entries()) {
      const largest = Math.max(...expected[i].data.map(Math.abs));
      if (largest > 1e-5) expectClose(found[i], expected[i], 1e-3);
      expect(Number.isFinite(largest), name).toBe(true);
    }
    const name = "blocks.1.mlp.experts.1.W_in";
    const gradient = expected[names.indexOf(name)];
    const largest = Array.from(gradient.data).reduce(
      (best, x, i, all) => (Math.abs(x) > Math.abs(all[best]) ? i : best),
      0,
    );
    const at = (step: number) => {
      const moved = new Map([...model.weights.entries()].map(([n, w]) => [n, w.array!]));
      const data = Float32Array.from(moved.get(name)!.data);
      data[largest] += step;
      moved.set(name, { ...moved.get(name)!, data } as never);
      return interpret([new HookedTransformer(model.cfg, moved).graph(tokens).loss()])[0].item();
    };
    const slope = (at(1e-3) - at(-1e-3)) / 2e-3;
    expect(Math.abs(slope / gradient.data[largest] - 1)).toBeLessThan(1e-2);
  });

  test("a sweep over positions of one expert is one run, and equal to a run for each", async () => {
    const name = "blocks.1.mlp.experts.2.hook_post";
    const eye = Tensor.leaf({
      dtype: "bool",
      shape: [7, 1, 7, 1],
      data: Uint8Array.from({ length: 49 }, (_, i) => +(i % 8 === 0)),
    });
    const swept = await model.runWithHooks(tokens, { fwdHooks: [[name, (x) => x.constant(0).where(eye, x)]] });
    expect(swept.shape).toEqual([7, 2, 7, 17]);
    for (const pos of [0, 3, 6]) {
      const alone = await model.runWithHooks(tokens, { fwdHooks: [[name, (x) => x.set({ pos }, 0)]] });
      expectClose(swept.row(pos), alone, 1e-5);
    }
  });
});

test("a softmax over the chosen is the softmax over all, divided by the sum of the chosen", async () => {
  const before = modelOf({ normalization_type: "RMS" });
  const after = modelOf({ normalization_type: "RMS", softmax_after_topk: true });
  expectClose(await after.forward(tokens), await before.forward(tokens), 1e-5);
});

test("a run that is not captured makes no points of experts; one with a filter makes those that are asked for", async () => {
  const model = modelOf({ normalization_type: "RMS" });
  const plain = await model.explain(tokens);
  const captured = await model.explain(tokens, { namesFilter: "blocks.1.mlp.experts.3.hook_post" });
  expect(String(plain).includes("experts.3.hook_post")).toBe(false);
  expect(String(captured).includes("experts.3.hook_post")).toBe(true);
  expect(String(captured).includes("experts.2.hook_post")).toBe(false);
});

test("gradients at all points leave out the indices, whose gradient is refused by name", async () => {
  const g = await golden("mixtral_2l");
  const model = goldenModel(g);
  const [, cache] = await model.runWithCache(g.tokens, { inclBwd: true });
  expect(cache.keys()).toContain("blocks.0.mlp.hook_expert_indices");
  expect(cache.keys()).not.toContain("blocks.0.mlp.hook_expert_indices_grad");
  const asked = model.runWithCache(g.tokens, { inclBwd: true, namesFilter: "blocks.0.mlp.hook_expert_indices" });
  await expect(asked).rejects.toThrow(/is int32/);
});
