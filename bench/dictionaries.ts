/**
 * Dictionaries: the features of 128 tokens in a model of GPT-2 small's size, next to the run without a dictionary; steps of training one of
 * 256 to 4096, over the bare products that such a step needs and next to SAELens' trainer; and an attribution graph of transcoders next to
 * circuit-tracer's.
 */
import { Dictionary } from "../src/dictionaries/dictionary.ts";
import { TranscoderSet } from "../src/dictionaries/transcoder-set.ts";
import { Engine } from "../src/engine/engine.ts";
import { nodeBackend } from "../src/engine/ort-node.ts";
import { randn } from "../src/graph/create.ts";
import { measureAttributionGraph } from "../src/measures/attribution-graph.ts";
import { ndarray } from "../src/tensor/array.ts";
import { configWhileTrained } from "../src/training/dictionaries/config.ts";
import { initDictionary } from "../src/training/dictionaries/init.ts";
import type { TrainingKindName } from "../src/training/dictionaries/kinds.ts";
import { oneDictionary } from "../src/training/dictionaries/one-dictionary.ts";
import { LOSS_DEFAULTS } from "../src/training/dictionaries/settings.ts";
import { makeDictionaryStep } from "../src/training/dictionaries/step.ts";
import { makeOptimizer } from "../src/training/optimizer.ts";
import { freshMemory } from "../src/training/step.ts";
import { overGemm, type Product } from "./gemm.ts";
import { inTurn, peakMb, rounded } from "./measure.ts";
import { gpt2Small, noise, randomModel, randomTokens } from "./models.ts";
import { python } from "./python.ts";

const POS = 128;
const FEATURES = 24_576;
const [D_IN, D_SAE, TOKENS] = [256, 4096, 4096];

export async function dictionaries() {
  const read = await features();
  const steps: Record<string, unknown> = {};
  for (const kind of ["standard", "topk"] as const) steps[kind] = await trainingStep(kind);
  return { features: read, steps, graph: await graph(), peak_mb: peakMb() };
}

/** A cache of the features, and the pass without a dictionary that ends at the same logits. */
async function features() {
  const model = randomModel(gpt2Small);
  const { dModel } = model.cfg;
  const hookName = "blocks.8.hook_resid_pre";
  const array = (shape: readonly number[], seed: number) =>
    ndarray(
      "float32",
      shape,
      noise(
        shape.reduce((a, b) => a * b, 1),
        0.05,
        seed,
      ),
    );
  const weights = new Map([
    ["W_enc", array([dModel, FEATURES], 1)],
    ["b_enc", array([FEATURES], 2)],
    ["W_dec", array([FEATURES, dModel], 3)],
    ["b_dec", array([dModel], 4)],
  ]);
  const dictionary = new Dictionary({ architecture: "standard", dIn: dModel, dSae: FEATURES, hookName }, weights);
  const view = model.withDictionaries(dictionary, { useErrorTerm: true });
  const tokens = randomTokens(gpt2Small, 1, POS);
  const measured = await inTurn({
    without: () => model.forward(tokens),
    features: () => view.runWithCache(tokens, { namesFilter: `${hookName}.hook_sae_acts_post` }),
  });
  const [ms, without] = [measured.features.median_ms, measured.without.median_ms];
  return { median_ms: rounded(ms), without_ms: rounded(without), over_without: rounded(ms / without) };
}

/** A step on a batch that stays the same. */
async function trainingStep(kind: TrainingKindName) {
  const cfg = configWhileTrained({ kind, dIn: D_IN, dSae: D_SAE, k: kind === "topk" ? 32 : null });
  const optimizer = makeOptimizer("adam", { betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, momentum: 0 });
  const training = { trainee: oneDictionary({ kind, cfg, settings: LOSS_DEFAULTS }), optimizer, maxGradNorm: 1 };
  const step = await makeDictionaryStep(training, new Engine(nodeBackend()), TOKENS);
  const weights = initDictionary(cfg, LOSS_DEFAULTS, 0);
  let state = { weights, memory: freshMemory(optimizer, weights) };
  const x = ndarray("float32", [TOKENS, D_IN], noise(TOKENS * D_IN, 1, 5));
  let number = 0;
  const job = async () => {
    number++;
    const result = await step(state, { x, target: x, dead: null, coefficient: 1, lr: 3e-4, number });
    state = result.state as typeof state;
  };
  // Encoding and decoding, and of each the gradient of its weight; of decoding also that of the features.
  const products: Product[] = [
    [TOKENS, D_IN, D_SAE],
    [TOKENS, D_SAE, D_IN],
    [TOKENS, D_IN, D_SAE],
    [D_IN, TOKENS, D_SAE],
    [D_SAE, TOKENS, D_IN],
  ];
  const measured = await overGemm(job, products, 7);
  const saelens = await python("dictionary_step.py", [kind]);
  const theirs = saelens.median_ms;
  return {
    ...measured,
    tokens_per_second: rounded((1000 * TOKENS) / measured.median_ms, 0),
    vs_saelens: typeof theirs === "number" ? rounded(theirs / measured.median_ms) : null,
    saelens,
  };
}

/** Layers with transcoders of which 1 % of the features are active, and a prompt. */
const [TRANSCODED, POSITIONS, NODES, RUNS] = [6144, 15, 1000, 3];

/** An attribution graph of 1,000 feature nodes. */
async function graph() {
  const model = randomModel(gpt2Small);
  const transcoders = TranscoderSet.of(Array.from({ length: gpt2Small.nLayers }, (_, layer) => transcoder(layer)));
  const prompt = Array.from(randomTokens(gpt2Small, 1, POSITIONS).data);
  const options = { transcoders, prompt, maxFeatureNodes: NODES, batchSize: 512 };
  let active = 0;
  const job = async () => {
    const { graph } = await measureAttributionGraph(model, options);
    active = graph.activeFeatures;
  };
  const measured = (await inTurn({ job }, RUNS)).job;
  const peak = peakMb();
  const tracer = await python("attribution_graph.py", [`${RUNS}`]);
  const theirs = tracer.median_s;
  return {
    ...{ median_s: rounded(measured.median_ms / 1000), min_s: rounded(measured.min_ms / 1000) },
    ...{ active_features: active, peak_mb: peak },
    vs_circuit_tracer: typeof theirs === "number" ? rounded((1000 * theirs) / measured.median_ms) : null,
    circuit_tracer: tracer,
  };
}

/** A transcoder of random weights. */
function transcoder(layer: number): Dictionary {
  const { dModel } = gpt2Small;
  const random = (shape: [number, number], scale: number, seed: number) =>
    ndarray(
      "float32",
      shape,
      Float32Array.from(randn(shape, { seed }).data, (x) => scale * x),
    );
  const hookName = `blocks.${layer}.ln2.hook_normalized`;
  const hookNameOut = `blocks.${layer}.hook_mlp_out`;
  return new Dictionary(
    { architecture: "transcoder", dIn: dModel, dOut: dModel, dSae: TRANSCODED, hookName, hookNameOut },
    new Map([
      ["W_enc", random([dModel, TRANSCODED], dModel ** -0.5, 2 * layer + 1)],
      ["b_enc", ndarray("float32", [TRANSCODED], new Float32Array(TRANSCODED).fill(-2.33))],
      ["W_dec", random([TRANSCODED, dModel], 0.01, 2 * layer + 2)],
      ["b_dec", ndarray("float32", [dModel], new Float32Array(dModel))],
    ]),
  );
}
