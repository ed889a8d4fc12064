/** Activations by transformers' names: its numbers and derivatives (fixtures/activations.json), and a whole GPT-2 with one. */
import { describe, expect, test } from "vitest";
import { readModel } from "../../src/models/families/index.ts";
import { activations } from "../../src/models/parts/activation.ts";
import { grad, HookedTransformer, Tensor } from "../../src/node.ts";
import { ndarray } from "../../src/tensor/array.ts";
import { expectClose } from "../close.ts";
import { json, tensors } from "./stored.ts";

interface Expected {
  readonly y: number[];
  readonly dy: number[];
}
const fixture = json("test/models/fixtures/activations.json") as Record<string, Expected> & { x: number[] };
const SAME: Readonly<Record<string, keyof typeof activations>> = {
  quick_gelu: "quick_gelu",
  gelu: "gelu",
  gelu_python: "gelu",
  gelu_new: "gelu_new",
  gelu_accurate: "gelu_new",
  gelu_fast: "gelu_fast",
  gelu_pytorch_tanh: "gelu_pytorch_tanh",
  gelu_python_tanh: "gelu_pytorch_tanh",
  relu: "relu",
  silu: "silu",
  swish: "silu",
};

describe.each(Object.entries(SAME))("transformers' %s, computed as %s", (theirs, ours) => {
  test("has its numbers and its derivative", async () => {
    const { y, dy } = fixture[theirs];
    const x = Tensor.leaf(ndarray("float32", [fixture.x.length], Float32Array.from(fixture.x)), ["pos"]);
    const value = activations[ours](x);
    const found = await value.compute();
    const slope = await grad(value.sum(), [x])[0].compute();
    fixture.x.forEach((at, i) => {
      expect([theirs, at, Math.abs(found.data[i] - y[i]) <= 2e-6 * (1 + Math.abs(y[i]))]).toEqual([theirs, at, true]);
      // At 0 the derivative of relu is a choice.
      if (ours !== "relu" || at !== 0) expect(Math.abs(slope.data[i] - dy[i])).toBeLessThan(1e-5);
    });
  });
});

test("a GPT-2 with quick_gelu gives transformers' logits, and has the hook points of any other", async () => {
  const stored = await tensors("test/models/fixtures/gpt2-quick-gelu.safetensors");
  const tokens = stored.get("tokens")!;
  const logits = stored.get("logits")!;
  stored.delete("tokens");
  stored.delete("logits");
  const { config, weights } = readModel(json("test/models/fixtures/gpt2-quick-gelu.config.json"), stored, "x/y");
  const model = new HookedTransformer(config, weights);
  expectClose(await model.forward(Tensor.leaf(tokens, ["batch", "pos"])), logits, 1e-5);
  expect(model.hookNames).toContain("blocks.1.mlp.hook_post");
});
