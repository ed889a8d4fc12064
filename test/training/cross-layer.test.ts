/** Transcoders across layers: what they are trained on, that they learn, resume to the same bytes, and are saved as circuit-tracer saves them. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import {
  HookedTransformer,
  initWeights,
  measureAttributionGraph,
  parseConfig,
  type TrainCrossLayerOptions,
  TranscoderSet,
  trainCrossLayerTranscoder,
  trainDictionary,
} from "../../src/node.ts";
import { ndarray } from "../../src/tensor/array.ts";

const folder = mkdtempSync(join(tmpdir(), "glassformer-clt-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function modelOf(nLayers: number): HookedTransformer {
  const cfg = parseConfig({
    ...{ n_layers: nLayers, d_model: 16, n_heads: 2, d_head: 8, n_ctx: 32, d_vocab: 50, act_fn: "gelu", seed: 3 },
    ...{ init_weights: true, initializer_range: 0.2 },
  });
  return new HookedTransformer(cfg, initWeights(cfg));
}
const model = modelOf(3);
const [ROWS, POS] = [16, 16];
const rows = ndarray(
  "int32",
  [ROWS, POS],
  Int32Array.from({ length: ROWS * POS }, (_, i) => (i * i * 7 + (i >> 3)) % 50),
);
const AT = "ln2.hook_normalized";

const small = (more: Partial<TrainCrossLayerOptions> = {}): TrainCrossLayerOptions => ({
  ...{ data: rows, at: AT, dSae: 48, steps: 60, batchSize: 128, mixedBatches: 2, lr: 3e-3 },
  ...more,
});
const KINDS = [
  { kind: "standard", l1Coefficient: 0.02 },
  { kind: "jumprelu", l0Coefficient: 0.002, preActLossCoefficient: 1e-3, deadFeatureWindow: 3 },
  { kind: "jumprelu", l0Coefficient: 0.002, jumpreluSparsityLossMode: "tanh" },
] as const;

const bytesOf = (path: string) =>
  new Map(readdirSync(path).map((name) => [name, readFileSync(join(path, name)).toString("base64")]));

/** All that the model's MLPs read and make on the rows, [token d_model] a layer. */
async function readAndMade() {
  const [, cache] = await model.runWithCache(
    Array.from({ length: ROWS }, (_, row) => [...rows.data.slice(row * POS, (row + 1) * POS)]),
  );
  const flat = (hook: string, layer: number) => cache.get(`blocks.${layer}.${hook}`).mergeAxes(0, 2);
  return Promise.all(
    [0, 1, 2].map(async (layer) => ({ x: flat(AT, layer), y: await flat("hook_mlp_out", layer).compute() })),
  );
}

/** What a set makes of what the MLPs read, by plain loops over its features: [layer][token d_model]; and the features. */
async function madeBy(set: TranscoderSet, values: Awaited<ReturnType<typeof readAndMade>>) {
  const [tokens] = values[0].x.shape;
  const made = values.map(() => new Float64Array(tokens * set.dModel));
  const features: Float32Array[] = [];
  for (let layer = 0; layer < set.nLayers; layer++) {
    const source = await set.layer(layer);
    const { data } = await source.encode(values[layer].x).acts.compute();
    // Of thresholds a product may be -0.
    features.push((data as Float32Array).map((v) => v + 0));
    const targets = await source.decoderRows(Array.from({ length: set.dSae }, (_, f) => f));
    for (const { layer: to, rows: written } of targets) {
      for (let token = 0; token < tokens; token++) {
        for (let f = 0; f < set.dSae; f++) {
          const value = data[token * set.dSae + f];
          if (value === 0) continue;
          for (let d = 0; d < set.dModel; d++) {
            made[to][token * set.dModel + d] += value * written.data[f * set.dModel + d];
          }
        }
      }
    }
  }
  for (const [layer, out] of made.entries()) {
    const { bDec } = await set.layer(layer);
    for (let i = 0; i < out.length; i++) out[i] += bDec.data[i % set.dModel];
  }
  return { made, features };
}

/** The mean over tokens of the squared error of a layer. */
const errorOf = (made: Float64Array, y: ArrayLike<number>) =>
  made.reduce((sum, v, i) => sum + (v - y[i]) ** 2, 0) / (ROWS * POS);

