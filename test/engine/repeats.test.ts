/** Rows that are added to the same place, at sizes at which the runtime's threads share the work. */
import { describe, expect, test } from "vitest";
import { Engine } from "../../src/engine/engine.ts";
import { nodeBackend } from "../../src/engine/ort-node.ts";
import { grad } from "../../src/graph/rewrite/grad.ts";
import { Tensor } from "../../src/graph/tensor.ts";
import { initWeights } from "../../src/models/weights/init.ts";
import { HookedTransformer, parseConfig, train } from "../../src/node.ts";
import type { NDArray } from "../../src/tensor/array.ts";
import { expectClose } from "../close.ts";
import { ints } from "../graph/cases.ts";

const floats = (shape: readonly number[]) =>
  Tensor.leaf({ dtype: "float32", shape, data: new Float32Array(shape.reduce((a, b) => a * b)) } as NDArray);
const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const engines = [2, 4].map((threads) => new Engine(nodeBackend({ threads })));

describe.each(engines.map((engine, i) => [[2, 4][i], engine] as const))("with %i threads", (_threads, engine) => {
  test("each of 4096 rows taken from 64 gets its gradient back, every time", async () => {
    const x = floats([64, 256]);
    const byRow = x
      .gather(
        0,
        ints(
          [4096],
          range(4096).map((i) => i % 64),
        ),
      )
      .sum();
    const twoDeep = floats([8, 8, 256]);
    const pairs = ints(
      [4096, 2],
      range(4096).flatMap((i) => [i % 8, (i >> 3) % 8]),
    );
    const byPair = twoDeep.gatherRows(pairs).sum();
    for (let time = 0; time < 4; time++) {
      const [rows, rowsOfPairs] = await engine.run([...grad(byRow, [x]), ...grad(byPair, [twoDeep])]);
      expect(new Set(rows.data)).toEqual(new Set([64]));
      expect(new Set(rowsOfPairs.data)).toEqual(new Set([64]));
    }
  });

  test("a training run gives the same numbers each time, and the embeddings' gradient is that of the stream, token by token", async () => {
    const cfg = parseConfig({ n_layers: 1, d_model: 128, d_head: 32, n_ctx: 128, d_vocab: 200, act_fn: "relu" });
    const data = Int32Array.from(range(16 * 128), (i) => (i * i + (i >> 5)) % 200);
    const tokens = Tensor.leaf({ dtype: "int32", shape: [16, 128], data }, ["batch", "pos"]);
    const model = new HookedTransformer(cfg, initWeights(cfg), { engine });
    const losses = async () => (await train(model, { data: tokens, batchSize: 16, steps: 4, lr: 0.01 })).losses;
    const first = await losses();
    expect(await losses()).toEqual(first);

    const graph = model.graph(tokens);
    const wrt = [model.W_E, model.W_pos, graph.at("hook_embed")];
    const [ofTokens, ofPositions, stream] = await model.compute(grad(graph.loss(), wrt));
    const sums = [new Float64Array(200 * 128), new Float64Array(128 * 128)];
    data.forEach((token, i) => {
      for (let d = 0; d < 128; d++) {
        sums[0][token * 128 + d] += stream.data[i * 128 + d];
        sums[1][(i % 128) * 128 + d] += stream.data[i * 128 + d];
      }
    });
    expectClose(ofTokens, { shape: [200, 128], data: sums[0] }, 1e-5);
    expectClose(ofPositions, { shape: [128, 128], data: sums[1] }, 1e-5);
  });
});
