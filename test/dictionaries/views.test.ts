/** What a view with dictionaries does: edits, caches, gradients, sweeps, generation, one head; and what is refused. */
import { beforeAll, describe, expect, test } from "vitest";
import {
  Dictionary,
  type DictionaryConfig,
  type Hook,
  HookedTransformer,
  KeyValueCache,
  measurePathPatching,
  randn,
  sweeps,
  type Tensor,
  tensor,
} from "../../src/node.ts";
import { expectClose } from "../close.ts";
import { at, goldenModel } from "./goldens.ts";

const PRE = "blocks.1.hook_resid_pre";
const OUT = "blocks.1.hook_mlp_out";
const Z = "blocks.1.attn.hook_z";
const acts = (hook: string) => `${hook}.hook_sae_acts_post`;

let host: Awaited<ReturnType<typeof goldenModel>>;
let model: HookedTransformer;
let tokens: Tensor;
const sae = (name: string) => Dictionary.fromPretrained(at(`saes/gelu_3l.${name}`));
beforeAll(async () => {
  host = await goldenModel("gelu_3l");
  ({ model, tokens } = host);
});

/** A dictionary with random weights. */
function random(cfg: Partial<DictionaryConfig> & Pick<DictionaryConfig, "dIn">): Dictionary {
  const { dIn, dSae = 12, dOut = dIn } = cfg;
  const weights = {
    W_enc: randn([dIn, dSae]),
    b_enc: randn([dSae]),
    W_dec: randn([dSae, dOut], { seed: 1 }),
    b_dec: randn([dOut]),
  };
  return new Dictionary({ architecture: "standard", dSae, ...cfg }, new Map(Object.entries(weights)));
}

describe("with an error term", () => {
  test.each([
    ["an autoencoder", "standard.resid_pre", PRE],
    ["one of heads", "topk.hook_z", Z],
    ["a transcoder", "jumprelu_transcoder", OUT],
    ["one with a skip connection", "skip_transcoder", OUT],
  ])(
    "an edit of a feature of %s moves its hook point by exactly the difference times W_dec",
    async (_what, name, hook) => {
      const dictionary = await sae(name);
      const view = model.withDictionaries(dictionary, { useErrorTerm: true });
      const [, clean] = await model.runWithCache(tokens, { namesFilter: hook });
      const feature = 24;
      const edit: Hook = [acts(hook), (x) => x.set({ d_sae: feature }, 3)];
      const [, cache] = await view
        .hooks({ fwdHooks: [edit] })
        .runWithCache(tokens, { namesFilter: [hook, acts(hook)] });
      const [, before] = await view.runWithCache(tokens, { namesFilter: acts(hook) });
      const change = cache
        .get(acts(hook))
        .sub(before.get(acts(hook)))
        .matmul(dictionary.weights.get("W_dec")!);
      const moved = await clean.get(hook).flatten(2, -1, "d_out").rename({ d_model: "d_out" }).add(change).compute();
      expectClose({ shape: moved.shape, data: cache.get(hook).data }, moved, 1e-5);
      expect((await change.abs().max().compute()).item()).toBeGreaterThan(0.1);
    },
  );

  test("a changed input changes what is read, while the error stays what the dictionary missed", async () => {
    const dictionary = await sae("standard.resid_pre");
    const view = model.withDictionaries(dictionary, { useErrorTerm: true });
    const hook: Hook = [`${PRE}.hook_sae_input`, (x) => x.mul(0.5)];
    const names = [PRE, `${PRE}.hook_sae_error`];
    const [, halved] = await view.hooks({ fwdHooks: [hook] }).runWithCache(tokens, { namesFilter: names });
    const [, clean] = await view.runWithCache(tokens, { namesFilter: names });
    expect([...halved.get(names[1]).data]).toEqual([...clean.get(names[1]).data]);
    const [, of] = await model.runWithCache(tokens, { namesFilter: PRE });
    const expected = dictionary.forward(of.get(PRE).mul(0.5)).add(clean.get(names[1]));
    expectClose(halved.get(PRE), await expected.compute(), 1e-5);
  });

  test("no gradient goes through the error", async () => {
    const view = model.withDictionaries(await sae("standard.resid_pre"), { useErrorTerm: true });
    const options = { inclBwd: true, metric: host.metric, namesFilter: `${PRE}.hook_sae_error` } as const;
    const [, cache] = await view.runWithCache(tokens, options);
    // The error itself has a gradient, the output's; what it was computed from has only that of the reconstruction.
    const [, both] = await view.runWithCache(tokens, {
      ...options,
      namesFilter: [`${PRE}.hook_sae_output`, `${PRE}.hook_sae_input`, "blocks.0.hook_resid_post"],
    });
    expect([...cache.get(`${PRE}.hook_sae_error_grad`).data]).toEqual([
      ...both.get(`${PRE}.hook_sae_output_grad`).data,
    ]);
    expectClose(both.get("blocks.0.hook_resid_post_grad"), both.get(`${PRE}.hook_sae_input_grad`), 1e-6);
  });
});

