import fc from "fast-check";
import { beforeAll, describe, expect, it, test } from "vitest";
import type { HookedTransformerConfig } from "../../src/models/config/config.ts";
import { parseConfig } from "../../src/models/config/parse.ts";
import { ownWeights } from "../../src/models/families/own.ts";
import { foldNorm } from "../../src/models/processing/fold-norm.ts";
// The entry brings what is rarely asked for.
import "../../src/index.ts";
import { NO_PROCESSING, type ProcessingFlags, processWeights } from "../../src/models/processing/process-weights.ts";
import { checkWeights } from "../../src/models/weights/check.ts";
import type { NDArray } from "../../src/tensor/array.ts";
import { ConfigError, WeightsError } from "../../src/tensor/errors.ts";
import { svdOfProduct } from "../../src/tensor/thin-svd.ts";
import { expectClose, relativeError } from "../close.ts";
import { json, randomWeights, smallConfig, tensors, under, uniform, type Weights } from "./stored.ts";

interface Golden {
  config: Record<string, unknown>;
  processing?: Record<string, boolean>;
}
const goldens = (json("test/goldens/index.json") as { configs: Record<string, Golden> }).configs;
const ALL = Object.keys(goldens);

function flagsOf(golden: Golden): Partial<ProcessingFlags> {
  if (!golden.processing) return {};
  return {
    foldLn: golden.processing.fold_ln,
    centerWritingWeights: golden.processing.center_writing_weights,
    centerUnembed: golden.processing.center_unembed,
    foldValueBiases: golden.processing.fold_value_biases,
  };
}

/** `[rows, inner] [inner, cols]`, in float64. */
function product(a: ArrayLike<number>, b: ArrayLike<number>, rows: number, inner: number, cols: number): Float64Array {
  const out = new Float64Array(rows * cols);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < inner; k++) {
      for (let j = 0; j < cols; j++) out[i * cols + j] += a[i * inner + k] * b[k * cols + j];
    }
  }
  return out;
}

/** A vector over its root mean square, less its mean first if asked. */
function normalized(x: Float64Array, subtractMean: boolean, eps = 1e-5): Float64Array {
  const mean = subtractMean ? x.reduce((s, v) => s + v, 0) / x.length : 0;
  const square = x.reduce((s, v) => s + (v - mean) ** 2, 0) / x.length;
  return x.map((v) => (v - mean) / Math.sqrt(square + eps));
}

const vector = (data: ArrayLike<number>) => ({ shape: [data.length], data });

