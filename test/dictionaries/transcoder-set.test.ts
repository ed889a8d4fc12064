/** Sets of transcoders: circuit-tracer's features, rows of decoders, sets of your own, and what is refused. */
import { mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  type ByteSource,
  Dictionary,
  folderFiles,
  type ModelFiles,
  memoryFiles,
  memorySource,
  type NDArray,
  readSafetensors,
  Tensor,
  TranscoderSet,
  writeSafetensors,
} from "../../src/node.ts";
import { expectClose } from "../close.ts";
import { arrays, at, goldenModel, index } from "./goldens.ts";
import { npz } from "./npz.ts";

const setNames = [
  "gelu_3l.plt_relu",
  "gelu_3l.plt_jumprelu_skip",
  "gelu_3l.clt_relu",
  "llama_gqa_2l.plt_jumprelu",
].concat(["llama_gqa_2l.plt_topk", "llama_gqa_2l.clt_jumprelu"]);

describe.each(setNames)("%s", (name) => {
  test("has circuit-tracer's pre-activations and features", async () => {
    const set = await TranscoderSet.fromPretrained(at("transcoders"), { id: name });
    const { model } = await goldenModel(index.graphs[name].model);
    const graph = await arrays(`graphs/${name}.safetensors`);
    const tokens = Tensor.leaf({ ...graph.get("tokens")!, shape: [1, 7] } as NDArray);
    const layers = Array.from({ length: set.nLayers }, (_, layer) => layer);
    const namesFilter = layers.map((layer) => set.inputHook(layer));
    const [, cache] = await model.runWithCache(tokens, { namesFilter });
    for (const layer of layers) {
      const found = (await set.layer(layer)).encode(
        cache.get(set.inputHook(layer)).at({ batch: 0, pos: { start: 1 } }),
      );
      expectClose(await found.pre.compute(), positions(graph.get("feature_pre_activations")!, layer), 2e-5);
      expectClose(await found.acts.compute(), positions(graph.get("feature_activations")!, layer), 2e-5);
    }
    expect(layers.map((layer) => set.outputHook(layer)).every((hook) => model.hookNames.includes(hook))).toBe(true);
  });

  test("reads rows of encoders and decoders, for every layer that features write to", async () => {
    const set = await TranscoderSet.fromPretrained(at(`transcoders/${name}`));
    const [layer, features] = [0, [5, 0, 31, 5]];
    const file = await arrays(`transcoders/${name}/${set.kind === "per-layer" ? "layer_0" : "W_dec_0"}.safetensors`);
    const { data, shape } = file.get(set.kind === "per-layer" ? "W_dec" : "W_dec_0")!;
    const targets = set.kind === "per-layer" ? 1 : set.nLayers;
    const written = await (await set.layer(layer)).decoderRows(features);
    expect(written.map((one) => one.layer)).toEqual(Array.from({ length: targets }, (_, i) => i));
    const width = shape.at(-1)!;
    for (const [t, { rows }] of written.entries()) {
      expect(rows.shape).toEqual([4, width]);
      const expected = features.flatMap((f) => [
        ...data.slice((f * targets + t) * width, (f * targets + t + 1) * width),
      ]);
      expect([...rows.data]).toEqual(expected);
    }
    const last = await (await set.layer(set.nLayers - 1)).decoderRows([1]);
    expect(last.map((one) => one.layer)).toEqual([set.nLayers - 1]);
  });
});

test.each(setNames)("the files of %s are circuit-tracer's", async (name) => {
  const set = await TranscoderSet.fromPretrained(at(`transcoders/${name}`));
  const files = await set.toFiles();
  const theirs = readdirSync(at(`transcoders/${name}`)).sort();
  expect([...files.keys()].sort()).toEqual(theirs);
  for (const file of theirs.filter((path) => path.endsWith(".safetensors"))) {
    const expected = await arrays(`transcoders/${name}/${file}`);
    const found = await readSafetensors(memorySource(file, files.get(file)!));
    expect(new Map([...found].sort())).toEqual(new Map([...expected].sort()));
  }
  const contents = Object.fromEntries(files);
  const again = await TranscoderSet.fromPretrained("again", { files: memoryFiles("again", contents) });
  const facts = (of: TranscoderSet) => [of.kind, of.modelName, of.scan, of.inputHook(1), of.outputHook(0), of.dSae];
  expect(facts(again)).toEqual(facts(set));
  expect((await again.layer(0)).cfg).toEqual((await set.layer(0)).cfg);
});

