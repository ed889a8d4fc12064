/** The components that write to the residual stream and that read it, in models of every kind. */
import { describe, expect, test } from "vitest";
import { Tensor } from "../../src/graph/tensor.ts";
import { components, hears, type Receiver } from "../../src/lens/components.ts";
import { asAdded } from "../../src/lens/output-norm.ts";
import { edgeGraph } from "../../src/measures/edge-attribution.ts";
import * as patching from "../../src/measures/patching.ts";
import { receiving, sending, sent } from "../../src/measures/path-patching/path-ends.ts";
import { expectClose } from "../close.ts";
import { golden, goldenModel, goldenNames } from "../goldens.ts";
import { smallModel } from "./small-model.ts";

describe.each(goldenNames)("in %s", (name) => {
  test("what a reader reads is the sum of the writers that it hears, plus the biases of their layers", async () => {
    const g = await golden(name);
    const model = goldenModel(g);
    const { writers, readers, additions, start } = components(model);
    const { graph } = edgeGraph(model, g.tokens);
    const places = new Map(readers.map((reader) => [reader.point, reader]));
    const sums = [...places.values()].map((reader) => {
      const said = writers.filter((writer) => hears(reader, writer)).map((writer) => sent(graph, writer, model));
      const biases = additions
        .filter(({ order, kind }) => order < reader.order && kind === "attention")
        .map(({ output }) =>
          asAdded(model.weights.get(output!.bias!), output!.norm, model.weights, (scale) => graph.at(scale)),
        );
      return [...said, ...biases].reduce((a, b) => a.add(b));
    });
    const reads = [...places.values()].map(({ point, head }) => {
      const value = graph.at(point);
      return head === undefined ? value : value.at({ [value.axes.at(-2)!]: head });
    });
    const embedded = additions.filter(({ kind }) => kind === "embedding").map(({ point }) => graph.at(point));
    const embeddings = embedded.reduce((a, b) => a.add(b));
    const computed = await model.compute([...sums, ...reads, embeddings, graph.at(start.point)]);
    for (let i = 0; i < sums.length; i++) expectClose(computed[i], computed[sums.length + i], 1e-5);
    expectClose(computed.at(-2)!, computed.at(-1)!, 1e-6);
  });

  test("each is found by its name, in the order of the pass", async () => {
    const model = goldenModel(await golden(name));
    const { writers, readers, additions, start } = components(model);
    for (const writer of [...writers, start]) expect(sending(writer.name, model)).toBe(writer);
    for (const reader of readers) expect(receiving(reader.name, model)).toBe(reader);
    for (const list of [writers, readers, additions]) {
      const order = list.map((one) => one.order);
      expect(order).toEqual([...order].sort((a, b) => a - b));
    }
    expect(additions.flatMap((addition) => addition.writers)).toEqual(writers);
    expect(writers.length).toBe(new Set(writers.map((writer) => writer.name)).size);
    expect(model.hookNames).toEqual(expect.arrayContaining([...writers, ...readers].map(({ point }) => point)));
  });
});

test("where norms stand after the additions, the stream is not a sum, and is not taken apart", async () => {
  const model = smallModel(1, { norm_placement: "after" });
  const { writers, readers, start } = components(model);
  const orders = writers.map(({ order }) => order);
  expect(orders).toEqual([...orders].sort((a, b) => a - b));
  expect(start.point).toBe("blocks.0.hook_resid_pre");
  expect(readers.at(-1)).toMatchObject({ name: "logits", point: "blocks.1.hook_normalized_resid_post" });
  const last = (name: string) => writers.find((one) => one.name === name)!;
  expect(hears(readers.at(-1)!, last("L1MLP"))).toBe(true);
  const [, cache] = await model.runWithCache([0, 1, 2]);
  expect(cache.accumulatedResid().labels).toEqual(["0_pre", "1_pre", "final_post"]);
  const refused = /a norm stands after each addition/;
  expect(() => cache.decomposeResid()).toThrow(refused);
  expect(() => model.accumulatedBias(1)).toThrow(refused);
  expect(() => sending("L0H0", model)).toThrow(refused);
  expect(() => cache.accumulatedResid({ inclMid: true })).toThrow(refused);
});

