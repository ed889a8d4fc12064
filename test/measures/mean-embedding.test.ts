/** What a token is on average, against what every token is. */
import { expect, test } from "vitest";
import { Tensor } from "../../src/graph/tensor.ts";
import { tokenEmbedding } from "../../src/lens/model-has.ts";
import { meanEmbedding } from "../../src/measures/mean-embedding.ts";
import { ndarray } from "../../src/tensor/array.ts";
import { expectClose } from "../close.ts";
import { golden, goldenModel } from "../goldens.ts";

test.each(["gelu_2l", "alibi_2l"])(
  "%s: the mean embedding is the mean of hook_embed over the vocabulary",
  async (name) => {
    const model = goldenModel(await golden(name));
    const { dVocab } = model.cfg;
    const ids = Int32Array.from({ length: dVocab }, (_, i) => i);
    const every = Tensor.leaf(ndarray("int32", [dVocab, 1], ids), ["batch", "pos"]);
    const [, cache] = await model.runWithCache(every, { namesFilter: "hook_embed" });
    const mean = await cache.get("hook_embed").mean(["batch", "pos"]).compute();
    expectClose(await meanEmbedding(model).compute(), mean, 1e-5);
    expect(tokenEmbedding(model)).toEqual({ point: "hook_embed", weight: "embed.W_E" });
  },
);