describe.each(KINDS)("transcoders across layers, $kind", (own) => {
  test("have the error, and the features per token, that plain loops over their features give", async () => {
    // A rate of 0 leaves the weights as they are, and the batch is all tokens, in another order.
    const { set, history } = await trainCrossLayerTranscoder(
      model,
      small({ ...own, lr: 0, steps: 1, batchSize: ROWS * POS, mixedBatches: 1 }),
    );
    const values = await readAndMade();
    const { made, features } = await madeBy(set, values);
    const errors = made.map((out, layer) => errorOf(out, values[layer].y.data));
    expect(history[0].mse_loss / errors.reduce((a, b) => a + b)).toBeCloseTo(1, 4);
    for (const [layer, { y }] of values.entries()) {
      const { data } = y;
      const means = Float64Array.from({ length: 16 }, (_, d) => {
        let sum = 0;
        for (let token = 0; token < ROWS * POS; token++) sum += data[token * 16 + d];
        return sum / (ROWS * POS);
      });
      const variance = [...data].reduce((sum, v, i) => sum + (v - means[i % 16]) ** 2, 0) / (ROWS * POS);
      expect(history[0][`explained_variance_${layer}`]).toBeCloseTo(1 - errors[layer] / variance, 3);
    }
    const fired = features.reduce((sum, data) => sum + data.filter((v) => v > 0).length, 0);
    // A pre-activation at its threshold may round to either side.
    expect(Math.abs(history[0].l0 - fired / (ROWS * POS))).toBeLessThan(0.02);
    if (own.kind === "standard") {
      const costs = await Promise.all(features.map((data, layer) => costOf(set, data, layer)));
      expect(history[0].l1_loss / (0.02 * costs.reduce((a, b) => a + b))).toBeCloseTo(1, 4);
    }
  });

  test("learn, each layer with the features of those before it", async () => {
    const { set, history } = await trainCrossLayerTranscoder(model, small(own));
    expect(history.at(-1)!.mse_loss).toBeLessThan(0.5 * history[0].mse_loss);
    for (const layer of [0, 1, 2]) {
      const name = `explained_variance_${layer}`;
      expect(history.at(-1)![name]).toBeGreaterThan(history[0][name]);
    }
    const values = await readAndMade();
    const { made } = await madeBy(set, values);
    const error = made.reduce((sum, out, layer) => sum + errorOf(out, values[layer].y.data), 0);
    expect(error).toBeLessThan(2 * history.at(-1)!.mse_loss);
    expect([set.kind, set.nLayers, set.inputHook(1)]).toEqual(["cross-layer", 3, `blocks.1.${AT}`]);
  });

  test("in a model of one layer are a transcoder", async () => {
    const one = modelOf(1);
    const { history } = await trainCrossLayerTranscoder(one, small({ ...own, steps: 20 }));
    const alone = await trainDictionary(one, {
      ...small({ ...own, steps: 20 }),
      ...{ at: `blocks.0.${AT}`, makes: "blocks.0.hook_mlp_out" },
    });
    for (const [i, measures] of alone.history.entries()) {
      for (const [name, value] of Object.entries(measures)) {
        expect(Math.abs(history[i][name] - value)).toBeLessThanOrEqual(1e-4 * Math.max(1, Math.abs(value)));
      }
    }
  });
});

/** `Σ f ‖W_dec row‖` of a layer, the mean over tokens, with norms over all targets. */
async function costOf(set: TranscoderSet, data: Float32Array, layer: number): Promise<number> {
  const targets = await (await set.layer(layer)).decoderRows(Array.from({ length: set.dSae }, (_, f) => f));
  const norms = Array.from({ length: set.dSae }, (_, f) =>
    Math.hypot(...targets.flatMap(({ rows: r }) => [...r.data.slice(f * set.dModel, (f + 1) * set.dModel)])),
  );
  return data.reduce((sum, v, i) => sum + v * norms[i % set.dSae], 0) / (ROWS * POS);
}

