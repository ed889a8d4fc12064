import { beforeAll, describe, expect, test } from "vitest";
import { Engine } from "../../src/engine/engine.ts";
import { nodeBackend } from "../../src/engine/ort-node.ts";
import { tensor } from "../../src/graph/from-numbers.ts";
import { parseConfig } from "../../src/models/config/parse.ts";
import { HookedTransformer, type Tensor } from "../../src/node.ts";
import { expectClose } from "../close.ts";
import { type Golden, golden, goldenModel } from "../goldens.ts";

let g: Golden;
let model: HookedTransformer;
beforeAll(async () => {
  g = await golden("solu_ln_2l");
  model = goldenModel(g);
});
const mid = "blocks.1.mlp.hook_mid";
const resid = "blocks.1.hook_resid_pre";

describe("a hook", () => {
  test("that returns nothing changes nothing", async () => {
    expectClose(await model.runWithHooks(g.tokens, { fwdHooks: [[mid, () => {}]] }), g.get("logits"), 1e-4);
  });

  test("that calls set, which makes a copy, and returns nothing gets an error that says to return it", async () => {
    const forgets = (x: Tensor) => void x.set({ pos: 3 }, 0);
    const refused = `on "${mid}" called set and returned nothing, but set makes a copy`;
    await expect(model.runWithHooks(g.tokens, { fwdHooks: [[mid, forgets]] })).rejects.toThrow(refused);
    const later = async (x: Tensor) => {
      await x.compute();
      x.set({ pos: 3 }, 0);
    };
    await expect(model.runWithHooks(g.tokens, { fwdHooks: [[mid, later]] })).rejects.toThrow(refused);
    const gradients = model.runWithCache(g.tokens, { inclBwd: true, namesFilter: mid, bwdHooks: [[mid, forgets]] });
    await expect(gradients).rejects.toThrow(`The hook on the gradient at "${mid}" called set and returned nothing`);
    // Whoever returns the value wants it as it is, and so does whoever comes after.
    const looks = (x: Tensor) => {
      x.set({ pos: 3 }, 0);
      return x;
    };
    const run = model.runWithHooks(g.tokens, {
      fwdHooks: [
        [mid, looks],
        [mid, () => {}],
      ],
    });
    expectClose(await run, g.get("logits"), 1e-4);
  });

  test("is called once a run, with the value's shape and axes and the point's name and layer", async () => {
    const calls: unknown[] = [];
    const hook = (x: { shape: unknown; axes: unknown }, at: { name: string; layer: number | undefined }) => {
      calls.push([x.shape, x.axes, at.name, at.layer]);
    };
    await model.runWithHooks(g.tokens, { fwdHooks: [[mid, hook]] });
    expect(calls).toEqual([[[2, 12, 80], ["batch", "pos", "d_mlp"], mid, 1]]);
  });

  test("that is not a function, or does not return a Tensor, gets an error that says so", async () => {
    for (const [wrong, told] of [
      [0, "returned 0"],
      [false, "returned false"],
      [[1, 2], "returned an array"],
      [Promise.resolve("x"), 'returned "x"'],
    ] as const) {
      const run = model.runWithHooks(g.tokens, { fwdHooks: [[mid, () => wrong as never]] });
      await expect(run).rejects.toThrow(`The hook on "${mid}" ${told}: it must return a Tensor`);
    }
    const notPairs = [mid, () => {}] as never;
    await expect(model.runWithHooks(g.tokens, { fwdHooks: notPairs })).rejects.toThrow("Each hook must be a pair");
  });

  test("runs after those before it, on their results", async () => {
    const [, cache] = await model.runWithCache(g.tokens, {
      fwdHooks: [
        [resid, (x) => x.mul(0)],
        [resid, (x) => x.add(3)],
      ],
      namesFilter: resid,
    });
    expect(new Set(cache.get(resid).data)).toEqual(new Set([3]));
  });

  test("is seen by the cache, and the cache of an earlier run does not change", async () => {
    const [, before] = await model.runWithCache(g.tokens);
    const [, after] = await model.runWithCache(g.tokens, { fwdHooks: [[resid, (x) => x.mul(2)]] });
    expectClose(before.get(resid), g.get(`cache.${resid}`), 1e-4);
    expect(after.get(resid).data[0]).toBeCloseTo(2 * before.get(resid).data[0], 4);
    expectClose(after.get("blocks.0.hook_resid_post"), before.get("blocks.0.hook_resid_post"), 1e-6);
  });

  test("may close over numbers and arrays, which are fed: another number is the same compiled graph", async () => {
    const engine = new Engine(nodeBackend({ threads: 1 }));
    const own = new HookedTransformer(parseConfig(g.info.config), g.under("weights."), { engine });
    const run = (scale: number) =>
      own.runWithHooks(g.tokens, {
        fwdHooks: [[resid, (x) => x.add(tensor(Array.from({ length: 32 }, (_, i) => i * scale)))]],
      });
    const [a, b] = [await run(0), await run(1)];
    const sessions = engine.sessionsCreated;
    await run(2);
    expect(engine.sessionsCreated).toBe(sessions);
    expectClose(a, g.get("logits"), 1e-4);
    expect(a.data).not.toEqual(b.data);
  });

  test("that returns more rows makes everything after it that big, and nothing before it", async () => {
    const one = tensor(Int32Array.from(g.tokens.data.subarray(0, 12)), { shape: [1, 12] });
    const [logits, cache] = await model.runWithCache(one, {
      fwdHooks: [[resid, (x) => x.repeat("batch", 5).mul(tensor([[[0]], [[1]], [[2]], [[3]], [[4]]]))]],
    });
    expect(logits.shape).toEqual([5, 12, 97]);
    expect(cache.get("blocks.0.hook_resid_post").shape).toEqual([1, 12, 32]);
    const alone = await model.runWithHooks(one, { fwdHooks: [[resid, (x) => x.mul(3)]] });
    expectClose(logits.row(3), alone.row(0), 1e-5);
    const losses = await model.runWithHooks(one, {
      returnType: "loss",
      lossPerToken: true,
      fwdHooks: [[resid, (x) => x.repeat("batch", 2)]],
    });
    expect(losses.shape).toEqual([2, 11]);
    expectClose(losses.row(1), { shape: [11], data: g.get("loss_per_token").data.subarray(0, 11) }, 1e-4);
  });

  test("that returns a mean broadcasts over the axes that it was taken over", async () => {
    const [, cache] = await model.runWithCache(g.tokens, {
      fwdHooks: [[mid, (x) => x.mean("pos", true)]],
      namesFilter: mid,
    });
    expect(cache.get(mid).shape).toEqual([2, 12, 80]);
    expect(cache.get(mid).get(0, 3, 7)).toBe(cache.get(mid).get(0, 9, 7));
  });

  test("that returns another shape is refused, with both shapes and the point's name", async () => {
    const wrong = model.runWithHooks(g.tokens, { fwdHooks: [[mid, (x) => x.slice("d_mlp", 0, 79)]] });
    await expect(wrong).rejects.toThrow(/blocks\.1\.mlp\.hook_mid.*d_mlp 80.*d_mlp 79/s);
  });

  test("on a point that does not exist is refused, with the closest match", async () => {
    const hooks = (at: string) => model.runWithHooks(g.tokens, { fwdHooks: [[at, (x) => x]] });
    await expect(hooks("blocks.1.mlp.hook_mdi")).rejects.toThrow('Did you mean "blocks.1.mlp.hook_mid"?');
    await expect(hooks("blocks.7.mlp.hook_mid")).rejects.toThrow(/2 layers, 0 to 1/);
  });

  test("on a layer that the run does not reach is refused, and a standing one waits", async () => {
    const early = model.runWithHooks(g.tokens, { stopAtLayer: 1, fwdHooks: [[mid, (x) => x]] });
    await expect(early).rejects.toThrow(/This run does not reach/);
    const standing = model.hooks({ fwdHooks: [[mid, (x) => x.mul(0)]] });
    expectClose(await standing.forward(g.tokens, { stopAtLayer: 1 }), g.get("stop_at_layer_1"), 1e-4);
  });

  test("can be named in short", async () => {
    const short = await model.runWithHooks(g.tokens, { fwdHooks: [["mid1", (x) => x.mul(0)]] });
    const full = await model.runWithHooks(g.tokens, { fwdHooks: [[mid, (x) => x.mul(0)]] });
    expect(short.data).toEqual(full.data);
  });

  test("can be put at every point that a function accepts", async () => {
    const seen: string[] = [];
    const every = (name: string) => name.endsWith("hook_resid_pre");
    await model.runWithHooks(g.tokens, { fwdHooks: [[every, (_x, hook) => void seen.push(hook.name)]] });
    expect(seen).toEqual(["blocks.0.hook_resid_pre", "blocks.1.hook_resid_pre"]);
  });
});

