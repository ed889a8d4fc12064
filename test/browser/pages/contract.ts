/** The page's side of the contract: each op, and its gradient, on the engine that pages have. */
import { Engine } from "../../../src/engine/engine.ts";
import { webBackend } from "../../../src/engine/ort-web.ts";
import type { Tensor } from "../../../src/graph/tensor.ts";
import { cases } from "../../graph/cases.ts";
import { gradientsOf } from "../../graph/gradients-of.ts";

const engine = new Engine(webBackend());

/** A tensor as it crosses from the page to the test. */
const plain = ({ dtype, shape, data }: Tensor) => ({ dtype, shape, data: Array.from<number>(data) });
export type Plain = ReturnType<typeof plain>;

const contract = {
  async value(op: keyof typeof cases, index: number): Promise<Plain> {
    const { inputs, make } = cases[op][index];
    return plain((await engine.run([make(...inputs)]))[0]);
  },
  async gradients(op: keyof typeof cases, index: number): Promise<Plain[]> {
    return (await engine.run(gradientsOf(cases[op][index]))).map(plain);
  },
};
export type Contract = typeof contract;
Object.assign(globalThis, { contract });
