/** What people have: state dicts of TransformerLens, folders with missing or extra files, their own models. */

import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadWeights } from "../../src/load/index.ts";
import {
  folderFiles,
  HookedTransformer,
  type HookedTransformerConfig,
  initWeights,
  loadTokenizer,
  memoryFiles,
  openModelFiles,
  parseConfig,
  readPth,
  resolveModelName,
  writeSafetensors,
} from "../../src/node.ts";
import { type NDArray, ndarray, zeros } from "../../src/tensor/array.ts";
import {
  ArgumentError,
  ConfigError,
  GlassformerError,
  MemoryError,
  UnknownNameError,
  WeightsError,
} from "../../src/tensor/errors.ts";
import { expectClose } from "../close.ts";
import { golden, goldenNames } from "../goldens.ts";

interface Saved {
  readonly config: Record<string, unknown>;
  readonly tokens: number[][];
  readonly logits: number[][][];
}
const fixtures = new URL("fixtures/transformerlens/", import.meta.url);
const saved = JSON.parse(readFileSync(new URL("index.json", fixtures), "utf8")).models as Record<string, Saved>;
const bytes = (name: string) => new Uint8Array(readFileSync(new URL(`${name}.pth`, fixtures)));
const stateDict = async (name: string) => readPth(await memoryFiles("x", { "x.pth": bytes(name) }).open("x.pth"));
const logitsOf = ({ logits }: Saved) =>
  ndarray("float32", [logits.length, logits[0].length, logits[0][0].length], Float32Array.from(logits.flat(2)));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "glassformer-opens-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** A folder with these files. */
async function made(name: string, contents: Readonly<Record<string, Uint8Array | string>>): Promise<string> {
  const path = join(folder, name);
  await mkdir(path, { recursive: true });
  for (const [file, content] of Object.entries(contents)) await writeFile(join(path, file), content);
  return path;
}

async function refused(action: () => unknown): Promise<Error> {
  try {
    await action();
  } catch (error) {
    expect(error).toBeInstanceOf(GlassformerError);
    return error as Error;
  }
  throw new Error("nothing was thrown");
}

describe.each(Object.entries(saved))("TransformerLens' %s: state_dict() and cfg.to_dict()", (name, model) => {
  test.each(["model.pth", "weights.pt", "pytorch_model.bin", "anything.ckpt"])(
    "opens as a folder with %s",
    async (file) => {
      const path = await made(`${name}-${file}`, { "config.json": JSON.stringify(model.config), [file]: bytes(name) });
      const plain = await HookedTransformer.fromPretrainedNoProcessing(path);
      expectClose(await plain.forward(model.tokens), logitsOf(model), 1e-5);
      expect(plain.notes.join(" ")).toContain("no tokenizer");
      const processed = await HookedTransformer.fromPretrained(path);
      const loss = async (m: HookedTransformer) => (await m.forward(model.tokens, { returnType: "loss" })).data[0];
      if (model.config.d_vocab_out === model.config.d_vocab)
        expect(await loss(processed)).toBeCloseTo(await loss(plain), 4);
    },
  );

  test("opens by the constructor, and its weights are processed", async () => {
    const own = new HookedTransformer(model.config as unknown as HookedTransformerConfig, await stateDict(name));
    expectClose(await own.forward(model.tokens), logitsOf(model), 1e-5);
    const probabilities = async (m: HookedTransformer) => (await m.forward(model.tokens)).softmax().compute();
    expectClose(await probabilities(own.processWeights()), await probabilities(own), 1e-5);
  });

  test("opens without its biases, which are then 0, and says so", async () => {
    const weights = await stateDict(name);
    const without = new Map([...weights].filter(([key]) => !/\.b_\w$/.test(key)));
    const zero = new Map([...weights].map(([key, a]) => [key, /\.b_\w$/.test(key) ? zeros("float32", a.shape) : a]));
    const cfg = parseConfig(model.config);
    const own = new HookedTransformer(cfg, without);
    expect(own.notes.join(" ")).toContain("biases are taken as 0");
    expectClose(await own.forward(model.tokens), await new HookedTransformer(cfg, zero).forward(model.tokens), 0);
  });
});

test("every supported golden opens from only its configuration and weights, in memory", async () => {
  for (const name of goldenNames) {
    const g = await golden(name);
    const weights = writeSafetensors(g.under("weights.") as ReadonlyMap<string, NDArray>);
    const files = memoryFiles(name, { "config.json": JSON.stringify(g.info.config), "w.safetensors": weights });
    const model = await HookedTransformer.fromPretrainedNoProcessing(name, { files });
    expectClose(await model.forward(g.tokens), g.get("logits"), 1e-4);
  }
});