describe("an async hook", () => {
  test("that awaits numbers gets them, and the run continues there", async () => {
    const engine = new Engine(nodeBackend({ threads: 1 }));
    const own = new HookedTransformer(parseConfig(g.info.config), g.under("weights."), { engine });
    let largest = 0;
    const logits = await own.runWithHooks(g.tokens, {
      fwdHooks: [
        [
          resid,
          async (x) => {
            const { data } = await x.compute();
            largest = Math.max(...data);
            return x.mul(largest > 0 ? 1 : 0);
          },
        ],
      ],
    });
    expectClose(logits, g.get("logits"), 1e-4);
    expect(largest).toBeCloseTo(Math.max(...g.get(`cache.${resid}`).data), 3);
    expect(engine.runs).toBe(2);
  });

  test("cuts the run only where it awaits: nothing before it is computed twice", async () => {
    const explained = await model.explain(g.tokens, {
      fwdHooks: [[resid, async (x) => x.mul((await x.max().compute()).item() > 0 ? 1 : 0)]],
    });
    expect(explained.segments).toHaveLength(2);
    expect(explained.segments[1].graph).not.toContain("blocks.0.attn");
    const whole = await model.explain(g.tokens);
    const steps = explained.segments.reduce((n, s) => n + s.steps, 0);
    expect(steps).toBeLessThan(whole.segments[0].steps + 10);
  });

  test("that only reads leaves the values unchanged, also cached ones", async () => {
    const [logits, cache] = await model.runWithCache(g.tokens, {
      fwdHooks: [[mid, async (x) => void (await x.compute())]],
    });
    expectClose(logits, g.get("logits"), 1e-4);
    for (const [name, value] of g.under("cache.")) expectClose(cache.get(name), value, 1e-4);
  });

  test("after another sees that one's result", async () => {
    const seen: number[] = [];
    await model.runWithHooks(g.tokens, {
      fwdHooks: [
        ["blocks.0.hook_resid_pre", async (x) => x.mul((await x.compute()).data.length > 0 ? 0 : 1)],
        ["blocks.0.hook_resid_pre", async (x) => void seen.push((await x.compute()).data[5])],
      ],
    });
    expect(seen.map(Math.abs)).toEqual([0]);
  });
});

