/** Parts put in at hook points, above all a sparse autoencoder with its error term. */
import { describe, expect, test } from "vitest";
import {
  ArgumentError,
  type Hook,
  HookedTransformer,
  KeyValueCache,
  type Part,
  ShapeError,
  sweeps,
  type Tensor,
  tensor,
  train,
  UnknownNameError,
  WeightsError,
} from "../../src/node.ts";
import { expectClose } from "../close.ts";
import { golden, goldenModel } from "../goldens.ts";

const g = await golden("gelu_2l");
const model = goldenModel(g);
const { tokens } = g;
const { dMlp, dModel } = model.cfg;
const d_mlp = dMlp!;
const d_sae = 24;
const POST = "blocks.0.mlp.hook_post";
const OUT = "blocks.0.hook_mlp_out";
const ACTS = `${POST}.sae.hook_acts`;

/** Numbers that are alike on every machine, and neither all of one sign nor small. */
const wave = (shape: readonly number[], phase: number) => {
  const size = shape.reduce((n, x) => n * x, 1);
  return tensor(
    Float32Array.from({ length: size }, (_, i) => 0.3 * Math.sin(1.7 * i + phase)),
    { shape },
  );
};

/**
 * `acts = relu((x - b_dec) W_enc + b_enc)`, and x again: the dictionary's reconstruction and what it misses. The miss is that
 * of the latents as they are found, so that whoever changes a latent changes what goes on.
 */
const sae: Part = (x, outer) => {
  const scope = outer.part("sae");
  const [axis, width] = [x.axes.at(-1)!, x.shape.at(-1)!];
  const W_enc = scope.weight("W_enc", { [axis]: width, d_sae }, "drawn");
  const b_enc = scope.weight("b_enc", { d_sae }, "zeros");
  const W_dec = scope.weight("W_dec", { d_sae, [axis]: width }, "drawn");
  const b_dec = scope.weight("b_dec", { [axis]: width }, "zeros");
  const decoded = (latents: Tensor) => latents.matmul(W_dec).add(b_dec);
  const found = x.sub(b_dec).matmul(W_enc).add(b_enc).relu();
  const error = scope.point("hook_error", x.sub(decoded(found)));
  const acts = scope.point("hook_acts", found);
  return scope.point("hook_recons", decoded(acts)).add(error);
};

const W_enc = wave([d_mlp, d_sae], 0);
const W_dec = wave([d_sae, d_mlp], 1);
const b_enc = wave([d_sae], 2);
const b_dec = wave([d_mlp], 3);
const weights = new Map(
  Object.entries({ "sae.W_enc": W_enc, "sae.b_enc": b_enc, "sae.W_dec": W_dec, "sae.b_dec": b_dec }),
);
const view = model.splice(POST, sae, { weights });

/** One latent set to zero. */
const without = (latent: number) => {
  const kept = Float32Array.from({ length: d_sae }, (_, i) => +(i !== latent));
  return (acts: Tensor) => acts.mul(tensor(kept));
};