describe("a folder", () => {
  const config = JSON.stringify(saved.gelu.config);
  const weights = bytes("gelu");
  const load = (path: string, options = {}) => HookedTransformer.fromPretrained(path, options);

  test("with several weights files says which is read, or names them", async () => {
    const usual = await made("usual", { "config.json": config, "pytorch_model.bin": weights, "old.pth": weights });
    expect((await load(usual)).notes.join(" ")).toMatch(
      /pytorch_model\.bin, the usual name, is read, and not old\.pth/,
    );
    const several = await made("several", {
      "config.json": config,
      "a.pt": weights,
      "b.pt": weights,
      "optimizer.pt": "",
    });
    const error = await refused(() => load(several));
    expect(error).toBeInstanceOf(WeightsError);
    expect(error.message).toMatch(/a\.pt, b\.pt\. Name one of them with the option checkpoint/);
    expect((await load(several, { checkpoint: "b.pt" })).cfg.nLayers).toBe(2);
  });

  test.each<[string, Record<string, Uint8Array | string>, RegExp]>([
    ["no config.json", { "model.pth": weights }, /has no config\.json.*it has model\.pth/],
    ["GGUF files beside weights", { "a.gguf": "", "b.gguf": "", "model.pth": weights }, /opens by its own path\.$/],
    [
      "architectures, but no model_type",
      { "config.json": JSON.stringify({ architectures: ["LlamaForCausalLM"] }), "model.pth": weights },
      /has architectures \["LlamaForCausalLM"\], but names neither a model_type nor/,
    ],
    ["a config.json alone", { "config.json": config }, /no weights that glassformer can read.*found config\.json/],
    ["nothing", {}, /There is no file "config\.json"/],
    ["a web page for a config.json", { "config.json": "<!DOCTYPE html><html>" }, /not JSON: it is a web page/],
    ["an empty config.json", { "config.json": " \n" }, /not JSON: it is empty/],
    ["a table for a config.json", { "config.json": "a,b\n1,2\n" }, /not JSON/],
    ["a list for a config.json", { "config.json": "[1]" }, /should be a JSON object, but it is an array/],
    ["a gzipped config.json", { "config.json": gzipSync(config) }, /packed with gzip/],
    [
      "a UTF-16 config.json",
      { "config.json": Buffer.from(`\ufeff${config}`, "utf16le") },
      /looks like UTF-16; save it as UTF-8/,
    ],
    ["UTF-16 without a mark", { "config.json": Buffer.from(config, "utf16le") }, /looks like UTF-16/],
    [
      "git's pointer for a config.json",
      { "config.json": "version https://git-lfs.github.com/spec/v1\noid sha256:0\n" },
      /pointer that git keeps in place of a large file/,
    ],
    [
      "one shard of three and no index",
      { "config.json": config, "model-00002-of-00003.safetensors": weights },
      /1 of the 3 parts of a model.*no index/,
    ],
    [
      "an index and none of its shards",
      {
        "config.json": config,
        "model.safetensors.index.json": '{"weight_map":{"a":"s1.safetensors","b":"s2.safetensors"}}',
      },
      /names 2 weights files, of which 1 is missing: s1\.safetensors/,
    ],
    [
      "an index and one of its two shards",
      {
        "config.json": config,
        "model.safetensors.index.json": '{"weight_map":{"a":"s1.safetensors","b":"s2.safetensors"}}',
        "s1.safetensors": "",
      },
      /names 2 weights files, of which 1 is missing: s2\.safetensors/,
    ],
    [
      "an index that is far too long",
      { "config.json": config, "model.safetensors.index.json": `{"weight_map":{${" ".repeat(25e6)}}}` },
      /25000017 bytes: that is not an index/,
    ],
    [
      "an index that places a tensor twice",
      { "config.json": config, "model.safetensors.index.json": '{"weight_map":{"a":"s1","a":"s2"}}' },
      /index\.json has the key "a" twice/,
    ],
    [
      "a config.json that says a thing twice",
      { "config.json": config.replace("{", '{"n_layers": 3,'), "pytorch_model.bin": weights },
      /config\.json has the key "n_layers" twice/,
    ],
    [
      "a tokenizer.json of millions of empty lists",
      { "config.json": config, "pytorch_model.bin": weights, "tokenizer.json": `{"model":[${"[],".repeat(6e6)}1]}` },
      /tokenizer\.json has more than 8000000 values/,
    ],
    ["a saved page for a config.json", { "config.json": "<!-- saved -->\n<html>" }, /not JSON: it is a web page/],
    [
      "an answer in place of weights",
      { "config.json": config, "pytorch_model.bin": "Entry not found" },
      /it is text, not weights \("Entry not found"\)/,
    ],
    ...["model.safetensors", "pytorch_model.bin", "model.safetensors.index.json", "tokenizer.json"].flatMap(
      (name): [string, Record<string, Uint8Array | string>, RegExp][] => [
        [
          `git's pointer for ${name}`,
          {
            "config.json": config,
            ...(name === "tokenizer.json" ? { "pytorch_model.bin": weights } : {}),
            [name]: "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n",
          },
          /is the pointer that git keeps in place of a large file/,
        ],
        [
          `a server's error for ${name}`,
          {
            "config.json": config,
            ...(name === "tokenizer.json" ? { "pytorch_model.bin": weights } : {}),
            [name]: '<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
          },
          /it is a web page, perhaps an error/,
        ],
      ],
    ),
    ["an index without shards", { "config.json": config, "model.safetensors.index.json": "{}" }, /has no "weight_map"/],
  ])("with %s gets an error that says so, on disk and in memory", async (what, contents, told) => {
    const path = await made(what.replaceAll(/\W/g, "-"), contents);
    expect((await refused(() => load(path))).message).toMatch(told);
    expect((await refused(() => load("m", { files: memoryFiles("m", contents) }))).message).toMatch(told);
  });

  test("with a dangling link gets an error that says so", async () => {
    const path = await made("dangling", { "config.json": config });
    await symlink("../blobs/0123", join(path, "model.safetensors"));
    expect((await refused(() => load(path))).message).toMatch(/model\.safetensors is a link to \.\.\/blobs\/0123/);
  });

  test("whose tokenizer is elsewhere and cannot be loaded opens, and a note says why", async () => {
    const elsewhere = JSON.stringify({ ...saved.gelu.config, tokenizer_name: "nobody/no-such-tokenizer" });
    const path = await made("elsewhere", { "config.json": elsewhere, "model.pth": weights });
    const before = process.env.HF_HUB_OFFLINE;
    process.env.HF_HUB_OFFLINE = "1";
    try {
      const model = await load(path);
      expect(model.text).toBeUndefined();
      expect(model.notes.join(" ")).toMatch(/no tokenizer: "nobody\/no-such-tokenizer" could not be loaded/);
    } finally {
      if (before === undefined) delete process.env.HF_HUB_OFFLINE;
      else process.env.HF_HUB_OFFLINE = before;
    }
  });
});

