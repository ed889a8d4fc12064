/** Weights in the memory of a page's graphics processor: copied there once, for as long as the numbers live. */
import type { Env, Tensor, TensorConstructor } from "onnxruntime-common";
import type { Feed } from "./feeds.ts";

/** What is used of a page's GPUDevice; its types are the browser's. */
interface Gpu {
  createBuffer(of: { size: number; usage: number }): { destroy(): void };
  readonly queue: { writeBuffer(to: object, offset: number, bytes: ArrayBufferLike, from: number, size: number): void };
}

/** GPUBufferUsage: STORAGE, COPY_SRC and COPY_DST. */
const USAGE = 0x80 | 0x4 | 0x8;

/** Numbers that are a whole number of words can be copied; everything else is fed each time. */
const WORD = 4;

/** @param runtime onnxruntime-web, whose device exists once it has compiled a graph */
export function onGpu(runtime: {
  readonly env: Env;
  readonly Tensor: TensorConstructor;
}): (feed: Feed) => Promise<Tensor | undefined> {
  const placed = new WeakMap<object, Tensor>();
  const left = new FinalizationRegistry<{ destroy(): void }>((buffer) => buffer.destroy());
  return async ({ dtype, shape, data }) => {
    if (dtype !== "float32" && dtype !== "int32") return undefined;
    const known = placed.get(data);
    if (known && known.dims.join() === shape.join()) return known;
    const gpu = (await runtime.env.webgpu.device) as unknown as Gpu | undefined;
    if (!gpu || data.byteLength === 0 || data.byteLength % WORD !== 0) return undefined;
    const buffer = gpu.createBuffer({ size: data.byteLength, usage: USAGE });
    gpu.queue.writeBuffer(buffer, 0, data.buffer, data.byteOffset, data.byteLength);
    const tensor = (
      runtime.Tensor as unknown as {
        fromGpuBuffer(b: object, o: { dataType: string; dims: readonly number[] }): Tensor;
      }
    ).fromGpuBuffer(buffer, { dataType: dtype, dims: shape });
    placed.set(data, tensor);
    left.register(data, buffer);
    return tensor;
  };
}
