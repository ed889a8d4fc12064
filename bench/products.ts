/**
 * Bare products with a weight as the engine's runtime does them, next to PyTorch's: where these are the limit of both, the ratio of a job
 * to TransformerLens' cannot be far above the ratio here.
 */
import { bareProducts } from "./gemm.ts";
import { inTurn, rounded } from "./measure.ts";
import { python } from "./python.ts";

const sizes = [
  [15, 768, 3072],
  [135, 768, 3072],
  [1350, 768, 3072],
  [4096, 512, 48262],
  [8192, 256, 4096],
] as const;

/** A small product would be read from the processor's cache, as no job's is: as many weights as a model has, one after the other. */
const NUMBERS = 24e6;

export async function products() {
  const theirs = await python("products.py", [JSON.stringify({ sizes, numbers: NUMBERS })]);
  const rows: Record<string, unknown> = {};
  for (const [i, [m, k, n]] of sizes.entries()) {
    const count = Math.max(1, Math.floor(NUMBERS / (k * n)));
    const all = bareProducts(Array.from({ length: count }, (): [number, number, number] => [m, k, n]));
    const { ours } = await inTurn({ ours: all }, 9);
    const ms = ours.median_ms / count;
    const them = Array.isArray(theirs.median_ms) ? Number(theirs.median_ms[i]) : null;
    const gflops = (time: number) => rounded((2 * m * k * n) / time / 1e6, 0);
    rows[`${m} x [${k} ${n}]`] = {
      ms: rounded(ms, 3),
      gflops: gflops(ms),
      pytorch_ms: them,
      pytorch_gflops: them && gflops(them),
      vs_pytorch: them && rounded(them / ms),
    };
  }
  return { sizes: rows, pytorch: "error" in theirs ? null : theirs };
}
