/** One neuron's activations over a text; on the page, any neuron's. */
import { HookedTransformer, textNeuronActivations } from "../../src/node.ts";

const model = await HookedTransformer.fromPretrained("solu-1l-novels");
const prompt = "He looked at her, and she looked at the clock, and the clock looked at nobody.";
const [, cache] = await model.runWithCache(prompt, { returnType: null });
const some = cache
  .get("post0")
  .at({ batch: 0, d_mlp: { start: 0, end: 64 } })
  .unsqueeze(1, "layer");

export default textNeuronActivations(model.toStrTokens(prompt), await some.compute(), {
  title: "Neurons 0 to 63",
});
