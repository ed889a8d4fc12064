/**
 * Every public function and method, called with wrong values for each argument: it succeeds, or throws an error of
 * ours. A name that is exported and neither here nor in `LEFT_OUT` fails.
 */
import { beforeAll, describe, expect, test } from "vitest";
import * as G from "../../src/node.ts";
import { smallModel, tokenizer } from "../lens/small-model.ts";

const hole: unknown[] = [];
hole[3] = 1;

/** What plain JavaScript may pass instead of the right value. */
const JUNK: readonly (readonly [name: string, value: unknown])[] = [
  ["null", null],
  ["undefined", undefined],
  ["0", 0],
  ["-1", -1],
  ["NaN", Number.NaN],
  ["2**53", 2 ** 53],
  ["true", true],
  ["a symbol", Symbol("x")],
  ["5n", 5n],
  ["an empty string", ""],
  ["a string", "x"],
  ["{}", {}],
  ["an object without a prototype", Object.create(null)],
  [
    "an object whose fields throw",
    {
      get site() {
        throw new Error("mine");
      },
    },
  ],
  ["an object whose toString is a number", { toString: 1, valueOf: 2 }],
  ["a misspelt option", { singal: 1 }],
  ["[]", []],
  ["[null]", [null]],
  ["[[]]", [[]]],
  ["a list with holes", hole],
  ["a list that says it is long", { length: 2 ** 32 }],
  ["a list of symbols", [Symbol("y")]],
  ["a list in a list in a list", [[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]],
  ["a function", () => 5],
  ["a promise", Promise.resolve(1)],
  ["a date", new Date(0)],
  ["a map", new Map([[1, 2]])],
  ["a proxy", new Proxy({}, {})],
  ["bytes", new Uint8Array(3)],
  ["a Tensor of another kind", G.tensor([[1.5, 2.5]])],
];

/** Options that say nothing, as `undefined` does: one of them is enough where a call would run to its end without its signal. */
const NO_OPTIONS = new Set(["{}", "an object without a prototype", "a proxy"]);

/** Tests of its own, or of the parts that it is made of, try what it is given. */
const LEFT_OUT = new Set([
  // errors, and lists of names
  ...["ArgumentError", "ConfigError", "FileFormatError", "GlassformerError", "HubError", "InputError", "ShapeError"],
  ...[
    "UnknownNameError",
    "WeightsError",
    "MemoryError",
    "TrainingError",
    "ANALYSES",
    "ATTRIBUTION_SITES",
    "HEAD_NAMES",
  ],
  ...["MODEL_ALIASES", "NOTEBOOK_PROMPTS", "REPORT_FORMATS"],
  // files, tensors, engines and tokenizers
  ...["Engine", "Tensor", "Tokenizer", "tensor", "grad", "print", "nodeBackend", "parseConfig", "initWeights"],
  ...["fileSource", "folderFiles", "hubFiles", "memoryFiles", "memorySource", "openModelFiles", "urlSource", "readPth"],
  ...[
    "readGguf",
    "readSafetensors",
    "writeSafetensors",
    "readTexts",
    "textRows",
    "loadTokenizer",
    "getCheckpointLabels",
  ],
  ...["resolveModelName", "picture"],
]);

interface Case {
  readonly of: string;
  readonly call: (...args: never[]) => unknown;
  /** Arguments that it takes; `SKIP` where none of a kind is tried. */
  readonly args: readonly unknown[];
}

const model = smallModel();
const graph = model.graph("abc");
const other = model.graph("abd");
const metric = (logits: G.Tensor) => logits.at({ pos: -1, d_vocab: 1 }).mean();
const tokens = model.toTokens("abc");
const rows = G.tensor(
  [
    [1, 2, 3],
    [2, 3, 4],
  ],
  { dtype: "int32" },
).array as never;
const strTokens = ["a", "b"];
const signal = AbortSignal.abort(new G.ArgumentError("so that nothing long is run"));
const stopped = { signal };
let cache: G.ActivationCache;
let logits: G.Tensor;

const attributed: G.AttributionGraph = {
  nodes: [
    { kind: "token", pos: 0, token: 5, text: "a" },
    { kind: "logit", pos: 0, token: 7, text: "b", weight: 0.5 },
  ],
  adjacency: {
    ...{ size: 2, starts: new Uint32Array([0, 0, 1]) },
    ...{ columns: new Uint32Array([0]), values: new Float32Array([2]) },
  },
};

/** Every public function with arguments that it takes. Whatever is long is stopped by its signal. */
function functions(): Case[] {
  const of = (name: string, args: readonly unknown[]): Case => ({
    of: name,
    call: (G as unknown as Record<string, (...args: never[]) => unknown>)[name],
    args,
  });
  /** An analysis and its measure. */
  const both = (name: string, options: object) => [
    of(name, [model, options]),
    of(`measure${name[0].toUpperCase()}${name.slice(1)}`, [model, options]),
  ];
  const patching = Object.entries(G.patching).map(
    ([name, call]): Case => ({
      ...{ of: `patching.${name}`, call: call as never, args: [model, "abc", cache, metric, stopped] },
    }),
  );
  const contrast = { clean: "abc", corrupted: "abd", answer: "a", wrong: "b", signal };
  const finding = G.finding({
    ...{ analysis: "x", question: "x?", summary: [], baselines: [], tables: [], pictures: [], caveats: [] },
    ...{ method: { text: "x", references: [] }, model: { name: "x", config: {} }, settings: {} },
  } as never);
  return [
    // analyses and measures: the model, and one object of options
    ...["activationPatching", "attributionPatching", "edgeAttribution", "pathPatching"].flatMap((name) =>
      both(name, contrast),
    ),
    ...["gradientXActivation", "integratedGradients", "neuronSaliency"].flatMap((name) =>
      both(name, { prompt: "abc", answer: "a", wrong: "b", signal }),
    ),
    ...["inductionScore", "singularVectors"].flatMap((name) => both(name, stopped)),
    ...both("ioi", { ...stopped, names: ["a", "b", "c"] }),
    ...["ablation", "diffuseMlp", "headDetector"].flatMap((name) => both(name, { prompts: ["abc"], signal })),
    ...["attentionPatterns", "directLogitAttribution", "logitLens", "look"].flatMap((name) =>
      both(name, { prompt: "abc", signal }),
    ),
    ...both("neuronTokens", { text: "abc", signal }),
    ...both("featurePatching", { ...contrast, dictionary: modelDictionary }),
    ...both("features", { prompt: "abc", answer: "a", dictionary: modelDictionary, ...stopped }),
    ...both("featureSteering", { prompt: "abc", feature: 1, tokens: 1, dictionary: modelDictionary, ...stopped }),
    ...both("feature", { feature: 1, text: "abc", dictionary: modelDictionary, ...stopped }),
    of("dictionaryReport", [model, { text: "abc", dictionary: modelDictionary, ...stopped }]),
    ...both("testPrompt", { prompt: "ab", answers: "c", signal }),
    ...["zeros", "ones", "randn"].map((name) => of(name, [{ batch: 2, pos: 3 }, {}])),
    of("full", [[2, 3], 1, {}]),
    of("arange", [0, 6, 2]),
    of("eye", [2, 3]),
    of("element", [G.tensor([1])]),
    of("mount", [{}, G.imshow([[1]])]),
    ...["stack", "concat"].map((name) => of(name, [[G.tensor([1, 2]), G.tensor([3, 4])], 0])),
    of("where", [G.tensor([true, false]), G.tensor([1, 2]), 0]),
    of("einsum", ["a,a->", G.tensor([1, 2]), G.tensor([3, 4])]),
    of("analysisCalled", ["ioi"]),
    of("finding", [finding]),
    of("withProvenance", [finding, {}]),
    of("rowsOf", [[{ name: "x", columns: [] }], "x"]),
    of("tableOf", [{ name: "x", title: "x" }, [1], [[{ name: "y", title: "y", description: "y" }, () => 1]]]),
    of("column", ["y", "what it says", { digits: 2 }]),
    of("attributionSites", [model]),
    of("allSenders", [model]),
    of("components", [model]),
    of("hears", [
      { name: "logits", point: "y", order: 1 },
      { name: "embed", point: "x", order: 0 },
    ]),
    of("compositionScores", [model.OV, model.QK]),
    of("detectionPattern", ["induction_head", tokens]),
    of("detectHead", [model, "abc", "induction_head", stopped]),
    of("interventionCode", [model, "abc", [{ what: "head", layer: 0, head: 0 }], { name: "x" }]),
    of("changedModel", [model, "abc", [{ what: "head", layer: 0, head: 0 }], { signal }]),
    of("interventionHooks", [model, "abc", [{ what: "head", layer: 0, head: 0 }], { signal }]),
    of("getActName", ["z", 0, "attn"]),
    of("getSingularVectors", [model, "OV", 0, { head: 0, signal }]),
    of("withPaths", [model, graph, other, [["L0H0", "logits"]]]),
    of("sampleLogits", [new Float32Array(6), [1], {}, () => 0.5]),
    of("lmAccuracy", [logits, tokens, {}]),
    of("lmCrossEntropyLoss", [logits, tokens, {}]),
    of("testPromptText", [{ prompt: ["a"], answers: [["b"]], steps: [] }]),
    of("parsePrompts", [new TextEncoder().encode("a b"), "a.txt"]),
    // training
    of("evaluateLoss", [model, rows, stopped]),
    of("train", [model, { data: rows, steps: 1 }, stopped]),
    of("holdOut", [rows, 0.5]),
    of("repeatRows", [rows, { share: 0 }]),
    of("lossCurve", [model, { losses: [1], chances: [{ name: "x", text: "x", loss: 1 }] }]),
    of("modularAddition", [{ p: 5, share: 0.5 }]),
    of("repeatedTokens", [{ dVocab: 5, length: 2, batchSize: 1 }]),
    of("textTask", [rows, undefined, 6]),
    of("tokenizeAndConcatenate", ["abcabc", tokenizer, { maxLength: 3 }]),
    of("trainDictionary", [
      model,
      { data: rows, at: "blocks.0.hook_mlp_out", dSae: 8, steps: 1, batchSize: 4, mixedBatches: 1 },
      stopped,
    ]),
    of("trainCrossLayerTranscoder", [model, { data: rows, dSae: 8, steps: 1, batchSize: 4, mixedBatches: 1 }, stopped]),
    of("openActivations", [G.memoryFiles("stored", {})]),
    of("trainBpe", ["a b c", { vocabSize: 300 }]),
    // pictures
    of("attentionHeads", [
      strTokens,
      [
        [
          [1, 0],
          [0, 1],
        ],
      ],
      {},
    ]),
    of("attentionPattern", [
      strTokens,
      [
        [1, 0],
        [0, 1],
      ],
      {},
    ]),
    of("bar", [[1, 2], {}]),
    of("hist", [[1, 2], {}]),
    of("imshow", [[[1, 2]], {}]),
    of("line", [[1, 2], {}]),
    of("scatter", [[1, 2], [1, 2], {}]),
    of("measureDictionaryReport", [
      model,
      { dictionary: modelDictionary, text: "abc", input: [[1, 2]], ignoredTokens: [1], memory: 1e6, ...stopped },
    ]),
    of("dtypeCosts", ["bundled", { texts: ["a b"], dtypes: ["float32"], open: {} }]),
    of("fillMask", [smallModel(1, { mlm_head: true, attention_dir: "bidirectional" }), [0, 1], { maskTokenId: 1 }]),
    of("logitLensCells", [[[[1, 2]]], { token: () => "x" }]),
    of("logitLensTable", [strTokens, [[{ top: [] }, { top: [] }]], {}]),
    of("textNeuronActivations", [strTokens, [[[1]], [[2]]], {}]),
    of("tokenTicks", [strTokens]),
    of("tokens", [strTokens, [1, 2], {}]),
    of("topkTable", [[{ name: "x", top: [{ token: "a", value: 1 }] }], {}]),
    of("topkTokens", [strTokens, [1, 2], {}]),
    of("render", [finding, "json", {}]),
    ...["edgeInfluence", "graphScores", "nodeInfluence"].map((name) => of(name, [attributed])),
    of("attributionGraph", [model, { prompt: "abc", answer: "a", wrong: "b", signal }]),
    of("measureAttributionGraph", [model, { prompt: "abc", targets: ["a"], signal }]),
    of("featureIntervention", [
      model,
      { prompt: "abc", interventions: [{ layer: 0, pos: 1, feature: 2, value: 0 }], constrainedLayers: [0], signal },
    ]),
    of("pruneGraph", [attributed, {}]),
    of("graphJson", [
      attributed,
      G.pruneGraph(attributed),
      { slug: "x", scan: "x", prompt: "a", promptTokens: ["a"], nLayers: 1 },
    ]),
    of("graphFromJson", [{ metadata: {}, nodes: [], links: [] }]),
    ...patching,
    {
      of: "sweeps.sweep",
      call: G.sweeps.sweep as never,
      args: [model, "abc", { site: "z", over: ["layer", "head"], edit: G.sweeps.zero, metric, signal }],
    },
    {
      of: "sweeps.patchFrom",
      call: ((c: never) =>
        G.sweeps.patchFrom(c)(cache.get("blocks.0.hook_mlp_out"), {
          name: "blocks.0.hook_mlp_out",
          layer: 0,
        })) as never,
      args: [cache],
    },
    {
      of: "sweeps.meanFrom",
      call: ((c: never) =>
        G.sweeps.meanFrom(c)(cache.get("blocks.0.hook_mlp_out"), {
          name: "blocks.0.hook_mlp_out",
          layer: 0,
        })) as never,
      args: [new Map([["blocks.0.hook_mlp_out", { dtype: "float32", shape: [4], data: new Float32Array(4) }]])],
    },
    {
      of: "sweeps.add",
      call: ((c: never) => G.sweeps.add(c)(logits, { name: "x", layer: 0 })) as never,
      args: [G.tensor([1])],
    },
    {
      of: "sweeps.scale",
      call: ((c: never) => G.sweeps.scale(c)(logits, { name: "x", layer: 0 })) as never,
      args: [2],
    },
    {
      of: "sweeps.resample",
      call: ((c: never) => G.sweeps.resample(c)(logits, { name: "x", layer: 0 })) as never,
      args: [[0]],
    },
  ];
}

/** A small encoder-decoder. */
function twoStacks(): G.HookedEncoderDecoder {
  const cfg = G.parseConfig({
    ...{ n_layers: 1, n_decoder_layers: 1, d_model: 8, n_heads: 2, d_head: 4, d_mlp: 8, n_ctx: 32, d_vocab: 6 },
    ...{ act_fn: "relu", normalization_type: "RMS", positional_embedding_type: "relative_positional_bias" },
    ...{ relative_attention_num_buckets: 4, relative_attention_max_distance: 8, decoder_start_token_id: 0 },
  });
  return new G.HookedEncoderDecoder(cfg, G.initWeights(cfg), { tokenizer });
}

/** A small autoencoder, and a small transcoder. */
const dictionaryWeights = new Map(
  Object.entries({ W_enc: G.ones([2, 3]), b_enc: G.ones([3]), W_dec: G.ones([3, 2]), b_dec: G.ones([2]) }),
);
const dictionary = new G.Dictionary({ architecture: "standard", dIn: 2, dSae: 3 }, dictionaryWeights);
const modelDictionary = new G.Dictionary(
  { architecture: "standard", dIn: model.cfg.dModel, dSae: 3, hookName: "blocks.0.hook_resid_pre" },
  new Map(
    Object.entries({
      ...{ W_enc: G.ones([model.cfg.dModel, 3]), b_enc: G.ones([3]) },
      ...{ W_dec: G.ones([3, model.cfg.dModel]), b_dec: G.ones([model.cfg.dModel]) },
    }),
  ),
);
const transcoder = new G.Dictionary(
  {
    ...{ architecture: "transcoder", dIn: 2, dSae: 3 },
    ...{ hookName: "blocks.0.hook_resid_mid", hookNameOut: "blocks.0.hook_mlp_out" },
  },
  dictionaryWeights,
);

/** Methods of the classes. */
function methods(): Case[] {
  const on = <T extends object>(target: T, calls: Readonly<Record<string, readonly unknown[]>>): Case[] =>
    Object.entries(calls).map(([name, args]) => ({
      of: `${target.constructor.name}.${name}`,
      call: ((...given: never[]) =>
        (target as unknown as Record<string, (...a: never[]) => unknown>)[name](...given)) as never,
      args,
    }));
  const stack = cache.decomposeResid();
  const name = "blocks.0.hook_mlp_out";
  const text = model.text!;
  return [
    ...on(model, {
      toTokens: ["abc", {}],
      toStrTokens: ["abc", {}],
      toString: [[1, 2]],
      toSingleToken: ["a"],
      toSingleStrToken: [1],
      getTokenPosition: ["a", "abc", "first", {}],
      forward: ["abc", stopped],
      lossFn: [logits, tokens, {}],
      runWithHooks: ["abc", { fwdHooks: [], ...stopped }],
      runWithCache: ["abc", stopped],
      generate: ["abc", stopped],
      graph: ["abc", {}],
      compute: [[graph.output], stopped],
      explain: ["abc", {}],
      hooks: [{ fwdHooks: [] }],
      removeHooks: [name, {}],
      resetHooks: [{}],
      allCompositionScores: ["Q"],
      accumulatedBias: [0, {}],
      tokensToResidualDirections: [1],
      processWeights: [{}],
    }),
    ...on(model, { withDictionaries: [dictionary, { useErrorTerm: true }] }),
    ...[G.Dictionary, G.TranscoderSet].map(({ name, fromPretrained }) => ({
      of: `${name}.fromPretrained`,
      call: fromPretrained as never,
      args: ["", { id: "x", signal }],
    })),
    { of: "TranscoderSet.of", call: G.TranscoderSet.of as never, args: [[transcoder], "x"] },
    ...on(G.TranscoderSet.of([transcoder]), {
      layer: [0, stopped],
      inputHook: [0],
      outputHook: [0],
      forget: [0],
      toFiles: [stopped],
    }),
    ...on(dictionary, {
      encode: [G.tensor([1, 2])],
      decode: [G.tensor([1, 2, 3]), G.tensor([1, 2])],
      forward: [G.tensor([1, 2])],
      foldInputScale: [2],
    }),
    ...on(new G.Measured([{ layer: 0, effect: 1 }]), {
      at: [{ layer: 0 }],
      where: [{ layer: 0 }],
      top: [1, "effect", {}],
    }),
    ...on(twoStacks(), {
      forward: [[[1, 2]], { decoderInput: [[0]], ...stopped }],
      runWithCache: [[[1, 2]], { decoderInput: [[0]], ...stopped }],
      generate: [[[1, 2]], { decoderInput: [[0]], ...stopped }],
      graph: [[[1, 2]], { decoderInput: [[0]] }],
    }),
    ...on(smallModel(), { addHook: [name, () => {}, {}] }),
    ...on(smallModel(), { addPermaHook: [name, () => {}, {}] }),
    ...on(cache, {
      get: [name],
      has: [name],
      need: ["x", [name]],
      at: [{ batch: [0] }],
      applySliceToBatchDim: [[0]],
      cut: [cache.get(name)],
      accumulatedResid: [{}],
      decomposeResid: [{}],
      stackHeadResults: [{}],
      stackNeuronResults: [{}],
      getFullResidDecomposition: [{}],
      logitAttrs: [stack, 1, {}],
      applyLnToStack: [stack, {}],
      normBefore: [{}],
      stackActivation: ["z", {}],
      getNeuronResults: [0, {}],
    }),
    ...on(stack, {
      get: ["embed"],
      dot: [model.W_E.at({ d_vocab: 0 })],
      at: [{ batch: [0] }],
      logitAttrs: [1, {}],
      normalized: [undefined],
      compute: [stopped],
    }),
    ...on(model.OV, {
      matmul: [model.OV],
      rmatmul: [model.OV],
      mul: [2],
      at: [0],
      unsqueeze: [0, "x"],
      getCorner: [2],
      matvec: [model.b_O.at({ layer: 0 })],
      rmatvec: [model.b_O.at({ layer: 0 })],
      compute: [{}],
    }),
    ...on(graph, {
      at: [name],
      has: [name],
      with: [[[name, (x: G.Tensor) => x]]],
      readyFor: [[name]],
      follow: [graph.output],
    }),
    ...on(text, {
      toTokens: ["abc", {}],
      toString: [[1, 2]],
      toStrTokens: ["abc", {}],
      toSingleToken: ["a"],
      toSingleStrToken: [1],
      shownTokens: [[1, 2]],
      getTokenPosition: ["a", "abc", "first", {}],
      attentionMask: [text.toTokens(["a", "abc"]), {}],
    }),
    {
      of: "new TokenRules",
      call: ((options: never) => new G.TokenRules(options)) as never,
      args: [{ tokenizer, nCtx: 5 }],
    },
    {
      of: "new Measured",
      call: ((rows: never) => new G.Measured(rows)) as never,
      args: [[{ layer: 0 }]],
    },
    {
      of: "new FactoredMatrix",
      call: ((a: never, b: never) => new G.FactoredMatrix(a, b)) as never,
      args: [model.W_E, model.W_U],
    },
    {
      of: "new ActivationCache",
      call: ((v: never, m: never) => new G.ActivationCache(v, m)) as never,
      args: [new Map(), model],
    },
  ];
}

beforeAll(async () => {
  [logits, cache] = await model.runWithCache("abc");
});

/** The outcome of a call: nothing wrong, or the error that is not ours. */
async function raw({ call, args }: Case): Promise<string | undefined> {
  try {
    await call(...(args as never[]));
  } catch (error) {
    if (error instanceof G.GlassformerError) return undefined;
    return error instanceof Error && error.message === "mine"
      ? undefined
      : `${error}\n${(error as Error)?.stack?.split("\n").slice(1, 4).join("\n")}`;
  }
  return undefined;
}

describe("a wrong value in place of an argument", () => {
  test("is refused in a sentence, or accepted, by every function and every method", async () => {
    const faults: string[] = [];
    for (const one of [...functions(), ...methods()]) {
      for (const [at] of one.args.entries()) {
        for (const [name, value] of JUNK) {
          if (NO_OPTIONS.has(name) && one.args[at] === stopped) continue;
          const fault = await raw({ ...one, args: one.args.with(at, value) });
          if (fault !== undefined) faults.push(`${one.of}, ${name} as argument ${at}: ${fault}`);
        }
      }
      const none = await raw({ ...one, args: [] });
      if (none !== undefined) faults.push(`${one.of} without arguments: ${none}`);
    }
    expect(faults.join("\n")).toBe("");
  }, 300_000);

  test("is refused in a sentence as an option's value, too", async () => {
    const faults: string[] = [];
    for (const one of [...functions(), ...methods()]) {
      const at = one.args.length - 1;
      const options = one.args[at];
      if (typeof options !== "object" || options === null || Object.getPrototypeOf(options) !== Object.prototype)
        continue;
      for (const key of Object.keys(options)) {
        for (const [name, value] of JUNK.filter((_, i) => i % 2 === 0)) {
          const fault = await raw({ ...one, args: one.args.with(at, { ...options, [key]: value }) });
          if (fault !== undefined) faults.push(`${one.of}, ${name} as ${key}: ${fault}`);
        }
      }
    }
    expect(faults.join("\n")).toBe("");
  }, 300_000);
});

test("every public function is called with wrong arguments", () => {
  const called = new Set([...functions()].map(({ of }) => of.replace(/\..*/, "")));
  const classes = [
    "HookedTransformer",
    "HookedEncoderDecoder",
    "ActivationCache",
    "ResidualStack",
    "FactoredMatrix",
    "ModelGraph",
    "TokenRules",
    "KeyValueCache",
    "Measured",
    "Dictionary",
    "TranscoderSet",
  ];
  const missing = Object.keys(G).filter((name) => !called.has(name) && !LEFT_OUT.has(name) && !classes.includes(name));
  expect(missing).toEqual([]);
});
