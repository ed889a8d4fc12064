import { beforeAll, describe, expect, test } from "vitest";
import { Tensor } from "../../src/graph/tensor.ts";
import { components, hears, type Receiver, type Sender } from "../../src/lens/components.ts";
import { allSenders, sending } from "../../src/measures/path-patching/path-ends.ts";
import { measurePathPatching, type Path, withPaths } from "../../src/measures/path-patching.ts";
import type { HookedTransformer } from "../../src/node.ts";
import { expectClose } from "../close.ts";
import { golden, goldenContrast, goldenModel, goldenNames } from "../goldens.ts";

/** Two prompts of a golden configuration, and the logit difference that its goldens measure. */
async function setup(name: string) {
  const g = await golden(name);
  const { clean, corrupted, metric } = goldenContrast(g);
  return { model: goldenModel(g), input: corrupted, source: clean, metric };
}

/** From a sender to all that hear it. */
function pathsFrom(model: HookedTransformer, sender: Sender): Path[] {
  const writer = sending(sender, model);
  const { readers } = components(model);
  return readers.filter((reader) => hears(reader, writer)).map(({ name }) => [sender, name]);
}

describe("all paths of a sender together are activation patching of it", () => {
  test.each([
    ["attn_only_2l", "L0H2", "blocks.0.attn.hook_z", { head: 2 }],
    ["solu_ln_2l", "L0H1", "blocks.0.attn.hook_z", { head: 1 }],
    ["gelu_2l", "L0MLP", "blocks.0.hook_mlp_out", undefined],
    ["neox_2l", "L0H2", "blocks.0.attn.hook_z", { head: 2 }],
    ["gptj_2l", "L0MLP", "blocks.0.hook_mlp_out", undefined],
    ["llama_gqa_2l", "L0H3", "blocks.0.attn.hook_z", { head: 3 }],
    ["local_attn_2l", "L0H0", "blocks.0.attn.hook_z", { head: 0 }],
  ] as const)("in %s: %s", async (name, sender, point, head) => {
    const { model, input, source } = await setup(name);
    const [graph, other] = [model.graph(input), model.graph(source)];
    const patched = withPaths(model, graph, other, pathsFrom(model, sender));
    const whole = graph.with([[point, (x) => (head ? x.set(head, other.at(point)) : other.at(point))]]);
    const [paths, activation, clean] = await model.compute([patched.output, whole.output, graph.output]);
    expectClose(paths, activation, 1e-4);
    expect(clean.data).not.toEqual(activation.data);
  });
});

test.each(goldenNames)("in %s all paths from the start of the stream are the other run", async (name) => {
  const { model, input, source } = await setup(name);
  const [graph, other] = [model.graph(input), model.graph(source)];
  const patched = withPaths(model, graph, other, pathsFrom(model, "stream_start"));
  const [paths, run] = await model.compute([patched.output, other.output]);
  expectClose(paths, run, 1e-4);
});

test("without norms, what all senders write directly to the logits is the whole difference between the runs", async () => {
  const { model, input, source, metric } = await setup("no_norm_1l");
  const senders = allSenders(model);
  expect(senders).toEqual(["embed", "pos_embed", "L0H0", "L0H1", "L0H2", "L0H3", "L0MLP"]);
  const found = await measurePathPatching(model, {
    clean: input,
    corrupted: source,
    senders,
    receivers: ["logits"],
    metric,
  });
  const effects = Array.from(found.values.data, (value) => value - found.clean);
  const sum = effects.reduce((a, b) => a + b, 0);
  const whole = found.corrupted - found.clean;
  expect(Math.abs(whole)).toBeGreaterThan(1);
  expect(Math.abs(sum - whole) / Math.abs(whole)).toBeLessThan(1e-3);
});

