/** Dictionaries in other formats than SAELens': features and reconstructions as the loaders of SAELens, or the formula, give them. */
import { readFileSync } from "node:fs";
import { deflateRawSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { Dictionary, memoryFiles, type NDArray, writeSafetensors } from "../../src/node.ts";
import { expectClose } from "../close.ts";
import { arrays, at, leaf } from "./goldens.ts";
import { npy, npz } from "./npz.ts";

/** Each format's dictionary in the goldens: where it is, and what its configuration says. */
const formats = [
  ["gemma_scope", "formats/gemma_scope", { architecture: "jumprelu", hookName: null }],
  ["gemma_scope_lower", "formats/gemma_scope_lower", { architecture: "jumprelu" }],
  [
    "gemma_scope_transcoder",
    "formats/gemma_scope_transcoder",
    {
      ...{ architecture: "jumprelu_transcoder", hookName: "blocks.1.ln2.hook_normalized" },
      hookNameOut: "blocks.1.hook_mlp_out",
    },
  ],
  ["llama_scope", "formats/llama_scope", { architecture: "jumprelu", hookName: "blocks.1.hook_resid_post" }],
  ...["AutoEncoder", "GatedAutoEncoder", "AutoEncoderTopK"].map(
    (name) =>
      [
        `dictionary_learning.${name}`,
        `formats/dictionary_learning/${name}`,
        { hookName: "blocks.1.hook_resid_post", modelName: "EleutherAI/pythia-70m-deduped" },
      ] as const,
  ),
  ["sparsify", "formats/sparsify", { architecture: "topk", k: 6, hookName: "blocks.1.hook_resid_post" }],
  [
    "kk_hook_z",
    "formats",
    { architecture: "standard", hookName: "blocks.1.attn.hook_z", reshapeActivations: "hook_z" },
  ],
] as const;

test.each(formats)("%s: features and reconstruction", async (name, folder, cfg) => {
  const options = name === "kk_hook_z" ? { id: "kk_hook_z" } : {};
  const dictionary = await Dictionary.fromPretrained(at(folder), options);
  expect(dictionary.cfg).toMatchObject(cfg);
  const golden = await arrays(`formats/${name}.expected.safetensors`);
  const x = leaf(golden.get("x")!);
  const acts = await dictionary.encode(x).compute();
  expectClose(acts, golden.get("acts")!, 2e-5);
  expectClose(await dictionary.decode(acts, x).compute(), golden.get("recons")!, 2e-5);
});

test.each(["ReLU", "TopK"])("OpenAI's, with %s", async (activation) => {
  const dictionary = await Dictionary.fromPretrained(at("formats"), { id: `openai_${activation}.pt` });
  const golden = await arrays("formats/openai.expected.safetensors");
  const x = leaf(golden.get("x")!);
  const prefix = activation.toLowerCase();
  expectClose(await dictionary.encode(x).compute(), golden.get(`${prefix}.acts`)!, 2e-5);
  expectClose(await dictionary.forward(x).compute(), golden.get(`${prefix}.recons`)!, 2e-5);
  expect(dictionary.cfg.normalizeActivations).toBe(activation === "TopK" ? "layer_norm" : "none");
  expect(dictionary.notes).toEqual(["The file does not say which hook point the dictionary reads: pass hookName."]);
});

const wave = (...shape: number[]): NDArray => ({
  ...{ dtype: "float32", shape },
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)).map((_, i) => Math.sin(1.7 * i + shape.length)),
});
const [d_in, d_sae] = [4, 6];
const opening = (files: Record<string, Uint8Array | string>, name = "repository") =>
  Dictionary.fromPretrained(name, { files: memoryFiles(name, files) });