describe("processWeights", () => {
  for (const name of ALL) {
    describe(`on the golden ${name}`, () => {
      let raw: Weights;
      let expected: Weights;
      let config: HookedTransformerConfig;
      beforeAll(async () => {
        const all = await tensors(`test/goldens/${name}.safetensors`);
        config = parseConfig(goldens[name].config);
        raw = new Map(ownWeights(config, under("weights.", all)).weights);
        expected = under("processed.weights.", all);
        // Nothing reads it in ALiBi models.
        if (config.positionalEmbeddingType === "alibi") expected.delete("pos_embed.W_pos");
      });

      const withProcessed = goldens[name].processing ? it : null;
      withProcessed?.("gives TransformerLens' processed weights", () => {
        const processed = processWeights(config, raw, flagsOf(goldens[name]));
        expect([...processed.weights.keys()].sort()).toEqual([...expected.keys()].sort());
        for (const [weight, array] of expected) {
          // Under a soft cap a constant changes probabilities, so we do not centre these, and TransformerLens does.
          if (config.outputLogitsSoftCap > 0 && weight.startsWith("unembed.")) continue;
          const found = processed.weights.get(weight)!;
          expect(found.shape, weight).toEqual(array.shape);
          const largest = Math.max(...array.data.map(Math.abs));
          if (largest > 1e-5) expect(relativeError(found, array), weight).toBeLessThan(1e-5);
          else expect(Math.max(...found.data.map(Math.abs)), weight).toBeLessThan(1e-5);
        }
        checkWeights(processed.config, processed.weights);
      });

      it("does not change its input weights", () => {
        const before = new Map([...raw].map(([weight, array]) => [weight, array.data.slice()]));
        processWeights(config, raw, { refactorFactoredAttnMatrices: !goldens[name].config.rotary_dim });
        for (const [weight, data] of before) expect(raw.get(weight)?.data, weight).toEqual(data);
      });

      it("changes nothing the second time", () => {
        const once = processWeights(config, raw);
        const twice = processWeights(once.config, once.weights);
        expect(twice.config).toEqual(once.config);
        for (const [weight, array] of once.weights) {
          const found = twice.weights.get(weight)!.data;
          const far = array.data.reduce((most, x, i) => Math.max(most, Math.abs(x - found[i])), 0);
          expect(far, weight).toBeLessThan(2e-6 * Math.max(1, ...array.data.map(Math.abs)));
        }
      });

      if (goldens[name].config.positional_embedding_type === "rotary") return;
      it("keeps every head's scores and output when it refactors them", () => {
        const { dModel, dHead, nHeads } = config;
        const plain = processWeights(config, raw).weights;
        const refactored = processWeights(config, raw, { refactorFactoredAttnMatrices: true }).weights;
        for (let layer = 0; layer < config.nLayers; layer++) {
          for (let head = 0; head < nHeads; head++) {
            const scores = (w: Weights) => {
              const [q, k] = ["Q", "K"].map((part) => withBias(w, `blocks.${layer}.attn`, part, head, dModel, dHead));
              return vector(product(q, transposed(k, dModel + 1, dHead), dModel + 1, dHead, dModel + 1));
            };
            const output = (w: Weights) => {
              const size = dModel * dHead;
              const slice = (part: string) =>
                w.get(`blocks.${layer}.attn.W_${part}`)!.data.subarray(head * size, (head + 1) * size);
              return vector(product(slice("V"), slice("O"), dModel, dHead, dModel));
            };
            expectClose(scores(refactored), scores(plain), 1e-5);
            expectClose(output(refactored), output(plain), 1e-5);
          }
          expectClose(refactored.get(`blocks.${layer}.attn.b_O`)!, plain.get(`blocks.${layer}.attn.b_O`)!, 1e-5);
        }
      });
    });
  }

  it("folds only the values' biases in a shortformer model, and says why", async () => {
    const raw = under("weights.", await tensors("test/goldens/shortformer_2l.safetensors"));
    const config = parseConfig(goldens.shortformer_2l.config);
    const { weights, notes, config: after } = processWeights(config, raw);
    expect(after).toEqual(config);
    expect(notes.map((note) => note.split(" ")[0])).toEqual(["fold_ln", "center_writing_weights", "center_unembed"]);
    for (const [name, array] of raw) {
      if (/\.b_[VO]$/.test(name)) continue;
      expect(weights.get(name), name).toBe(array);
    }
    expect(weights.get("blocks.0.attn.b_V")!.data.every((x) => x === 0)).toBe(true);
    const { nHeads, dHead, dModel } = config;
    const get = (name: string) => raw.get(`blocks.0.attn.${name}`)!.data;
    const carried = product(get("b_V"), get("W_O"), 1, nHeads * dHead, dModel).map((x, m) => x + get("b_O")[m]);
    expectClose(weights.get("blocks.0.attn.b_O")!, vector(carried), 1e-6);
  });

  it("shares what it does not change, and changes nothing without flags", () => {
    const config = smallConfig();
    const weights = randomWeights(config);
    const processed = processWeights(config, weights, NO_PROCESSING);
    expect(processed.config).toBe(config);
    expect(processed.notes).toEqual([]);
    for (const [name, array] of weights) expect(processed.weights.get(name)).toBe(array);
  });

  it("sorts a refactored head's d_head axis by singular value", () => {
    const config = smallConfig({ n_layers: 1 });
    const { weights } = processWeights(config, randomWeights(config), { refactorFactoredAttnMatrices: true });
    const W_V = weights.get("blocks.0.attn.W_V")!.data.subarray(0, config.dModel * config.dHead);
    const lengths = Array.from({ length: config.dHead }, (_, e) => {
      let sum = 0;
      for (let m = 0; m < config.dModel; m++) sum += W_V[m * config.dHead + e] ** 2;
      return Math.sqrt(sum);
    });
    expect(lengths).toEqual([...lengths].sort((a, b) => b - a));
  });

  it("leaves values' biases where they are clipped with the values, and refactors no heads that clip", () => {
    const config = smallConfig({ qkv_clip: 0.1 });
    const weights = randomWeights(config);
    const { notes, ...processed } = processWeights(config, weights);
    expect(notes).toContain("fold_value_biases is left out: values are clipped with their biases.");
    const at = "blocks.0.attn.b_V";
    expect(new Set(processed.weights.get(at)!.data)).not.toEqual(new Set([0]));
    expect(() => processWeights(config, weights, { refactorFactoredAttnMatrices: true })).toThrow(
      "refactor_factored_attn_matrices does not work with clipped queries, keys and values: they change queries and keys before the product.",
    );
  });

  it("needs the configuration's own weights, and cannot refactor rotary positions or shared keys", () => {
    const config = smallConfig();
    const weights = randomWeights(config);
    const other = { ...config, nLayers: 3 };
    expect(() => processWeights(other, weights)).toThrow(WeightsError);
    const asked = { ...NO_PROCESSING, refactorFactoredAttnMatrices: true };
    for (const change of [{ positional_embedding_type: "rotary" }, { n_key_value_heads: 1 }]) {
      const turned = smallConfig(change);
      expect(() => processWeights(turned, randomWeights(turned), asked)).toThrow(ConfigError);
    }
  });
});

