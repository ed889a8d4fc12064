/** A small graph, of two tokens, three neurons and a logit. */
import type { GraphSpec } from "../../src/finding/picture.ts";

export function graphOfWords(): GraphSpec {
  const neuron = { group: "neuron", row: 1, words: "active" };
  return {
    ...({ kind: "graph", name: "words", title: "Words" } as const),
    columns: 2,
    rows: ["tokens", "L0", "logits"],
    groups: [
      { name: "token", shape: "box" },
      { name: "neuron", shape: "disc" },
    ],
    nodes: [
      { name: "a@0", id: "E_7_0", label: "a", column: 0, row: 0, group: "token" },
      { name: "b@1", id: "E_8_1", label: "b", column: 1, row: 0, group: "token" },
      { name: "N1@0", id: "0_1_0", label: "1", column: 0, ...neuron, share: 0.4, place: "layer=0 pos=0 d_mlp=1" },
      { name: "N2@1", id: "0_2_1", label: "2", column: 1, ...neuron, share: 0.7 },
      { name: "N3@1", id: "0_3_1", label: "3", column: 1, ...neuron, share: 0.9 },
      { name: "out", id: "2_9_1", label: "out", column: 1, row: 2, group: "token" },
    ],
    edges: [
      { from: 0, to: 2, weight: 2, strength: 0.9, share: 0.3 },
      { from: 2, to: 5, weight: 1, strength: 0.8, share: 0.5 },
      { from: 1, to: 3, weight: 1, strength: 0.5, share: 0.6 },
      { from: 1, to: 4, weight: 2, strength: 0.4, share: 0.7 },
      { from: 3, to: 5, weight: -1, strength: 0.3, share: 0.8 },
      { from: 4, to: 5, weight: -3, strength: 0.2, share: 1 },
    ],
    source: { nodes: "all-nodes", edges: "all-edges", prompt: "ab", nLayers: 1, nodeThreshold: 0.8 },
  };
}
