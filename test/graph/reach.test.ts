/** Changes in many cells are computed where they reach, and every number is that of the whole computation. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makePlan } from "../../src/engine/plan.ts";
import { interpret } from "../../src/engine/reference.ts";
import { withinReach } from "../../src/graph/rewrite/cone.ts";
import { Tensor } from "../../src/graph/tensor.ts";
import type { ModelGraph } from "../../src/lens/model-graph.ts";
import { parseConfig } from "../../src/models/config/parse.ts";
import { HookedTransformer } from "../../src/node.ts";
import { ndarray, sizeOf } from "../../src/tensor/array.ts";
import { expectClose } from "../close.ts";
import { golden, goldenNames } from "../goldens.ts";
import { numbers } from "./cases.ts";

const SITES = ["hook_resid_pre", "attn.hook_q", "attn.hook_k", "attn.hook_v", "attn.hook_z", "hook_mlp_out"];
const POINTS = [
  ...SITES,
  "attn.hook_attn_scores",
  "attn.hook_pattern",
  "hook_attn_out",
  "mlp.hook_post",
  "hook_resid_post",
];

/** One change a cell, each at some place along some axes of a point. */
function inCells(graph: ModelGraph, name: string, over: readonly string[], cells: readonly number[], change: Change) {
  return graph.with([
    [
      name,
      (x) => {
        const shape = [cells.length, ...x.shape.map((n, axis) => (over.includes(x.axes[axis]) ? n : 1))];
        const each = sizeOf(shape.slice(1));
        const data = new Uint8Array(sizeOf(shape));
        for (const [cell, place] of cells.entries()) data[cell * each + (place % each)] = 1;
        const mask = Tensor.leaf(ndarray("bool", shape, data), ["cell", ...x.axes]);
        return CHANGES[change](x, cells.length).where(mask, x);
      },
    ],
  ]);
}

/** One cell's change at each of two points of different layers, or of the same, as cells of several layers run together. */
function inCellsOfTwo(
  graph: ModelGraph,
  names: readonly [string, string],
  over: readonly string[],
  places: readonly number[],
  change: Change,
) {
  const cells = 2 * places.length;
  const changeAt = (name: string, first: number) => {
    const clean = graph.at(name);
    const sizes = clean.shape.map((n, axis) => (over.includes(clean.axes[axis]) ? n : 1));
    const each = sizeOf(sizes);
    const data = new Uint8Array(cells * each);
    for (const [i, place] of places.entries()) data[(first + i) * each + (place % each)] = 1;
    const mask = Tensor.leaf(ndarray("bool", [cells, ...sizes], data), ["cell", ...clean.axes]);
    return [name, (x: Tensor) => CHANGES[change](clean, cells).where(mask, x)] as const;
  };
  return graph.with([changeAt(names[0], 0), changeAt(names[1], places.length)]);
}

const CHANGES = {
  zero: (x: Tensor) => x.constant(0),
  scaled: (x: Tensor) => x.mul(x.constant(1.5)),
  other: (x: Tensor) => numbers([...x.shape], 3),
  "its own in each cell": (x: Tensor, cells: number) => x.add(numbers([cells, ...x.shape.map(() => 1)], 5)),
};
type Change = keyof typeof CHANGES;

const METRICS = {
  "the last logits": ({ output }: ModelGraph) => output.at({ pos: -1 }),
  "a middle logit": ({ output }: ModelGraph) => output.at({ pos: 3, d_vocab: 5 }),
  "all logits": ({ output }: ModelGraph) => output,
  "the loss": (graph: ModelGraph) => graph.lossPerToken(),
  "the stream": (graph: ModelGraph) => graph.at("blocks.0.hook_resid_post"),
};

describe.each(goldenNames)("cells of %s", (golden_) => {
  it("have the numbers of the whole computation, whatever is changed, and whatever is read", {
    timeout: 120_000,
  }, async () => {
    const g = await golden(golden_);
    const model = new HookedTransformer(parseConfig(g.info.config), g.under("weights."));
    const graph = model.graph(g.tokens);
    const layers = model.cfg.nLayers;
    const names = POINTS.flatMap((site) =>
      Array.from({ length: layers }, (_, layer) => `blocks.${layer}.${site}`),
    ).filter((name) => model.hookNames.includes(name));
    const places = fc.array(fc.nat(500), { minLength: 2, maxLength: 6 });
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.subarray(["pos", "query", "key", "head", "d_mlp", "batch"], { minLength: 2 }),
        places,
        fc.constantFrom(...(Object.keys(CHANGES) as Change[])),
        fc.constantFrom(...(Object.keys(METRICS) as (keyof typeof METRICS)[])),
        (name, over, cells, change, metric) => {
          const value = inCells(graph, name, over, cells, change).follow(METRICS[metric](graph));
          const [whole] = interpret([value]);
          const [found] = interpret(withinReach([value]));
          expect(found.shape).toEqual(whole.shape);
          expect(found.axes).toEqual(whole.axes);
          expectClose(found, whole, 1e-9);
        },
      ),
      { numRuns: 8 },
    );
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.constantFrom(...names), { minLength: 2, maxLength: 2 }),
        fc.subarray(["pos", "query", "key", "head", "d_mlp", "batch"]),
        fc.array(fc.nat(500), { minLength: 1, maxLength: 4 }),
        fc.constantFrom(...(Object.keys(CHANGES) as Change[])),
        fc.constantFrom(...(Object.keys(METRICS) as (keyof typeof METRICS)[])),
        (two, over, places, change, metric) => {
          const graphOfTwo = inCellsOfTwo(graph, two as [string, string], over, places, change);
          // Next to the unchanged run's: its numbers are those of the cells' own unchanged run.
          const plain = METRICS[metric](graph);
          const asked = [plain, graph.at(two[1]), graphOfTwo.follow(plain)];
          const [all, found] = [interpret(asked), interpret(withinReach(asked))];
          for (const [i, whole] of all.entries()) {
            expect(found[i].shape).toEqual(whole.shape);
            expect(found[i].axes).toEqual(whole.axes);
            expectClose(found[i], whole, 1e-9);
          }
        },
      ),
      { numRuns: 8 },
    );
  });
});

