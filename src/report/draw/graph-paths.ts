/** What leads to some nodes of a graph, and what they lead to. */

interface Edge {
  readonly from: number;
  readonly to: number;
}

/** Nodes and edges, by their places. */
export interface LitPart {
  readonly nodes: ReadonlySet<number>;
  readonly edges: ReadonlySet<number>;
}

/** Some nodes, their ancestors and their descendants, and the edges on the paths between these and them. */
export function litPart(edges: readonly Edge[], nodes: readonly number[]): LitPart {
  const before = reached(edges, nodes, "to", "from");
  const after = reached(edges, nodes, "from", "to");
  const on = edges.flatMap(({ from, to }, i) => {
    return (before.has(from) && before.has(to)) || (after.has(from) && after.has(to)) ? [i] : [];
  });
  return { nodes: new Set([...before, ...after]), edges: new Set(on) };
}

function reached(edges: readonly Edge[], nodes: readonly number[], start: keyof Edge, end: keyof Edge): Set<number> {
  const next = new Map<number, number[]>();
  for (const edge of edges) {
    const ends = next.get(edge[start]);
    if (ends) ends.push(edge[end]);
    else next.set(edge[start], [edge[end]]);
  }
  const found = new Set(nodes);
  for (const node of found) for (const one of next.get(node) ?? []) found.add(one);
  return found;
}
