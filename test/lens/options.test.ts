import { describe, expect, test } from "vitest";
import { ArgumentError, HookedTransformer, sweeps, tensor, WeightsError } from "../../src/node.ts";
import { smallModel } from "./small-model.ts";

const model = smallModel();

describe("an option is refused", () => {
  test.each([
    [{ logitPos: -1 }, /forward has no option "logitPos". Did you mean "logitsPos"/],
    [{ logitsPos: "x" }, /logitsPos of forward must be an index/],
    [{ paddingSide: "up" }, /"left" or "right"/],
    [{ returnType: "losses" }, /"logits", "loss", "both" or null/],
    [{ lossPerToken: true }, /lossPerToken of forward is about a loss/],
    [{ returnType: "loss", logitsPos: -1 }, /logitsPos of forward is about logits/],
    [{ returnType: "loss", stopAtLayer: 1 }, /needs the logits/],
    [{ tokens: [1] }, /tokens of forward is for runs from a residual stream/],
    [{ shortformerPosEmbed: tensor([1]) }, /shortformer models/],
    [{ step: -1 }, /step of forward/],
    [{ signal: {} }, /signal of forward must be an AbortSignal/],
    [{ pastKvCache: {} }, /pastKvCache of forward must be a KeyValueCache/],
    [{ fwdHooks: [] }, /forward has no option "fwdHooks"/],
    [{ stopAtLayer: 1.5 }, /stopAtLayer of forward must be a whole number/],
  ])("by forward: %j", async (options, message) => {
    await expect(model.forward("abc", options as never)).rejects.toThrow(message);
    await expect(model.forward("abc", options as never)).rejects.toThrow(ArgumentError);
  });

  test.each([
    [{ metric: () => 1 }, /metric of runWithCache is the number to take gradients of/],
    [{ unused: "zero" }, /unused of runWithCache is about gradients/],
    [{ posSlice: "x" }, /posSlice of runWithCache/],
    [{ removeBatchDim: 1 }, /removeBatchDim of runWithCache must be true or false/],
    [{ namesFilter: 5 }, /Hook points must be named by/],
  ])("by runWithCache: %j", async (options, message) => {
    await expect(model.runWithCache("abc", options as never)).rejects.toThrow(message);
  });

  test.each([
    [
      { doSample: false, topK: 5 },
      /topK does not apply with doSample: false, which takes the token with the highest logit: leave it out/,
    ],
    [{ temperature: 0, freqPenalty: 1 }, /freqPenalty does not apply with temperature: 0/],
    [{ topK: 5, topP: 0.5 }, /topK does not apply with topP: 0.5, which also says/],
    [{ temperature: Number.NaN }, /temperature of generate/],
    [{ temperature: Infinity }, /temperature of generate/],
    [{ seed: "x" }, /seed of generate must be a whole number/],
    [{ stopAtEos: false, eosTokenId: 5 }, /leave out one of them/],
    [{ eosTokenId: 99 }, /outside the vocabulary/],
    [{ returnType: "text" }, /"input", "str" or "tokens"/],
    [{ maxTokens: 5 }, /generate has no option "maxTokens"/],
  ])("by generate: %j", async (options, message) => {
    await expect(model.generate("abc", options as never)).rejects.toThrow(message);
  });

  test("by the methods that add and remove hooks, and nothing is added", () => {
    const own = smallModel();
    expect(() => own.addHook("hook_embed", () => {}, { permanent: true } as never)).toThrow(ArgumentError);
    expect(() => own.hooks({ hooks: [] } as never)).toThrow(/hooks has no option "hooks"/);
    expect(() =>
      own.hooks({
        fwdHooks: [
          ["hook_embed", () => {}],
          ["hook_embd", () => {}],
        ],
      }),
    ).toThrow();
    expect(() => own.resetHooks({ includePermanent: true } as never)).toThrow(/includingPermanent/);
    expect(own.isHooked).toBe(false);
  });

  test("by sweeps, for axes named twice and layers that do not exist", async () => {
    const run = (options: object) =>
      sweeps.sweep(model, "abc", {
        site: "z",
        over: ["layer"],
        edit: sweeps.zero,
        metric: (l) => l.mean(),
        ...options,
      });
    await expect(run({ over: ["layer", "layer"] })).rejects.toThrow(/each named once/);
    await expect(run({ layers: [0, 5] })).rejects.toThrow(/out of range/);
    await expect(run({ layers: [0, 0] })).rejects.toThrow(/each once/);
    await expect(run({ memory: -1 })).rejects.toThrow(/memory of a sweep must be a positive number/);
  });
});

describe("anything but an options object is refused, not treated as no options", () => {
  const stop = new AbortController();
  test.each([
    ["a signal", stop.signal],
    ["its controller", stop],
    ["a promise of options", Promise.resolve({ logitsPos: -1 })],
    ["a map", new Map([["logitsPos", -1]])],
    ["a date", new Date(0)],
  ])("%s", async (_, options) => {
    await expect(model.forward("abc", options as never)).rejects.toThrow(/The options of forward must be an object/);
    expect(() => model.toTokens("abc", options as never)).toThrow(ArgumentError);
  });

  test("and inherited options are checked like their own", async () => {
    await expect(model.forward("abc", Object.create({ logitPos: -1 }))).rejects.toThrow(/Did you mean "logitsPos"/);
    const last = await model.forward("abc", Object.create({ logitsPos: -1 }));
    expect(last.shape[1]).toBe(1);
    expect((await model.forward("abc", Object.freeze({ logitsPos: -1 }))).data).toEqual(last.data);
  });

  test("a signal has a signal's methods", async () => {
    for (const signal of [{ aborted: false, addEventListener: 5 }, AbortSignal.prototype]) {
      await expect(model.forward("abc", { signal: signal as never })).rejects.toThrow(/must be an AbortSignal/);
    }
  });
});

test("another model's weights are checked against the configuration that they are used with", () => {
  const made = (fields: object) => new HookedTransformer({ ...model.cfg, ...fields }, model.weights);
  expect(() => made({ dHead: 4 })).toThrow(WeightsError);
  expect(() => made({ nHeads: 1 })).toThrow(WeightsError);
  expect(() => made({ nLayers: 1 })).toThrow(WeightsError);
  expect(made({ actFn: "relu" }).weights).toBe(model.weights);
});