describe("a spliced part", () => {
  test("that returns the value unchanged changes no number", async () => {
    const same = model.splice(POST, (x) => x);
    expect([...(await same.forward(tokens)).data]).toEqual([...(await model.forward(tokens)).data]);
    expect(same.hookNames).toEqual(model.hookNames);
    const named = model.splice(POST, (x, scope) => scope.point("hook_same", x));
    expect([...(await named.forward(tokens)).data]).toEqual([...(await model.forward(tokens)).data]);
  });

  test("changes a view, and leaves the model as it was", async () => {
    const tenfold = model.splice(OUT, (x) => x.mul(10));
    const [before, after] = [await model.forward(tokens), await tenfold.forward(tokens)];
    expect([...after.data]).not.toEqual([...before.data]);
    expectClose(after, await model.runWithHooks(tokens, { fwdHooks: [[OUT, (x) => x.mul(10)]] }), 1e-6);
    expectClose(before, g.get("logits"), 1e-4);
    expect(model.splices).toBeUndefined();
  });

  test("has its points in hookNames where they fire, before the one that it stands at", () => {
    const at = view.hookNames.indexOf(POST);
    const own = ["hook_error", "hook_acts", "hook_recons"].map((name) => `${POST}.sae.${name}`);
    expect(view.hookNames.slice(at - 4, at + 1)).toEqual(["blocks.0.mlp.hook_pre", ...own, POST]);
    expect(view.hookNames.filter((name) => !own.includes(name))).toEqual(model.hookNames);
  });

  test("has its points in the cache: the latents follow the definition, and the rest is as without it", async () => {
    const [logits, cache] = await view.runWithCache(tokens);
    const [, clean] = await model.runWithCache(tokens);
    const latents = clean.get(POST).sub(b_dec).matmul(W_enc).add(b_enc).relu();
    expectClose(cache.get(ACTS), await latents.compute(), 1e-5);
    expect(cache.get(ACTS).axes).toEqual(["batch", "pos", "d_sae"]);
    expectClose(logits, g.get("logits"), 1e-4);
    const [, alone] = await view.runWithCache(tokens, { namesFilter: ACTS, returnType: null });
    expect(alone.keys()).toEqual([ACTS]);
  });
});

describe("a spliced part's points", () => {
  test("can be hooked: ablating one latent equals the same arithmetic in a plain hook", async () => {
    const latent = 5;
    const ablated = await view.runWithHooks(tokens, { fwdHooks: [[ACTS, without(latent)]] });
    const plain: Hook = [
      POST,
      (x) => {
        const act = x
          .sub(b_dec)
          .matmul(W_enc)
          .add(b_enc)
          .relu()
          .slice(-1, latent, latent + 1);
        return x.sub(act.mul(W_dec.slice(0, latent, latent + 1)));
      },
    ];
    expectClose(ablated, await model.runWithHooks(tokens, { fwdHooks: [plain] }), 1e-4);
    expect([...ablated.data]).not.toEqual([...(await view.forward(tokens)).data]);
  });

  test("can be differentiated: gradients at the latents equal finite differences", async () => {
    const metric = (logits: Tensor) => logits.at({ batch: 0, pos: -1, d_vocab: 3 });
    const [, cache] = await view.runWithCache(tokens, { namesFilter: ACTS, inclBwd: true, metric });
    const gradient = cache.get(`${ACTS}_grad`);
    expect(gradient.shape).toEqual(cache.get(ACTS).shape);
    const step = 0.02;
    for (const [pos, latent] of [
      [0, 1],
      [3, 5],
      [tokens.shape[1] - 1, 7],
    ]) {
      const moved = async (by: number) => {
        const data = new Float32Array(cache.get(ACTS).data.length);
        data[pos * d_sae + latent] = by;
        const delta = tensor(data, { shape: cache.get(ACTS).shape });
        const logits = await view.runWithHooks(tokens, { fwdHooks: [[ACTS, (x) => x.add(delta)]] });
        return (await metric(logits).compute()).item();
      };
      const slope = ((await moved(step)) - (await moved(-step))) / (2 * step);
      expect(Math.abs(gradient.get(0, pos, latent) - slope)).toBeLessThan(2e-3 + 0.01 * Math.abs(slope));
    }
    expect([...gradient.data].some((x) => Math.abs(x) > 0.01)).toBe(true);
  });

  test("take hooks on gradients, which earlier gradients follow", async () => {
    const before = "blocks.0.mlp.hook_pre";
    const gradientsOf = async (bwdHooks: readonly Hook[]) => {
      const [, cache] = await view.runWithCache(tokens, { namesFilter: [before, ACTS], inclBwd: true, bwdHooks });
      return cache;
    };
    const [clean, cut] = [await gradientsOf([]), await gradientsOf([[ACTS, (gradient) => gradient.mul(0)]])];
    expect(cut.get(`${ACTS}_grad`).data.every((x: number) => x === 0)).toBe(true);
    expect([...cut.get(`${before}_grad`).data]).not.toEqual([...clean.get(`${before}_grad`).data]);
  });

  test("are values of a graph, which can be edited there", async () => {
    const graph = view.graph(tokens);
    const [latents, output] = await view.compute([graph.at(ACTS), graph.with([[ACTS, without(5)]]).output]);
    expect(latents.shape.at(-1)).toBe(d_sae);
    expectClose(output, await view.runWithHooks(tokens, { fwdHooks: [[ACTS, without(5)]] }), 1e-5);
  });

  test("can be swept, one cell per latent", async () => {
    const metric = (logits: Tensor) => logits.at({ pos: -1, d_vocab: 3 }).mean();
    const site = "mlp.hook_post.sae.hook_acts";
    const swept = await sweeps.sweep(view, tokens, {
      site,
      over: ["layer", "d_sae"],
      layers: [0],
      edit: sweeps.zero,
      metric,
    });
    expect(swept.values.shape).toEqual([1, d_sae]);
    for (const latent of [0, 5, 11]) {
      const logits = await view.runWithHooks(tokens, { fwdHooks: [[ACTS, without(latent)]] });
      expect(swept.values.get(0, latent)).toBeCloseTo((await metric(logits).compute()).item(), 4);
    }
  });

  test("can be patched from another run", async () => {
    const other = tensor(
      Int32Array.from(tokens.data, (id) => (id + 1) % model.cfg.dVocab),
      { shape: tokens.shape, dtype: "int32" },
    );
    const [, cache] = await view.runWithCache(other, { namesFilter: ACTS });
    const patched = await view.runWithHooks(tokens, { fwdHooks: [[ACTS, sweeps.patchFrom(cache)]] });
    const [, held] = await view
      .hooks({ fwdHooks: [[ACTS, sweeps.patchFrom(cache)]] })
      .runWithCache(tokens, { namesFilter: ACTS });
    expect([...held.get(ACTS).data]).toEqual([...cache.get(ACTS).data]);
    expect([...patched.data]).not.toEqual([...(await view.forward(tokens)).data]);
  });

  test("have numbers if a hook there awaits them", async () => {
    let largest = 0;
    const look: Hook = [
      ACTS,
      async (x) => {
        largest = (await x.max().compute()).item();
        return x;
      },
    ];
    const logits = await view.runWithHooks(tokens, { fwdHooks: [look] });
    expect(largest).toBeGreaterThan(0);
    expectClose(logits, g.get("logits"), 1e-4);
  });
});

