/** One contract for every engine: each op, and each op's gradient, gives what its definition says. */
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/engine/backend.ts";
import { Engine } from "../../src/engine/engine.ts";
import { nodeBackend } from "../../src/engine/ort-node.ts";
import { webBackend } from "../../src/engine/ort-web.ts";
import { interpret } from "../../src/engine/reference.ts";
import { type OpName, ops } from "../../src/graph/ops/index.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { expectClose } from "../close.ts";
import { type Case, cases } from "../graph/cases.ts";
import { gradientsOf } from "../graph/gradients-of.ts";
import { randomCases } from "../graph/random-cases.ts";

const backends: readonly Backend[] = [nodeBackend({ threads: 1 }), webBackend()];

describe.each(backends.map((b) => [b.name, b] as const))("on %s", (_name, backend) => {
  const engine = new Engine(backend);
  afterAll(() => engine.dispose());

  async function expectDefinition(values: readonly Tensor[], least?: number): Promise<void> {
    const expected = interpret(values);
    const found = await engine.run(values);
    for (const [i, value] of values.entries()) {
      expect(found[i].shape).toEqual(value.shape);
      expect(found[i].dtype).toBe(value.dtype);
      expectClose(found[i], expected[i], 1e-5, least);
    }
  }
  const ofValue = ({ inputs, make }: Case) => expectDefinition([make(...inputs)]);
  const ofGradients = (example: Case) => expectDefinition(gradientsOf(example));

  for (const op of Object.keys(ops) as OpName[]) {
    for (const example of cases[op]) {
      const { what } = example;
      test(`${op} ${what}`, () => ofValue(example));
      if (gradientsOf(example).length > 0) test(`the gradient of ${op} ${what}`, () => ofGradients(example));
    }
    test(`${op} and its gradient, of random shapes and broadcasts`, async () => {
      const both = async (example: Case) => {
        // By chance a sum of products, as a gradient is, may cancel; its terms are of the order of one.
        await expectDefinition([example.make(...example.inputs)], 0.1);
        const gradients = gradientsOf(example);
        if (gradients.length > 0) await expectDefinition(gradients, 1);
      };
      await fc.assert(fc.asyncProperty(randomCases[op], both), { numRuns: 12 });
    });
  }
});
