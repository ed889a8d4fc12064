/** One contract for every engine: each op, on each engine, gives what its definition says. */
import { afterAll, describe, expect, test } from "vitest";
import { type Backend, Engine } from "../../src/engine/engine.ts";
import { nodeBackend } from "../../src/engine/ort-node.ts";
import { webBackend } from "../../src/engine/ort-web.ts";
import { interpret } from "../../src/engine/reference.ts";
import { expectClose } from "../close.ts";
import { cases } from "../graph/cases.ts";

const backends: readonly Backend[] = [nodeBackend({ threads: 1 }), webBackend()];

describe.each(backends.map((b) => [b.name, b] as const))("on %s", (_name, backend) => {
  const engine = new Engine(backend);
  afterAll(() => engine.dispose());

  for (const [op, list] of Object.entries(cases)) {
    for (const { what, inputs, make } of list) {
      test(`${op} ${what}`, async () => {
        const value = make(...inputs);
        const [expected] = interpret([value]);
        const [found] = await engine.run([value]);
        expect(found.shape).toEqual(value.shape);
        expect(found.dtype).toBe(value.dtype);
        expectClose(found, expected, 1e-5);
      });
    }
  }
});
