/** Several matrices on one colour scale: the attention patterns of a layer's heads. */
import { HookedTransformer, imshow } from "../../src/node.ts";

const model = await HookedTransformer.fromPretrained("solu-1l-novels");
const [, cache] = await model.runWithCache("It was the best of times, it was the worst of times", { returnType: null });
const patterns = await cache.get("pattern0").at({ batch: 0 }).compute();

export default imshow(patterns, {
  title: "Attention patterns",
  facet: "head",
  x: "key",
  y: "query",
  color: { label: "attention", scheme: "Blues", domain: [0, 1] },
});
