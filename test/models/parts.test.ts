/** Parts of models against their formulas, and against each other where one is a case of another. */
import { describe, expect, it } from "vitest";
import { interpret } from "../../src/engine/reference.ts";
import { Tensor } from "../../src/graph/tensor.ts";
import type { HookedTransformerConfig } from "../../src/models/config/config.ts";
import { ownWeights } from "../../src/models/families/own.ts";
import { publishedSlopes } from "../../src/models/families/slopes.ts";
import { forward } from "../../src/models/forward.ts";
import { alibi, alibiSlopes } from "../../src/models/parts/alibi.ts";
import { rotate } from "../../src/models/parts/rotary.ts";
import { processWeights } from "../../src/models/processing/process-weights.ts";
import { recordingOf } from "../../src/models/recording.ts";
import { Weights as Leaves } from "../../src/models/weights/weights.ts";
import { ndarray } from "../../src/tensor/array.ts";
import { expectClose } from "../close.ts";
import { randomWeights, smallConfig, uniform, type Weights } from "./stored.ts";

const tokens = Tensor.leaf(ndarray("int32", [1, 5], Int32Array.from([3, 1, 4, 1, 5])), ["batch", "pos"]);

function logitsOf(config: HookedTransformerConfig, weights: Weights): Tensor {
  return interpret([forward(config, new Leaves(config, weights), { tokens }).output])[0];
}

describe("rotary positions", () => {
  const numbers = (shape: number[], seed: number) => {
    const random = uniform(seed);
    return ndarray("float32", shape, Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, random));
  };
  const positions = Tensor.leaf(ndarray("int32", [1, 4], Int32Array.from([0, 1, 7, 2])), ["batch", "pos"]);
  const axes = ["batch", "pos", "head", "d_head"];

  it.each([
    ["halves", 8],
    ["halves", 6],
    ["neighbours", 8],
    ["neighbours", 4],
  ] as const)("turn each pair of %s by pos / base^(2i / dim), the first %i dimensions of 8", (pairs, dim) => {
    const x = Tensor.leaf(numbers([1, 4, 2, 8], 3), axes);
    const [turned] = interpret([
      rotate(x, positions, { dim, base: 100, pairs, stretch: null, long: null, magnitude: 1 }),
    ]);
    for (const [p, at] of [0, 1, 7, 2].entries()) {
      for (const head of [0, 1]) {
        const expected = Array.from({ length: 8 }, (_, d) => x.get(0, p, head, d));
        for (let i = 0; i < dim / 2; i++) {
          const [first, second] = pairs === "halves" ? [i, i + dim / 2] : [2 * i, 2 * i + 1];
          const [a, b] = [x.get(0, p, head, first), x.get(0, p, head, second)];
          const angle = at / 100 ** ((2 * i) / dim);
          expected[first] = a * Math.cos(angle) - b * Math.sin(angle);
          expected[second] = b * Math.cos(angle) + a * Math.sin(angle);
        }
        for (let d = 0; d < 8; d++) expect(turned.get(0, p, head, d)).toBeCloseTo(expected[d], 5);
      }
    }
  });

  it("make scores depend on how far apart query and key are, not on where", () => {
    const kind = { dim: 8, base: 10_000, pairs: "halves", stretch: null, long: null, magnitude: 1 } as const;
    const [q, k] = [numbers([1, 1, 1, 8], 1), numbers([1, 1, 1, 8], 2)].map((x) => Tensor.leaf(x, axes));
    const at = (p: number) => Tensor.leaf(ndarray("int32", [1, 1], Int32Array.of(p)), ["batch", "pos"]);
    const score = (from: number, to: number) =>
      rotate(q, at(from), kind)
        .mul(rotate(k, at(to), kind))
        .sum();
    const [near, far, other] = interpret([score(5, 2), score(43, 40), score(5, 3)]).map((x) => x.item());
    expect(far).toBeCloseTo(near, 5);
    expect(Math.abs(other - near)).toBeGreaterThan(1e-3);
  });
});