test("a set that circuit-tracer's format cannot describe is not written", async () => {
  const cfg = { dIn: 4, dSae: 6, hookName: "blocks.0.hook_resid_mid", hookNameOut: "blocks.0.hook_mlp_out" };
  const numbers = (shape: number[], value: number): NDArray =>
    ({ dtype: "float32", shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value) }) as NDArray;
  const weights = (more: Record<string, NDArray>) =>
    new Map(
      Object.entries({
        ...{ W_enc: numbers([4, 6], 1), b_enc: numbers([6], 0), W_dec: numbers([6, 4], 1), b_dec: numbers([4], 0) },
        ...more,
      }),
    );
  const filesOf = (architecture: string, more: Record<string, NDArray> = {}, fields: object = {}) =>
    TranscoderSet.of([new Dictionary({ ...cfg, architecture, ...fields }, weights(more))]).toFiles();
  await expect(filesOf("topk_transcoder", {}, { k: 2 })).rejects.toThrow(
    `Layer 0 of a set of your own makes features by "topk", which circuit-tracer's format cannot say.`,
  );
  const below = { threshold: numbers([6], -1) };
  await expect(filesOf("jumprelu_transcoder", below)).rejects.toThrow(/negative thresholds with relu/);
  expect([...(await filesOf("jumprelu_transcoder", { threshold: numbers([6], 1) })).keys()]).toEqual([
    "layer_0.safetensors",
    "config.yaml",
  ]);
});

/** Positions from 1 on of a layer of [layer pos feature]: the first has no features. */
function positions({ shape: [, pos, features], data }: NDArray, layer: number): NDArray {
  const start = (layer * pos + 1) * features;
  return {
    dtype: "float32",
    shape: [pos - 1, features],
    data: data.slice(start, start + (pos - 1) * features),
  } as NDArray;
}

test("biases, skip connections and encoder rows are the file's", async () => {
  const set = await TranscoderSet.fromPretrained(at("transcoders/gelu_3l.plt_jumprelu_skip"));
  const file = await arrays("transcoders/gelu_3l.plt_jumprelu_skip/layer_1.safetensors");
  const layer = await set.layer(1);
  expect(layer.bDec.data).toEqual(file.get("b_dec")!.data);
  expect(layer.skip!.data).toEqual(file.get("W_skip")!.data);
  expect([...layer.encoderRows([3]).data]).toEqual([...file.get("W_enc")!.data.slice(96, 128)]);
  expect(`${set}: ${set.kind}`).toMatch(/^TranscoderSet\(.*plt_jumprelu_skip\): per-layer$/);
  expect(set.scan).toBe("glassformer/gelu_3l.plt_jumprelu_skip");
});

