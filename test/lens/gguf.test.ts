/** Models in GGUF files, as llama.cpp converted and quantised them: test/goldens/gguf/make.py and make-quantised.py. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Tensor } from "../../src/graph/tensor.ts";
import { openStandaloneModel } from "../../src/lens/standalone-model.ts";
import { memoryFiles, memorySource, openGguf, readSafetensors } from "../../src/load/index.ts";
import { openModelFiles } from "../../src/load/node.ts";
import { openModelFiles as openInPage } from "../../src/load/web.ts";
import { fromGguf, GGUF_ARCHITECTURES } from "../../src/models/families/gguf/index.ts";
import { ropeParameters } from "../../src/models/families/gguf/rope.ts";
import { GgufSettings } from "../../src/models/families/gguf/settings.ts";
import { modelInSteps, readConfig } from "../../src/models/families/index.ts";
import { HookedTransformer, loadTokenizer } from "../../src/node.ts";
import { ConfigError, FileFormatError, UnknownNameError, WeightsError } from "../../src/tensor/errors.ts";
import { decodeFloat16, encodeFloat16 } from "../../src/tensor/floats.ts";
import { expectClose } from "../close.ts";
import { serveRanges } from "../load/range-server.ts";

const goldens = fileURLToPath(new URL("../goldens/", import.meta.url));
const bytesOf = (path: string) => new Uint8Array(readFileSync(join(goldens, path)));
const arraysOf = (path: string) => readSafetensors(memorySource(path, bytesOf(path)));
const jsonOf = (path: string) => JSON.parse(readFileSync(join(goldens, path), "utf8"));
const ggufs = readdirSync(join(goldens, "gguf")).filter((file) => file.endsWith(".gguf"));
const CONVERTED = ggufs.map((file) => file.slice(0, -".gguf".length)).filter((name) => !/-Q/.test(name));
const QUANTISED = ggufs.map((file) => file.slice(0, -".gguf".length)).filter((name) => /-Q/.test(name));

const opened = async (name: string) =>
  (await openStandaloneModel(memoryFiles(name, { "m.gguf": bytesOf(`gguf/${name}.gguf`) }), undefined, {}))!;

test("every architecture has a file here", async () => {
  const found = new Set<unknown>();
  for (const file of ggufs) {
    found.add((await openGguf(memorySource(file, bytesOf(`gguf/${file}`)))).metadata.get("general.architecture"));
  }
  expect(found).toEqual(new Set(GGUF_ARCHITECTURES.map(({ name }) => name)));
});

describe.each(CONVERTED)("%s in float16", (name) => {
  test("every array of Hugging Face's is there, as it was before it was converted", async () => {
    const { stored } = await opened(name);
    const before = await arraysOf(`hf/${name}-tiny/model.safetensors`);
    expect([...stored.shapes.keys()].sort()).toEqual([...before.keys()].sort());
    for (const [array, { shape, data }] of before) {
      const found = await stored.read(array);
      expect([found.shape, stored.shapes.get(array)], array).toEqual([shape, shape]);
      // Matrices were rounded to float16, and others may be; 1 + w of Gemma's norms is rounded to float32.
      const halves = decodeFloat16(encodeFloat16(data as Float32Array));
      const apart = Array.from(found.data, (x, i) => Math.min(Math.abs(x - data[i]), Math.abs(x - halves[i])));
      expect(Math.max(...apart), array).toBeLessThanOrEqual(/^gemma/.test(name) && shape.length === 1 ? 2 ** -23 : 0);
    }
  });

  test("rows of an array are the same, some at a time", async () => {
    const { stored } = await opened(name);
    for (const array of stored.shapes.keys()) {
      const rows: number[] = [];
      await stored.readRows!(array, (some) => rows.push(...some));
      expect(rows, array).toEqual([...(await stored.read(array)).data]);
    }
  });

  // What files do not say: BLOOM's its length, and its converter takes the stream's width; GGUF files which layers of Gemma 3 are not
  // local and which of SmolLM 3 have no positions, but for the published models.
  const unsaid: Record<string, object> = {
    bloom: { seq_length: 32 },
    gemma3_text: { layer_types: ["sliding_attention", "sliding_attention"] },
    smollm3: { no_rope_layers: [1, 1] },
  };
  const config = { ...jsonOf(`hf/${name}-tiny/config.json`), ...unsaid[name] };
  test("the configuration is the same", async () => {
    const { configJson } = await opened(name);
    expect(readConfig(configJson, name)).toEqual(readConfig(config, name));
  });
});

describe.each(QUANTISED)("%s", (name) => {
  const path = join(goldens, `gguf/${name}.gguf`);

  test("opens by its path, and gives the logits that transformers gives for it", async () => {
    const expected = await arraysOf(`gguf/${name}.safetensors`);
    const tokens = Tensor.leaf(expected.get("tokens")!, ["batch", "pos"]);
    const logits = Tensor.leaf(expected.get("logits")!, ["batch", "pos", "d_vocab"]);
    const plain = await HookedTransformer.fromPretrainedNoProcessing(path);
    expectClose(await plain.forward(tokens), logits, 1e-4);
    const processed = await HookedTransformer.fromPretrained(path);
    const found = await processed.forward(tokens);
    expectClose(await found.logSoftmax().compute(), await logits.logSoftmax().compute(), 1e-4);
  });

  test("its tokenizer gives the ids that transformers gives for it, and their texts", async () => {
    const tokenizer = await loadTokenizer(path);
    const prompts = Object.entries<[ids: number[], text: string]>(jsonOf(`gguf/${name}.json`));
    expect(prompts).toHaveLength(3);
    for (const [prompt, [ids, text]] of prompts) {
      expect(tokenizer.encode(prompt, { addSpecialTokens: false }), prompt).toEqual(ids);
      expect(tokenizer.decode(ids), prompt).toBe(text);
    }
  });
});

describe("files and folders", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "glassformer-gguf-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const put = (name: string, as = `${name}.gguf`) => cpSync(join(goldens, `gguf/${name}.gguf`), join(folder, as));
  const architectureOf = async (name: string, options = {}) => {
    const { cfg } = await HookedTransformer.fromPretrained(name, options);
    return cfg.originalArchitecture;
  };

  test("a folder with one GGUF file opens it, a projector or a matrix of importance beside it or not", async () => {
    put("llama");
    put("qwen2", "mmproj-qwen2.gguf");
    put("qwen2", "imatrix.gguf");
    expect(await architectureOf(folder)).toBe("LlamaForCausalLM");
  });

  test("of several, one must be chosen: by the option checkpoint, or by its path", async () => {
    put("llama");
    put("qwen2");
    const error = await HookedTransformer.fromPretrained(folder).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(WeightsError);
    expect((error as Error).message).toMatch(
      /has several GGUF files: .*llama\.gguf.*qwen2\.gguf.*option checkpoint, or pass its path/,
    );
    expect(await architectureOf(folder, { checkpoint: "qwen2.gguf" })).toBe("Qwen2ForCausalLM");
    expect(await architectureOf(join(folder, "llama.gguf"))).toBe("LlamaForCausalLM");
  });

  test("weights in another format go before it, and it opens if it is chosen", async () => {
    put("qwen2");
    for (const file of ["config.json", "model.safetensors"]) {
      cpSync(join(goldens, "hf/llama-tiny", file), join(folder, file));
    }
    expect(await architectureOf(folder)).toBe("LlamaForCausalLM");
    expect(await architectureOf(folder, { checkpoint: "qwen2.gguf" })).toBe("Qwen2ForCausalLM");
  });

  test("a file that was split opens by its first part, and from its folder", async () => {
    for (const part of [1, 2, 3]) put("split/llama-0000" + part + "-of-00003", `llama-0000${part}-of-00003.gguf`);
    const whole = await HookedTransformer.fromPretrainedNoProcessing(join(goldens, "gguf/llama.gguf"));
    for (const name of [folder, join(folder, "llama-00001-of-00003.gguf")]) {
      const model = await HookedTransformer.fromPretrainedNoProcessing(name);
      for (const [weight, { data }] of model.weights.entries())
        expect(data, weight).toEqual(whole.weights.get(weight).data);
    }
    const open = (file: string) => HookedTransformer.fromPretrained(join(folder, file));
    await expect(open("llama-00002-of-00003.gguf")).rejects.toThrow(
      /^\S*\/glassformer-gguf-\w+\/llama-00002-of-00003.gguf is a part of a model in 3 files: name the first/,
    );
    cpSync(join(folder, "llama-00002-of-00003.gguf"), join(folder, "llama-00003-of-00003.gguf"));
    await expect(open("llama-00001-of-00003.gguf")).rejects.toThrow(/says that it is part 1 \(from 0\), not 2/);
    rmSync(join(folder, "llama-00003-of-00003.gguf"));
    const error = await open("llama-00001-of-00003.gguf").catch((e: unknown) => e);
    expect(error).toBeInstanceOf(FileFormatError);
    expect((error as Error).message).toMatch(/llama-00003-of-00003\.gguf is missing/);
  });

  test("a file in memory opens too", async () => {
    const files = memoryFiles("mine", { "llama.gguf": bytesOf("gguf/llama.gguf") });
    const model = await HookedTransformer.fromPretrained("mine", { files });
    expect(model.cfg.nLayers).toBe(2);
    expect(model.notes.join(" ")).toContain("do not say whether attention has a window");
  });

  test("a file at a URL opens, of which no more than its header is read before it is needed", async () => {
    const server = await serveRanges({ "/a/llama.gguf": bytesOf("gguf/llama.gguf") });
    try {
      const files = [
        await openModelFiles(`${server.url}/a/llama.gguf`),
        await openInPage(`${server.url}/a/llama.gguf`),
      ];
      for (const each of files) {
        expect(await each.list()).toEqual(["llama.gguf"]);
        expect(server.asked).toEqual([]);
      }
      const model = await HookedTransformer.fromPretrainedNoProcessing(`${server.url}/a/llama.gguf`);
      const whole = await HookedTransformer.fromPretrainedNoProcessing(join(goldens, "gguf/llama.gguf"));
      for (const [weight, { data }] of model.weights.entries()) expect(data).toEqual(whole.weights.get(weight).data);
      expect(server.asked.filter((asked) => asked.startsWith("GET")).every((asked) => asked.includes("bytes="))).toBe(
        true,
      );
      await expect(files[0].open("../secret")).rejects.toBeInstanceOf(UnknownNameError);
    } finally {
      await server.stop();
    }
  });

  test("a broken file is refused in a sentence", async () => {
    writeFileSync(join(folder, "m.gguf"), bytesOf("gguf/llama.gguf").subarray(0, 20_000));
    const error = await HookedTransformer.fromPretrained(join(folder, "m.gguf")).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(FileFormatError);
    expect((error as Error).message).toMatch(/is not a whole GGUF file: tensor .* but the file has 20000/);
  });
});

describe("what a file says", () => {
  const contents = async (name: string, change: (metadata: Map<string, unknown>) => void) => {
    const { metadata, shapes } = await openGguf(memorySource(name, bytesOf(`gguf/${name}.gguf`)));
    const changed = new Map<string, unknown>(metadata);
    change(changed);
    return { metadata: changed, shapes, small: new Map() };
  };

  test.each<[string, (metadata: Map<string, unknown>) => void, RegExp]>([
    ["no architecture", (m) => m.delete("general.architecture"), /general\.architecture is undefined, not a name/],
    [
      "an unknown architecture",
      (m) => m.set("general.architecture", "lama"),
      /"lama", which is not supported. Did you mean "llama"\?/,
    ],
    ["no sizes", (m) => m.delete("llama.block_count"), /has no llama\.block_count/],
    [
      "a size that is a text",
      (m) => m.set("llama.block_count", "2"),
      /llama\.block_count of the GGUF file is "2", but it must be a number/,
    ],
    [
      "heads that differ from layer to layer",
      (m) => m.set("llama.attention.head_count", [4, 2]),
      /differs from layer to layer/,
    ],
    ["a scaling that is not known", (m) => m.set("llama.rope.scaling.type", "spiral"), /scaled by "spiral"/],
  ])("%s is refused", async (_, change, message) => {
    const file = await contents("llama", change);
    const read = () => fromGguf(file);
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(message);
  });

  test("a tensor that the architecture does not have is refused by name", async () => {
    const file = await contents("llama", () => {});
    const more = { ...file, shapes: new Map([...file.shapes, ["blk.0.attn_sinks.weight", [4]]]) };
    expect(() => fromGguf(more)).toThrow(WeightsError);
    expect(() => fromGguf(more)).toThrow(/blk\.0\.attn_sinks\.weight/);
  });

  test("StableLM's norms of queries and keys, one tensor of all heads there, are one array for each head", async () => {
    const file = await contents("stablelm", () => {});
    const norms = ["blk.0", "blk.1"].flatMap((at): [string, number[]][] => [
      [`${at}.attn_q_norm.weight`, [4, 8]],
      [`${at}.attn_k_norm.weight`, [2, 8]],
    ]);
    const { configJson, arrays } = fromGguf({ ...file, shapes: new Map([...file.shapes, ...norms]) });
    const shapes = new Map([...arrays].map(([name, { shape }]) => [name, shape]));
    const weights = modelInSteps(configJson, shapes, "here/mine")!.steps.map(({ spec }) => spec);
    const norm = weights.find(({ name }) => name === "blocks.1.attn.k_norm.w");
    expect(norm!.shape).toEqual([2, 8]);
    const { from, make } = arrays.get("model.layers.1.self_attn.k_layernorm.norms.1.weight")!;
    expect(from).toEqual(["blk.1.attn_k_norm.weight"]);
    const data = Float32Array.from({ length: 16 }, (_, i) => i);
    expect([...make([{ dtype: "float32", shape: [2, 8], data }]).data]).toEqual([8, 9, 10, 11, 12, 13, 14, 15]);
  });

  test("Llama 3.1's scaling is found again from its factors, whatever its numbers were", () => {
    const factors = (original: number, high: number, factor: number, base = 500_000, pairs = 64) =>
      Array.from({ length: pairs }, (_, i) => {
        const turns = (base ** (-i / pairs) / (2 * Math.PI)) * original;
        const share = (turns - 1) / (high - 1);
        return Math.fround(share > 1 ? 1 : share < 0 ? factor : 1 / ((1 - share) / factor + share));
      });
    for (const [original, high, factor] of [
      [8192, 4, 8],
      [8192, 4, 32],
      [4096, 4, 16],
      [5000, 4, 8],
      [8192, 6, 8],
      [3000, 2.5, 4],
    ]) {
      const data = Float32Array.from(factors(original, high, factor));
      const small = new Map([["rope_freqs.weight", { dtype: "float32" as const, shape: [64], data }]]);
      const metadata = new Map<string, unknown>([
        ["general.architecture", "llama"],
        ["llama.rope.freq_base", 500_000],
      ]);
      expect(ropeParameters(new GgufSettings({ metadata, shapes: new Map(), small }))).toEqual({
        rope_theta: 500_000,
        rope_type: "llama3",
        factor,
        low_freq_factor: 1,
        high_freq_factor: high,
        original_max_position_embeddings: original,
      });
    }
  });
});