describe("hooks that stay", () => {
  test("belong to the view that `hooks` returns, and not to the model", async () => {
    const view = model.hooks({ fwdHooks: [[resid, (x) => x.mul(0)]] });
    const deeper = view.hooks({ fwdHooks: [[mid, (x) => x.mul(0)]] });
    const plain = await model.forward(g.tokens);
    expectClose(plain, g.get("logits"), 1e-4);
    const [one, two] = [await view.forward(g.tokens), await deeper.forward(g.tokens)];
    expect(one.data).not.toEqual(plain.data);
    expect(two.data).not.toEqual(one.data);
  });

  test("are removed by resetHooks, permanent ones only when asked for", async () => {
    const own = goldenModel(g);
    own.addHook(resid, (x) => x.mul(0));
    own.addPermaHook(mid, (x) => x.mul(0));
    const both = await own.forward(g.tokens);
    own.resetHooks();
    const permanent = await own.forward(g.tokens);
    own.resetHooks({ includingPermanent: true });
    const none = await own.forward(g.tokens);
    expectClose(none, g.get("logits"), 1e-4);
    expect(both.data).not.toEqual(permanent.data);
    expect(permanent.data).not.toEqual(none.data);
  });

  test("are removed only from some points by removeHooks", async () => {
    const own = goldenModel(g);
    const calls: string[] = [];
    own.addHook(
      (name) => name.endsWith("hook_mid"),
      (_x, { name }) => void calls.push(name),
    );
    own.addPermaHook(mid, () => void calls.push("permanent"));
    own.removeHooks("mid1");
    await own.forward(g.tokens);
    expect(calls.splice(0)).toEqual(["blocks.0.mlp.hook_mid", "permanent"]);
    own.removeHooks(mid, { includingPermanent: true });
    await own.forward(g.tokens);
    expect(calls.splice(0)).toEqual(["blocks.0.mlp.hook_mid"]);
    own.removeHooks("mid0");
    expect(own.isHooked).toBe(false);
    expect(() => own.removeHooks("blocks.0.mlp.hook_midd")).toThrow("hook_mid");
  });

  test("can be put before existing ones", async () => {
    const own = goldenModel(g);
    own.addHook(resid, (x) => x.add(1));
    own.addHook(resid, (x) => x.mul(0), { prepend: true });
    const [, cache] = await own.runWithCache(g.tokens, { namesFilter: resid });
    expect(new Set(cache.get(resid).data)).toEqual(new Set([1]));
  });

  test("may remember things in their context, until resetHooks", async () => {
    const own = goldenModel(g);
    const seen: unknown[] = [];
    own.addPermaHook(resid, (_x, hook) => {
      hook.ctx.calls = ((hook.ctx.calls as number) ?? 0) + 1;
      seen.push(hook.ctx.calls);
    });
    await own.forward(g.tokens);
    await own.forward(g.tokens);
    own.resetHooks();
    await own.forward(g.tokens);
    expect(seen).toEqual([1, 2, 1]);
  });
});