test("a set of your own has the features of its dictionaries", async () => {
  const transcoder = await Dictionary.fromPretrained(at("saes/gelu_3l.skip_transcoder"));
  const placed = [0, 1].map(
    (layer) =>
      new Dictionary(
        { ...transcoder.cfg, hookName: `blocks.${layer}.mlp.hook_in`, hookNameOut: `blocks.${layer}.hook_mlp_out` },
        transcoder.weights,
      ),
  );
  const set = TranscoderSet.of([placed[1], placed[0]]);
  expect([set.nLayers, set.dSae, set.dModel, set.inputHook(1)]).toEqual([2, 64, 32, "blocks.1.mlp.hook_in"]);
  const x = Tensor.leaf(
    [...(await arrays("formats/gemma_scope.expected.safetensors"))].find(([key]) => key === "x")![1],
  );
  const layer = await set.layer(1);
  expectClose(await layer.encode(x).acts.compute(), await transcoder.encode(x).compute(), 1e-6);
  const W_enc = transcoder.weights.get("W_enc")!;
  expect([...layer.encoderRows([7]).data]).toEqual(Array.from({ length: 32 }, (_, i) => W_enc.get(i, 7)));
  const [{ rows }] = await layer.decoderRows([7, 2]);
  expect([...rows.data]).toEqual(
    [...transcoder.weights.get("W_dec")!.data.slice(7 * 32, 8 * 32)].concat([
      ...transcoder.weights.get("W_dec")!.data.slice(2 * 32, 3 * 32),
    ]),
  );
  expect(() => TranscoderSet.of([placed[1]])).toThrow(
    "has no layer 0, but 1: a set of transcoders has one of each layer",
  );
  expect(() => TranscoderSet.of([placed[0], placed[0]])).toThrow("has layer 0 twice");
  expect(() =>
    TranscoderSet.of([new Dictionary({ ...placed[0].cfg, hookNameOut: "hook_embed" }, transcoder.weights)]),
  ).toThrow("in a set both are of one block");
});

/** Files of a folder that count the bytes read of each. */
function counting(folder: ModelFiles) {
  const read = new Map<string, number>();
  const add = (path: string, bytes: number) => read.set(path, (read.get(path) ?? 0) + bytes);
  const files: ModelFiles = {
    ...{ name: folder.name, list: () => folder.list(), readText: (path) => folder.readText(path) },
    async open(path) {
      const source = await folder.open(path);
      const counted: ByteSource = {
        ...{ name: source.name, size: source.size },
        read(start, end, signal) {
          add(path, end - start);
          return source.read(start, end, signal);
        },
      };
      return counted;
    },
  };
  return { files, read };
}

test("of a decoder only the rows are read that are asked for, so that a set may be larger than memory", async () => {
  const [d_sae, d_model, layers] = [4096, 64, 20];
  const wave = (...shape: number[]): NDArray => ({
    ...{ dtype: "float32", shape },
    data: new Float32Array(shape.reduce((a, b) => a * b, 1)).map((_, i) => Math.sin(i)),
  });
  const folder = mkdtempSync(join(tmpdir(), "set-"));
  writeFileSync(
    join(folder, "config.yaml"),
    "model_kind: cross_layer_transcoder\nfeature_input_hook: hook_resid_mid\nfeature_output_hook: hook_mlp_out\n",
  );
  const write = (name: string, weights: Record<string, NDArray>) =>
    writeFileSync(join(folder, name), writeSafetensors(new Map(Object.entries(weights))));
  const encoder = { W_enc_0: wave(d_sae, d_model), b_enc_0: wave(d_sae), b_dec_0: wave(d_model) };
  write("W_enc_0.safetensors", encoder);
  write("W_dec_0.safetensors", { W_dec_0: wave(d_sae, layers, d_model) });
  // The other layers are not looked into.
  for (let layer = 1; layer < layers; layer++) {
    for (const kind of ["enc", "dec"]) writeFileSync(join(folder, `W_${kind}_${layer}.safetensors`), "");
  }
  const { files, read } = counting(folderFiles(folder));
  const set = await TranscoderSet.fromPretrained("set", { files });
  const layer = await set.layer(0);
  const features = Array.from({ length: 100 }, (_, i) => 37 * i);
  const written = await layer.decoderRows(features);
  expect(written.length).toBe(layers);
  expect(written[3].rows.data[5 * d_model + 2]).toBeCloseTo(Math.sin((37 * 5 * layers + 3) * d_model + 2), 6);
  const bytes = 100 * layers * d_model * 4;
  expect(read.get("W_dec_0.safetensors")!).toBeLessThan(bytes + 10_000);
  expect([...read.keys()].filter((path) => /_[1-9]/.test(path))).toEqual([]);
});