describe("the place of a dictionary is that of its names", () => {
  const params = npz({
    W_enc: wave(d_in, d_sae),
    W_dec: wave(d_sae, d_in),
    b_enc: wave(d_sae),
    b_dec: wave(d_in),
    threshold: wave(d_sae),
  });

  test.each([
    ["google/gemma-scope-2b-pt-res", "layer_12/width_16k/average_l0_82", "blocks.12.hook_resid_post", "gemma-2-2b"],
    ["google/gemma-scope-9b-it-mlp", "layer_3/width_16k/average_l0_8", "blocks.3.hook_mlp_out", "gemma-2-9b-it"],
    ["google/gemma-scope-2b-pt-att", "layer_0/width_65k/average_l0_8", "blocks.0.attn.hook_z", "gemma-2-2b"],
  ])("in Gemma Scope: %s", async (name, folder, hookName, modelName) => {
    const { cfg } = await opening({ [`${folder}/params.npz`]: params }, name);
    expect(cfg).toMatchObject({ hookName, modelName, applyBDecToInput: false });
  });

  test("in Gemma Scope's embeddings, whose input is divided by the root of its width", async () => {
    const dictionary = await opening(
      { "embedding/width_4k/average_l0_6/params.npz": params },
      "google/gemma-scope-2b-pt-res",
    );
    expect(dictionary.cfg.hookName).toBe("hook_embed");
    expect(dictionary.weights.get("W_enc")!.get(1, 2)).toBeCloseTo(wave(d_in, d_sae).data[8] / 2, 6);
    expect(dictionary.weights.get("W_dec")!.get(1, 2)).toBeCloseTo(wave(d_sae, d_in).data[6] * 2, 6);
  });

  test("in Gemma Scope 2, whose skip connection is used untransposed", async () => {
    const skip = wave(d_in, d_in);
    const weights = {
      w_enc: wave(d_in, d_sae),
      w_dec: wave(d_sae, d_in),
      b_enc: wave(d_sae),
      b_dec: wave(d_in),
      threshold: wave(d_sae),
    };
    const bytes = (others = {}) => writeSafetensors(new Map(Object.entries({ ...weights, ...others })));
    const name = "google/gemma-scope-2-1b-pt";
    const sae = await opening({ "resid_post/layer_7_width_16k_l0_medium/params.safetensors": bytes() }, name);
    expect(sae.cfg).toMatchObject({
      architecture: "jumprelu",
      hookName: "blocks.7.hook_resid_post",
      modelName: "gemma-3-1b-pt",
    });
    const folder = "transcoder_all/layer_7_width_16k_l0_small";
    const transcoder = await opening(
      { [`${folder}/params.safetensors`]: bytes({ affine_skip_connection: skip }) },
      name,
    );
    expect(transcoder.cfg).toMatchObject({ hookName: "blocks.7.mlp.hook_in", hookNameOut: "blocks.7.hook_mlp_out" });
    const x = leaf(wave(3, d_in));
    const plain = new Dictionary(
      { ...transcoder.cfg, architecture: "jumprelu_transcoder" },
      new Map([...transcoder.weights].filter(([key]) => key !== "W_skip")),
    );
    const added = x.matmul(leaf(skip));
    expectClose(await transcoder.forward(x).compute(), await plain.forward(x).add(added).compute(), 1e-6);
  });

  test.each([
    ["layers.5", { transcode: false }, { hookName: "blocks.5.hook_resid_post", architecture: "topk" }],
    ["embed_tokens", {}, { hookName: "hook_embed" }],
    [
      "layers.5.mlp",
      { transcode: true },
      { architecture: "topk_transcoder", hookName: "blocks.5.mlp.hook_in", hookNameOut: "blocks.5.mlp.hook_out" },
    ],
    ["layers.2", { activation: "groupmax" }, { architecture: "groupmax" }],
    ["layers.2", { signed: true }, { architecture: "signed_topk" }],
    ["layers.2", { num_latents: 0, expansion_factor: 1.5 }, undefined],
  ] as const)("in sparsify: %s %o", async (id, settings, expected) => {
    const weights = {
      "encoder.weight": wave(d_sae, d_in),
      "encoder.bias": wave(d_sae),
      W_dec: wave(d_sae, d_in),
      b_dec: wave(d_in),
    };
    const cfg = { d_in, num_latents: d_sae, expansion_factor: 2, k: 3, ...settings };
    const files = {
      [`${id}/cfg.json`]: JSON.stringify(cfg),
      [`${id}/sae.safetensors`]: writeSafetensors(new Map(Object.entries(weights))),
    };
    if (!expected)
      await expect(opening(files)).rejects.toThrow("says expansion_factor: 1.5, which must be a positive whole number");
    else expect((await opening(files)).cfg).toMatchObject({ ...expected, dSae: d_sae, k: 3 });
  });
});