describe("ALiBi positions", () => {
  const int32 = (...numbers: number[]) =>
    Tensor.leaf(ndarray("int32", [1, numbers.length], Int32Array.from(numbers)), ["batch", "pos"]);

  it("lower a head's scores by its slope for each position back, and not ahead", () => {
    const places = { queries: () => int32(2, 3), keys: () => int32(0, 1, 2, 3), kept: () => undefined };
    const [bias] = interpret([alibi({ slopes: [0.5, 0.1] }, places, null)]);
    expect(bias.axes).toEqual(["batch", "head", "query", "key"]);
    expectClose(
      bias,
      ndarray(
        "float32",
        [1, 2, 2, 4],
        Float32Array.of(...[-1, -0.5, 0, 0, -1.5, -1, -0.5, 0], ...[-0.2, -0.1, 0, 0, -0.3, -0.2, -0.1, 0]),
      ),
      1e-6,
    );
  });

  it("have slopes of TransformerLens by default, and for other numbers of heads than powers of 2 those of published models", () => {
    expect(alibiSlopes(8)).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((i) => 2 ** -i));
    expect(publishedSlopes(8)).toEqual(alibiSlopes(8));
    // transformers' build_alibi_tensor for 6 heads.
    expect(publishedSlopes(6)).toEqual([0.25, 0.0625, 0.015625, 0.00390625, 0.5, 0.125]);
    const one = smallConfig({ positional_embedding_type: "alibi", n_heads: 2, alibi_slopes: [0.3, 0.7] });
    const other = smallConfig({ positional_embedding_type: "alibi", n_heads: 2 });
    const weights = randomWeights(one);
    expect(logitsOf(one, weights).data).not.toEqual(logitsOf(other, weights).data);
    expect(() => smallConfig({ positional_embedding_type: "alibi", n_heads: 2, alibi_slopes: [0.3] })).toThrow(
      /alibi_slopes must have 2 numbers or flags, one for each head, but has 1/,
    );
  });

  it("have no embedding: the one that TransformerLens saves with such models is left out, with a note", () => {
    const config = smallConfig({ positional_embedding_type: "alibi" });
    const weights = randomWeights(config);
    const saved = new Map([...weights, ["pos_embed.W_pos", ndarray("float32", [1], Float32Array.of(1))] as const]);
    const { weights: own, notes } = ownWeights(config, saved);
    expect([...own.keys()]).toEqual([...weights.keys()]);
    expect(notes.join()).toContain("pos_embed.W_pos, which nothing reads, is left out");
  });
});

