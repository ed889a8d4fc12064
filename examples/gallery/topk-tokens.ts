/** The tokens at both ends of some directions: what four neurons write, read by the unembedding. */
import { HookedTransformer, topkTokens } from "../../src/node.ts";

const model = await HookedTransformer.fromPretrained("solu-1l-novels");
const neurons = [100, 200, 300, 400];
const written = model.W_out.at({ layer: 0, d_mlp: neurons }).matmul(model.W_U);
const vocabulary = Array.from({ length: model.cfg.dVocab }, (_, id) => model.toString([id]));

export default topkTokens(vocabulary, await written.transpose(0, 1).compute(), {
  title: "What neurons promote and suppress",
  of: "neuron",
  names: neurons.map(String),
});