describe("a .npz is refused", () => {
  const good = { W_enc: wave(d_in, d_sae), W_dec: wave(d_sae, d_in), b_enc: wave(d_sae), b_dec: wave(d_in) };
  const path = "layer_0/width_16k/average_l0_1/params.npz";
  const withThreshold = (bytes: Uint8Array) => opening({ [path]: npz({ ...good, threshold: bytes }) });

  test("with Python objects, of which nothing is run", async () => {
    const header = "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }";
    await expect(withThreshold(npy(header, new TextEncoder().encode("cos\nsystem\n(S'true'\ntR.")))).rejects.toThrow(
      `threshold.npy of ${path} has Python objects, which are pickled and could run anything when they are read: nothing was.`,
    );
  });

  test("with numbers of another kind, or of another byte order", async () => {
    const of = (descr: string) =>
      withThreshold(npy(`{'descr': '${descr}', 'fortran_order': False, 'shape': (6,), }`, new Uint8Array(24)));
    await expect(of(">f4")).rejects.toThrow('has numbers of the kind ">f4", which is not read');
    await expect(of("<c8")).rejects.toThrow('has numbers of the kind "<c8"');
  });

  test("with fewer numbers than it announces, or a broken header", async () => {
    const short = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }", new Uint8Array(20));
    await expect(withThreshold(short)).rejects.toThrow("should have 24 bytes of numbers [6], but has 20");
    await expect(withThreshold(npy("{'descr': '<f4'}", new Uint8Array(24)))).rejects.toThrow(
      "has a header that is not one of an array",
    );
    await expect(withThreshold(new Uint8Array(30))).rejects.toThrow("is not a .npy file");
    await expect(withThreshold(new Uint8Array(0))).rejects.toThrow("threshold.npy");
  });

  test("without thresholds", async () => {
    await expect(opening({ [path]: npz(good) })).rejects.toThrow(
      `repository/${path} has no tensor "threshold": it has W_enc`,
    );
  });

  test("with a threshold that is not finite", async () => {
    const threshold = wave(d_sae);
    threshold.data[1] = Number.POSITIVE_INFINITY;
    await expect(opening({ [path]: npz({ ...good, threshold }) })).rejects.toThrow("has Infinity at position 1");
  });
});

test("a .npz may be packed, and have matrices in Fortran's order, other floats and whole numbers", async () => {
  const { readNpz } = await import("../../src/load/npz.ts");
  const { memorySource } = await import("../../src/node.ts");
  const bytes = (data: ArrayBufferView) => new Uint8Array(data.buffer);
  const header = (descr: string, shape: string, fortran = "False") =>
    `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }`;
  const file = npz(
    {
      turned: npy(header("<f4", "(2, 3)", "True"), bytes(Float32Array.of(1, 4, 2, 5, 3, 6))),
      double: npy(header("<f8", "(2,)"), bytes(Float64Array.of(0.5, -1))),
      whole: npy(header("<i8", "()"), bytes(BigInt64Array.of(7n))),
      zeros: npy(header("<f4", "(100000,)"), new Uint8Array(400_000)),
    },
    deflateRawSync,
  );
  const read = await readNpz(memorySource("x.npz", file));
  expect([...read.get("turned")!.data]).toEqual([1, 2, 3, 4, 5, 6]);
  expect([...read.get("double")!.data]).toEqual([0.5, -1]);
  expect(read.get("whole")).toMatchObject({ dtype: "int32", shape: [] });
  expect(read.get("zeros")!.shape).toEqual([100000]);
  expect(file.length).toBeLessThan(2000);
});