describe("processing a model whose last norm is an RMSNorm", () => {
  const config = smallConfig({ final_rms: true, act_fn: "solu_ln", d_mlp: 20 });
  const weights = randomWeights(config, 7);
  const resid = Float64Array.from({ length: config.dModel }, uniform(3)).map((x) => 2 * x + 0.5);

  function logits(of: ReadonlyMap<string, NDArray<"float32">>): Float64Array {
    const w = of.get("ln_final.w")?.data;
    const x = normalized(resid, false).map((v, m) => v * (w ? w[m] : 1));
    const b_U = of.get("unembed.b_U")!.data;
    return product(x, of.get("unembed.W_U")!.data, 1, config.dModel, config.dVocabOut).map((v, j) => v + b_U[j]);
  }

  it("keeps the logits", () => {
    const folded = processWeights(config, weights, { centerUnembed: false });
    expect(folded.config).toMatchObject({ normalizationType: "LNPre", finalRms: true });
    expectClose(vector(logits(folded.weights)), vector(logits(weights)), 1e-6);
  });

  it("keeps them except for their mean when the unembedding is centred", () => {
    const raw = logits(weights);
    const mean = raw.reduce((s, v) => s + v, 0) / raw.length;
    expectClose(vector(logits(processWeights(config, weights).weights)), vector(raw.map((v) => v - mean)), 1e-6);
  });

  it("changes them as TransformerLens does when asked to", () => {
    const asked = { centerUnembed: false, transformerLensFinalRms: true };
    const w = weights.get("ln_final.w")!.data;
    const W_U = weights.get("unembed.W_U")!.data;
    const { dModel, dVocabOut } = config;
    const x = normalized(resid, false);
    const meanX = x.reduce((s, v) => s + v, 0) / dModel;
    const columnSums = product(w, W_U, 1, dModel, dVocabOut);
    const expected = logits(weights).map((v, j) => v - meanX * columnSums[j]);
    const found = logits(processWeights(config, weights, asked).weights);
    expectClose(vector(found), vector(expected), 1e-5);
    expect(relativeError(vector(found), vector(logits(weights)))).toBeGreaterThan(0.01);
  });

  it("does not centre what is written to the stream, and says so", () => {
    const { weights: processed, notes } = processWeights(config, weights);
    expect(processed.get("embed.W_E")).toBe(weights.get("embed.W_E"));
    expect(notes).toEqual([expect.stringContaining("center_writing_weights")]);
  });
});

