/** Parts of graphs: what leads to a node, what has most of the influence, and pinned nodes in groups. */
import { describe, expect, test } from "vitest";
import type { GraphSpec } from "../../src/finding/picture.ts";
import { litPart } from "../../src/report/draw/graph-paths.ts";
import { graphState, largestShare, shownGraph } from "../../src/report/draw/graph-shown.ts";

/** Numbers from 0 to 1 that are the same every time. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const seeds = Array.from({ length: 12 }, (_, i) => i + 1);

/** A graph of nodes in layers, with edges upwards. */
function graphOf(seed: number): GraphSpec {
  const next = random(seed);
  const pick = (n: number) => Math.floor(next() * n);
  const count = 6 + pick(14);
  const nodes = Array.from({ length: count }, (_, i) => ({
    ...{ name: `n${i}`, id: `id${i}`, group: "neuron", row: Math.floor((5 * i) / count), column: pick(4) },
    ...(i % 5 === 0 ? {} : { share: next() }),
  }));
  const edges = nodes.flatMap(({ row }, from) =>
    nodes.flatMap((to, i) => {
      if (to.row <= row || next() < 0.55) return [];
      return [{ from, to: i, weight: next() - 0.5, strength: next(), share: next() }];
    }),
  );
  return {
    ...({ kind: "graph", name: "graph", title: "", columns: 4, rows: ["0", "1", "2", "3", "4"] } as const),
    ...{ groups: [{ name: "neuron", shape: "disc" }], nodes, edges },
  };
}

const names = (spec: GraphSpec) => new Set(spec.nodes.map(({ name }) => name));
const ends = (spec: GraphSpec) =>
  spec.edges.map(({ from, to, weight }) => `${spec.nodes[from].name} ${spec.nodes[to].name} ${weight}`);

describe.each(seeds)("graph %i", (seed) => {
  const spec = graphOf(seed);
  const next = random(seed + 1000);
  const some = (share: number) => spec.nodes.filter(() => next() < share).map(({ name }) => name);

  test("lights exactly what a path leads from or to", () => {
    const node = Math.floor(next() * spec.nodes.length);
    const reach = spec.nodes.map((_, i) => spec.nodes.map((__, j) => i === j));
    for (const k of spec.nodes.keys()) {
      for (const { from, to } of spec.edges) {
        for (const i of spec.nodes.keys()) if (reach[i][from] && k >= 0) reach[i][to] = true;
      }
    }
    const lit = litPart(spec.edges, [node]);
    const expected = [...spec.nodes.keys()].filter((i) => reach[i][node] || reach[node][i]);
    expect([...lit.nodes].sort((a, b) => a - b)).toEqual(expected);
    spec.edges.forEach(({ from, to }, i) => {
      expect(lit.edges.has(i)).toBe(reach[to][node] || reach[node][from]);
    });
  });

  test("shows more with a larger share, and never an edge without its ends", () => {
    const [less, more] = [next(), next()].sort((a, b) => a - b);
    const shown = [less, more].map((share) => shownGraph({ ...spec, state: { share } }));
    for (const part of shown)
      for (const { from, to } of part.edges) expect(part.nodes[from] && part.nodes[to]).toBeTruthy();
    for (const name of names(shown[0])) expect(names(shown[1])).toContain(name);
    for (const edge of ends(shown[0])) expect(ends(shown[1])).toContain(edge);
    for (const { share = 0 } of [...shown[0].nodes, ...shown[0].edges]) expect(share).toBeLessThanOrEqual(less);
    const all = shownGraph({ ...spec, state: { share: largestShare(spec)! } });
    expect(ends(all)).toEqual(ends(spec));
    expect(new Set(all.nodes.map(({ column }) => column)).size).toBe(all.columns);
  });

  test("always shows pinned nodes", () => {
    const pinned = some(0.3);
    const shown = names(shownGraph({ ...spec, state: { share: 0, pinned } }));
    for (const name of pinned) expect(shown).toContain(name);
  });

  test("a group's edges are the sums of its nodes' edges, but for those within it", () => {
    const pinned = some(0.8);
    const half = Math.floor(pinned.length / 2);
    const groups = [
      ["a", ...pinned.slice(0, half)],
      ["b", ...pinned.slice(half)],
    ].filter(({ length }) => length > 1);
    const shown = shownGraph({ ...spec, state: { pinned, groups, pinnedOnly: true } });
    if (pinned.length === 0) return;
    expect([...names(shown)]).toEqual(groups.map(([label]) => label));
    const groupOf = (i: number) => groups.find((group) => group.slice(1).includes(spec.nodes[i].name))?.[0];
    for (const [from] of groups) {
      for (const [to] of groups) {
        const between = spec.edges.filter((edge) => groupOf(edge.from) === from && groupOf(edge.to) === to);
        const found = shown.edges.find(
          (edge) => shown.nodes[edge.from].name === from && shown.nodes[edge.to].name === to,
        );
        if (from === to || between.length === 0) expect(found).toBeUndefined();
        else {
          expect(found!.weight).toBeCloseTo(
            between.reduce((sum, { weight }) => sum + weight, 0),
            10,
          );
          expect(found!.strength! ** 2).toBeCloseTo(
            between.reduce((sum, { strength }) => sum + strength! ** 2, 0),
            10,
          );
        }
      }
    }
  });

  test("without groups, pinned nodes alone have the edges that they have in the graph", () => {
    const pinned = some(0.5);
    if (pinned.length === 0) return;
    const shown = shownGraph({ ...spec, state: { pinned, pinnedOnly: true } });
    const isPinned = (i: number) => pinned.includes(spec.nodes[i].name);
    const between = { ...spec, edges: spec.edges.filter(({ from, to }) => isPinned(from) && isPinned(to)) };
    expect(ends(shown).sort()).toEqual(ends(between).sort());
  });
});

test("what a link says is used as far as it fits", () => {
  const spec = graphOf(3);
  const odd = {
    ...{ share: 7, locked: ["n1", "gone", 4], pinned: ["n1", "n2", "n1", "gone"], pinnedOnly: "yes" },
    groups: [["n3", "n1", "n9"], ["again", "n1"], "no", ["mine", "n2"], ["mine"], [3, "n2"]],
  };
  expect(graphState(spec, odd)).toEqual({
    ...{ share: 1, locked: ["n1"], pinned: ["n1", "n2"], pinnedOnly: false },
    groups: [
      ["n3 2", "n1"],
      ["mine", "n2"],
    ],
  });
  expect(graphState(spec, { pinned: [], pinnedOnly: true }).pinnedOnly).toBe(false);
  expect(graphState(spec, { pinned: null, groups: {}, locked: "n1" })).toMatchObject({
    pinned: [],
    groups: [],
    locked: [],
  });
});
