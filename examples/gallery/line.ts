/** Numbers along an axis: how surprising each token of a text is, as it is and without the MLP. */
import { HookedTransformer, line } from "../../src/node.ts";

const model = await HookedTransformer.fromPretrained("solu-1l-novels");
const prompt = "It was the best of times, it was the worst of times, it was the age of wisdom";
const loss = { returnType: "loss", lossPerToken: true } as const;
const whole = await model.forward(prompt, loss);
const without = await model.runWithHooks(prompt, { ...loss, fwdHooks: [["blocks.0.hook_mlp_out", (x) => x.mul(0)]] });

export default line(
  { "the model": whole.row(0), "without its MLP": without.row(0) },
  { title: "Loss of each token", x: "position", y: { label: "loss", unit: "nats" } },
);
