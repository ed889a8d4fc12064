/** The expected attribution graphs: circuit-tracer's, of two small models with random weights. */
import { readFileSync } from "node:fs";
import { memorySource, readSafetensors } from "../../../src/load/index.ts";
import type { AttributionGraph, GraphNode } from "../../../src/measures/attribution-graph/graph.ts";
import { sparseMatrix, withoutZeros } from "../../../src/measures/attribution-graph/sparse.ts";
import type { NDArray } from "../../../src/tensor/array.ts";

export const folder = new URL("../../goldens/dictionaries/", import.meta.url);
const index = JSON.parse(readFileSync(new URL("index.json", folder), "utf8"));

/** The configuration of a model that they are of, as TransformerLens writes it. */
export const modelConfig = (name: string): Record<string, unknown> => index.models[name].config;

/** Each kind of transcoders, on a model with LayerNorms and on one with RMSNorms and gates. */
export const graphNames = [
  "gelu_3l.plt_relu",
  "gelu_3l.plt_jumprelu_skip",
  "gelu_3l.clt_relu",
  "llama_gqa_2l.plt_jumprelu",
  "llama_gqa_2l.plt_topk",
  "llama_gqa_2l.clt_jumprelu",
] as const;

export interface GraphGolden {
  readonly name: string;
  // biome-ignore lint/suspicious/noExplicitAny: a JSON file.
  readonly info: any;
  readonly tensors: ReadonlyMap<string, NDArray>;
  get(key: string): NDArray;
  /** A scalar of the index. */
  scalar(key: string): number;
  /** Its adjacency as a graph, or another one of the same nodes. */
  graph(key?: string): AttributionGraph;
}

export async function graphGolden(name: string): Promise<GraphGolden> {
  const bytes = readFileSync(new URL(`graphs/${name}.safetensors`, folder));
  const tensors = await readSafetensors(memorySource(name, new Uint8Array(bytes)));
  const info = index.graphs[name];
  const get = (key: string) => {
    const found = tensors.get(key);
    if (!found) throw new Error(`${name} has no golden "${key}"`);
    return found;
  };
  const nLayers: number = get("error_vectors").shape[0];
  const graph = (key = "adjacency"): AttributionGraph => {
    const { shape, data } = get(key);
    const [size] = shape;
    const row = (i: number) => withoutZeros(Float32Array.from(data.subarray(i * size, (i + 1) * size), Number));
    return { nodes: nodesOf(get, nLayers), adjacency: sparseMatrix(size, row) };
  };
  return { name, info, tensors, get, scalar: (key) => info.scalars[key], graph };
}

/** The nodes of the whole graph. */
function nodesOf(get: (key: string) => NDArray, nLayers: number): GraphNode[] {
  const numbers = (key: string) => Array.from(get(key).data, Number);
  const [places, activations, tokens] = ["active_features", "activation_values", "tokens"].map(numbers);
  const [logits, weights] = ["logit_tokens", "logit_probabilities"].map(numbers);
  const features = activations.map((activation, i): GraphNode => {
    const [layer, pos, feature] = places.slice(3 * i, 3 * i + 3);
    return { kind: "feature", layer, pos, feature, activation };
  });
  const errors = Array.from({ length: nLayers * tokens.length }, (_, i): GraphNode => {
    return { kind: "error", layer: Math.floor(i / tokens.length), pos: i % tokens.length };
  });
  const texts = tokens.map((token, pos): GraphNode => ({ kind: "token", pos, token, text: ` t${token}` }));
  const ends = logits.map((token, i): GraphNode => {
    return { kind: "logit", pos: tokens.length - 1, token, text: ` t${token}`, weight: weights[i] };
  });
  return [...features, ...errors, ...texts, ...ends];
}