describe("a model from your own configuration and weights", () => {
  const cfg = parseConfig({ n_layers: 2, d_model: 24, n_heads: 2, d_head: 12, n_ctx: 8, d_vocab: 20, act_fn: "gelu" });
  const weights = initWeights(cfg);

  test.each([
    ["d_head", { dHead: 24 }],
    ["n_heads", { nHeads: 4 }],
    ["d_model", { dModel: 48 }],
    ["d_mlp", { dMlp: 48 }],
    ["d_vocab", { dVocab: 21 }],
    ["d_vocab_out", { dVocabOut: 19 }],
    ["n_ctx", { nCtx: 16 }],
    ["n_layers", { nLayers: 1 }],
    ["n_layers", { nLayers: 3 }],
    ["attn_only", { attnOnly: true }],
    ["normalization_type", { normalizationType: "LNPre" }],
    ["act_fn", { actFn: "solu_ln" }],
  ] as const)("has the weights of its configuration: not with another %s", (what, change) => {
    const other = { ...cfg, ...change } as HookedTransformerConfig;
    if (what === "act_fn") {
      // The inner norm's weights are missing: they are 1 and 0, and said to be.
      expect(new HookedTransformer(other, weights).notes.join(" ")).toContain("mlp.ln.w");
    } else expect(() => new HookedTransformer(other, weights)).toThrow(WeightsError);
  });

  test("has each weight as a property, stacked over layers, and says which it has if one is missing", () => {
    const model = new HookedTransformer(cfg, weights);
    expect(model.W_U).toBe(model.weights.get("unembed.W_U"));
    expect(model.W_Q.axes).toEqual(["layer", "head", "d_model", "d_head"]);
    expect(model.b_out.shape).toEqual([2, 24]);
    expect(() => model.W_gate).toThrow(
      "This model has no W_gate. It has W_E, W_pos, W_Q, b_Q, W_K, b_K, W_V, b_V, W_O, b_O, W_in, b_in, W_out, b_out, W_U, b_U.",
    );
    expect(() => (model as unknown as Record<string, unknown>).W_QQ).toThrow("Did you mean W_Q?");
    expect((model as unknown as Record<string, unknown>).nothing).toBeUndefined();
  });

  test("has shared keys and values once for each head that they serve", async () => {
    const grouped = parseConfig({ ...cfg, nHeads: 4, dHead: 6, nKeyValueHeads: 2 });
    const model = new HookedTransformer(grouped, initWeights(grouped));
    const own = model.weights.get("blocks.1.attn._W_K");
    const [ofHeads, stack] = await model.compute([model.weights.get("blocks.1.attn.W_K"), model.W_K]);
    expect(own.axes).toEqual(["kv_head", "d_model", "d_head"]);
    expect(ofHeads.axes).toEqual(["head", "d_model", "d_head"]);
    for (const head of [0, 1, 2, 3]) {
      expect(ofHeads.row(head).data).toEqual(own.row(Math.floor(head / 2)).data);
      expect(stack.row(1).row(head).data).toEqual(ofHeads.row(head).data);
    }
  });

  test("needs a configuration that can be run, even one that was never parsed", () => {
    for (const change of [{ actFn: "mish" }, { nLayers: "2" }, { nHeads: 0 }, { loadIn4bit: true }, { typo: 1 }]) {
      expect(() => new HookedTransformer({ ...cfg, ...change } as never, weights)).toThrow(ConfigError);
    }
    for (const wrong of [null, undefined, 5, "gpt2", []]) {
      expect(() => new HookedTransformer(wrong as never, weights)).toThrow(ArgumentError);
    }
  });

  test("needs weights that are arrays of floats", () => {
    const first = weights.get("embed.W_E")!;
    const put = (array: unknown) => new Map<string, unknown>(weights).set("embed.W_E", array) as never;
    for (const wrong of [null, {}, [], "x", put(5), put(new Float32Array(480)), put({ ...first, shape: "20,24" })]) {
      expect(() => new HookedTransformer(cfg, wrong as never)).toThrow(ArgumentError);
    }
    const short = put({ ...first, data: first.data.slice(1) });
    for (const data of [Float64Array.from(first.data), Int32Array.from(first.data), [...first.data]]) {
      expect(() => new HookedTransformer(cfg, put({ ...first, data }))).toThrow(ArgumentError);
    }
    const whole = put(ndarray("int32", first.shape, Int32Array.from(first.data)));
    for (const wrong of [short, whole]) expect(() => new HookedTransformer(cfg, wrong)).toThrow(WeightsError);
  });

  test("needs parts of the right kinds, and no others", () => {
    const wrong = [{ tokenizer: "gpt2" }, { engine: {} }, { defaultPaddingSide: "up" }, { defaultPrependBos: 1 }];
    for (const parts of [...wrong, { notes: "x" }, { tokeniser: undefined, padding: 1 }, null, 5]) {
      expect(() => new HookedTransformer(cfg, weights, parts as never)).toThrow(ArgumentError);
    }
  });

  test("is processed only by flags that exist", () => {
    const model = new HookedTransformer(cfg, weights);
    for (const flags of [{ foldLn: 1 }, { fold_ln: true }, null, "x"]) {
      expect(() => model.processWeights(flags as never)).toThrow(ArgumentError);
    }
  });
});

