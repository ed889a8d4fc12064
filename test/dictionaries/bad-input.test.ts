/** Dictionaries that cannot be read, or used: each is refused in a sentence. */
import { describe, expect, test } from "vitest";
import { Dictionary, memoryFiles, type NDArray, Tensor, writeSafetensors } from "../../src/node.ts";
import { arrays, at } from "./goldens.ts";

const d_in = 4;
const d_sae = 6;
const wave = (...shape: number[]): NDArray => ({
  dtype: "float32",
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(1.7 * i + shape.length)),
});
const weights = (others: Record<string, NDArray> = {}) =>
  new Map(
    Object.entries({
      ...{ W_enc: wave(d_in, d_sae), b_enc: wave(d_sae), W_dec: wave(d_sae, d_in), b_dec: wave(d_in) },
      ...others,
    }),
  );
const version6 = { sae_lens_version: "6.18.0" };
const json = (settings: object) => ({ architecture: "standard", d_in, d_sae, metadata: version6, ...settings });
const reading = (cfg: unknown, arrays = weights()) => {
  const text = typeof cfg === "string" ? cfg : JSON.stringify(cfg);
  const files = memoryFiles("sae", { "cfg.json": text, "sae_weights.safetensors": writeSafetensors(arrays) });
  return Dictionary.fromPretrained("sae", { files });
};
const own =
  (cfg: object, arrays = weights()) =>
  () =>
    new Dictionary({ architecture: "standard", dIn: d_in, dSae: d_sae, ...cfg }, arrays);

describe("weights are refused", () => {
  test("where the thresholds are missing", async () => {
    await expect(reading(json({ architecture: "jumprelu" }))).rejects.toThrow(
      'The dictionary sae has no weight "threshold" [d_sae], which the architecture "jumprelu" needs: it has W_dec, W_enc, b_dec, b_enc.',
    );
  });

  test("where some are left over", async () => {
    await expect(reading(json({}), weights({ threshold: wave(d_sae) }))).rejects.toThrow(
      'has a weight "threshold" that the architecture "standard" does not use',
    );
  });

  test("of another shape, and transposed ones with what to do", async () => {
    await expect(reading(json({}), weights({ W_enc: wave(d_sae, d_in) }))).rejects.toThrow(
      'The weight "W_enc" of the dictionary sae is [6,4], but must be [d_in 4,d_sae 6]: transpose it.',
    );
    await expect(reading(json({}), weights({ b_enc: wave(3) }))).rejects.toThrow("is [3], but must be [d_sae 6].");
  });

  test("with a number that is not finite", async () => {
    const broken = wave(d_sae);
    broken.data[2] = Number.NaN;
    await expect(reading(json({}), weights({ b_enc: broken }))).rejects.toThrow(
      'The weight "b_enc" of the dictionary sae has NaN at position 2',
    );
  });

  test("with a factor for finetuning other than 1, which SAELens had before version 6", async () => {
    const old = { d_in, d_sae };
    const ones: NDArray = { dtype: "float32", shape: [d_sae], data: new Float32Array(d_sae).fill(1) };
    await expect(reading(old, weights({ scaling_factor: ones }))).resolves.toBeInstanceOf(Dictionary);
    await expect(reading(old, weights({ scaling_factor: wave(d_sae) }))).rejects.toThrow(
      'has a "scaling_factor" other',
    );
  });

  test("of whole numbers", () => {
    const whole: NDArray = { dtype: "int32", shape: [d_sae], data: new Int32Array(d_sae) };
    expect(own({}, weights({ b_enc: whole }))).toThrow("must hold floating-point numbers, not int32");
  });
});