describe("a view", () => {
  test("has the dictionary's points before its hook point, which stays and can be hooked", async () => {
    const dictionary = await sae("standard.resid_pre");
    const view = model.withDictionaries(dictionary, { useErrorTerm: true });
    const own = ["input", "acts_pre", "acts_post", "recons", "error", "output"].map(
      (name) => `${PRE}.hook_sae_${name}`,
    );
    const index = view.hookNames.indexOf(PRE);
    expect(view.hookNames.slice(index - 6, index)).toEqual(own);
    expect(view.hookNames.filter((name) => !own.includes(name))).toEqual(model.hookNames);
    const plain = model.withDictionaries(dictionary);
    expect(plain.hookNames).not.toContain(`${PRE}.hook_sae_error`);
    const zero: Hook = [PRE, (x) => x.mul(0)];
    const expected = await model.runWithHooks(tokens, { fwdHooks: [zero] });
    expectClose(await plain.runWithHooks(tokens, { fwdHooks: [zero] }), expected, 1e-6);
  });

  test("leaves the model as it was, and takes the dictionary's weights without copying them", async () => {
    const dictionary = await sae("standard.resid_pre");
    const view = model.withDictionaries(dictionary);
    await view.forward(tokens);
    expect(model.splices).toBeUndefined();
    expectClose(await model.forward(tokens), host.get("logits"), 2e-5);
    expect(view.splices!.weights.get(`${PRE}.W_enc`)!.data).toBe(dictionary.weights.get("W_enc")!.data);
  });

  test("shares compiled sessions with views whose dictionaries differ only in their numbers", async () => {
    const [one, two] = [random({ dIn: 32, hookName: PRE }), random({ dIn: 32, hookName: PRE }).foldInputScale(2)];
    await model.withDictionaries(one).forward(tokens);
    const { segments } = await model.withDictionaries(two).explain(tokens);
    expect(segments.map(({ reused }) => reused)).toEqual([true]);
  });

  test("keeps the model's hooks, which get what the dictionary makes", async () => {
    const dictionary = await sae("standard.mlp_out");
    const hooked = model.hooks({ fwdHooks: [[OUT, (x) => x.mul(2)]] }).withDictionaries(dictionary);
    const part: Hook = [OUT, (x) => dictionary.forward(x).rename(x.axes).mul(2)];
    expectClose(await hooked.forward(tokens), await model.runWithHooks(tokens, { fwdHooks: [part] }), 1e-5);
  });

  test("can be a graph, with features edited there", async () => {
    const view = model.withDictionaries(await sae("gated.resid_pre"));
    const graph = view.graph(tokens);
    const off: [string, (x: Tensor) => Tensor] = [acts(PRE), (x) => x.mul(0)];
    const [features, output] = await view.compute([graph.at(acts(PRE)), graph.with([off]).output]);
    expect(features.shape).toEqual([2, 8, 64]);
    expectClose(output, await view.runWithHooks(tokens, { fwdHooks: [off] }), 1e-5);
  });

  test("can be swept feature by feature", async () => {
    const view = model.withDictionaries(await sae("standard.resid_pre"));
    const metric = (logits: Tensor) => logits.at({ pos: -1, d_vocab: 3 }).mean();
    const swept = await sweeps.sweep(view, tokens, {
      ...{ site: "hook_resid_pre.hook_sae_acts_post", over: ["layer", "d_sae"], layers: [1] },
      ...{ edit: sweeps.zero, metric },
    });
    expect(swept.values.shape).toEqual([1, 64]);
    for (const feature of [0, 24, 63]) {
      const logits = await view.runWithHooks(tokens, { fwdHooks: [[acts(PRE), (x) => x.set({ d_sae: feature }, 0)]] });
      expect(swept.values.get(0, feature)).toBeCloseTo((await metric(logits).compute()).item(), 4);
    }
  });

  test("can be patched with features of another run", async () => {
    const view = model.withDictionaries(await sae("topk.resid_pre"), { useErrorTerm: true });
    const other = tokens.add(1).compute();
    const [, cache] = await view.runWithCache(await other, { namesFilter: acts(PRE) });
    const patch: Hook = [acts(PRE), sweeps.patchFrom(cache)];
    const [, held] = await view.hooks({ fwdHooks: [patch] }).runWithCache(tokens, { namesFilter: acts(PRE) });
    expect([...held.get(acts(PRE)).data]).toEqual([...cache.get(acts(PRE)).data]);
  });

  test("has features whose numbers a hook can await", async () => {
    const view = model.withDictionaries(await sae("topk.resid_pre"));
    let fired = 0;
    const look: Hook = [
      acts(PRE),
      async (x) => {
        fired = (await x.greaterThan(0).cast("float32").sum().compute()).item();
      },
    ];
    const logits = await view.runWithHooks(tokens, { fwdHooks: [look] });
    expect(fired).toBeGreaterThan(20);
    expect(fired).toBeLessThanOrEqual(16 * 6);
    expectClose(logits, await view.forward(tokens), 1e-6);
  });

  test("has all gradients, also at what a transcoder reads, of both that it and the MLP pass on", async () => {
    const view = model.withDictionaries(await sae("skip_transcoder"), { useErrorTerm: true });
    // The MLP, in whose place the transcoder stands, has no gradient.
    const options = { inclBwd: true, metric: host.metric, unused: "zero" } as const;
    const [, all] = await view.runWithCache(tokens, options);
    const name = "blocks.1.mlp.hook_in";
    const [, one] = await view.runWithCache(tokens, { ...options, namesFilter: name });
    expectClose(all.get(`${name}_grad`), one.get(`${name}_grad`), 1e-6);
    expect(all.keys()).toContain(`${acts(OUT)}_grad`);
  });
});