describe("who hears whom", () => {
  const heardBy = async (name: string, receiver: Receiver) => {
    const model = goldenModel(await golden(name));
    const reader = receiving(receiver, model);
    return components(model)
      .writers.filter((writer) => hears(reader, writer))
      .map((writer) => writer.name);
  };

  test("an MLP after attention hears its layer's heads", async () => {
    expect(await heardBy("gelu_2l", "L0MLP")).toEqual(["embed", "pos_embed", "L0H0", "L0H1", "L0H2", "L0H3"]);
  });

  test("an MLP parallel to attention hears what the heads hear", async () => {
    expect(await heardBy("neox_2l", "L0MLP")).toEqual(["embed"]);
    const before = ["embed", "L0H0", "L0H1", "L0H2", "L0H3", "L0MLP"];
    expect(await heardBy("neox_2l", "L1MLP")).toEqual(before);
    expect(await heardBy("neox_2l", "L1H2.k")).toEqual(before);
  });

  test("positions that are never in the stream belong to no component", async () => {
    expect((await heardBy("shortformer_2l", "logits"))[0]).toBe("embed");
    expect(await heardBy("shortformer_2l", "logits")).not.toContain("pos_embed");
  });
});

test("heads that share their keys and values read them under a shared name", async () => {
  const model = goldenModel(await golden("llama_gqa_2l"));
  const names = components(model).readers.map(({ name }) => name);
  const first = ["L0H0.q", "L0H1.q", "L0H2.q", "L0H3.q", "L0KV0.k", "L0KV1.k", "L0KV0.v", "L0KV1.v", "L0MLP"];
  expect(names.slice(0, 9)).toEqual(first);
  expect(() => receiving("L1H3.k", model)).toThrow(
    "This model has no L1H3.k: its layers are 0 to 1, with heads 0 to 3, keys and values 0 to 1 that heads share (L0KV0.k, L0KV0.v) and an MLP each.",
  );
});

describe("activation patching", () => {
  const patched = async (name: string, patch: patching.ActPatch) => {
    const g = await golden(name);
    const model = goldenModel(g);
    const prompt = (row: number) =>
      Tensor.leaf({ dtype: "int32", shape: [1, 12], data: g.tokens.data.slice(row * 12, row * 12 + 12) as Int32Array });
    const [, cache] = await model.runWithCache(prompt(0));
    const metric = (logits: Tensor) => logits.at({ batch: 0, pos: -1, d_vocab: 3 });
    return { found: patch(model, prompt(1), cache, metric), model, cache, corrupted: prompt(1), metric };
  };

  test("of keys and values that heads share is along what they share", async () => {
    const { found, model, cache, corrupted, metric } = await patched(
      "llama_gqa_2l",
      patching.getActPatchAttnHeadVByPos,
    );
    const values = await found;
    expect([values.axes, values.shape]).toEqual([
      ["layer", "pos", "kv_head"],
      [2, 12, 2],
    ]);
    const at = "blocks.1.attn.hook_v";
    const place = { pos: 7, kv_head: 1 };
    const logits = await model.runWithHooks(corrupted, { fwdHooks: [[at, (x) => x.set(place, cache.get(at))]] });
    expect(values.get(1, 7, 1)).toBeCloseTo((await metric(logits).compute()).item(), 4);
  });

  test("of all kinds of values together needs as many keys as heads", async () => {
    const { found } = await patched("llama_gqa_2l", patching.getActPatchAttnHeadAllPosEvery);
    await expect(found).rejects.toThrow(/4 heads share 2 keys and values.*separately/);
    const neox = await patched("neox_2l", patching.getActPatchAttnHeadAllPosEvery);
    expect((await neox.found).shape).toEqual([5, 2, 4]);
  });

  test("between attention and MLP needs a stream there", async () => {
    const { found } = await patched("gptj_2l", patching.getActPatchResidMid);
    await expect(found).rejects.toThrow(
      /attention and MLP read the same stream, so it has no "resid_mid"; its sites are/,
    );
  });
});

test("labels are TransformerLens'", async () => {
  const labels = async (name: string) =>
    components(goldenModel(await golden(name))).additions.map(({ label }) => label);
  expect(await labels("gelu_2l")).toEqual(["embed", "pos_embed", "0_attn_out", "0_mlp_out", "1_attn_out", "1_mlp_out"]);
  expect(await labels("attn_only_2l")).toEqual(["embed", "pos_embed", "0_attn_out", "1_attn_out"]);
});