describe("a run across layers", () => {
  test("that is resumed ends with the same bytes, in files that circuit-tracer reads", async () => {
    const [whole, parts] = ["whole", "parts"].map((name) => join(folder, name));
    const options = small({ ...KINDS[1], steps: 10, normalizeActivations: "expected_average_only_in" });
    const { set } = await trainCrossLayerTranscoder(model, { ...options, saveDir: whole });
    const stop = new AbortController();
    const stopped = trainCrossLayerTranscoder(
      model,
      { ...options, saveDir: parts },
      { signal: stop.signal, onProgress: ({ step }) => step === 6 && stop.abort(new Error("enough")) },
    );
    await expect(stopped).rejects.toThrow("enough");
    const { checkpoint } = await trainCrossLayerTranscoder(model, { ...options, saveDir: parts, resume: parts });
    expect(bytesOf(checkpoint!)).toEqual(bytesOf(join(whole, "step-0000010")));
    expect([...bytesOf(checkpoint!).keys()].filter((name) => /_1\.|yaml/.test(name))).toEqual([
      "W_dec_1.safetensors",
      "W_enc_1.safetensors",
      "config.yaml",
    ]);
    const opened = await TranscoderSet.fromPretrained(checkpoint!);
    expect([opened.kind, opened.outputHook(2)]).toEqual(["cross-layer", "blocks.2.hook_mlp_out"]);
    const values = await readAndMade();
    const [read, kept] = [await madeBy(opened, values), await madeBy(set, values)];
    expect(read.features).toEqual(kept.features);
    expect(read.made).toEqual(kept.made);
  });

  test("on scaled inputs ends with encoders of the inputs as they are", async () => {
    const still = small({ lr: 0, steps: 1, mixedBatches: 2, l1Coefficient: 0 });
    const plain = await trainCrossLayerTranscoder(model, { ...still, at: "hook_resid_mid" });
    const scaled = await trainCrossLayerTranscoder(model, {
      ...{ ...still, at: "hook_resid_mid", normalizeActivations: "expected_average_only_in" },
    });
    const tokens = [...rows.data.slice(0, POS)];
    const [, cache] = await model.runWithCache(tokens);
    for (const layer of [0, 1, 2]) {
      const x = cache.get(`blocks.${layer}.hook_resid_mid`);
      const [a, b] = await Promise.all(
        [plain, scaled].map(async ({ set }) => (await set.layer(layer)).encode(x).pre.compute()),
      );
      const norms = Array.from({ length: POS }, (_, pos) => Math.hypot(...x.data.slice(pos * 16, (pos + 1) * 16)));
      // The factor is of 256 tokens, and these are 16 of them: near, not the same.
      const expected = 4 / (norms.reduce((s, v) => s + v) / POS);
      const factor = b.data[0] / a.data[0];
      expect(factor / expected).toBeCloseTo(1, 0);
      for (const [i, v] of a.data.entries()) expect(b.data[i]).toBeCloseTo(v * factor, 4);
    }
  });

  test("gives what an attribution graph traces: rows sum to their targets", async () => {
    const { set } = await trainCrossLayerTranscoder(model, small({ ...KINDS[0], steps: 100 }));
    const { graph } = await measureAttributionGraph(model, {
      prompt: [...rows.data.slice(0, 8)],
      transcoders: set,
    });
    expect(graph.nodes.filter(({ kind }) => kind === "feature").length).toBeGreaterThan(20);
    expect(graph.residual).toBeLessThan(1e-4);
  });

  test("refuses what cannot go across layers in a sentence", async () => {
    const refused = (more: object) => expect(trainCrossLayerTranscoder(model, small(more as never))).rejects;
    await refused({ kind: "topk", k: 4 }).toThrow('cannot be of kind "topk": "standard" and "jumprelu" can');
    await refused({ at: "blocks.0.hook_resid_mid" }).toThrow('say "hook_resid_mid", not "blocks.0.hook_resid_mid"');
    await refused({ at: "mlp.hook_post" }).toThrow(/as wide as the model, 16, but blocks\.0\.mlp\.hook_post has 64/);
    await refused({ at: "hook_resid_mit" }).toThrow(/hook_resid_mid/);
    await refused({ at: "attn.hook_pattern" }).toThrow(/numbers for each token/);
    await refused({ skip: true }).toThrow(/skip/);
  });
});
