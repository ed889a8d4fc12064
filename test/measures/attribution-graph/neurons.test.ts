/** Attribution graphs of neurons: each edge is what a forward pass loses without its source, while all else that is not linear is held. */
import { describe, expect, test } from "vitest";
import { Tensor } from "../../../src/graph/tensor.ts";
import type { Edit, ModelGraph } from "../../../src/lens/model-graph.ts";
import type { GraphNode } from "../../../src/measures/attribution-graph/graph.ts";
import { eachEntry } from "../../../src/measures/attribution-graph/sparse.ts";
import { type AttributionGraphMeasurement, measureAttributionGraph } from "../../../src/measures/attribution-graph.ts";
import { Engine, HookedTransformer, initWeights, nodeBackend } from "../../../src/node.ts";
import { golden, goldenModel } from "../../goldens.ts";
import { smallModel } from "../../lens/small-model.ts";

/** Norms before and behind, none, gates, heads that share keys, parallel blocks, caps, other positions, without MLPs. */
const MODELS = [
  ...["gelu_2l", "solu_ln_2l", "no_norm_1l", "attn_only_2l", "gptj_2l", "neox_2l", "llama_gqa_2l", "gemma2_2l"],
  ...["qwen3_2l", "alibi_2l", "shortformer_2l", "local_attn_2l", "ln_pre_2l"],
] as const;

/** What a source writes is left out, and what is not linear keeps its value. */
async function without(
  model: HookedTransformer,
  graph: ModelGraph,
  source: GraphNode | undefined,
  others: readonly number[],
) {
  const names = model.hookNames.filter(
    (name) => /hook_(pattern|scale|post)$/.test(name) && !/[qk]_norm|mlp\.ln/.test(name),
  );
  const held = await model.compute(names.map((name) => graph.at(name)));
  const edits = names.map((name, i): Edit => {
    const isHere =
      source && source.kind !== "token" && source.kind !== "logit" && name === `blocks.${source.layer}.mlp.hook_post`;
    const value = isHere
      ? held[i].set({ pos: source.pos, d_mlp: source.kind === "feature" ? source.feature : [...others] }, 0)
      : held[i];
    return [name, () => value];
  });
  const embeddings: Edit[] = source?.kind === "token" ? [["hook_embed", (x) => x.set({ pos: source.pos }, 0)]] : [];
  return graph.with([...embeddings, ...edits]);
}