describe("generating with a spliced part", () => {
  const prompt = [1, 2, 3];
  const off = model.splice(OUT, (x) => x.mul(0));

  test("gives the same as a hook with the same arithmetic, with or without kept keys and values", async () => {
    const options = { maxNewTokens: 4, doSample: false } as const;
    const fwdHooks: Hook[] = [[OUT, (x) => x.mul(0)]];
    const expected = [...(await model.generate([prompt], { ...options, fwdHooks })).data];
    expect([...(await off.generate([prompt], options)).data]).toEqual(expected);
    expect([...(await off.generate([prompt], { ...options, usePastKvCache: false })).data]).toEqual(expected);
  });

  test("keeps its own keys and values, which the model's runs do not accept", async () => {
    const cache = new KeyValueCache();
    await off.forward([prompt], { pastKvCache: cache });
    await expect(model.forward([[4]], { pastKvCache: cache })).rejects.toThrow("filled by a run of another model");
    await off.hooks({ fwdHooks: [["z0", (x) => x]] }).forward([[4]], { pastKvCache: cache });
    expect(cache.length).toBe(4);
  });
});

describe("several parts", () => {
  test("at one point each get the result of the one before", async () => {
    const both = model.splice(OUT, (x) => x.mul(2)).splice(OUT, (x) => x.add(1));
    const hook: Hook = [OUT, (x) => x.mul(2).add(1)];
    expectClose(await both.forward(tokens), await model.runWithHooks(tokens, { fwdHooks: [hook] }), 1e-5);
  });

  test("at one point need different names", () => {
    const named =
      (name: string): Part =>
      (x, scope) =>
        scope.point(name, x.mul(2));
    const first = model.splice(OUT, named("hook_a"));
    const names = first.splice(OUT, named("hook_b")).hookNames.filter((name) => /hook_[ab]$/.test(name));
    expect(names).toEqual(["blocks.0.hook_mlp_out.hook_a", "blocks.0.hook_mlp_out.hook_b"]);
    expect(() => first.splice(OUT, named("hook_a"))).toThrow(
      'Two hook points would be named "blocks.0.hook_mlp_out.hook_a": give one of them another name.',
    );
  });

  test("stand at each point that a test accepts, each with its own weights", async () => {
    const posts = (name: string) => name.endsWith("mlp.hook_post");
    const dictionaries = model.splice(posts, sae);
    const latents = dictionaries.hookNames.filter((name) => name.endsWith("hook_acts"));
    expect(latents).toEqual([0, 1].map((layer) => `blocks.${layer}.mlp.hook_post.sae.hook_acts`));
    const [first, second] = [0, 1].map(
      (layer) => dictionaries.splices!.weights.get(`blocks.${layer}.mlp.hook_post.sae.W_enc`)!,
    );
    expect([...first.data]).not.toEqual([...second.data]);
    expectClose(await dictionaries.forward(tokens), g.get("logits"), 1e-4);
  });

  test("can stand within parts", async () => {
    const inner = view.splice(ACTS, (x, scope) => scope.point("hook_half", x.mul(0.5)));
    expect(inner.hookNames.indexOf(`${ACTS}.hook_half`)).toBe(inner.hookNames.indexOf(ACTS) - 1);
    const halved = await view.runWithHooks(tokens, { fwdHooks: [[ACTS, (x) => x.mul(0.5)]] });
    expectClose(await inner.forward(tokens), halved, 1e-5);
  });

  test("can stand at points that are only computed on request", async () => {
    for (const name of ["blocks.0.attn.hook_result", "blocks.1.hook_q_input", "blocks.1.hook_mlp_in"]) {
      const part: Part = (x, scope) => scope.point("hook_doubled", x.mul(2));
      const doubled = await model.splice(name, part).forward(tokens);
      expectClose(doubled, await model.runWithHooks(tokens, { fwdHooks: [[name, (x) => x.mul(2)]] }), 1e-5);
    }
  });
});

