/** A batch that is computed in parts: losses, gradients and features that fired are those of the whole. */
import { describe, expect, test } from "vitest";
import { Engine } from "../../src/engine/engine.ts";
import { nodeBackend } from "../../src/engine/ort-node.ts";
import { grad } from "../../src/graph/rewrite/grad.ts";
import { Tensor } from "../../src/graph/tensor.ts";
import { randn } from "../../src/node.ts";
import { ndarray } from "../../src/tensor/array.ts";
import { configWhileTrained } from "../../src/training/dictionaries/config.ts";
import { initDictionary } from "../../src/training/dictionaries/init.ts";
import { oneDictionary, traceDictionary } from "../../src/training/dictionaries/one-dictionary.ts";
import { LOSS_DEFAULTS } from "../../src/training/dictionaries/settings.ts";
import { makeDictionaryStep } from "../../src/training/dictionaries/step.ts";
import { trainedSizes } from "../../src/training/dictionaries/trained-weights.ts";
import { makeOptimizer } from "../../src/training/optimizer.ts";
import { freshMemory } from "../../src/training/step.ts";
import { scalar } from "../../src/training/update.ts";

/** 3 million features of a batch: two parts, of which the second is smaller. */
const [D_IN, D_SAE, TOKENS] = [6, 2048, 1500];

describe.each([
  ["standard", false],
  ["topk", false],
  ["topk", true],
  ["jumprelu", false],
] as const)("a step of %s, dead features: %s", (kind, hasDead) => {
  test("is that of the whole batch", async () => {
    const engine = new Engine(nodeBackend());
    const cfg = configWhileTrained({ kind, dIn: D_IN, dSae: D_SAE, k: kind === "topk" ? 8 : null });
    const optimizer = makeOptimizer("adam", { betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, momentum: 0 });
    const of = { kind, cfg, settings: LOSS_DEFAULTS };
    const training = { trainee: oneDictionary(of), optimizer, maxGradNorm: undefined };
    const weights = initDictionary(cfg, LOSS_DEFAULTS, 3);
    const x = ndarray("float32", [TOKENS, D_IN], randn([TOKENS, D_IN], { seed: 1 }).data as Float32Array<ArrayBuffer>);
    const dead = hasDead
      ? ndarray(
          "float32",
          [D_SAE],
          Float32Array.from({ length: D_SAE }, (_, i) => i % 2),
        )
      : null;
    const step = await makeDictionaryStep(training, engine, TOKENS);
    const batch = { x, target: x, dead, coefficient: 0.5, lr: 1e-3, number: 1 };
    const found = await step({ weights, memory: freshMemory(optimizer, weights) }, batch);

    const leaves = new Map(
      [...trainedSizes(cfg)].map(([name, sizes]) => [name, Tensor.leaf(weights.get(name)!, Object.keys(sizes))]),
    );
    const read = Tensor.leaf(x, ["token", "d_in"]);
    const whole = traceDictionary(of, leaves, {
      ...{ x: read, target: read, coefficient: Tensor.leaf(scalar(0.5)) },
      dead: dead && Tensor.leaf(dead, ["d_sae"]),
    });
    const squares = grad(whole.loss, [...leaves.values()]).map((g) => g.mul(g).sum());
    const names = Object.keys(whole.losses);
    const [fired, squared, ...losses] = await engine.run([
      whole.encoded.acts.greaterThan(0).cast("float32").sum(0),
      squares.reduce((a, b) => a.add(b)),
      ...names.map((name) => whole.losses[name]),
    ]);
    expect(found.fired).toEqual(fired.data);
    expect(found.gradNorm / Math.sqrt(squared.data[0])).toBeCloseTo(1, 5);
    for (const [i, name] of names.entries()) {
      const expected = losses[i].data[0];
      expect(Math.abs(found.losses[name] - expected), name).toBeLessThanOrEqual(1e-5 * Math.abs(expected));
    }
  });
});