describe("generating with a dictionary", () => {
  const prompt = [1, 2, 3];
  const options = { maxNewTokens: 6, doSample: false } as const;

  test.each([
    "standard.resid_pre",
    "topk.hook_z",
    "jumprelu_transcoder",
    "skip_transcoder",
    "topk_layer_norm.resid_pre",
  ])("%s: the same with or without kept keys and values, and as a plain hook says", async (name) => {
    const dictionary = await sae(name);
    const view = model.withDictionaries(dictionary);
    const generated = [...(await view.generate([prompt], options)).data];
    expect([...(await view.generate([prompt], { ...options, usePastKvCache: false })).data]).toEqual(generated);
    if (dictionary.isTranscoder) return;
    const hook: Hook = [dictionary.cfg.hookName!, (x) => dictionary.forward(x).rename(x.axes)];
    expect([...(await model.generate([prompt], { ...options, fwdHooks: [hook] })).data]).toEqual(generated);
  });

  test("a feature can be held at a value", async () => {
    const view = model.withDictionaries(await sae("standard.resid_pre"), { useErrorTerm: true });
    const clean = [...(await model.generate([prompt], options)).data];
    expect([...(await view.generate([prompt], options)).data]).toEqual(clean);
    const held: Hook = [acts(PRE), (x) => x.set({ d_sae: 24 }, 30)];
    const steered = [...(await view.generate([prompt], { ...options, fwdHooks: [held] })).data];
    expect(steered).not.toEqual(clean);
  });

  test("a cache of another model's keys is not accepted", async () => {
    const view = model.withDictionaries(await sae("standard.resid_pre"));
    const cache = new KeyValueCache();
    await view.forward([prompt], { pastKvCache: cache });
    await expect(model.forward([[4]], { pastKvCache: cache })).rejects.toThrow("filled by a run of another model");
  });
});

