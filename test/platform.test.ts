/** The core alone has no platform: whatever needs one says what is missing and what to do. */
import { expect, test } from "vitest";
import { HookedTransformer, imshow, initWeights, parseConfig, tensor, train } from "../src/index.ts";
import { platform } from "../src/platform.ts";

const cfg = parseConfig({ n_layers: 1, d_model: 4, n_ctx: 4, d_head: 2, n_heads: 2, d_vocab: 5, attn_only: true });

test("the core brings nothing", () => {
  expect(platform()).toEqual({});
});

test("without an engine nothing is computed", async () => {
  await expect(tensor([1]).add(1).compute()).rejects.toThrow(/^There is no engine to compute with: import from "glass/);
  expect(() => new HookedTransformer(cfg, initWeights(cfg)).engine).toThrow(/^There is no engine: .* pass `engine`/);
});

test("without files no name means a model", async () => {
  await expect(HookedTransformer.fromPretrained("gpt2")).rejects.toThrow(
    'open "gpt2": import from "glassformer", or pass `files`.',
  );
});

test("without folders checkpoints need a store", async () => {
  const data = tensor([[1, 2]], { dtype: "int32" });
  const model = new HookedTransformer(cfg, initWeights(cfg));
  await expect(train(model, { data, steps: 1, saveDir: "runs" })).rejects.toThrow(
    'There is no folder "runs" here: pass a CheckpointStore as saveDir.',
  );
});

test("without a rasterizer there is no PNG", async () => {
  await expect(imshow([[1]]).png()).rejects.toThrow("Import glassformer's Node or web entry");
});
