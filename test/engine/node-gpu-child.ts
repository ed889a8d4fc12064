/** Runs a product twice on Node's WebGPU, with a weight whose numbers have changed in between, and a model on both devices; prints what they give. */
import { Engine } from "../../src/engine/engine.ts";
import { Tensor } from "../../src/graph/tensor.ts";
import { HookedTransformer, nodeBackend } from "../../src/node.ts";

const engine = new Engine(nodeBackend({ device: "webgpu" }));
const leaf = (shape: readonly number[], data: Float32Array, role?: "weight") =>
  Tensor.leaf({ dtype: "float32", shape, data }, [], role);
const weight = Float32Array.of(1, 2, 3, 4);
const product = async (x: readonly number[]) => {
  const [found] = await engine.run([leaf([1, 2], Float32Array.from(x)).matmul(leaf([2, 2], weight, "weight"))]);
  return Array.from(found.data);
};
const products = [await product([1, 0])];
weight.fill(0);
products.push(await product([0, 1]));

const logitsOn = async (device: "cpu" | "webgpu") => {
  const model = await HookedTransformer.fromPretrained("solu-1l-novels", { device });
  const texts = ["the cat sat", "It was the best of times"];
  return Promise.all(
    texts.map(async (text) => Array.from<number>((await model.forward(text)).data.slice(-model.cfg.dVocab))),
  );
};
process.stdout.write(JSON.stringify({ products, cpu: await logitsOn("cpu"), webgpu: await logitsOn("webgpu") }));
