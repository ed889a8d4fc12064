/** One weight, three given gradients: PyTorch 2.13's numbers for the same. */
import { expect, test } from "vitest";
import { interpret } from "../../src/engine/reference.ts";
import { tensor } from "../../src/graph/from-numbers.ts";
import { Tensor } from "../../src/graph/tensor.ts";
import { makeOptimizer, type OptimizerName } from "../../src/training/optimizer.ts";

const gradients = [
  [0.1, -0.3, 2],
  [3, 0, -4],
  [-0.02, 0.01, 0.005],
];
const settings = { betas: [0.8, 0.95] as const, eps: 1e-3, weightDecay: 0.1, momentum: 0.9 };

/** The weight after each of three steps with lr 0.1; with `clip` the gradient is scaled down to length 1. */
function steps(name: OptimizerName, clip: boolean, given = settings): number[][] {
  const optimizer = makeOptimizer(name, given);
  let weight: Tensor = tensor([1, -2, 0.5]);
  let memory = optimizer.memory.map(() => tensor([0, 0, 0]));
  return gradients.map((g, i) => {
    const fed = optimizer.fed(0.1, i + 1).map((x) => tensor(x));
    const before = {
      weight,
      gradient: tensor(g),
      memory,
      clip: clip ? tensor(Math.min(1, 1 / (Math.hypot(...g) + 1e-6))) : undefined,
    };
    const after = optimizer.update(before, fed);
    const [next, ...rest] = interpret([after.weight, ...after.memory]).map((x) =>
      Tensor.leaf({ dtype: "float32", shape: x.shape, data: Float32Array.from(x.data) }),
    );
    weight = next;
    memory = rest;
    return [...weight.data];
  });
}

test.each([
  [
    "AdamW",
    steps("adamw", false),
    [
      [0.8909901, -1.8803322, 0.39505],
      [0.8025114, -1.7981559, 0.4329294],
      [0.7366965, -1.7362589, 0.4591513],
    ],
  ],
  [
    "AdamW with a clipped gradient",
    steps("adamw", true),
    [
      [0.8919846, -1.8806704, 0.3951011],
      [0.8008328, -1.798798, 0.3917578],
      [0.7350235, -1.7396933, 0.3880019],
    ],
  ],
  [
    "Adam with weight decay in the gradient, clipped",
    steps("adam", true),
    [
      [0.9006649, -1.9002864, 0.4000963],
      [0.811787, -1.8071584, 0.3957968],
      [0.7408644, -1.7166942, 0.3901537],
    ],
  ],
  [
    "SGD with momentum and weight decay, clipped",
    steps("sgd", true),
    [
      [0.9850613, -1.9651841, 0.3962271],
      [0.9017659, -1.9141979, 0.3788692],
      [0.8197824, -1.8501683, 0.3589584],
    ],
  ],
  [
    "plain SGD",
    steps("sgd", false, { ...settings, weightDecay: 0, momentum: 0 }),
    [
      [0.99, -1.97, 0.3],
      [0.69, -1.97, 0.7],
      [0.692, -1.971, 0.6995],
    ],
  ],
])("%s steps as PyTorch's does", (_name, found, expected) => {
  expected.flat().forEach((x, i) => {
    expect(found.flat()[i]).toBeCloseTo(x, 6);
  });
});