describe("a call", () => {
  test.each([[undefined], [null], [5], [{}], [["gpt2"]]])(
    "of fromPretrained with the name %j is refused",
    async (name) => {
      for (const call of [
        HookedTransformer.fromPretrained,
        HookedTransformer.fromPretrainedNoProcessing,
        loadTokenizer,
      ]) {
        expect(await refused(() => call(name as never))).toBeInstanceOf(ArgumentError);
      }
    },
  );

  test.each([
    [{ foldln: true }],
    [{ foldLn: "yes" }],
    [{ tokenizer: "gpt2" }],
    [{ engine: "wasm" }],
    [{ files: "x" }],
    [{ signal: 5 }],
    [{ onProgress: true }],
    [{ checkpointIndex: "1" }],
    [{ firstNLayers: "1" }],
    [{ device: "gpu" }],
    [null],
    [5],
  ])("of fromPretrained with the options %j is refused", async (options) => {
    const error = await refused(() => HookedTransformer.fromPretrained("bundled", options as never));
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error.message).not.toMatch(/nodeBackend/);
  });
});

describe("a model's name", () => {
  test.each([
    ["pythia-70m-finetuned", "EleutherAI/pythia-70m"],
    ["gpt-j-tiny", "EleutherAI/gpt-j-6B"],
    ["bloom-test", "bigscience/bloom-560m"],
    ["Qwen2-9B", "Qwen/Qwen2.5-0.5B"],
    ["qwen3-9b", "Qwen/Qwen3-0.6B"],
    ["starcoder2-15b", "bigcode/starcoder2-3b"],
  ])('"%s", a short name of a family that opens, is answered with how its ids look', async (name, id) => {
    const error = await refused(() => resolveModelName(name));
    expect(error).toMatchObject({ nearest: id });
    expect(error.message).toMatch(/opens by its id on the hub/);
  });

  test("of a model of pictures and texts, whose language model opens, is its id", () => {
    expect(resolveModelName("gemma-3-4b-pt")).toBe("google/gemma-3-4b-pt");
    expect(resolveModelName("google/medgemma-4b-it")).toBe("google/medgemma-4b-it");
  });

  test.each(["mamba-130m"])(
    '"%s", which TransformerLens knows, is said to be known and why it cannot be run',
    async (name) => {
      const error = await refused(() => resolveModelName(name));
      expect(error).toBeInstanceOf(ConfigError);
      expect(error.message).toMatch(/known but cannot be opened yet: it needs /);
    },
  );

  test.each(["xyz", "model", "foo", "help", "qqqqqqqq-1b"])(
    '"%s" is near to none, and none is suggested',
    async (name) => {
      const error = await refused(() => resolveModelName(name));
      expect(error).toBeInstanceOf(UnknownNameError);
      expect(error.message).not.toContain("Did you mean");
    },
  );

  test.each([
    ["solu-1I", "solu-1l"],
    ["gtp2", "gpt2"],
    ["lama", "llama"],
  ])('that is misspelt, as "%s", is answered with the closest match', async (name, meant) => {
    expect(await refused(() => resolveModelName(name))).toMatchObject({ nearest: meant });
  });
});