test("a part may look at positions by number", async () => {
  const first = model.splice(OUT, (x) => x.sub(x.slice("pos", 2, 3)));
  const hook: Hook = [OUT, (x) => x.sub(x.slice("pos", 2, 3))];
  expectClose(await first.forward(tokens), await model.runWithHooks(tokens, { fwdHooks: [hook] }), 1e-5);
});

test("views whose parts differ only in their numbers share compiled sessions", async () => {
  const other = model.splice(POST, sae, { weights: new Map([...weights, ["sae.b_enc", wave([d_sae], 9)]]) });
  await view.forward(tokens);
  const { segments } = await other.explain(tokens);
  expect(segments.map(({ reused }) => reused)).toEqual([true]);
  expectClose(await other.forward(tokens), g.get("logits"), 1e-4);
});

describe("a view of a model with hooks", () => {
  test("keeps them, and they get the part's result", async () => {
    const hooked = model.hooks({ fwdHooks: [[OUT, (x) => x.add(1)]] });
    const both = hooked.splice(OUT, (x) => x.mul(2));
    const expected = await model.runWithHooks(tokens, { fwdHooks: [[OUT, (x) => x.mul(2).add(1)]] });
    expectClose(await both.forward(tokens), expected, 1e-5);
    const turned = model.splice(OUT, (x) => x.mul(2)).hooks({ fwdHooks: [[OUT, (x) => x.add(1)]] });
    expectClose(await turned.forward(tokens), expected, 1e-5);
  });

  test("has gradients through part and hooks", async () => {
    const hooked = view.hooks({ fwdHooks: [[ACTS, (x) => x.mul(0.5)]] });
    const [, cache] = await hooked.runWithCache(tokens, { namesFilter: "blocks.0.hook_resid_pre", inclBwd: true });
    expect(cache.get("blocks.0.hook_resid_pre_grad").data.every(Number.isFinite)).toBe(true);
  });
});

