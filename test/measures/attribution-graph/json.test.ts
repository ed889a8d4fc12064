/** Attribution graphs as JSON, compared with circuit-tracer's files. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type GraphJson, graphFromJson, graphJson } from "../../../src/measures/attribution-graph/json.ts";
import { pruneGraph } from "../../../src/measures/attribution-graph/prune.ts";
import { folder, graphGolden } from "./goldens.ts";

const golden = (name: string): GraphJson => JSON.parse(readFileSync(new URL(`graphs/json/${name}`, folder), "utf8"));

const close = (x: unknown) => (typeof x === "number" ? Number(x.toFixed(5)) : x);
const rounded = (json: unknown): unknown => JSON.parse(JSON.stringify(json), (_key, value) => close(value));

/** circuit-tracer's file with our ids of errors, which cannot be a feature's. */
function withOwnErrorIds(json: GraphJson): GraphJson {
  const ids = new Map(
    json.nodes.map((node) => {
      const isError = node.feature_type === "mlp reconstruction error";
      return [node.node_id, isError ? `${node.layer}_-1_${node.ctx_idx}` : node.node_id];
    }),
  );
  const id = (old: string) => ids.get(old)!;
  return {
    ...json,
    nodes: json.nodes.map((node) => {
      const jsNodeId = node.feature === -1 ? `${id(node.node_id)}-0` : node.jsNodeId;
      return { ...node, node_id: id(node.node_id), jsNodeId };
    }),
    links: json.links.map(({ source, target, weight }) => ({ source: id(source), target: id(target), weight })),
  };
}

async function written(name: string) {
  const { graph, get, info } = await graphGolden(name);
  const whole = graph();
  const pruned = pruneGraph(whole);
  const json = graphJson(whole, pruned, {
    slug: name.replace(".", "-"),
    scan: `glassformer/${name}`,
    prompt: info.input_string,
    promptTokens: Array.from(get("tokens").data, (token) => ` t${token}`),
    nLayers: get("error_vectors").shape[0],
    nodeThreshold: 0.8,
  });
  return { whole, pruned, json };
}

describe.each(["gelu_3l.plt_relu", "llama_gqa_2l.clt_jumprelu"])("the file of %s", (name) => {
  test("is circuit-tracer's, but for the ids of errors", async () => {
    const { json } = await written(name);
    const file = golden(`${name.replace(/\.(?=[pc]lt)/, "-")}.json`);
    const named = { ...file, metadata: { ...file.metadata, slug: json.metadata.slug } };
    expect(rounded(json)).toEqual(rounded(withOwnErrorIds(named)));
  });

  test("reads back as the nodes and edges that were kept", async () => {
    const { whole, pruned, json } = await written(name);
    const read = graphFromJson(JSON.parse(JSON.stringify(json)));
    const kept = whole.nodes.filter(({ kind }, i) => kind === "token" || kind === "logit" || pruned.nodes[i]);
    expect(read.nodes).toEqual(kept);
    expect(read.adjacency.values).toEqual(whole.adjacency.values.filter((_, at) => pruned.edges[at]));
    expect(read.metadata).toEqual(json.metadata);
  });
});

test("circuit-tracer's own file is read", () => {
  const file = golden("gelu_3l-plt_relu.json");
  const read = graphFromJson(file);
  expect(read.nodes).toHaveLength(file.nodes.length);
  expect(read.adjacency.values).toHaveLength(file.links.length);
  expect(read.nodes.filter(({ kind }) => kind === "error")).toHaveLength(7);
});

describe("a file that cannot be read", () => {
  const file = golden("gelu_3l-plt_relu.json");

  test("is refused if it is not a graph", () => {
    expect(() => graphFromJson({ nodes: [] })).toThrow(/an object with metadata, nodes and links/);
    expect(() => graphFromJson(null)).toThrow(/an object with metadata, nodes and links/);
  });

  test("is refused if a node or a link lacks what it needs", () => {
    const [first, ...rest] = file.nodes;
    expect(() => graphFromJson({ ...file, nodes: [{ ...first, ctx_idx: -1 }, ...rest] })).toThrow(
      /ctx_idx of node 0 .* must be a whole number, 0 or more, not -1/,
    );
    expect(() => graphFromJson({ ...file, links: [{ source: "a", target: "b" }] })).toThrow(/weight of link 0/);
  });

  test("is refused if a link names a node that is not there", () => {
    const links = [...file.links, { source: "0_99_1", target: "4_35_6", weight: 1 }];
    expect(() => graphFromJson({ ...file, links })).toThrow(/"0_99_1", which the file does not have/);
  });

  test("is refused if an error and a feature have one id", () => {
    const error = file.nodes.find(({ node_id }) => node_id === "0_1_2")!;
    const feature = { ...error, feature: 1, layer: "0", feature_type: "cross layer transcoder" };
    expect(() => graphFromJson({ ...file, nodes: [...file.nodes, feature] })).toThrow(/the id "0_1_2"/);
  });
});
