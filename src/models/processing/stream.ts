/** What a recording says about the residual stream: which weights read each norm, which write to it, and who reads it. */
import { isName } from "../../graph/layouts.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { topological } from "../../graph/walk.ts";
import type { Recording } from "../recording.ts";
import { bare, type NormUse, type Product } from "../structure.ts";

/** A norm, and the products that read it. */
export interface ReadNorm {
  readonly norm: NormUse;
  readonly readers: readonly Product[];
  /** Whether only products read it, so that its weights can move into theirs. */
  readonly onlyProducts: boolean;
}

/** The residual stream of a model. */
export interface Stream {
  /** Norms that are read by products. */
  readonly norms: readonly ReadNorm[];
  /** The weights that write to the stream, [... d_model], directly or by way of a LayerNorm of the embedding; what something else makes of a weight's product is not among them. */
  readonly writers: readonly Tensor[];
  /** Whether everything that reads the stream subtracts its mean. */
  readonly meanFree: boolean;
  /** A norm whose result is written to the stream. */
  readonly outputNorm: NormUse | undefined;
  /** Whether logits are what `W_U` gives, so that a constant in it changes them by a constant. */
  readonly logitsAreProduct: boolean;
}

/** What a result is computed by from its input. */
function stepsOf({ input, result }: Pick<Product, "input" | "result">): Tensor[] {
  return topological([result], new Set([input]));
}

/** The stream of a recorded model. */
export function streamOf({ structure, output }: Recording): Stream {
  const { products, mixtures, lookups, norms, additions } = structure;
  const users = new Map<Tensor, Tensor[]>();
  for (const t of topological([output])) {
    for (const x of t.inputs) {
      const known = users.get(x) ?? [];
      known.push(t);
      users.set(x, known);
    }
  }
  /** What is computed from a value, seen through hook points and names of axes. */
  const usersOf = (x: Tensor): Tensor[] => (users.get(x) ?? []).flatMap((t) => (isName(t) ? [t, ...usersOf(t)] : [t]));
  const same = (a: Tensor, b: Tensor) => bare(a) === bare(b);

  const readNorms = norms.map((norm): ReadNorm => {
    const readers = products.filter(({ input }) => same(input, norm.result));
    const within = new Set(readers.flatMap(stepsOf));
    const onlyProducts = usersOf(bare(norm.result)).every((t) => isName(t) || within.has(t));
    return { norm, readers, onlyProducts };
  });

  const added = new Set(additions.map(({ result }) => bare(result)));
  const first = additions.find(({ stream }) => !added.has(bare(stream)))?.stream;
  const values = [...(first ? [beforeLayerNorm(first, norms)] : []), ...additions.map(({ value }) => value)];
  const written = values.map((value) => {
    const product = products.find(({ result }) => same(result, value));
    const lookup = lookups.find(({ result }) => same(result, value));
    const mixture = mixtures.find(({ result }) => same(result, value));
    return [product?.weight, product?.bias, lookup?.weight, ...(mixture?.weights ?? [])].filter(
      (weight) => weight !== undefined,
    );
  });
  const stream = [...new Set([...added, ...(first ? [bare(first)] : [])])];
  const centring = new Set(norms.filter(({ subtractsMean }) => subtractsMean).flatMap(stepsOf));
  const meanFree = stream.every((value) => usersOf(value).every((t) => isName(t) || added.has(t) || centring.has(t)));
  return {
    norms: readNorms.filter(({ readers }) => readers.length > 0),
    writers: written.flat(),
    meanFree: meanFree && norms.length > 0,
    outputNorm: norms.find(({ result }) => additions.some(({ value }) => same(value, result))),
    logitsAreProduct: products.some(({ result }) => same(result, output)),
  };
}

/** What a LayerNorm's result is made of, which then has any mean; another value itself. */
function beforeLayerNorm(x: Tensor, norms: readonly NormUse[]): Tensor {
  return norms.find(({ result, subtractsMean }) => subtractsMean && bare(result) === bare(x))?.input ?? x;
}