describe("a repository", () => {
  const weights = bytes("gelu");

  test("must be one, also if the caller has no types", async () => {
    for (const wrong of [null, undefined, 5, {}, { list: 5 }]) {
      expect(await refused(() => loadWeights(wrong as never))).toBeInstanceOf(ArgumentError);
      if (wrong === undefined) continue;
      const load = () => HookedTransformer.fromPretrained("m", { files: wrong as never });
      expect(await refused(load)).toBeInstanceOf(ArgumentError);
    }
    for (const wrong of [null, 5, {}]) {
      expect(await refused(() => openModelFiles(wrong as never))).toBeInstanceOf(ArgumentError);
      expect(await refused(() => folderFiles(wrong as never).list())).toBeInstanceOf(ArgumentError);
      expect(await refused(() => resolveModelName(wrong as never))).toBeInstanceOf(ArgumentError);
    }
    expect(await refused(() => loadWeights(memoryFiles("m", {}), { check: 1 } as never))).toBeInstanceOf(ArgumentError);
  });

  test("that does not exist gets an error that says so", async () => {
    expect((await refused(() => folderFiles(join(folder, "nowhere")).list())).message).toMatch(/there is no such file/);
  });

  test("with a config.json of many megabytes is refused", async () => {
    const config = `{"n_layers": 1, "x": "${"x".repeat(16_000_000)}"}`;
    const files = memoryFiles("m", { "config.json": config, "model.pth": weights });
    expect((await refused(() => HookedTransformer.fromPretrained("m", { files }))).message).toMatch(
      /not a model's configuration/,
    );
  });

  test("with an index of a hundred thousand shards fails immediately", async () => {
    const map = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`t${i}`, `s${i}.safetensors`]));
    const files = memoryFiles("m", { "model.safetensors.index.json": JSON.stringify({ weight_map: map }) });
    expect((await refused(() => loadWeights(files))).message).toMatch(/names 100000 weights files/);
  });

  test("in 16 bits is computed in float32, and a note says so", async () => {
    const config = JSON.stringify({ ...saved.gelu.config, dtype: "torch.bfloat16" });
    const files = memoryFiles("m", { "config.json": config, "model.pth": weights });
    const model = await HookedTransformer.fromPretrainedNoProcessing("m", { files });
    expect(model.notes.join(" ")).toContain("dtype bfloat16; everything is computed in float32");
    expectClose(await model.forward(saved.gelu.tokens), logitsOf(saved.gelu), 1e-5);
  });
});

test("random weights need a configuration that can be run, and must fit into memory", async () => {
  for (const wrong of [null, undefined, 5, {}, { n_layers: "1" }]) {
    await refused(() => initWeights(wrong as never));
  }
  const vast = parseConfig({ ...saved.gelu.config, n_layers: 10_000, d_model: 20_000, n_params: null });
  expect(await refused(() => initWeights(vast))).toBeInstanceOf(MemoryError);
});