describe("dictionary_learning's classes", () => {
  test("that are not known are refused by name", async () => {
    const config = JSON.parse(
      readFileSync(at("formats/dictionary_learning/AutoEncoder/trainer_0/config.json"), "utf8"),
    );
    config.trainer.dict_class = "CrossCoder";
    const files = {
      "ae.pt": readFileSync(at("formats/dictionary_learning/AutoEncoder/trainer_0/ae.pt")),
      "config.json": JSON.stringify(config),
    };
    await expect(opening(files)).rejects.toThrow(
      'says dict_class: "CrossCoder", which is not one that glassformer reads',
    );
  });

  test("without a bias on the input have none", async () => {
    const config = JSON.parse(
      readFileSync(at("formats/dictionary_learning/AutoEncoder/trainer_0/config.json"), "utf8"),
    );
    config.trainer.dict_class = "AutoEncoderNew";
    const files = {
      "ae.pt": readFileSync(at("formats/dictionary_learning/AutoEncoder/trainer_0/ae.pt")),
      "config.json": JSON.stringify(config),
    };
    await expect(opening(files)).rejects.toThrow('has no tensor "decoder.bias"');
  });
});

test("Llama Scope R1's need the factor of their input, which their files do not contain", async () => {
  const weights = {
    ...{ "encoder.weight": wave(d_sae, d_in), "encoder.bias": wave(d_sae), "decoder.weight": wave(d_in, d_sae) },
    ...{ "decoder.bias": wave(d_in), log_jumprelu_threshold: wave(d_sae) },
  };
  const files = {
    "config.json": JSON.stringify({ hook_point_in: "blocks.3.hook_resid_post", expansion_factor: 8 }),
    "sae_weights.safetensors": writeSafetensors(new Map(Object.entries(weights))),
  };
  const x = leaf(wave(2, d_in));
  const dictionary = await opening(files);
  expect(() => dictionary.encode(x)).toThrow("give it with the option inputScale");
  expect(dictionary.cfg.hookName).toBe("blocks.3.hook_resid_post");
  const scaled = dictionary.foldInputScale(2);
  const thresholds = { shape: [d_sae], data: Array.from(weights.log_jumprelu_threshold.data, (t) => Math.exp(t)) };
  expectClose(scaled.weights.get("threshold")!, thresholds, 1e-6);
  const pre = x.mul(2).matmul(leaf(weights["encoder.weight"]).transpose(0, 1)).add(leaf(weights["encoder.bias"]));
  const threshold = leaf(weights.log_jumprelu_threshold).exp();
  const expected = pre.relu().mul(pre.greaterThan(threshold).cast("float32"));
  expectClose(await scaled.encode(x).compute(), await expected.compute(), 1e-6);
});

test("a dictionary that does not fit in memory is refused before its numbers are read", async () => {
  const header = JSON.stringify({ W_enc: { dtype: "F32", shape: [1e6, 1e6], data_offsets: [0, 4e12] } });
  const start = new Uint8Array(8 + header.length);
  new DataView(start.buffer).setBigUint64(0, BigInt(header.length), true);
  start.set(new TextEncoder().encode(header), 8);
  const cfg = JSON.stringify({
    architecture: "standard",
    d_in: 1e6,
    d_sae: 1e6,
    metadata: { sae_lens_version: "6.0.0" },
  });
  const small = memoryFiles("huge", { "cfg.json": cfg, "sae_weights.safetensors": start });
  let read = 0;
  const files = {
    ...small,
    async open(path: string) {
      const source = await small.open(path);
      if (path === "cfg.json") return source;
      const count = (from: number, to: number) => {
        read = Math.max(read, to);
        return source.read(from, to);
      };
      return { name: path, size: start.length + 4e12, read: count };
    },
  };
  await expect(Dictionary.fromPretrained("huge", { files })).rejects.toThrow(
    /^Reading the dictionary huge\/sae_weights.safetensors needs about 4 TB of memory at one time, but .*: read one with fewer features\.$/,
  );
  expect(read).toBeLessThanOrEqual(start.length);
});
