/** What nodes of an attribution graph are called. */
import { neuronName } from "../../lens/components.ts";
import { visibleToken } from "../../tensor/visible.ts";
import type { GraphNode } from "./graph.ts";

/** What features are: neurons, or of transcoders. */
export type FeaturesOf = "neurons" | "transcoders";

/**
 * The names of nodes: `L0N17@3` is neuron 17 of layer 0 at position 3, `L0 others@3` what its other neurons write there; `L0F17@3` is feature 17 of
 * a transcoder, `L0 error@3` what its MLP writes that no feature accounts for.
 */
export function nodeNames(nodes: readonly GraphNode[], of: FeaturesOf): string[] {
  return nodes.map((node) => nodeName(node, of));
}

function nodeName(node: GraphNode, of: FeaturesOf): string {
  const ofNeurons = of === "neurons";
  switch (node.kind) {
    case "feature": {
      const { layer, feature, pos } = node;
      return `${ofNeurons ? neuronName(layer, feature) : `L${layer}F${feature}`}@${pos}`;
    }
    case "error":
      return `L${node.layer} ${ofNeurons ? "others" : "error"}@${node.pos}`;
    case "token":
      return `${visibleToken(node.text)}@${node.pos}`;
    case "logit":
      return `logit ${visibleToken(node.text)}`;
  }
}