describe("kinds of models", () => {
  it("with shared keys and values equal those whose heads have the same ones", () => {
    const shared = smallConfig({ n_heads: 4, n_key_value_heads: 2 });
    const weights = randomWeights(shared);
    const apart = smallConfig({ n_heads: 4 });
    const copies: Weights = new Map();
    for (const name of recordingOf(apart).weights.keys()) {
      const grouped = weights.get(name.replace(/\.([Wb]_[KV])$/, "._$1"));
      if (!grouped || weights.has(name)) {
        copies.set(name, weights.get(name)!);
        continue;
      }
      const size = grouped.data.length / 2;
      const part = (group: number) => grouped.data.subarray(group * size, (group + 1) * size);
      const data = Float32Array.from([0, 0, 1, 1].flatMap((group) => [...part(group)]));
      copies.set(name, ndarray("float32", [4, ...grouped.shape.slice(1)], data));
    }
    expectClose(logitsOf(shared, weights), logitsOf(apart, copies), 1e-6);
  });

  it("with a window as long as the text equal those without a window", () => {
    const local = (window: number) =>
      smallConfig({ use_local_attn: true, window_size: window, attn_types: ["global", "local"] });
    const weights = randomWeights(smallConfig());
    expectClose(logitsOf(local(5), weights), logitsOf(smallConfig(), weights), 1e-12);
    const near = logitsOf(local(2), weights);
    expectClose(near.row(0).row(1), logitsOf(smallConfig(), weights).row(0).row(1), 1e-12);
    expect(Math.abs(near.get(0, 4, 0) - logitsOf(smallConfig(), weights).get(0, 4, 0))).toBeGreaterThan(1e-4);
  });

  it("with gates that are open everywhere equal plain ones without a nonlinearity", () => {
    // relu of a large constant is that constant: the norm's bias alone reaches the gate.
    const gated = smallConfig({ gated_mlp: true, act_fn: "relu", n_layers: 1 });
    const weights = randomWeights(gated);
    const d_model = gated.dModel;
    weights.get("blocks.0.ln2.w")!.data.fill(0);
    weights.get("blocks.0.ln2.b")!.data.fill(1);
    weights.get("blocks.0.mlp.W_gate")!.data.fill(1 / d_model);
    const { data: W_in } = weights.get("blocks.0.mlp.W_in")!;
    const { data: b_in } = weights.get("blocks.0.mlp.b_in")!;
    const leaves = new Leaves(gated, weights);
    const [post] = interpret([forward(gated, leaves, { tokens }).points.get("blocks.0.mlp.hook_post")!]);
    const d_mlp = gated.dMlp!;
    for (let n = 0; n < d_mlp; n++) {
      let sum = b_in[n];
      for (let m = 0; m < d_model; m++) sum += W_in[m * d_mlp + n];
      expect(post.get(0, 2, n)).toBeCloseTo(sum, 4);
    }
  });

  it("with parallel blocks add what attention and MLP compute from the same stream", () => {
    const parallel = smallConfig({ parallel_attn_mlp: true });
    const { points } = forward(parallel, new Leaves(parallel, randomWeights(parallel)), { tokens });
    expect(points.has("blocks.0.hook_resid_mid")).toBe(false);
    const [pre, attn, mlp, post] = interpret(
      ["hook_resid_pre", "hook_attn_out", "hook_mlp_out", "hook_resid_post"].map((at) => points.get(`blocks.1.${at}`)!),
    );
    const sum = pre.data.map((x: number, i: number) => x + attn.data[i] + mlp.data[i]);
    expectClose(post, { shape: post.shape, data: sum }, 1e-12);
  });

  it("with norms after the additions norm what each addition makes, and read it unnormed", async () => {
    const config = smallConfig({ norm_placement: "after" });
    const weights = randomWeights(config);
    const { points, output } = forward(config, new Leaves(config, weights), { tokens });
    expect([...points.keys()].filter((name) => name.startsWith("ln_final"))).toEqual([]);
    const at = (name: string) => interpret([points.get(name)!])[0];
    const normed = (name: string, ln: string) => {
      const [x, w, b] = [at(name), weights.get(`blocks.0.${ln}.w`)!.data, weights.get(`blocks.0.${ln}.b`)!.data];
      const data = Array.from({ length: x.shape[1] }, (_, p) => {
        const row = Array.from({ length: 12 }, (_, m) => x.get(0, p, m));
        const mean = row.reduce((a, y) => a + y) / 12;
        const variance = row.reduce((a, y) => a + (y - mean) ** 2, 0) / 12;
        return row.map((y, m) => ((y - mean) / Math.sqrt(variance + config.eps)) * w[m] + b[m]);
      });
      return { shape: x.shape, data: data.flat() };
    };
    const mid = normed("blocks.0.hook_resid_mid", "ln1");
    const { data: mlp } = at("blocks.0.hook_mlp_out");
    const sum = { ...mid, data: mid.data.map((x, i) => x + mlp[i]) };
    expectClose(at("blocks.0.hook_resid_post"), sum, 1e-5);
    const post = normed("blocks.0.hook_resid_post", "ln2");
    expectClose(at("blocks.0.hook_normalized_resid_post"), post, 1e-5);
    expectClose(at("blocks.1.hook_resid_pre"), post, 1e-5);
    const leaf = (name: string, axes: string[]) => Tensor.leaf(weights.get(name)!, axes);
    const unembedded = points.get("blocks.1.hook_normalized_resid_post")!.matmul(leaf("unembed.W_U", ["", "d_vocab"]));
    const [logits, expected] = interpret([output, unembedded.add(leaf("unembed.b_U", ["d_vocab"]))]);
    expectClose(logits, expected, 1e-12);
  });

  it("with norms after the additions process into ones that say the same up to a constant, unfolded", () => {
    const config = smallConfig({ norm_placement: "after" });
    const weights = randomWeights(config);
    const processed = processWeights(config, weights);
    expect(processed.notes).toEqual(expect.arrayContaining([expect.stringMatching(/^fold_ln is left out/)]));
    const [a, b] = [logitsOf(config, weights), logitsOf(processed.config, processed.weights)];
    expectClose(interpret([b.logSoftmax()])[0], interpret([a.logSoftmax()])[0], 1e-5);
  });
});
