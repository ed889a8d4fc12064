/** The weights of a dictionary: which its configuration asks for, and whether those that are there are these. */
import { Tensor } from "../graph/tensor.ts";
import type { Sizes } from "../models/weights/spec.ts";
import { type NDArray, ndarray, sizeOf } from "../tensor/array.ts";
import { WeightsError } from "../tensor/errors.ts";
import { nearest } from "../tensor/nearest.ts";
import { shown } from "../tensor/show.ts";
import { firstOf } from "../tensor/words.ts";
import { ACTIVATIONS } from "./activations.ts";
import { compositionOf, type DictionaryConfig } from "./config.ts";

/** The weights of a configuration by name, with their axes and sizes in order. */
export function weightSizes(cfg: DictionaryConfig): ReadonlyMap<string, Sizes> {
  const { dIn: d_in, dSae: d_sae, dOut: d_out } = cfg;
  const { activation, skip } = compositionOf(cfg);
  return new Map<string, Sizes>([
    ["W_enc", { d_in, d_sae }],
    ...Object.keys(ACTIVATIONS[activation].weights).map((name): [string, Sizes] => [name, { d_sae }]),
    ["W_dec", { d_sae, d_out }],
    ["b_dec", { d_out }],
    ...(skip ? [["W_skip", { d_out, d_in }] as [string, Sizes]] : []),
  ]);
}

/**
 * A dictionary's weights as leaves, float32 whatever they were.
 * @param what whose they are, to start a sentence: "The dictionary my-sae"
 * @throws WeightsError for one that is missing, left over, of another shape, or with a number that is not finite
 */
export function checkedWeights(
  cfg: DictionaryConfig,
  given: ReadonlyMap<string, NDArray | Tensor>,
  what: string,
): ReadonlyMap<string, Tensor> {
  const asked = weightSizes(cfg);
  const names = [...asked.keys()];
  for (const name of given.keys()) {
    if (asked.has(name)) continue;
    const near = nearest(name, names);
    throw new WeightsError(
      `${what} has a weight ${shown(name)} that the architecture "${cfg.architecture}" does not use${near ? `; the closest match is "${near}"` : ""}: it has ${names.join(", ")}.`,
      { asked: name, found: names, nearest: near },
    );
  }
  return new Map([...asked].map(([name, sizes]) => [name, leafOf(name, sizes, given, cfg, what)]));
}

function leafOf(
  name: string,
  sizes: Sizes,
  given: ReadonlyMap<string, NDArray | Tensor>,
  { architecture }: DictionaryConfig,
  what: string,
): Tensor {
  const found = given.get(name);
  const array = found instanceof Tensor ? found.array : found;
  if (!array) {
    const has = firstOf([...given.keys()]) || "none";
    throw new WeightsError(
      `${what} has no weight "${name}" [${Object.keys(sizes)}], which the architecture "${architecture}" needs: it has ${has}.`,
      { asked: name, found: [...given.keys()] },
    );
  }
  const checked = checkedArray(name, sizes, array, what);
  if (found instanceof Tensor && found.role === "weight" && found.dtype === "float32") return found;
  return Tensor.leaf(checked, Object.keys(sizes), "weight", name);
}

/**
 * A weight of the sizes that it must have, in float32.
 * @param what whose it is, to start a sentence
 * @throws WeightsError for another shape, whole numbers, or a number that is not finite
 */
export function checkedArray(name: string, sizes: Sizes, array: NDArray, what: string): NDArray<"float32"> {
  const of = `The weight "${name}" of ${what[0].toLowerCase()}${what.slice(1)}`;
  const shape = Object.values(sizes);
  if (array.shape.join() !== shape.join()) {
    const turned = shape.length === 2 && [...shape].reverse().join() === array.shape.join();
    throw new WeightsError(
      `${of} is [${array.shape}], but must be [${Object.entries(sizes).map(([axis, n]) => `${axis} ${n}`)}]${turned ? ": transpose it" : ""}.`,
      { asked: shape, found: array.shape },
    );
  }
  const data = float32Of(array);
  if (!data) {
    throw new WeightsError(`${of} must hold floating-point numbers, not ${array.dtype}.`, {
      asked: name,
      found: array.dtype,
    });
  }
  const bad = data.findIndex((x) => !Number.isFinite(x));
  if (bad < 0) return ndarray("float32", shape, data);
  throw new WeightsError(`${of} has ${data[bad]} at position ${bad}: the file is damaged, or its training failed.`, {
    asked: name,
    found: data[bad],
  });
}

/** The numbers in float32; undefined for whole numbers, or another count of them than the shape says. */
function float32Of({ dtype, shape, data }: NDArray): Float32Array | undefined {
  if (data?.length !== sizeOf(shape)) return undefined;
  if (dtype === "float32") return data as Float32Array;
  return dtype === "float64" ? Float32Array.from(data) : undefined;
}
