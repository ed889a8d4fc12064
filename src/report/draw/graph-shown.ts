/** What is shown of a graph: the part that matters most, or the nodes that are pinned, with groups of them as one node each. */
import type { GraphSpec, GraphSpecNode, GraphState } from "../../finding/picture.ts";

/** The kind of node that stands for a group. */
export const SUPERNODE = "supernode";

type Edge = GraphSpec["edges"][number];

/** How a graph is looked at, of what a link or a file says as far as it fits: names are those of nodes, and a node is in one group. */
export function graphState({ nodes, state: first = {} }: GraphSpec, changes: object = {}): GraphState {
  const known = new Set(nodes.map(({ name }) => name));
  const given = { ...first, ...changes } as { readonly [K in keyof GraphState]?: unknown };
  const { share, locked, pinned, groups, pinnedOnly } = given;
  const pins = [...new Set(texts(pinned).filter((name) => known.has(name)))];
  const free = new Set(pins);
  const labels = new Set(known);
  const members = (Array.isArray(groups) ? groups : []).flatMap((group: unknown) => {
    const [label, ...names] = texts(group);
    const own = names.filter((name) => free.delete(name));
    if (own.length === 0 || !label) return [];
    return [[unique(label, labels), ...own]];
  });
  return {
    share: typeof share === "number" && share >= 0 && share <= 1 ? share : 1,
    locked: [...new Set(texts(locked).filter((name) => labels.has(name)))],
    pinned: pins,
    groups: members,
    pinnedOnly: pinnedOnly === true && pins.length > 0,
  };
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];
}

/** A label that no node and no other group has; it is taken then. */
function unique(label: string, taken: Set<string>): string {
  let free = label;
  for (let i = 2; taken.has(free); i++) free = `${label} ${i}`;
  taken.add(free);
  return free;
}

/** The part of a graph that its state shows, in only the columns that this has; of pinned nodes alone, in only the rows. */
export function shownGraph(spec: GraphSpec): GraphSpec {
  const state = graphState(spec);
  const part = state.pinnedOnly ? pinnedGraph(spec, state) : prunedGraph(spec, state);
  const columns = used(part.nodes.map(({ column }) => column));
  const rows = state.pinnedOnly ? used(part.nodes.map(({ row }) => row)) : undefined;
  return {
    ...part,
    columns: columns.size,
    rows: rows ? [...rows.keys()].map((row) => spec.rows[row]) : spec.rows,
    nodes: part.nodes.map((node) => {
      const [column, row] = [columns.get(node.column)!, rows ? rows.get(node.row)! : node.row];
      return { ...node, column, row };
    }),
  };
}

/** The places of the indices that are used, in rising order. */
function used(indices: readonly number[]): Map<number, number> {
  return new Map([...new Set(indices)].sort((a, b) => a - b).map((index, i) => [index, i]));
}

/** Edges of which each has, like both its ends, at most this share; and their ends, what has no share, and what is pinned. */
function prunedGraph(spec: GraphSpec, { share, pinned }: GraphState): GraphSpec {
  const pins = new Set(pinned);
  const fits = (one: { readonly share?: number }) => one.share === undefined || one.share <= share;
  const isIn = spec.nodes.map((node) => fits(node) || pins.has(node.name));
  const edges = spec.edges.filter((edge) => fits(edge) && isIn[edge.from] && isIn[edge.to]);
  const ends = new Set(edges.flatMap(({ from, to }) => [from, to]));
  const isShown = (node: GraphSpecNode, i: number) => ends.has(i) || node.share === undefined || pins.has(node.name);
  const places = spec.nodes.flatMap((node, i) => (isShown(node, i) ? [i] : []));
  const place = new Map(places.map((i, at) => [i, at]));
  return {
    ...spec,
    nodes: places.map((i) => spec.nodes[i]),
    edges: edges.map((edge) => ({ ...edge, from: place.get(edge.from)!, to: place.get(edge.to)! })),
  };
}

/** The pinned nodes, groups as one node each, and the edges between them: of a group the sums of its nodes', but for those within it. */
function pinnedGraph(spec: GraphSpec, { pinned, groups }: GraphState): GraphSpec {
  const byName = new Map(spec.nodes.map((node, i) => [node.name, i]));
  const grouped = new Set(groups.flatMap(([, ...names]) => names));
  const parts = [
    ...groups.map(([label, ...names]) => ({ label, names })),
    ...pinned.filter((name) => !grouped.has(name)).map((name) => ({ label: undefined, names: [name] })),
  ];
  const place = new Map(parts.flatMap(({ names }, at) => names.map((name) => [byName.get(name)!, at])));
  const nodes = parts.map(({ label, names }) => {
    const members = names.map((name) => spec.nodes[byName.get(name)!]);
    return label === undefined ? members[0] : supernode(label, members);
  });
  const sums = new Map<string, Edge>();
  for (const edge of spec.edges) {
    const [from, to] = [place.get(edge.from), place.get(edge.to)];
    if (from === undefined || to === undefined || from === to) continue;
    const key = `${from} ${to}`;
    sums.set(key, sumOf(sums.get(key), { ...edge, from, to }));
  }
  const kinds = groups.length > 0 ? [{ name: SUPERNODE, shape: "box" } as const] : [];
  return { ...spec, groups: [...spec.groups, ...kinds], nodes, edges: [...sums.values()] };
}

/** Weights add up. A strength is the root of an influence, and influences add up. */
function sumOf(sum: Edge | undefined, { from, to, weight, strength }: Edge): Edge {
  const strong = strength === undefined ? {} : { strength: Math.hypot(sum?.strength ?? 0, strength) };
  return { from, to, weight: (sum?.weight ?? 0) + weight, ...strong };
}

/** In the middle of its nodes. */
function supernode(label: string, members: readonly GraphSpecNode[]): GraphSpecNode {
  const middle = (of: (node: GraphSpecNode) => number) =>
    Math.round(members.reduce((sum, node) => sum + of(node), 0) / members.length);
  return {
    ...{ name: label, label, group: SUPERNODE, column: middle(({ column }) => column), row: middle(({ row }) => row) },
    words: members.map(({ name }) => name).join(", "),
  };
}

/** The largest share that anything of a graph has: with it all is shown. Nothing has one: `undefined`. */
export function largestShare({ nodes, edges }: GraphSpec): number | undefined {
  let most: number | undefined;
  for (const { share } of [...nodes, ...edges]) {
    if (share !== undefined && !(most !== undefined && most >= share)) most = share;
  }
  return most;
}
