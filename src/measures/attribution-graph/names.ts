/** What nodes of an attribution graph are called. */
import { neuronName } from "../../lens/components.ts";
import { visibleToken } from "../../tensor/visible.ts";
import type { GraphNode } from "./graph.ts";

/** The names of nodes: `L0N17@3` is neuron 17 of layer 0 at position 3, `L0 others@3` what its other neurons write there. */
export function nodeNames(nodes: readonly GraphNode[]): string[] {
  return nodes.map(nodeName);
}

function nodeName(node: GraphNode): string {
  switch (node.kind) {
    case "feature":
      return `${neuronName(node.layer, node.feature)}@${node.pos}`;
    case "error":
      return `L${node.layer} others@${node.pos}`;
    case "token":
      return `${visibleToken(node.text)}@${node.pos}`;
    case "logit":
      return `logit ${visibleToken(node.text)}`;
  }
}
