/** What is pinned in a picture of a graph, and in groups, in the words of circuit-tracer's and Neuronpedia's pages. */
import type { GraphSpec } from "../../finding/picture.ts";
import type { GraphJson } from "../../measures/attribution-graph/json.ts";
import { graphState } from "./graph-shown.ts";

export function withPins(json: GraphJson, spec: GraphSpec): GraphJson {
  const { pinned, groups } = graphState(spec);
  const ids = new Map(spec.nodes.map(({ name, id }) => [name, id]));
  const idsOf = (names: readonly string[]) => names.flatMap((name) => ids.get(name) ?? []);
  const supernodes = groups.map(([label, ...names]) => [label, ...idsOf(names)]);
  return { ...json, qParams: { ...json.qParams, pinnedIds: idsOf(pinned), supernodes } };
}
