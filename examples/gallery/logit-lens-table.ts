/** The residual streams before, within and after the layer, read as if each were the last. */
import { HookedTransformer, logitLensCells, logitLensTable } from "../../src/node.ts";

const model = await HookedTransformer.fromPretrained("solu-1l-novels");
const prompt = "She opened the door and went into the";
const [, cache] = await model.runWithCache(prompt, { returnType: null });
const streams = cache.accumulatedResid({ inclMid: true });
const { stack } = cache.applyLnToStack(streams, { recomputeLn: true });
const logits = await stack.at({ batch: 0 }).einsum("l p m, m v -> l p v", model.W_U).add(model.b_U).compute();

const ids = [...model.toTokens(prompt).row(0).data].map(Number);
const cells = logitLensCells(logits, { token: (id) => model.toString([id]), next: [...ids.slice(1), null] });
export default logitLensTable(model.toStrTokens(prompt), cells, { title: "Logit lens", layers: streams.labels });
