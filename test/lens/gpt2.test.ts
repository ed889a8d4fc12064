/** A Hugging Face folder of GPT-2 against what `transformers` gives for it. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { Tensor } from "../../src/graph/tensor.ts";
import { memorySource, readSafetensors } from "../../src/load/index.ts";
import { HookedTransformer } from "../../src/node.ts";
import type { NDArray } from "../../src/tensor/array.ts";
import { expectClose } from "../close.ts";

const folder = fileURLToPath(new URL("../goldens/hf/gpt2-tiny/", import.meta.url));
let expected: ReadonlyMap<string, NDArray>;
let raw: HookedTransformer;
let tokens: Tensor;
beforeAll(async () => {
  const bytes = new Uint8Array(readFileSync(`${folder}expected.safetensors`));
  expected = await readSafetensors(memorySource("expected.safetensors", bytes));
  raw = await HookedTransformer.fromPretrainedNoProcessing(folder);
  const ids = [...expected].find(([name]) => /input_ids|tokens/.test(name))![1];
  tokens = Tensor.leaf(ids);
});

test("logits", async () => {
  expectClose(await raw.forward(tokens), expected.get("logits")!, 1e-4);
});

test("the residual stream before each block, and each layer's attention", async () => {
  const [, cache] = await raw.runWithCache(tokens);
  let compared = 0;
  for (const [name, value] of expected) {
    const [, kind, layer] = /^(hidden_states|attentions)\.(\d+)$/.exec(name) ?? [];
    if (!kind) continue;
    const l = Number(layer);
    // transformers' last hidden state is after the final norm
    const last = kind === "hidden_states" && l === raw.cfg.nLayers;
    const hook = last
      ? "ln_final.hook_normalized"
      : kind === "attentions"
        ? `blocks.${l}.attn.hook_pattern`
        : `blocks.${l}.hook_resid_pre`;
    expectClose(cache.get(hook), value, 1e-4);
    compared++;
  }
  expect(compared).toBe(2 * raw.cfg.nLayers + 1);
});

test("processing changes logits by a constant only", async () => {
  const processed = await HookedTransformer.fromPretrained(folder);
  const [a, b] = [await raw.forward(tokens), await processed.forward(tokens)];
  const [la, lb] = [await a.logSoftmax().compute(), await b.logSoftmax().compute()];
  expectClose(lb, la, 1e-4);
});
