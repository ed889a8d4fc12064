/** Models in which a norm stands between what attention and MLP write and the residual stream: what adds up still does. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { Tensor } from "../../src/graph/tensor.ts";
import type { ActivationCache } from "../../src/lens/activation-cache.ts";
import { lastStream } from "../../src/lens/model-has.ts";
import { memorySource, readSafetensors } from "../../src/load/index.ts";
import { allSenders } from "../../src/measures/path-patching/path-ends.ts";
import { withPaths } from "../../src/measures/path-patching.ts";
import { logitsOf } from "../../src/measures/unembed.ts";
import { HookedTransformer } from "../../src/node.ts";
import { expectClose } from "../close.ts";

const folderOf = (name: string) => fileURLToPath(new URL(`../goldens/hf/${name}-tiny/`, import.meta.url));

describe.each(["gemma2", "gemma3_text", "olmo2", "olmo3"])("%s", (name) => {
  let model: HookedTransformer;
  let tokens: Tensor;
  let cache: ActivationCache;
  let logits: Tensor;
  beforeAll(async () => {
    const file = new Uint8Array(readFileSync(`${folderOf(name)}expected.safetensors`));
    tokens = Tensor.leaf((await readSafetensors(memorySource(name, file))).get("tokens")!, ["batch", "pos"]);
    model = await HookedTransformer.fromPretrained(folderOf(name));
    [logits, cache] = await model.runWithCache(tokens);
  });

  test("what heads, neurons, embeddings and biases add sums to the last stream, and from there to the logits", async () => {
    const end = cache.get(lastStream(model));
    for (const stack of [cache.getFullResidDecomposition(), cache.decomposeResid()]) {
      expectClose(await stack.sum().compute(), end, 2e-5);
      expectClose(
        await cache
          .applyLnToStack(stack)
          .sum()
          .compute()
          .then((x) => logitsOf(model, x).compute()),
        logits,
        1e-4,
      );
    }
  });

  test("what a head adds is its result, through the norm's scale in the run", async () => {
    const results = cache.computeHeadResults();
    const { w } = { w: model.weights.get("blocks.1.ln1_post.w") };
    const one = results.get("blocks.1.attn.hook_result").at({ head: 2 });
    const through = one.div(cache.get("blocks.1.ln1_post.hook_scale")).mul(w);
    expectClose(await cache.stackHeadResults().get("L1H2").compute(), await through.compute(), 1e-5);
    const all = cache.stackHeadResults().stack.slice("component", model.cfg.nHeads).sum("component");
    expectClose(await all.compute(), cache.get("blocks.1.hook_attn_out"), 2e-5);
  });

  test("all direct paths to the logits from another run give its last stream", async () => {
    const other = await tokens.add(1).compute();
    const [graph, source] = [model.graph(tokens), model.graph(other)];
    const paths = allSenders(model).map((sender) => [sender, "logits"] as const);
    const [patched, theirs] = await model.compute([withPaths(model, graph, source, paths).output, source.output]);
    expectClose(patched, theirs, 1e-4);
  });

  test("biases that are 0 add nothing, and processing says why it does not centre what is written", () => {
    expect(new Set(model.accumulatedBias(2).data)).toEqual(new Set([0]));
    expect(model.notes.join(" ")).toMatch(/center_writing_weights is left out/);
  });
});
