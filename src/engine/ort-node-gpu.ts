/** Weights in the memory of Node's graphics processor: copied there once, for as long as the numbers live. */
import type { InferenceSession, Tensor } from "onnxruntime-node";
import { Tensor as Value } from "../graph/tensor.ts";
import type { DType, NDArray } from "../tensor/array.ts";
import type { Feed } from "./feeds.ts";
import { computedOutputs, slotName, writeOnnx } from "./onnx.ts";
import { makePlan } from "./plan.ts";

/** Compiles a graph whose results stay in the device's memory, and feeds arrays to it. */
export interface NodeGpu {
  compile(model: Uint8Array): Promise<InferenceSession>;
  toOrt(feed: Feed): Tensor;
}

/**
 * A function that puts numbers there. onnxruntime-node can only leave results of a run there, so the numbers are those of a run that adds 0 to them,
 * in one session for each dtype and number of axes.
 */
export function onNodeGpu({ compile, toOrt }: NodeGpu): (feed: Feed) => Promise<Tensor | undefined> {
  const placed = new WeakMap<object, Tensor>();
  const sessions = new Map<
    string,
    Promise<{ readonly names: readonly string[]; readonly session: InferenceSession }>
  >();
  const copying = (dtype: "float32" | "int32", rank: number) => {
    const key = `${dtype} ${rank}`;
    const found = sessions.get(key) ?? compiled(dtype, rank);
    sessions.set(key, found);
    return found;
  };
  const compiled = async (dtype: "float32" | "int32", rank: number) => {
    const plan = makePlan([leaf(dtype, Array(rank).fill(2)).add(leaf(dtype, []))]);
    return { names: [...plan.inputs, ...computedOutputs(plan)].map(slotName), session: await compile(writeOnnx(plan)) };
  };
  return async (feed) => {
    const { dtype, shape, data } = feed;
    if ((dtype !== "float32" && dtype !== "int32") || data.length === 0) return undefined;
    const known = placed.get(data);
    if (known && known.dims.join() === shape.join()) return known;
    const { names, session } = await copying(dtype, shape.length);
    const [numbers, zero, result] = names;
    const inputs = { [numbers]: toOrt(feed), [zero]: toOrt(zeros(dtype, []) as Feed) };
    const tensor = (await session.run(inputs))[result] as Tensor;
    placed.set(data, tensor);
    return tensor;
  };
}

const leaf = (dtype: "float32" | "int32", shape: readonly number[]): Value => Value.leaf(zeros(dtype, shape));

function zeros(dtype: DType, shape: readonly number[]): NDArray {
  const size = shape.reduce((product, n) => product * n, 1);
  return { dtype, shape, data: dtype === "int32" ? new Int32Array(size) : new Float32Array(size) } as NDArray;
}
