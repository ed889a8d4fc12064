/** Attribution graphs of transcoders, compared with circuit-tracer's. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { TranscoderSet } from "../../../src/dictionaries/transcoder-set.ts";
import { memorySource, readSafetensors } from "../../../src/load/index.ts";
import type { SparseMatrix } from "../../../src/measures/attribution-graph/sparse.ts";
import { eachEntry } from "../../../src/measures/attribution-graph/sparse.ts";
import { traceRun } from "../../../src/measures/attribution-graph/trace.ts";
import { transcoderKind } from "../../../src/measures/attribution-graph/transcoders.ts";
import { type AttributionGraphMeasurement, measureAttributionGraph } from "../../../src/measures/attribution-graph.ts";
import { type FeatureIntervention, featureIntervention } from "../../../src/measures/feature-intervention.ts";
import { readPrompt } from "../../../src/measures/prompt.ts";
import { parseConfig } from "../../../src/models/config/parse.ts";
import { HookedTransformer } from "../../../src/node.ts";
import { expectClose } from "../../close.ts";
import { folder, type GraphGolden, graphGolden, graphNames, modelConfig } from "./goldens.ts";

async function modelOf({ info }: GraphGolden, more: object = {}): Promise<HookedTransformer> {
  const bytes = readFileSync(new URL(`${info.model}.safetensors`, folder));
  const stored = await readSafetensors(memorySource(info.model, new Uint8Array(bytes)));
  const weights = [...stored].flatMap(([key, array]) =>
    key.startsWith("weights.") ? [[key.slice(8), array] as const] : [],
  );
  return new HookedTransformer(parseConfig({ ...modelConfig(info.model), ...more }), new Map(weights));
}

function dense({ size, ...matrix }: SparseMatrix) {
  const data = new Float32Array(size * size);
  eachEntry({ size, ...matrix }, (row, column, value) => {
    data[row * size + column] = value;
  });
  return { shape: [size, size], data };
}

describe.each(graphNames)("the graph of %s", (name) => {
  let golden: GraphGolden;
  let model: HookedTransformer;
  let transcoders: TranscoderSet;
  let prompt: number[];
  let measured: AttributionGraphMeasurement;
  const get = (key: string) => golden.get(key) as never as { shape: number[]; data: Float32Array };
  beforeAll(async () => {
    golden = await graphGolden(name);
    model = await modelOf(golden);
    transcoders = await TranscoderSet.fromPretrained(fileURLToPath(new URL(golden.info.folder, folder)));
    prompt = Array.from(golden.get("tokens").data, Number);
    const {
      max_n_logits: maxNLogits,
      desired_logit_prob: desiredLogitProb,
      batch_size: batchSize,
    } = golden.info.options;
    measured = await measureAttributionGraph(model, { prompt, transcoders, maxNLogits, desiredLogitProb, batchSize });
  });

  test("has circuit-tracer's nodes", () => {
    const { nodes } = golden.graph();
    const found = measured.graph.nodes;
    const place = (node: object) => ({ ...node, activation: undefined, weight: undefined, text: undefined });
    expect(found.map(place)).toEqual(nodes.map(place));
    const numbers = (list: typeof nodes) =>
      list.flatMap((node) =>
        node.kind === "feature" ? [node.activation] : node.kind === "logit" ? [node.weight] : [],
      );
    const [ours, theirs] = [numbers(found), numbers(nodes)];
    expectClose({ shape: [ours.length], data: ours }, { shape: [theirs.length], data: theirs }, 2e-5);
  });

  test("has circuit-tracer's edges", () => {
    expectClose(dense(measured.graph.adjacency), get("adjacency"), 1e-4);
  });

  test("has circuit-tracer's errors and embeddings", async () => {
    const kind = transcoderKind("a test", model, transcoders);
    const run = await traceRun("a test", model, readPrompt(model, prompt), kind, {
      maxNLogits: 1,
      desiredLogitProb: 1,
    });
    const errors = run.features.errors!.flatMap(({ data }) => [...(data as Float32Array)]);
    expectClose({ shape: get("error_vectors").shape, data: Float32Array.from(errors) }, get("error_vectors"), 2e-5);
    expectClose({ shape: get("token_vectors").shape, data: run.embedded.data }, get("token_vectors"), 2e-5);
  });

  test("adds up to what is read, with the constants of a definition of its own", () => {
    const { constants, rowTargets, residual } = measured.graph;
    expectClose({ shape: [constants.length], data: constants }, get("constants"), 2e-5);
    expectClose({ shape: [rowTargets.length], data: rowTargets }, get("row_targets"), 2e-5);
    expect(residual).toBeLessThan(2e-5);
    expect(residual).toBeGreaterThan(0);
  });

  test("has circuit-tracer's scores, and its nodes and edges after pruning", () => {
    expect(measured.scores.replacement).toBeCloseTo(golden.scalar("replacement_score"), 5);
    expect(measured.scores.completeness).toBeCloseTo(golden.scalar("completeness_score"), 5);
    expect(Array.from(measured.pruned.nodes)).toEqual(Array.from(golden.get("prune.default.node_mask").data, Number));
    const mask = golden.get("prune.default.edge_mask").data;
    const { size } = measured.graph.adjacency;
    eachEntry(measured.graph.adjacency, (row, column, _value, at) => {
      expect([row, column, measured.pruned.edges[at]]).toEqual([row, column, Number(mask[row * size + column])]);
    });
  });

  test("with fewer nodes has those that circuit-tracer chooses", async () => {
    const { max_feature_nodes, batch_size: batchSize, update_interval: updateInterval } = golden.info.scalars.partial;
    const { max_n_logits: maxNLogits, desired_logit_prob: desiredLogitProb } = golden.info.options;
    const some = await measureAttributionGraph(model, {
      ...{ prompt, transcoders, maxNLogits, desiredLogitProb, batchSize, updateInterval },
      maxFeatureNodes: max_feature_nodes,
    });
    expect(Array.from(some.graph.selectedFeatures)).toEqual(
      Array.from(golden.get("partial.selected_features").data, Number),
    );
    expectClose(dense(some.graph.adjacency), get("partial.adjacency"), 1e-4);
  });

  test("explains the tokens that are asked for, and a direction", async () => {
    const rowsOf = ({ graph: { adjacency, nodes } }: AttributionGraphMeasurement) => {
      const { shape, data } = dense(adjacency);
      const count = nodes.filter(({ kind }) => kind === "logit").length;
      return { shape: [count, shape[1]], data: data.subarray(data.length - count * shape[1]) };
    };
    const ids = await measureAttributionGraph(model, {
      ...{ prompt, transcoders, targets: Array.from(golden.get("target_ids.tokens").data, Number) },
    });
    expectClose(rowsOf(ids), get("target_ids.logit_rows"), 1e-4);
    const weights = ids.graph.nodes.flatMap((node) => (node.kind === "logit" ? [node.weight] : []));
    expectClose({ shape: [weights.length], data: weights }, get("target_ids.probabilities"), 2e-5);
    const direction = Array.from(get("target_difference.vector").data);
    const one = await measureAttributionGraph(model, {
      prompt,
      transcoders,
      targets: [{ label: "difference", direction }],
    });
    expectClose(rowsOf(one), get("target_difference.logit_rows"), 1e-4);
  });

  test("an intervention at a range of positions is one at each of them", async () => {
    const change = { layer: 0, feature: 3, value: 2 };
    const of = (interventions: FeatureIntervention[]) =>
      featureIntervention(model, { prompt, transcoders, interventions });
    const range = await of([{ ...change, pos: { start: 4 } }]);
    const each = await of([4, 5, 6].map((pos) => ({ ...change, pos })));
    expect(range.logits.data).toEqual(each.logits.data);
    await expect(of([{ ...change, pos: { start: 4, end: 9 } }])).rejects.toThrow("at most the prompt's 7");
  });

  const MODES = [
    ["constrained", () => ({ constrainedLayers: "all" }) as const],
    ["constrained_first_layers", (layers: number) => ({ constrainedLayers: layers === 3 ? [0, 1] : [0] })],
    ["frozen_attention", () => ({})],
    ["free", () => ({ freezeAttention: false })],
  ] as const;

  test.each(MODES)("interventions, %s, give circuit-tracer's logits and pre-activations", async (mode, held) => {
    const interventions = (golden.info.scalars.interventions as number[][]).map(([layer, pos, feature, value]) => {
      return { layer, pos, feature, value };
    });
    const options = { prompt, transcoders, interventions, ...held(model.cfg.nLayers) };
    const { logits, preActivations } = await featureIntervention(model, options);
    expectClose(logits, get(`intervene.${mode}.logits`), 2e-5);
    // circuit-tracer does not say what features read at the first position.
    const { shape, data } = preActivations;
    const theirs = get(`intervene.${mode}.pre_activations`);
    const later = data.map((x, i) => (Math.floor(i / shape[2]) % shape[1] === 0 ? theirs.data[i] : x));
    expectClose({ shape, data: later }, theirs, 2e-5);
    const unchanged = await featureIntervention(model, { prompt, transcoders });
    expectClose(unchanged.logits, get("logits"), 2e-5);
    const moved = Array.from(logits.data, Number).reduce(
      (most, x, i) => Math.max(most, Math.abs(x - unchanged.logits.data[i])),
      0,
    );
    expect(moved).toBeGreaterThan(0.01);
  });
});

test("in a chat of Gemma 3 the four tokens that begin its turn have no features, and edges still sum", async () => {
  const golden = await graphGolden("gelu_3l.plt_relu");
  const chat = await modelOf(golden, { model_name: "gemma-3-1b-it" });
  const transcoders = await TranscoderSet.fromPretrained(fileURLToPath(new URL(golden.info.folder, folder)));
  const prompt = Array.from(golden.get("tokens").data, Number);
  const { graph } = await measureAttributionGraph(chat, { prompt, transcoders });
  const places = graph.nodes.flatMap((node) => (node.kind === "feature" ? [node.pos] : []));
  expect(Math.min(...places)).toBe(4);
  expect(graph.residual).toBeLessThan(2e-5);
});