describe("the cache", () => {
  test("holds the requested points: one name, several, or by a function", async () => {
    const names = async (filter: Parameters<HookedTransformer["runWithCache"]>[1]) =>
      (await model.runWithCache(g.tokens, filter))[1].keys();
    expect(await names({ namesFilter: mid })).toEqual([mid]);
    expect(await names({ namesFilter: ["mid1", "embed"] })).toEqual([mid, "hook_embed"]);
    expect(await names({ namesFilter: (name) => name.endsWith("hook_z") })).toEqual([
      "blocks.0.attn.hook_z",
      "blocks.1.attn.hook_z",
    ]);
  });

  test("of a filter that matches nothing is refused", async () => {
    await expect(model.runWithCache(g.tokens, { namesFilter: () => false })).rejects.toThrow(/accepts none/);
    await expect(model.runWithCache(g.tokens, { namesFilter: "blocks.0.mlp.hook_posst" })).rejects.toThrow(
      'Did you mean "blocks.0.mlp.hook_post"?',
    );
  });

  test("of some positions keeps the axis, for patterns the query axis", async () => {
    const [, cache] = await model.runWithCache(g.tokens, { posSlice: -1 });
    expect(cache.get("blocks.0.hook_resid_pre").shape).toEqual([2, 1, 32]);
    expect(cache.get("blocks.0.attn.hook_q").shape).toEqual([2, 1, 4, 8]);
    expect(cache.get("blocks.0.attn.hook_pattern").shape).toEqual([2, 4, 1, 12]);
    const [, whole] = await model.runWithCache(g.tokens);
    expect(cache.get(mid).get(1, 0, 3)).toBeCloseTo(whole.get(mid).get(1, -1, 3), 5);
  });

  test("stops where the run stops", async () => {
    const [, cache] = await model.runWithCache(g.tokens, { stopAtLayer: 1 });
    expect(cache.keys().some((name) => name.startsWith("blocks.1"))).toBe(false);
    expect(cache.has("ln_final.hook_scale")).toBe(false);
  });

  test("without its batch axis needs a batch of one", async () => {
    await expect(model.runWithCache(g.tokens, { removeBatchDim: true })).rejects.toThrow(/batch of one/);
    const one = [...g.tokens.data.subarray(0, 12)];
    const [, cache] = await model.runWithCache(one, { removeBatchDim: true });
    expect(cache.get(mid).shape).toEqual([12, 80]);
  });
});