describe("a change at each of 12 positions", () => {
  const everyPosition = async (name: string) => {
    const g = await golden(name);
    const model = new HookedTransformer(parseConfig(g.info.config), g.under("weights."));
    const graph = model.graph(Tensor.leaf(ndarray("int32", [1, 12], g.tokens.data.slice(0, 12) as Int32Array)));
    const positions = Array.from({ length: 12 }, (_, pos) => pos);
    const cells = inCells(graph, "blocks.0.hook_resid_pre", ["pos"], positions, "zero");
    return { cfg: model.cfg, graph, edited: cells, value: cells.follow(graph.output) };
  };

  it("is computed at the positions from there on, next to the unchanged run", async () => {
    const { cfg, value } = await everyPosition("solu_ln_2l");
    const { steps, sizes } = makePlan([value]);
    const rows = steps.flatMap(({ op, inputs: [x, weight] }) =>
      op === "matmul" && sizes[weight.id] === cfg.dModel * cfg.dMlp! && x.rank === 2 ? [sizes[x.id]] : [],
    );
    const reached = (12 * 13) / 2 + 12;
    expect(rows).toEqual([reached * cfg.dModel, reached * cfg.dMlp!, reached * cfg.dModel, reached * cfg.dMlp!]);
  });

  it("gives the unchanged run's values with no product for them, where they are asked for next to the cells", async () => {
    const { graph, value, edited } = await everyPosition("solu_ln_2l");
    const asked = [graph.output, graph.at("blocks.1.hook_resid_pre"), edited.at("blocks.1.hook_resid_pre"), value];
    const productsOf = (values: readonly Tensor[]) => makePlan(values).steps.filter(({ op }) => op === "matmul").length;
    const alone = makePlan([graph.output]).steps.filter(({ op }) => op === "matmul").length;
    expect(productsOf(asked)).toBe(productsOf(asked.slice(2)));
    expect(productsOf(asked.slice(2))).toBeLessThan(2 * alone);
    const [found, expected] = [interpret(withinReach(asked)), interpret(asked)];
    for (const [i, { axes }] of asked.entries()) {
      expect(found[i].axes).toEqual(axes);
      expectClose(found[i], expected[i], 1e-9);
    }
  });

  it("leaves a value without changes as it is where that has numbers of its own for each cell", async () => {
    const weight = numbers([20, 20], 2);
    const [x, factors] = [numbers([6, 20], 1), numbers([4, 1, 1], 3)];
    const mask = Tensor.leaf(
      ndarray(
        "bool",
        [4, 6, 1],
        Uint8Array.from({ length: 24 }, (_, i) => +(i % 7 === 0)),
      ),
    );
    const asked = [x.matmul(weight).mul(factors), x.constant(0).where(mask, x).matmul(weight).mul(factors)];
    const [found, expected] = [interpret(withinReach(asked)), interpret(asked)];
    for (const [i, value] of expected.entries()) expectClose(found[i], value, 1e-9);
  });

  it("reaches every position where attention goes both ways, so all is computed as it is written", async () => {
    const { value } = await everyPosition("bidirectional_1l");
    expect(withinReach([value])[0]).toBe(value);
  });
});

describe("what is not a change in each of several cells", () => {
  it("is left as it is", async () => {
    const g = await golden("solu_ln_1l");
    const model = new HookedTransformer(parseConfig(g.info.config), g.under("weights."));
    const graph = model.graph(g.tokens);
    const hooked = graph.with([["blocks.0.hook_resid_pre", (x) => x.set({ pos: 3 }, 0)]]);
    const inOne = inCells(graph, "blocks.0.hook_resid_pre", ["pos"], [3], "zero");
    const mixed = inCells(graph, "blocks.0.hook_resid_pre", ["pos"], [3, 4, 5], "zero")
      .follow(graph.output)
      .mean("cell");
    for (const value of [graph.output, hooked.output, inOne.output, mixed]) expect(withinReach([value])[0]).toBe(value);
  });
});
