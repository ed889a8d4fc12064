import { describe, expect, test } from "vitest";
import {
  type Backend,
  Engine,
  type Hook,
  HookedTransformer,
  nodeBackend,
  sweeps,
  tensor,
  train,
} from "../../src/node.ts";
import { untilAborted } from "../../src/tensor/abort.ts";
import { smallModel } from "./small-model.ts";

const model = smallModel();

/** A signal that is aborted as soon as the hook waits, and how many listeners it has. */
function stopping() {
  const stop = new AbortController();
  const hook: Hook["1"] = () => {
    queueMicrotask(() => stop.abort(new Error("enough")));
    return new Promise<void>(() => {});
  };
  return { signal: stop.signal, hook };
}

describe("a hook that never resolves does not outlive the signal", () => {
  test.each([
    [
      "runWithHooks",
      (signal: AbortSignal, hook: Hook["1"]) => model.runWithHooks("ab", { signal, fwdHooks: [["hook_embed", hook]] }),
    ],
    [
      "runWithCache",
      (signal: AbortSignal, hook: Hook["1"]) => model.runWithCache("ab", { signal, fwdHooks: [["hook_embed", hook]] }),
    ],
    [
      "a hook that stays",
      (signal: AbortSignal, hook: Hook["1"]) =>
        model.hooks({ fwdHooks: [["hook_embed", hook]] }).forward("ab", { signal }),
    ],
    [
      "generate",
      (signal: AbortSignal, hook: Hook["1"]) => model.generate("ab", { signal, fwdHooks: [["hook_embed", hook]] }),
    ],
    [
      "explain",
      (signal: AbortSignal, hook: Hook["1"]) => model.explain("ab", { signal, fwdHooks: [["hook_embed", hook]] }),
    ],
    [
      "a run with gradients",
      (signal: AbortSignal, hook: Hook["1"]) =>
        model.runWithCache("ab", { signal, inclBwd: true, fwdHooks: [["hook_embed", hook]] }),
    ],
  ])("in %s", async (_, run) => {
    const { signal, hook } = stopping();
    await expect(run(signal, hook)).rejects.toThrow("enough");
  });
});

test("a signal that has already been aborted ends a run before its hooks are called", async () => {
  let called = 0;
  const run = model.runWithHooks("ab", {
    signal: AbortSignal.abort(new Error("before")),
    fwdHooks: [["hook_embed", () => void called++]],
  });
  await expect(run).rejects.toThrow("before");
  expect(called).toBe(0);
});

test("no listener is left on a signal", async () => {
  const signal = new AbortController().signal;
  let listening = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listening++;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listening--;
    remove(...args);
  };
  expect(await untilAborted(Promise.resolve(5), signal)).toBe(5);
  await expect(untilAborted(Promise.reject(new Error("own")), signal)).rejects.toThrow("own");
  expect(await untilAborted(5, signal)).toBe(5);
  expect(listening).toBe(0);
});

test("a run throws what its hook throws, and the model still works as before", async () => {
  const own = new Error("mine");
  const plain = [...(await model.forward("ab")).data];
  for (const hook of [
    () => {
      throw own;
    },
    async () => {
      throw own;
    },
    () => Promise.reject(own),
  ]) {
    await expect(model.runWithHooks("ab", { fwdHooks: [["hook_embed", hook]] })).rejects.toBe(own);
  }
  expect([...(await model.forward("ab")).data]).toEqual(plain);
});

test("a hook returns a Tensor that fits, or nothing", async () => {
  for (const junk of [null, 0, Number.NaN, "x", true, [1], {}, Symbol("x"), 5n, () => {}, new Float32Array(3)]) {
    for (const returned of [junk, Promise.resolve(junk)]) {
      const run = model.runWithHooks("ab", { fwdHooks: [["blocks.0.hook_mlp_out", () => returned as never]] });
      await expect(run).rejects.toThrow(/"blocks\.0\.hook_mlp_out"/);
    }
  }
});

test("a metric that is not a Tensor, or is a promise, gets an error that says so", async () => {
  const run = (metric: unknown) =>
    sweeps.sweep(model, "ab", { site: "z", over: ["layer", "head"], edit: sweeps.zero, metric } as never);
  await expect(run(async () => 5)).rejects.toThrow(/The metric is a promise/);
  await expect(run(() => 5)).rejects.toThrow(/The metric is 5/);
  await expect(run(undefined)).rejects.toThrow(/needs metric/);
});

describe("a backend that never answers does not outlive the signal", () => {
  /** A model on a backend that answers a number of times, then aborts the signal and stops answering. */
  function stuck(answers: number) {
    const stop = new AbortController();
    const real = nodeBackend({ threads: 1 });
    const backend: Backend = {
      name: "stuck",
      createSession: async (bytes, outputs) => {
        const session = await real.createSession(bytes, outputs);
        return {
          run: (feeds) => {
            if (answers-- > 0) return session.run(feeds);
            queueMicrotask(() => stop.abort(new Error("enough")));
            return new Promise(() => {});
          },
          release: () => session.release(),
        };
      },
    };
    const { cfg, weights } = model;
    return { stuck: new HookedTransformer(cfg, weights, { engine: new Engine(backend) }), signal: stop.signal };
  }
  const data = tensor(
    [
      [1, 2, 3],
      [3, 2, 1],
    ],
    { dtype: "int32" },
  );

  test.each([0, 1, 2, 3])("in a generation, after %i answers", async (answers) => {
    const { stuck: one, signal } = stuck(answers);
    await expect(one.generate([1, 2], { signal, maxNewTokens: 9 })).rejects.toThrow("enough");
  });

  test.each([0, 1, 2, 3])("in a training run with held-out text, after %i answers", async (answers) => {
    const { stuck: one, signal } = stuck(answers);
    const options = { data, heldOut: data, evalEvery: 1, steps: 9 };
    await expect(train(one, options, { signal })).rejects.toThrow("enough");
  });
});