describe("a set is refused", () => {
  const layer = (others: Record<string, NDArray> = {}) => {
    const ones = (...shape: number[]): NDArray => ({
      ...{ dtype: "float32", shape },
      data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1),
    });
    const weights = { W_enc: ones(6, 4), b_enc: ones(6), W_dec: ones(6, 4), b_dec: ones(4), ...others };
    return writeSafetensors(new Map(Object.entries(weights)));
  };
  const yaml = "model_kind: transcoder_set\nfeature_input_hook: hook_resid_mid\nfeature_output_hook: hook_mlp_out\n";
  const opening = (files: Record<string, Uint8Array | string>) =>
    TranscoderSet.fromPretrained("set", { files: memoryFiles("set", { "config.yaml": yaml, ...files }) });

  test("where a layer is missing", async () => {
    const files = { "layer_0.safetensors": layer(), "layer_2.safetensors": layer() };
    await expect(opening(files)).rejects.toThrow(
      "has no layer 1, but 2: a set of transcoders has one of each layer from 0 on.",
    );
    await expect(opening({})).rejects.toThrow("has no layers");
  });

  test("with tags in its YAML, of which nothing is made", async () => {
    const tagged = `${yaml}model_name: !!python/object/apply:os.system ["true"]\n`;
    await expect(opening({ "config.yaml": tagged })).rejects.toThrow(
      "set/config.yaml has the tag tag:yaml.org,2002:python/object/apply:os.system, which would make something other than plain data of a value.",
    );
  });

  test("with YAML that is broken, empty, or of another kind", async () => {
    await expect(opening({ "config.yaml": "a: [1" })).rejects.toThrow("set/config.yaml is not YAML");
    await expect(opening({ "config.yaml": "" })).rejects.toThrow("is empty");
    await expect(opening({ "config.yaml": "- 1" })).rejects.toThrow("should be a mapping of names to values");
    await expect(opening({ "config.yaml": "a: 1\n---\nb: 1" })).rejects.toThrow("has 2 documents");
    await expect(opening({ "config.yaml": "a: *b" })).rejects.toThrow("set/config.yaml");
    await expect(opening({ "config.yaml": "model_kind: sae" })).rejects.toThrow(
      'says model_kind: "sae", which must be "transcoder_set" or "cross_layer_transcoder".',
    );
  });

  test("with k larger than the features, or thresholds that its activation has no use for", async () => {
    const files = { "layer_0.safetensors": layer() };
    await expect(opening({ ...files, "config.yaml": `${yaml}activation: topk\nk: 7` })).rejects.toThrow(
      "there are only 6",
    );
    await expect(opening({ ...files, "config.yaml": `${yaml}activation: jumprelu` })).rejects.toThrow(
      "has no thresholds",
    );
  });

  test("with a decoder of another shape, or numbers that are not finite", async () => {
    const of = (shape: number[], value: number): NDArray => ({
      ...{ dtype: "float32", shape },
      data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value),
    });
    await expect(opening({ "layer_0.safetensors": layer({ W_dec: of([4, 6], 1) }) })).rejects.toThrow(
      'Layer 0 of set has a "W_dec" [4,6], but a decoder here is [6,4].',
    );
    await expect(opening({ "layer_0.safetensors": layer({ b_enc: of([6], Number.NaN) }) })).rejects.toThrow(
      "has NaN at position 0",
    );
    const set = await opening({ "layer_0.safetensors": layer({ W_dec: of([6, 4], Number.NaN) }) });
    await expect((await set.layer(0)).decoderRows([1])).rejects.toThrow("has NaN at position 0");
    const other = {
      "layer_0.safetensors": layer(),
      "layer_1.safetensors": layer({ W_enc: of([5, 4], 1), b_enc: of([5], 1), W_dec: of([5, 4], 1) }),
    };
    await expect((await opening(other)).layer(1)).rejects.toThrow(
      "Layer 1 of set has 5 features of width 4, but layer 0 6 of 4",
    );
  });

  test("for a layer or a feature that it does not have", async () => {
    const set = await opening({ "layer_0.safetensors": layer() });
    await expect(set.layer(1)).rejects.toThrow("set has no layer 1: it has 1, counted from 0.");
    await expect((await set.layer(0)).decoderRows([6])).rejects.toThrow(
      "Layer 0 has no feature 6: it has 6, counted from 0.",
    );
    expect(() => set.inputHook(-1)).toThrow("has no layer -1");
  });
});

