/** A text coloured by numbers: how surprising each token is. */
import { HookedTransformer, tokens } from "../../src/node.ts";

const model = await HookedTransformer.fromPretrained("solu-1l-novels");
const prompt =
  "Elizabeth, having rather expected to affront him, was amazed at his gallantry; but there was a mixture of sweetness in her manner.";
const loss = await model.forward(prompt, { returnType: "loss", lossPerToken: true });

export default tokens(model.toStrTokens(prompt).slice(1), loss.row(0), {
  title: "Loss of each token",
  unit: "nats",
  color: { label: "loss", scheme: "Blues" },
});