/** What targets read in a pass: pre-activations, or how activations change with both of their factors, and logits less their mean. */
async function readIn(model: HookedTransformer, pass: ModelGraph, clean: ModelGraph, targets: readonly GraphNode[]) {
  const { outputLogitsSoftCap: cap, gatedMlp } = model.cfg;
  const features = targets.filter((node) => node.kind === "feature");
  const layers = [...new Set(features.map(({ layer }) => layer))];
  const names = gatedMlp ? ["hook_pre", "hook_pre_linear"] : ["hook_pre"];
  const values = layers.flatMap((layer) => names.map((name) => pass.at(`blocks.${layer}.mlp.${name}`)));
  const cleanly = layers.flatMap((layer) => names.map((name) => clean.at(`blocks.${layer}.mlp.${name}`)));
  const [logits, ...found] = await model.compute([pass.output.at({ pos: -1 }), ...values, ...cleanly]);
  const uncapped = Array.from(logits.data, (x) => (cap > 0 ? cap * Math.atanh(x / cap) : x));
  const mean = uncapped.reduce((sum, x) => sum + x, 0) / uncapped.length;
  const silu = (x: number) => x / (1 + Math.exp(-x));
  const gelu = (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
  const act = model.cfg.actFn === "silu" ? silu : gelu;
  return targets.map((node) => {
    if (node.kind !== "feature") return node.kind === "logit" ? uncapped[node.token] - mean : 0;
    const at = layers.indexOf(node.layer) * names.length;
    const [pre, linear] = names.map((_, i) => found[at + i].get(0, node.pos, node.feature));
    if (!gatedMlp) return pre;
    const [gate, factor] = names.map((_, i) => found[values.length + at + i].get(0, node.pos, node.feature));
    const slope = ((act(gate + 1e-4) - act(gate - 1e-4)) / 2e-4) * factor;
    return slope * pre + act(gate) * linear;
  });
}

/** The edges into all targets from a source. */
function edgesFrom({ graph }: AttributionGraphMeasurement, source: number): Float64Array {
  const edges = new Float64Array(graph.nodes.length);
  eachEntry(graph.adjacency, (target, column, weight) => {
    if (column === source) edges[target] = weight;
  });
  return edges;
}

describe.each(MODELS)("the graph of neurons of %s", (name) => {
  async function measured() {
    const g = await golden(name);
    const model = goldenModel(g);
    const ids = Array.from(g.tokens.row(0).data, Number).slice(0, 7);
    const measurement = await measureAttributionGraph(model, { prompt: ids, maxFeatureNodes: 60, batchSize: 5 });
    return { model, ids, measurement };
  }

  test("adds up: edges and constants sum to what targets read", async () => {
    const { measurement } = await measured();
    const { residual, rowTargets } = measurement.graph;
    const largest = rowTargets.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    expect(largest).toBeGreaterThan(0.1);
    expect(residual).toBeLessThan(2e-6 * largest + 1e-5);
  });

  test("has as each edge what is lost without its source", async () => {
    const { model, ids, measurement } = await measured();
    const { nodes } = measurement.graph;
    const tokens = Tensor.leaf({ dtype: "int32", shape: [1, ids.length], data: Int32Array.from(ids) }, [
      "batch",
      "pos",
    ]);
    const clean = model.graph(tokens);
    const full = await readIn(model, clean, clean, nodes);
    const largest = measurement.graph.adjacency.values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    const first = (kind: GraphNode["kind"], from = 0) => nodes.findIndex((node, i) => node.kind === kind && i >= from);
    const sources = [first("feature"), first("feature", 20), first("error", first("error") + 3), first("token") + 2];
    for (const s of sources.filter((i) => i >= 0)) {
      const source = nodes[s];
      const here = (node: GraphNode) =>
        node.kind === "feature" && source.kind === "error" && node.layer === source.layer && node.pos === source.pos;
      const shown = new Set(nodes.flatMap((node) => (here(node) && node.kind === "feature" ? [node.feature] : [])));
      const others = Array.from({ length: model.cfg.dMlp ?? 0 }, (_, i) => i).filter((i) => !shown.has(i));
      const less = await readIn(model, await without(model, clean, source, others), clean, nodes);
      const edges = edgesFrom(measurement, s);
      nodes.forEach((_, t) => {
        expect([t, Math.abs(edges[t] - (full[t] - less[t])) / largest]).toEqual([t, expect.closeTo(0, 4)]);
      });
    }
  });
});

test("with all neurons nothing is left to others", async () => {
  const model = smallModel();
  const { graph, scores } = await measureAttributionGraph(model, { prompt: "abcd", maxFeatureNodes: 10_000 });
  expect(graph.nodes.filter(({ kind }) => kind === "feature")).toHaveLength(2 * 5 * 32);
  expect(scores).toEqual({ replacement: 1, completeness: 1 });
});

describe("a model that cannot be traced is refused", () => {
  test("if it is a mixture of experts", async () => {
    const model = goldenModel(await golden("mixtral_2l"));
    await expect(measureAttributionGraph(model, { prompt: [1, 2, 3] })).rejects.toThrow(/mixture of experts/);
  });

  test("if it fills in masks", async () => {
    const model = smallModel(1, { mlm_head: true, attention_dir: "bidirectional" });
    await expect(measureAttributionGraph(model, { prompt: [1, 2, 3] })).rejects.toThrow(/a head with a nonlinearity/);
  });

  test("if parts are spliced into it", async () => {
    const model = smallModel().splice("blocks.0.hook_mlp_out", (x, scope) => scope.point("twice", x.mul(2)));
    await expect(measureAttributionGraph(model, { prompt: "abc" })).rejects.toThrow(/spliced into this one/);
  });

  test("if its graph does not fit, with the figure", async () => {
    const { cfg } = smallModel();
    const engine = new Engine(nodeBackend(), { memoryBytes: 20_000 });
    const model = new HookedTransformer(cfg, initWeights(cfg), { engine });
    await expect(measureAttributionGraph(model, { prompt: [0, 1, 2] })).rejects.toThrow(
      /of 192 features, each with up to 195 edges, needs about 3\d\d kB .* only 20 kB: ask for fewer features/,
    );
  });
});

describe.each(["gelu_2l", "llama_gqa_2l", "gemma2_2l", "no_norm_1l"])("heads of %s", (name) => {
  test("carry what an edge loses without them", async () => {
    const g = await golden(name);
    const model = goldenModel(g);
    const ids = Array.from(g.tokens.row(0).data, Number).slice(0, 7);
    const { graph, names, carried } = await measureAttributionGraph(model, {
      prompt: ids,
      maxFeatureNodes: 60,
      carriedEdges: 12,
    });
    expect(carried).toHaveLength(12);
    const tokens = Tensor.leaf({ dtype: "int32", shape: [1, ids.length], data: Int32Array.from(ids) }, [
      "batch",
      "pos",
    ]);
    const clean = model.graph(tokens);
    const largest = graph.adjacency.values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    for (const { source, target, weight, direct, heads } of carried.slice(0, 5)) {
      const [s, t] = [names.indexOf(source), names.indexOf(target)];
      const from = graph.nodes[s];
      const others = Array.from({ length: model.cfg.dMlp! }, (_, i) => i).filter(
        (i) =>
          !graph.nodes.some(
            (n) =>
              n.kind === "feature" &&
              n.layer === (from as { layer?: number }).layer &&
              n.pos === from.pos &&
              n.feature === i,
          ),
      );
      const lost = async (edits: Edit[]) => {
        const passes = [undefined, from].map(async (source) =>
          (await without(model, clean, source, others)).with(edits),
        );
        const values = await Promise.all(passes.map(async (pass) => readIn(model, await pass, clean, graph.nodes)));
        return values[0][t] - values[1][t];
      };
      const drop = (layer: number, head: number): Edit => [`blocks.${layer}.attn.hook_z`, (z) => z.set({ head }, 0)];
      for (const [layer, head] of [
        [0, 1],
        [model.cfg.nLayers - 1, 2],
      ]) {
        const rest = await lost([drop(layer, head)]);
        expect(Math.abs(weight - rest - heads[layer][head]) / largest).toBeLessThan(2e-5);
      }
      const all = Array.from(
        { length: model.cfg.nLayers },
        (_, layer): Edit => [`blocks.${layer}.attn.hook_z`, (z) => z.mul(0)],
      );
      expect(Math.abs((await lost(all)) - direct) / largest).toBeLessThan(2e-5);
    }
  });
});
