/** The lower bound of a job: only its products with weights, in one session of the same engine. */
import { Engine } from "../src/engine/engine.ts";
import { nodeBackend } from "../src/engine/ort-node.ts";
import { Tensor } from "../src/graph/tensor.ts";
import { noise } from "./models.ts";

/** `[rows, inner] x [inner, columns]`. */
export type Product = readonly [rows: number, inner: number, columns: number];

/**
 * A function that runs the products once. It returns one number of each result, so that none is copied out; its index is
 * computed, because a constant one would move up through the product.
 */
export function bareProducts(products: readonly Product[]): () => Promise<unknown> {
  const engine = new Engine(nodeBackend());
  const zero = Tensor.leaf({ dtype: "int32", shape: [1], data: Int32Array.of(0) });
  const first = zero.add(zero);
  const values = products.map(([rows, inner, columns], i) => {
    const a = Tensor.leaf({ dtype: "float32", shape: [rows, inner], data: noise(rows * inner, 1, i) });
    const b = Tensor.leaf({ dtype: "float32", shape: [inner, columns], data: noise(inner * columns, 1, i) });
    return a.matmul(b).gather(0, first).gather(1, first);
  });
  return () => engine.run(values);
}
