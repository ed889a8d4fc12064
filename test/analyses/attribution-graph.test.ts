/** The analysis of attribution graphs: its numbers are the measure's, and its words say what they are. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { attributionGraph } from "../../src/analyses/attribution-graph.ts";
import type { Finding } from "../../src/finding/finding.ts";
import { memorySource, readSafetensors } from "../../src/load/index.ts";
import { graphFromJson, graphJson } from "../../src/measures/attribution-graph/json.ts";
import { differenceOf } from "../../src/measures/attribution-graph/targets.ts";
import { measureAttributionGraph } from "../../src/measures/attribution-graph.ts";
import { parseConfig } from "../../src/models/config/parse.ts";
import { HookedTransformer, rowsOf } from "../../src/node.ts";
import { shownGraph } from "../../src/report/draw/graph-shown.ts";
import { graphFile, graphIn } from "../../src/report/graph-file.ts";
import { folder, graphGolden, modelConfig } from "../measures/attribution-graph/goldens.ts";

describe("on the bundled model", () => {
  let model: HookedTransformer;
  let found: Finding;
  const asked = { prompt: "The lady was so tired that", answer: " she", wrong: " he", maxFeatureNodes: 128 } as const;
  beforeAll(async () => {
    model = await HookedTransformer.fromPretrained("gelu-3l-novels");
    found = await attributionGraph(model, asked);
  });

  test("finds that the lady speaks for her, and says so first", () => {
    expect(found.summary[0].text).toMatch(
      /^Of the tokens, ␣lady@2 has the strongest edge past all neurons: \+\d\.\d+ logits\.$/,
    );
    const lady = rowsOf(found.tables, "nodes").find(({ node }) => node === "␣lady@2")!;
    expect(lady.adds).toBe(found.summary[0].figure!.value);
  });

  test("explains logits: what is read is their difference, but for that of b_U", async () => {
    const targets = [" she", " he"];
    const { graph } = await measureAttributionGraph(model, { prompt: asked.prompt, targets, maxFeatureNodes: 16 });
    const logits = await model.forward(asked.prompt);
    const last = logits.row(0).row(logits.shape[1] - 1).data;
    const [she, he] = targets.map((word) => model.toSingleToken(word));
    const b = (await model.weights.get("unembed.b_U").compute()).data;
    const [first, second] = graph.rowTargets.slice(-2);
    expect(first - second).toBeCloseTo(last[she] - b[she] - (last[he] - b[he]), 4);
  });

  test("removed neurons change what the edges say while all else is held", () => {
    for (const row of rowsOf(found.tables, "removed")) {
      expect(row.constrained).toBeCloseTo(Number(row.predicted), 4);
    }
    expect(rowsOf(found.tables, "removed").length).toBe(16);
  });

  test("edges say which head carries them", () => {
    const [first] = rowsOf(found.tables, "edges").filter(({ source }) => source === "␣lady@2");
    expect(first.head).toMatch(/^L\dH\d$/);
    expect(Math.abs(Number(first.through_head))).toBeGreaterThan(0);
    // It is at another position, so none of it goes past all heads.
    expect(Math.abs(Number(first.direct))).toBeLessThan(1e-5);
  });

  test("a graph without features explains less", () => {
    const none = found.baselines.find(({ name }) => name === "no features")!.value!;
    const scores = found.summary.find(({ text }) => text.includes("replacement score"))!;
    expect(none).toBeLessThan(scores.figure!.value);
  });

  test("its file for other programs is made of its tables, and is graphJson's", async () => {
    const { answer, wrong, ...rest } = asked;
    const targets = [await differenceOf(model, answer, wrong)];
    const { graph, pruned, prompt } = await measureAttributionGraph(model, { ...rest, targets });
    const about = { slug: "lady", scan: "gelu-3l-novels", prompt: prompt.text, promptTokens: prompt.tokens };
    const json = graphJson(graph, pruned, { ...about, nLayers: 3, nodeThreshold: 0.8 });
    expect(graphFile(found, graphIn(found)!, "lady")).toEqual(json);
    expect(graphFromJson(json).nodes.length).toBeGreaterThan(50);
  });

  test("what is pinned in its picture, and in groups, is in that file", () => {
    const spec = graphIn(found)!;
    const pinned = ["␣lady@2", "L0N210@2", "L0N399@2"];
    const state = { pinned, groups: [["lady", ...pinned.slice(1)]] };
    const { qParams } = graphFile(found, { ...spec, state }, "lady");
    expect(qParams.pinnedIds).toEqual([expect.stringMatching(/^E_\d+_2$/), "0_210_2", "0_399_2"]);
    expect(qParams.supernodes).toEqual([["lady", "0_210_2", "0_399_2"]]);
  });

  test("its picture shows a few nodes and edges at first, and has more", () => {
    const spec = graphIn(found)!;
    const shown = shownGraph(spec);
    expect(shown.edges.length).toBeLessThanOrEqual(180);
    expect(shown.edges.length).toBeGreaterThan(20);
    expect(spec.edges.length).toBeGreaterThan(3 * shown.edges.length);
    for (const { name, share = 0 } of shown.nodes) {
      const row = rowsOf(found.tables, "all-nodes").find(({ node }) => node === name)!;
      expect(share).toBeLessThanOrEqual(spec.state!.share!);
      if (share > 0) expect(Number(row.share)).toBeCloseTo(share, 4);
    }
  });

  test("a token that is subtracted needs one that it is subtracted from", async () => {
    await expect(attributionGraph(model, { wrong: " he" })).rejects.toThrow(/wrong/);
    await expect(attributionGraph(model, { answer: " he", wrong: " he" })).rejects.toThrow(/two different tokens/);
  });
});

test("transcoders are read by name, and their features are the nodes", async () => {
  const golden = await graphGolden("gelu_3l.plt_relu");
  const bytes = readFileSync(new URL("gelu_3l.safetensors", folder));
  const stored = await readSafetensors(memorySource("gelu_3l", new Uint8Array(bytes)));
  const weights = [...stored].flatMap(([key, array]) =>
    key.startsWith("weights.") ? [[key.slice(8), array] as const] : [],
  );
  const model = new HookedTransformer(parseConfig(modelConfig("gelu_3l")), new Map(weights));
  const transcoders = fileURLToPath(new URL(golden.info.folder, folder));
  const prompt = Array.from(golden.get("tokens").data, Number);
  const found = await attributionGraph(model, { prompt, transcoders, desiredLogitProb: 0.7 });
  const { scores } = await measureAttributionGraph(model, { prompt, maxFeatureNodes: 10 });
  expect(scores.replacement).not.toBeCloseTo(golden.scalar("replacement_score"), 3);
  const said = found.summary.find(({ text }) => text.includes("replacement score"))!;
  expect(said.figure!.value).toBeCloseTo(golden.scalar("replacement_score"), 5);
  expect(rowsOf(found.tables, "all-nodes").filter(({ group }) => group === "feature").length).toBe(7);
  expect(found.caveats.join(" ")).toContain("Errors are what transcoders miss");
});
