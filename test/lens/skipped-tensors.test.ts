/** Tensors of kinds that are not computed with: told where they are in the way, noted where they are not. */
import { describe, expect, test } from "vitest";
import { HookedTransformer, initWeights, memoryFiles, parseConfig } from "../../src/index.ts";
import { toTransformerLens } from "../../src/models/config/parse.ts";
import { WeightsError } from "../../src/tensor/errors.ts";
import { checkpoint, dict, type Part, pickle, storage, tensor, text } from "../load/torch-pickle.ts";

const config = { n_layers: 1, d_model: 4, n_ctx: 5, d_head: 2, n_heads: 2, d_mlp: 8, d_vocab: 7, act_fn: "gelu" };

/** A model's files, with one weight as complex numbers, or a tensor of these beside the weights. */
function files(complex: string) {
  const weights = [...initWeights(parseConfig(config))];
  const pairs = weights.map(([name, { shape, data }], i): [Part, Part] => {
    const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((n, size) => n * size, 1));
    const type = name === complex ? "ComplexFloatStorage" : "FloatStorage";
    return [text(name), tensor(storage(String(i), data.length, type), shape, strides)];
  });
  if (!weights.some(([name]) => name === complex)) {
    pairs.push([text(complex), tensor(storage("99", 2, "ComplexFloatStorage"), [2], [1])]);
  }
  return memoryFiles("m", {
    "config.json": JSON.stringify({ ...toTransformerLens(parseConfig(config)), architecture: "HookedTransformer" }),
    "model_final.pth": checkpoint(
      pickle(dict(...pairs)),
      weights.map(([, { data }]) => data),
    ),
  });
}

describe("a tensor of complex numbers", () => {
  test("instead of a weight is refused, and the error says what it is", async () => {
    const error = await HookedTransformer.fromPretrained("m", { files: files("blocks.0.attn.W_Q") }).catch((e) => e);
    expect(error).toBeInstanceOf(WeightsError);
    expect(error.message).toMatch(/"blocks\.0\.attn\.W_Q" was not read: it has numbers of the kind ComplexFloat\./);
  });

  test("next to the weights gets a note", async () => {
    const model = await HookedTransformer.fromPretrained("m", { files: files("rotations") });
    expect(model.notes).toContainEqual('The tensor "rotations" was not read: it has numbers of the kind ComplexFloat.');
  });
});
