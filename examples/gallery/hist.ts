/** How numbers are distributed: a neuron's activations before and after SoLU. */
import { HookedTransformer, hist } from "../../src/node.ts";

const model = await HookedTransformer.fromPretrained("solu-1l-novels");
const [, cache] = await model.runWithCache("It was the best of times, it was the worst of times", { returnType: null });
const all = (name: string) => cache.get(name).rearrange("batch pos d_mlp -> (batch pos d_mlp)").compute();

export default hist(
  { hook_pre: await all("pre0"), hook_mid: await all("mid0") },
  { title: "Neurons at all positions", x: { label: "activation", domain: [-4, 4] } },
);
