/** The lower bound of a job: only its products with weights, in one session of the same engine, each as that engine does it fastest. */
import { Engine } from "../src/engine/engine.ts";
import { nodeBackend } from "../src/engine/ort-node.ts";
import { Tensor } from "../src/graph/tensor.ts";
import { inTurn, rounded } from "./measure.ts";
import { noise } from "./models.ts";

/** `[rows, inner] x [inner, columns]`; those that name the same weight multiply by the same numbers in memory, and some of them are one product. */
export type Product = readonly [rows: number, inner: number, columns: number, weight?: string | undefined];

/** More rows than this do not make a product faster. */
const ROWS = 1500;

/** Products with the same weight put together, as long as they have no more rows than make them faster. */
function joined(products: readonly Product[]): Product[] {
  const found: Product[] = [];
  for (const product of products) {
    const [rows, inner, columns, weight] = product;
    const i = found.findIndex(
      (other) => weight && other[3] === weight && other[1] === inner && other[2] === columns && other[0] + rows <= ROWS,
    );
    if (i < 0) found.push(product);
    else found[i] = [found[i][0] + rows, inner, columns, weight];
  }
  return found;
}

/**
 * A function that runs the products once. It returns one number of each result, so that none is copied out; its index is
 * computed, because a constant one would move up through the product.
 */
export function bareProducts(products: readonly Product[], apart = false): () => Promise<unknown> {
  const engine = new Engine(nodeBackend());
  const zero = Tensor.leaf({ dtype: "int32", shape: [1], data: Int32Array.of(0) });
  const first = zero.add(zero);
  const weights = new Map<string, Tensor>();
  const weightOf = (inner: number, columns: number, name: string): Tensor => {
    const key = `${name} ${inner} ${columns}`;
    const found = weights.get(key) ?? leaf([inner, columns], weights.size, "weight");
    weights.set(key, found);
    return found;
  };
  const values = (apart ? products : joined(products)).map(([rows, inner, columns, weight], i) => {
    const product = leaf([rows, inner], i).matmul(weightOf(inner, columns, weight ?? `${i}`));
    return product.gather(0, first).gather(1, first);
  });
  return () => engine.run(values);
}

/**
 * A job's median time in ms, and that time over the time of the bare products that it cannot do without, alternately: those with the same
 * weight as one product, and each of them apart.
 */
export async function overGemm(job: () => Promise<unknown>, products: readonly Product[], runs: number) {
  const measured = await inTurn({ job, gemms: bareProducts(products), apart: bareProducts(products, true) }, runs);
  const [ms, gemm, apart] = [measured.job.median_ms, measured.gemms.median_ms, measured.apart.median_ms];
  return {
    median_ms: rounded(ms),
    gemm_ms: rounded(gemm),
    over_gemm: rounded(ms / gemm),
    gemm_apart_ms: rounded(apart),
    over_gemm_apart: rounded(ms / apart),
  };
}

function leaf(shape: readonly [number, number], seed: number, role?: "weight"): Tensor {
  return Tensor.leaf({ dtype: "float32", shape, data: noise(shape[0] * shape[1], 1, seed) }, [], role);
}