describe("a configuration is refused", () => {
  test("with an architecture that is not one, with the closest match", async () => {
    await expect(reading(json({ architecture: "jumperelu" }))).rejects.toThrow('the closest match is "jumprelu"');
  });

  test("with k larger than the features, or none where one is needed", async () => {
    await expect(reading(json({ architecture: "topk", k: 7 }))).rejects.toThrow(
      "sae/cfg.json says k: 7, but there are only 6 features.",
    );
    expect(own({ architecture: "topk", k: null })).toThrow('lacks k, which the architecture "topk" needs');
    expect(own({ k: 3 })).toThrow("keeps every feature that fires");
  });

  test("with groups of features that are not equally large", () => {
    expect(own({ architecture: "groupmax", k: 4 })).toThrow("do not fall into 4 equal groups");
  });

  test("with values of the wrong kind, named as in the file", async () => {
    await expect(reading(json({ d_sae: "six" }))).rejects.toThrow('says d_sae: "six", which must be a positive whole');
    await expect(reading(json({ normalize_activations: "batch" }))).rejects.toThrow(
      'says normalize_activations: "batch"',
    );
    await expect(reading(json({ ...version6, metadata: 5 }))).rejects.toThrow("must be an object");
    await expect(reading({ architecture: "standard", d_in, metadata: version6 })).rejects.toThrow(
      "lacks d_sae, which must be",
    );
    await expect(reading("[1]")).rejects.toThrow("should be a JSON object");
    await expect(reading('{"architecture": ')).rejects.toThrow("sae/cfg.json is not JSON");
  });

  test("of a transcoder that would take what it writes off what it reads", async () => {
    await expect(reading(json({ architecture: "transcoder", apply_b_dec_to_input: true }))).rejects.toThrow(
      "says apply_b_dec_to_input: true, but",
    );
  });

  test("with a field that does not exist", () => {
    expect(own({ d_in: 3 })).toThrow('has no field "d_in". Did you mean "dIn"?');
  });

  test("where an autoencoder writes something else than it reads", () => {
    expect(own({ dOut: 5 })).toThrow("writes what it reads");
    expect(own({ hookName: "a", hookNameOut: "b" })).toThrow("stands at the hook point that it reads");
    expect(own({ rescaleActsByDecoderNorm: true })).toThrow("does not compare features");
  });

  test("before version 6 with an activation that glassformer does not have", async () => {
    await expect(reading({ d_in, d_sae, activation_fn: "tanh-relu" })).rejects.toThrow(
      'says activation_fn: "tanh-relu"',
    );
  });
});

test("settings that are not understood are named in a note", async () => {
  const dictionary = await reading(json({ l1_coefficient: 5 }));
  expect(dictionary.notes).toEqual(["Of sae/cfg.json these settings were left out: l1_coefficient."]);
});

describe("which dictionary is meant", () => {
  test("must be said where there are several", async () => {
    await expect(Dictionary.fromPretrained(at("saes"))).rejects.toThrow("name one with the option id: ");
    const one = await Dictionary.fromPretrained(at("saes"), { id: "gelu_3l.gated.resid_pre/" });
    expect(one.cfg.architecture).toBe("gated");
  });

  test("is named with the closest match if it is not there", async () => {
    await expect(Dictionary.fromPretrained(at("saes"), { id: "gelu_3l.gatet.resid_pre" })).rejects.toThrow(
      'Did you mean "gelu_3l.gated.resid_pre"?',
    );
  });

  test("is said where there is none", async () => {
    await expect(Dictionary.fromPretrained(at("../gguf"))).rejects.toThrow("has no dictionary in a format");
  });
});

describe("an input is refused", () => {
  test("of another width, or of whole numbers", () => {
    const dictionary = own({})();
    expect(() => dictionary.encode(Tensor.leaf(wave(2, 5)))).toThrow(
      "The dictionary reads float32 [... d_in 4] but got float32 [2, 5].",
    );
    expect(() => dictionary.encode(Tensor.leaf({ dtype: "int32", shape: [4], data: new Int32Array(4) }))).toThrow(
      "int32",
    );
    expect(() => dictionary.encode(5 as never)).toThrow("What a dictionary encodes must be a Tensor, not 5.");
  });

  test("of heads, unless they are read as one axis", async () => {
    const x = [...(await arrays("saes/gelu_3l.standard.hook_z.expected.safetensors"))].find(([k]) =>
      k.endsWith("hook_sae_output"),
    )![1];
    const ofHeads = await Dictionary.fromPretrained(at("saes/gelu_3l.standard.hook_z"));
    const plain = await Dictionary.fromPretrained(at("saes/gelu_3l.standard.resid_pre"));
    expect(ofHeads.forward(Tensor.leaf(x)).shape).toEqual(x.shape);
    expect(() => plain.forward(Tensor.leaf(x))).toThrow("reads float32 [... d_in 32]");
  });

  test("missing where features cannot be decoded without it", async () => {
    const dictionary = await Dictionary.fromPretrained(at("saes/gelu_3l.skip_transcoder"));
    expect(() => dictionary.decode(Tensor.leaf(wave(2, 64)))).toThrow("its skip connection carries that");
  });
});