describe("a dictionary of one head", () => {
  test("reads and replaces that head alone, with or without an error term", async () => {
    const head = 2;
    const dictionary = random({ dIn: 8, hookName: Z, hookHeadIndex: head });
    const [, clean] = await model.runWithCache(tokens, { namesFilter: Z });
    const z = clean.get(Z);
    const [, cache] = await model.withDictionaries(dictionary).runWithCache(tokens, { namesFilter: [Z, acts(Z)] });
    const own = z.at({ head });
    expectClose(cache.get(acts(Z)), await dictionary.encode(own).compute(), 1e-5);
    const replaced = z.set({ head }, dictionary.forward(own).unsqueeze(2));
    expectClose(cache.get(Z), await replaced.compute(), 1e-5);
    const same = model.withDictionaries(dictionary, { useErrorTerm: true });
    expectClose(await same.forward(tokens), host.get("logits"), 2e-5);
    const shape = (await same.runWithCache(tokens, { namesFilter: `${Z}.hook_sae_output` }))[1].get(
      `${Z}.hook_sae_output`,
    );
    expect(shape.axes).toEqual(["batch", "pos", "d_head"]);
  });

  test.each([0, 3])("may be the first or the last: %i", async (head) => {
    const dictionary = random({ dIn: 8, hookName: Z, hookHeadIndex: head });
    const view = model.withDictionaries(dictionary, { useErrorTerm: true });
    const metric = { inclBwd: true, metric: host.metric, namesFilter: Z } as const;
    const [logits] = await view.runWithCache(tokens, metric);
    expectClose(logits, host.get("logits"), 2e-5);
  });

  test("that the model does not have is refused", () => {
    const dictionary = random({ dIn: 8, hookName: Z, hookHeadIndex: 4 });
    expect(() => model.withDictionaries(dictionary)).toThrow("is of head 4, but custom has 4 at");
    const stream = random({ dIn: 8, hookName: PRE, hookHeadIndex: 0 });
    expect(() => model.withDictionaries(stream)).toThrow("is of width 8, of head 0, but");
  });
});

describe("what does not fit is refused", () => {
  const refused =
    (dictionary: Dictionary | readonly Dictionary[], options = {}) =>
    () =>
      model.withDictionaries(dictionary, options);

  test("another width, with the hook points that fit", () => {
    expect(refused(random({ dIn: 80, hookName: PRE }))).toThrow(
      `of width 80, but "${PRE}" of custom is [batch 1, pos 1, d_model 32] for one token. Of that width are blocks.L.mlp.hook_pre, blocks.L.mlp.hook_post.`,
    );
    expect(refused(random({ dIn: 77, hookName: PRE }))).toThrow("The model has no hook point of that width");
    const wide = random({ ...{ dIn: 32, dOut: 80, architecture: "transcoder" }, hookName: PRE, hookNameOut: OUT });
    expect(refused(wide)).toThrow(`of width 80, but "${OUT}"`);
  });

  test("a hook point that the model lacks, or none", () => {
    expect(refused(random({ dIn: 32, hookName: "blocks.1.hook_resid_per" }))).toThrow(`Did you mean "${PRE}"?`);
    expect(refused(random({ dIn: 32, hookName: "blocks.3.hook_resid_pre" }))).toThrow("The model has 3 layers, 0 to 2");
    expect(refused(random({ dIn: 32 }))).toThrow("does not say which hook point it reads");
    expect(refused(random({ dIn: 32, architecture: "transcoder", hookName: PRE }))).toThrow(
      "which hook point it stands at",
    );
  });

  test("two at one hook point", async () => {
    const dictionary = random({ dIn: 32, hookName: PRE });
    expect(refused([dictionary, dictionary])).toThrow(
      `is for "${PRE}", where there is ${PRE} already: a hook point has one`,
    );
    expect(() => model.withDictionaries(dictionary).withDictionaries(dictionary)).toThrow("where there is one already");
  });

  test("a dictionary of another model that is known, unless that is said", async () => {
    const named = (name: string) => random({ dIn: 32, hookName: PRE, modelName: name });
    const weights = new Map([...model.weights.entries()].map(([name, { array }]) => [name, array!]));
    const gpt2 = new HookedTransformer({ ...model.cfg, modelName: "gpt2" }, weights);
    expect(() => gpt2.withDictionaries(named("gpt2-medium"))).toThrow(
      "is of gpt2-medium, not of gpt2: open that model",
    );
    expect(() => gpt2.withDictionaries(named("gpt2-medium"), { ofAnotherModel: true })).not.toThrow();
    expect(() => gpt2.withDictionaries(named("gpt2-small"))).not.toThrow();
    expect(() => gpt2.withDictionaries(named("my own"))).not.toThrow();
  });

  test("a transcoder that reads what is computed after it", () => {
    const late = random({
      ...{ dIn: 32, architecture: "transcoder" },
      hookName: "blocks.2.hook_resid_pre",
      hookNameOut: OUT,
    });
    expect(refused(late)).toThrow(
      `The part at "${OUT}" reads "blocks.2.hook_resid_pre", which this pass does not make before it`,
    );
  });

  test("anything but dictionaries", () => {
    expect(refused("gpt2-small-res-jb" as never)).toThrow("must be a Dictionary, or a list of dictionaries");
    expect(refused([], { errorTerm: true } as never)).toThrow('has no option "errorTerm"');
  });
});

