/** A model's conversations, and tokenizers that have more tokens than their model. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { HookedTransformer } from "../../src/lens/hooked-transformer.ts";
import { memoryFiles } from "../../src/load/index.ts";
import { InputError } from "../../src/tensor/errors.ts";
import "../../src/node.ts";

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url));
const TEMPLATE =
  "{{ bos_token }}{% for m in messages %}[{{ m.role }}] {{ m.content }}{{ eos_token }}{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}";

const load = (config: object = {}, more: Record<string, Uint8Array | string> = {}) => {
  const configJson = JSON.parse(read("goldens/hf/llama-tiny/config.json").toString());
  const files = memoryFiles("chatty", {
    "config.json": JSON.stringify(configJson),
    "model.safetensors": read("goldens/hf/llama-tiny/model.safetensors"),
    "tokenizer.model": read("text/vocabularies/llama.model"),
    "tokenizer_config.json": JSON.stringify({ tokenizer_class: "LlamaTokenizer", add_bos_token: true, ...config }),
    ...more,
  });
  return HookedTransformer.fromPretrained("chatty", { files });
};

describe("a conversation", () => {
  it("is a text and its tokens, with one BOS, which the template puts there", async () => {
    const model = await load({ chat_template: TEMPLATE });
    const { text, tokens } = model.toChat([{ role: "user", content: "the end" }], { addGenerationPrompt: true });
    expect(text).toBe("<s>[user] the end</s>[assistant]");
    const ids = Array.from(tokens.array!.data);
    expect(tokens.shape).toEqual([1, ids.length]);
    expect(ids.filter((id) => id === 1)).toHaveLength(1);
    expect(ids[0]).toBe(1);
    expect(Array.from(model.toTokens(text, { prependBos: false }).array!.data)).toEqual(ids);
  });

  it("of a model whose tokenizer has no template is refused", async () => {
    const model = await load();
    expect(() => model.toChat([{ role: "user", content: "Hi" }])).toThrow(InputError);
    expect(() => model.toChat([{ role: "user", content: "Hi" }])).toThrow(/has no chat template/);
  });
});

describe("a tokenizer with more tokens than the model's vocabulary", () => {
  const { vocab_size: size } = JSON.parse(read("goldens/hf/llama-tiny/config.json").toString());
  const added = Object.fromEntries(Array.from({ length: size }, (_, i) => [`<more_${i}>`, 500 + i]));

  it("is noted, and the others work", async () => {
    const model = await load({}, { "added_tokens.json": JSON.stringify(added) });
    expect(model.notes.filter((note) => note.includes("The tokenizer has ids up to"))).toEqual([
      `The tokenizer has ids up to ${499 + size} ("<more_${size - 1}>"), but the model's vocabulary has ${size} tokens: a text with a token that the model lacks is an error.`,
    ]);
    expect(model.toTokens("a").shape[0]).toBe(1);
    await expect(model.forward(`<more_${size - 1}>`)).rejects.toThrow(/outside the vocabulary/);
  });

  it("is not noted where every token has a row", async () => {
    const model = await HookedTransformer.fromPretrained("solu-1l-novels");
    expect(model.notes.some((note) => note.includes("ids up to"))).toBe(false);
  });
});