describe("a part's weights", () => {
  test("are those passed by name, and belong to the view", () => {
    expect([...view.splices!.weights.keys()]).toEqual(
      ["W_enc", "b_enc", "W_dec", "b_dec"].map((name) => `${POST}.sae.${name}`),
    );
    expect(view.splices!.weights.get(`${POST}.sae.W_enc`)!.data).toBe(W_enc.data);
    expect(view.splices!.weights.get(`${POST}.sae.W_enc`)!.axes).toEqual(["d_mlp", "d_sae"]);
  });

  test("are by default initialised as the part says, the same each time", () => {
    const [one, two] = [model.splice(POST, sae), model.splice(POST, sae)].map((v) => v.splices!.weights);
    expect([...one.get(`${POST}.sae.W_enc`)!.data]).toEqual([...two.get(`${POST}.sae.W_enc`)!.data]);
    expect(one.get(`${POST}.sae.W_enc`)!.data.some((x: number) => x !== 0)).toBe(true);
    expect(one.get(`${POST}.sae.b_enc`)!.data.every((x: number) => x === 0)).toBe(true);
  });

  test("that it does not ask for, or that have another shape or dtype, are refused by name", () => {
    const withWeight = (name: string, value: Tensor) => () =>
      model.splice(POST, sae, { weights: new Map([[name, value]]) });
    expect(withWeight("sae.W_encoder", W_enc)).toThrow(WeightsError);
    expect(withWeight("sae.W_encoder", W_enc)).toThrow(/^The part has no weight "sae\.W_encoder": it asks for/);
    expect(withWeight("sae.W_enc", W_dec)).toThrow(`is [${d_sae},${d_mlp}], but the part asks for [${d_mlp},${d_sae}]`);
    expect(withWeight("sae.b_enc", tensor(new Int32Array(d_sae)))).toThrow(
      '"sae.b_enc" must be a computed array of float32',
    );
  });
});

describe("what cannot be spliced is refused", () => {
  test("a point that does not exist, with the closest match", async () => {
    expect(() => model.splice("blocks.0.mlp.hook_pots", (x) => x)).toThrow(UnknownNameError);
    expect(() => model.splice("blocks.0.mlp.hook_pots", (x) => x)).toThrow(`Did you mean "${POST}"?`);
    await expect(view.runWithHooks(tokens, { fwdHooks: [[`${POST}.sae.hook_act`, (x) => x]] })).rejects.toThrow(ACTS);
  });

  test("anything but a part, or a part that does not return a value of the same shape", () => {
    expect(() => model.splice(POST, 5 as never)).toThrow(ArgumentError);
    const of = (part: unknown) => () => model.splice(POST, part as Part);
    expect(of(() => undefined)).toThrow(`The part at "${POST}" returned undefined: it must return a Tensor`);
    expect(of(async (x: Tensor) => x)).toThrow("returned a promise");
    expect(of((x: Tensor) => x.slice(-1, 0, 3))).toThrow(ShapeError);
    expect(of((x: Tensor) => x.unsqueeze(0))).toThrow("it must return the same shape.");
    expect(() => model.splice(POST, (x) => x, { weigths: new Map() } as never)).toThrow('Did you mean "weights"?');
  });

  test("training a view, whose parts would be left out", async () => {
    await expect(train(view, { data: tokens, steps: 1 })).rejects.toThrow(/^train updates a model's own weights/);
  });
});

test("padding and a dictionary work together", async () => {
  const bundled = await HookedTransformer.fromPretrained("solu-1l-novels");
  const width = bundled.cfg.dMlp!;
  const dictionary = bundled.splice(POST, (x, scope) => {
    const W = scope.weight("W", { d_mlp: width, d_sae }, "drawn");
    const acts = scope.point("hook_acts", x.matmul(W).relu());
    return x.add(acts.matmul(W.transpose()).mul(0));
  });
  const texts = ["The old man", "One day the sun came out again"];
  expectClose(await dictionary.forward(texts), await bundled.forward(texts), 1e-5);
  expect(dictionary.cfg.dModel).not.toBe(dModel);
});