test("padded texts of several lengths work as one by one", async () => {
  const bundled = await HookedTransformer.fromPretrained("bundled");
  const hookName = "blocks.0.hook_resid_post";
  const view = bundled.withDictionaries(random({ dIn: bundled.cfg.dModel, hookName }), { useErrorTerm: true });
  const texts = ["The old man", "One day the sun came out again"];
  const [, both] = await view.runWithCache(texts, { namesFilter: acts(hookName) });
  for (const [row, text] of texts.entries()) {
    const [, alone] = await view.runWithCache(text, { namesFilter: acts(hookName) });
    const length = alone.get(acts(hookName)).shape[1];
    const pos = bundled.text!.toTokens(texts).data.length / 2;
    const own = both
      .get(acts(hookName))
      .at({ batch: row, pos: row === 0 ? { start: 0, end: length } : { start: pos - length } });
    expectClose(await own.compute(), await alone.get(acts(hookName)).at({ batch: 0 }).compute(), 1e-5);
  }
});

test("path patching goes through a dictionary at the beginning of a block once", async () => {
  const view = model.withDictionaries(await sae("standard.resid_pre"));
  const prompt = (last: number) => tensor([[1, 5, 9, last]], { dtype: "int32" });
  const [clean, corrupted] = [prompt(13), prompt(14)];
  const metric = (logits: Tensor) => logits.at({ pos: -1, d_vocab: 3 }).mean();
  const options = { clean, corrupted, metric, senders: ["L0H1"], receivers: ["logits"] } as const;
  const found = await measurePathPatching(view, options);
  const point = "blocks.0.attn.hook_result";
  const results = await Promise.all(
    [clean, corrupted].map((input) => view.runWithCache(input, { namesFilter: point })),
  );
  const [own, other] = results.map(([, cache]) => cache.get(point).at({ head: 1 }));
  const hook: Hook = ["blocks.2.hook_resid_post", (x) => x.add(other.sub(own))];
  const hooked = await view.runWithHooks(clean, { fwdHooks: [hook] });
  expect(found.values.data[0]).toBeCloseTo((await metric(hooked).compute()).item(), 4);
  const swept = await measurePathPatching(view, { ...options, receivers: ["L1MLP"] });
  const before: Hook = ["blocks.1.hook_mlp_in", (x) => x.add(other.sub(own))];
  const through = await view.runWithHooks(clean, { fwdHooks: [before] });
  expect(swept.values.data[0]).toBeCloseTo((await metric(through).compute()).item(), 4);
});
