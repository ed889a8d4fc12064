/** Where heads look, as one page that can be pointed at: the HTML has all heads, the SVG what it shows first. */
import { attentionHeads, HookedTransformer } from "../../src/node.ts";

const model = await HookedTransformer.fromPretrained("solu-1l-novels");
const prompt = "When Mary and John went out, John gave Mary a book.";
const [, cache] = await model.runWithCache(prompt, { returnType: null });

export default attentionHeads(model.toStrTokens(prompt), cache.get("pattern0"), {
  title: "Attention of layer 0",
  layers: 0,
});