test("TransformerLens' centring behind a last RMSNorm is for models whose other norms are LayerNorms", async () => {
  const raw = under("weights.", await tensors("test/goldens/llama_gqa_2l.safetensors"));
  const config = parseConfig(goldens.llama_gqa_2l.config);
  const [as, without] = [true, false].map((transformerLensFinalRms) =>
    processWeights(config, raw, { transformerLensFinalRms }),
  );
  expect(as.weights).toEqual(without.weights);
});

describe("foldNorm", () => {
  it("gives the same result as the norm's weight and bias, for any matrix, and columns that sum to 0", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 2, max: 9 }), fc.integer({ min: 1, max: 7 }), (seed, rows, cols) => {
        const random = uniform(seed);
        const numbers = (n: number) => Float32Array.from({ length: n }, random);
        const [W, w, b, c] = [numbers(rows * cols), numbers(rows), numbers(rows), numbers(cols)];
        const x = normalized(Float64Array.from({ length: rows }, random), true);
        const affine = x.map((v, i) => v * w[i] + b[i]);
        const before = product(affine, W, 1, rows, cols).map((v, j) => v + c[j]);
        foldNorm({ data: W, offset: 0, rows, cols }, { w, b }, c, 0, true);
        const after = product(x, W, 1, rows, cols).map((v, j) => v + c[j]);
        for (let j = 0; j < cols; j++) {
          expect(Math.abs(after[j] - before[j])).toBeLessThan(1e-5);
          let sum = 0;
          for (let i = 0; i < rows; i++) sum += W[i * cols + j];
          expect(Math.abs(sum)).toBeLessThan(1e-5);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe("svdOfProduct", () => {
  const columnsOf = (rows: number, cols: number, random: () => number) => ({
    rows,
    cols,
    data: Float64Array.from({ length: rows * cols }, random),
  });

  it("multiplies back to the product for any factors", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 8 }), (seed, cols, extra) => {
        const random = uniform(seed);
        const left = columnsOf(cols + extra, cols, random);
        const right = columnsOf(cols + extra, cols, random);
        expectProduct(left, right);
      }),
      { numRuns: 60 },
    );
  });

  it("does so when columns repeat, vanish or nearly agree", () => {
    const left = columnsOf(9, 4, uniform(5));
    const right = columnsOf(9, 4, uniform(6));
    left.data.copyWithin(9, 0, 9);
    left.data.fill(0, 18, 27);
    right.data.set(
      right.data.subarray(0, 9).map((x) => x * (1 + 1e-9)),
      27,
    );
    expectProduct(left, right);
  });

  function expectProduct(left: ReturnType<typeof columnsOf>, right: ReturnType<typeof columnsOf>): void {
    const { rows, cols } = left;
    const { u, s, v } = svdOfProduct(left, right);
    expect(s).toEqual([...s].sort((a, b) => b - a));
    const scaled = u.data.map((x, at) => x * s[Math.floor(at / rows)]);
    // A matrix kept by columns is its transpose kept by rows.
    const found = product(transposed(scaled, cols, rows), v.data, rows, cols, rows);
    const expected = product(transposed(left.data, cols, rows), right.data, rows, cols, rows);
    for (let i = 0; i < found.length; i++) expect(Math.abs(found[i] - expected[i])).toBeLessThan(1e-9);
  }
});

/** [rows, cols] -> [cols, rows]. */
function transposed(data: ArrayLike<number>, rows: number, cols: number): Float64Array {
  return Float64Array.from({ length: rows * cols }, (_, at) => data[(at % rows) * cols + Math.floor(at / rows)]);
}

/** One head's W_Q or W_K with its bias as one more row. */
function withBias(w: Weights, attn: string, part: string, head: number, dModel: number, dHead: number): Float64Array {
  const out = new Float64Array((dModel + 1) * dHead);
  out.set(w.get(`${attn}.W_${part}`)!.data.subarray(head * dModel * dHead, (head + 1) * dModel * dHead));
  out.set(w.get(`${attn}.b_${part}`)!.data.subarray(head * dHead, (head + 1) * dHead), dModel * dHead);
  return out;
}