const numbers = (...shape: number[]): NDArray => ({
  ...{ dtype: "float32", shape },
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)).map((_, i) => Math.sin(1.3 * i + shape.length)),
});

test("a set's layers may be Gemma Scope's files, as config.yaml lists them", async () => {
  const [d_model, d_sae] = [4, 6];
  const params = {
    ...{
      W_enc: numbers(d_model, d_sae),
      W_dec: numbers(d_sae, d_model),
      b_enc: numbers(d_sae),
      b_dec: numbers(d_model),
    },
    threshold: { ...numbers(d_sae), data: new Float32Array(d_sae).fill(0.2) },
  };
  const paths = [0, 1].map((layer) => `layer_${layer}/width_16k/average_l0_1/params.npz`);
  const yaml = `model_kind: transcoder_set
feature_input_hook: ln2.hook_normalized
feature_output_hook: hook_mlp_out
transcoders:
${paths.map((path) => `  - ${path}`).join("\n")}
`;
  const bytes = npz(params);
  const files = memoryFiles("gemma", { "config.yaml": yaml, [paths[0]]: bytes, [paths[1]]: bytes });
  const set = await TranscoderSet.fromPretrained("gemma", { files });
  expect([set.nLayers, set.inputHook(1), set.outputHook(1)]).toEqual([
    2,
    "blocks.1.ln2.hook_normalized",
    "blocks.1.hook_mlp_out",
  ]);
  const x = Tensor.leaf(numbers(3, d_model));
  const own = new Dictionary(
    { architecture: "jumprelu", dIn: d_model, dSae: d_sae, applyBDecToInput: false },
    new Map(Object.entries(params)),
  );
  expectClose(await (await set.layer(1)).encode(x).acts.compute(), await own.encode(x).compute(), 1e-6);
});

test("Gemma Scope 2's cross-layer transcoders have rows for every layer, and a skip connection that is used as it is", async () => {
  const [d_model, d_sae, layers] = [4, 6, 3];
  const file = {
    ...{ w_enc: numbers(d_model, d_sae), w_dec: numbers(d_sae, layers, d_model), b_enc: numbers(d_sae) },
    ...{ b_dec: numbers(d_model), threshold: numbers(d_sae), affine_skip_connection: numbers(d_model, d_model) },
  };
  const bytes = writeSafetensors(new Map(Object.entries(file)));
  const folder = Object.fromEntries([0, 1, 2].map((layer) => [`clt/params_layer_${layer}.safetensors`, bytes]));
  const set = await TranscoderSet.fromPretrained("clt", { files: memoryFiles("clt", folder) });
  expect([set.kind, set.nLayers, set.dSae, set.inputHook(0)]).toEqual(["cross-layer", 3, 6, "blocks.0.mlp.hook_in"]);
  const layer = await set.layer(1);
  const written = await layer.decoderRows([4]);
  expect(written.map((one) => one.layer)).toEqual([1, 2]);
  const row = (target: number) => [
    ...file.w_dec.data.slice((4 * layers + target) * d_model, (4 * layers + target + 1) * d_model),
  ];
  expect(written.map(({ rows }) => [...rows.data])).toEqual([row(1), row(2)]);
  expect([...layer.encoderRows([2]).data]).toEqual([0, 1, 2, 3].map((i) => file.w_enc.data[i * d_sae + 2]));
  expect(layer.skip!.data[1]).toBe(file.affine_skip_connection.data[d_model]);
  const x = numbers(1, d_model);
  const pre = await layer.encode(Tensor.leaf(x)).pre.compute();
  const expected = [...Array(d_sae).keys()].map((f) =>
    [...x.data].reduce((sum, value, i) => sum + value * file.w_enc.data[i * d_sae + f], file.b_enc.data[f]),
  );
  expectClose(pre, { shape: [1, d_sae], data: expected }, 1e-6);
});
