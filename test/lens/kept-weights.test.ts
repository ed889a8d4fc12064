/** Models whose weights are kept in fewer bits compute what float32 models with those very numbers do. */
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { Engine } from "../../src/engine/engine.ts";
import { webBackend } from "../../src/engine/ort-web.ts";
import { Tensor } from "../../src/graph/tensor.ts";
import { grad, HookedTransformer, train } from "../../src/node.ts";
import type { NDArray } from "../../src/tensor/array.ts";
import { ArgumentError, WeightsError } from "../../src/tensor/errors.ts";
import { bytesOf, KEPT_DTYPES, keptOf } from "../../src/tensor/kept.ts";
import { expectClose } from "../close.ts";
import { RecordingEngine } from "../engine/recording.ts";

const narrow = KEPT_DTYPES.filter((dtype) => dtype !== "float32");
const folder = (name: string) => fileURLToPath(new URL(`../goldens/hf/${name}-tiny/`, import.meta.url));
const tokens = Tensor.leaf({ dtype: "int32", shape: [2, 5], data: Int32Array.of(1, 5, 2, 9, 3, 7, 7, 4, 0, 8) }, [
  "batch",
  "pos",
]);

/** The same model with its numbers in float32. */
function plain(model: HookedTransformer): HookedTransformer {
  const arrays = [...model.weights.entries()].map(([name, { array }]): [string, NDArray] => [
    name,
    { dtype: "float32", shape: array!.shape, data: array!.data as Float32Array },
  ]);
  return new HookedTransformer(model.cfg, new Map(arrays));
}

const bytes = (model: HookedTransformer) =>
  [...model.weights.entries()].reduce((sum, [, { array }]) => sum + bytesOf(array!), 0);

describe.each(narrow)("%s", (dtype) => {
  describe.each(["bundled", "llama", "gptj", "qwen2"])("of %s", (name) => {
    let model: HookedTransformer;
    let same: HookedTransformer;
    beforeAll(async () => {
      model = await HookedTransformer.fromPretrained(name === "bundled" ? name : folder(name), { dtype });
      same = plain(model);
    });

    test("every value of a pass", async () => {
      const [logits, cache] = await model.runWithCache(tokens);
      const [expected, all] = await same.runWithCache(tokens);
      expectClose(logits, expected, 1e-5);
      for (const [point, value] of all.items()) expectClose(cache.get(point), value, 2e-5);
    });

    test("gradients, stacked weights, and what is generated", async () => {
      const graph = (of: HookedTransformer) => of.graph(tokens);
      const gradient = async (of: HookedTransformer) => {
        const g = graph(of);
        // Not of the logits' sum, which is 0 where the unembedding is centred: its gradient is rounding alone.
        const [found] = await of.compute(grad(g.loss(), [g.at("hook_embed")]));
        return found;
      };
      expectClose(await gradient(model), await gradient(same), 1e-4);
      const [found, expected] = await Promise.all([model, same].map((of) => of.compute([of.W_Q, of.W_O])));
      expectClose(found[0], expected[0], 1e-6);
      expectClose(found[1], expected[1], 1e-6);
      const options = { maxNewTokens: 3, doSample: false, stopAtEos: false };
      const texts = await Promise.all([model, same].map((of) => of.generate(tokens, options)));
      expect([...(texts[0] as Tensor).data]).toEqual([...(texts[1] as Tensor).data]);
    });
  });

  test("takes the announced share of float32's bytes", async () => {
    const whole = await HookedTransformer.fromPretrained("bundled");
    const kept = await HookedTransformer.fromPretrained("bundled", { dtype });
    const share = { float16: 0.5, bfloat16: 0.5, int8: 0.282, int4: 0.157 }[dtype];
    expect(bytes(kept) / bytes(whole)).toBeCloseTo(share, 2);
  });

  test("is what a model's weights are after processing, too, and is not trained", async () => {
    const raw = await HookedTransformer.fromPretrainedNoProcessing(folder("llama"), { dtype });
    const processed = raw.processWeights();
    expect(keptOf(processed.weights.get("blocks.0.mlp.W_in").array)?.dtype).toBe(dtype);
    const refused = train(raw, { data: tokens, steps: 1 } as never);
    await expect(refused).rejects.toThrow(ArgumentError);
    await expect(refused).rejects.toThrow(new RegExp(`kept as ${dtype}: open the model with dtype "float32"`));
  });

  test("computes the same in WebAssembly", async () => {
    const model = await HookedTransformer.fromPretrained(folder("llama"), { dtype });
    const web = await HookedTransformer.fromPretrained(folder("llama"), { dtype, engine: new Engine(webBackend()) });
    expectClose(await web.forward(tokens), await model.forward(tokens), 1e-5);
  });
});

test("an int4 product takes its weight as it is kept, and a lookup unpacks its rows alone", async () => {
  const engine = new RecordingEngine();
  const model = await HookedTransformer.fromPretrained(folder("llama"), { dtype: "int4", engine });
  await model.forward(tokens);
  const [plan] = engine.plans;
  expect(plan).toMatch(/= unpackRows\(/);
  expect(plan.match(/= keptProduct\(/g)).toHaveLength(2 * 7 + 1);
  expect(plan).not.toMatch(/= unpack\(|= linear\(/);
});

test("a number beyond float16 is refused with the dtype that holds it", async () => {
  const model = await HookedTransformer.fromPretrainedNoProcessing(folder("llama"));
  const { keepWeight } = await import("../../src/models/weights/keep.ts");
  const spec = { name: "embed.W_E", axes: ["d_vocab", "d_model"], shape: [1, 2], init: "drawn" } as const;
  const array = { dtype: "float32", shape: [1, 2], data: Float32Array.of(1, 70000) } as const;
  expect(() => keepWeight(spec, array, "float16")).toThrow(WeightsError);
  expect(() => keepWeight(spec, array, "float16")).toThrow(/has 70000, which float16 cannot hold.*bfloat16/);
  expect(model.cfg.dtype).toBe("float32");
});

test("an unknown dtype is refused by name", async () => {
  const opening = HookedTransformer.fromPretrained("bundled", { dtype: "int3" as never });
  await expect(opening).rejects.toThrow(/dtype.*"int4", not "int3"/);
});
