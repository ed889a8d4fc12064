/** A matrix as coloured cells: which tokens' last residual streams point the same way. */
import { HookedTransformer, imshow, tokenTicks } from "../../src/node.ts";

const model = await HookedTransformer.fromPretrained("solu-1l-novels");
const prompt = "She smiled, and he smiled, and they laughed.";
const [, cache] = await model.runWithCache(prompt, { returnType: null });
// After the last norm every row has length sqrt(d_model), so a product of two is their cosine times d_model.
const streams = cache.get("ln_final.hook_normalized").at({ batch: 0, pos: { start: 1 } });
const cosines = await streams.einsum("i m, j m -> i j", streams).div(model.cfg.dModel).compute();

const ticks = tokenTicks(model.toStrTokens(prompt).slice(1));
export default imshow(cosines, {
  title: "Cosine similarity of residual streams",
  x: { ticks },
  y: { ticks },
});