describe("bad input", () => {
  test("token ids outside the vocabulary, too many tokens, none at all, ragged rows", async () => {
    await expect(model.forward([3, 97])).rejects.toThrow(/97.*outside the vocabulary of 97/);
    await expect(model.forward(new Array(33).fill(1))).rejects.toThrow(/33 tokens.*holds 32/);
    await expect(model.forward([])).rejects.toThrow(/no tokens/);
    await expect(model.forward([[1, 2], [3]])).rejects.toThrow(/equal length/);
  });

  test("token ids that are not whole, an unknown returnType", async () => {
    await expect(model.forward([1, 1.5])).rejects.toThrow("whole numbers, not 1.5 (position 1)");
    await expect(model.forward([1, 2], { returnType: "los" as never })).rejects.toThrow(
      /"logits", "loss", "both" or null, not "los"/,
    );
  });

  test("text without a tokenizer, a loss of one token, a layer out of range", async () => {
    await expect(model.forward("hello")).rejects.toThrow(/no tokenizer/);
    await expect(model.forward([1], { returnType: "loss" })).rejects.toThrow(/two tokens/);
    await expect(model.forward([1, 2], { stopAtLayer: 5 })).rejects.toThrow(/2 layers, so it goes from 0 to 2/);
  });

  test("an aborted run rejects with the signal's reason", async () => {
    const signal = AbortSignal.abort(new Error("stop"));
    await expect(model.forward(g.tokens, { signal })).rejects.toThrow("stop");
  });
});

test("a loss leaves out what padding predicts and what predicts padding, on either side", async () => {
  const row = [...g.tokens.data.slice(0, 6)];
  const alone = await model.forward(row, { returnType: "loss" });
  for (const [tokens, mask] of [
    [
      [0, 0, ...row],
      [0, 0, 1, 1, 1, 1, 1, 1],
    ],
    [
      [...row, 0, 0],
      [1, 1, 1, 1, 1, 1, 0, 0],
    ],
  ]) {
    const options = { attentionMask: [mask], returnType: "loss" } as const;
    expect((await model.forward(tokens, options)).item()).toBeCloseTo(alone.item(), 5);
    const perToken = await model.forward(tokens, { ...options, lossPerToken: true });
    expect([...perToken.data].filter((loss) => loss !== 0)).toHaveLength(row.length - 1);
  }
});

test("a run cut at a hook computes nothing twice: the rest starts from the values that cross the cut", async () => {
  const { segments } = await model.explain(g.tokens, {
    fwdHooks: [["blocks.1.mlp.hook_pre", async (x) => x.sub((await x.mean().compute()).item())]],
  });
  const whole = (await model.explain(g.tokens)).segments[0].steps;
  expect(segments).toHaveLength(2);
  expect(segments[1].steps).toBeLessThan(whole / 2);
  expect(segments[0].steps + segments[1].steps).toBeLessThan(whole + 6);
});

test("explain names the values, the steps and whether the session is new", async () => {
  const engine = new Engine(nodeBackend({ threads: 1 }));
  const own = new HookedTransformer(parseConfig(g.info.config), g.under("weights."), { engine });
  const before = await own.explain(g.tokens);
  expect(before.segments).toHaveLength(1);
  expect(before.segments[0].reused).toBe(false);
  expect(String(before)).toContain("blocks.1.mlp.hook_mid = point(");
  await own.forward(g.tokens);
  expect((await own.explain(g.tokens)).segments[0].reused).toBe(true);
});