describe("in an attention-only model", () => {
  let it: Awaited<ReturnType<typeof setup>>;
  beforeAll(async () => {
    it = await setup("attn_only_2l");
  });

  test("each path equals a hooked run, one at a time", async () => {
    const { model, input, source, metric } = it;
    const senders: Sender[] = ["embed", "L0H0", "L0H3"];
    const receivers: Receiver[] = ["L1H1.q", "L1H2.k", "L1H2.v", "L1H3.v", "logits"];
    const seen: number[] = [];
    const found = await measurePathPatching(model, {
      clean: input,
      corrupted: source,
      senders,
      receivers,
      metric,
      onProgress: ({ done, total }) => seen.push(done / total),
    });
    expect(found.values.axes).toEqual(["sender", "receiver"]);
    expect(seen.at(-1)).toBe(1);

    const names = ["hook_embed", "blocks.0.attn.hook_z"];
    const [, base] = await model.runWithCache(input, { namesFilter: names });
    const [, other] = await model.runWithCache(source, { namesFilter: names });
    const said = (cache: typeof base, sender: Sender) => {
      if (sender === "embed") return cache.get("hook_embed");
      const head = Number(sender.slice(3));
      return cache.get("z0").at({ head }).matmul(model.weights.get("blocks.0.attn.W_O").at({ head }));
    };
    for (const [s, sender] of senders.entries()) {
      const [change] = await model.compute([said(other, sender).sub(said(base, sender))]);
      for (const [r, receiver] of receivers.entries()) {
        const parts = /^L1H(\d)\.([qkv])$/.exec(receiver);
        const logits = await model.runWithHooks(input, {
          fwdHooks: parts
            ? [
                [
                  `blocks.1.hook_${parts[2]}_input`,
                  (x) => x.set({ head: Number(parts[1]) }, x.add(change.unsqueeze(2))),
                ],
              ]
            : [["blocks.1.hook_resid_post", (x) => x.add(change)]],
        });
        const [expected] = await model.compute([metric(logits, undefined as never)]);
        expect(found.values.get(s, r)).toBeCloseTo(expected.item(), 4);
      }
    }
  });

  test("in chunks within a memory budget the numbers are the same", async () => {
    const { model, input, source, metric } = it;
    const options = { corrupted: source, senders: allSenders(model).slice(0, 6), metric };
    const receivers: Receiver[] = ["L1H0.v", "L1H1.v", "logits"];
    const whole = await measurePathPatching(model, { clean: input, ...options, receivers });
    let runs = 0;
    const onProgress = () => runs++;
    const small = await measurePathPatching(model, { clean: input, ...options, receivers, memory: 1e5, onProgress });
    expect(runs).toBeGreaterThan(2);
    expectClose(small.values, whole.values, 1e-5);
  });

  test("a receiver that does not come after the sender has no number, and no path", async () => {
    const { model, input, source, metric } = it;
    const { values } = await measurePathPatching(model, {
      clean: input,
      corrupted: source,
      senders: ["L1H0", "embed"],
      receivers: ["L1H1.q", "L0H0.k"],
      metric,
    });
    expect([values.get(0, 0), values.get(0, 1)]).toEqual([Number.NaN, Number.NaN]);
    expect(Number.isFinite(values.get(1, 1))).toBe(true);
    const back = () => withPaths(model, model.graph(input), model.graph(source), [["L1H0", "L1H1.q"]]);
    expect(back).toThrow(/no path from L1H0 to L1H1\.q/);
  });

  test("what does not exist is refused by name", async () => {
    const { model, input, source, metric } = it;
    const patch = (senders: readonly string[], receivers: readonly string[], from: never | Tensor = source) =>
      measurePathPatching(model, { clean: input, corrupted: from, senders, receivers, metric });
    await expect(patch(["L0MLP"], ["logits"])).rejects.toThrow(/has no L0MLP.*no MLPs/);
    await expect(patch(["L2H0"], ["logits"])).rejects.toThrow(/has no L2H0: its layers are 0 to 1/);
    await expect(patch(["H0"], ["logits"])).rejects.toThrow(/no sender of a path "H0"/);
    await expect(patch(["embed"], ["logit"])).rejects.toThrow(/Did you mean "logits"/);
    await expect(patch([], ["logits"])).rejects.toThrow(/at least one of each/);
    const short = Tensor.leaf({ dtype: "int32", shape: [1, 3], data: Int32Array.from([1, 2, 3]) });
    await expect(patch(["embed"], ["logits"], short)).rejects.toThrow(/prompts of equal length/);
  });
});
