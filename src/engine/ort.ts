/** What both onnxruntimes share: they have one JavaScript API, onnxruntime-common. */
import type { InferenceSession, InferenceSessionFactory, TensorConstructor } from "onnxruntime-common";
import type { DType, NDArray } from "../tensor/array.ts";
import type { Backend, Session } from "./engine.ts";

interface Runtime {
  readonly InferenceSession: InferenceSessionFactory;
  readonly Tensor: TensorConstructor;
}

export function backendOver(
  name: string,
  runtime: Runtime,
  options: InferenceSession.SessionOptions,
  { copiesFeeds = false }: { readonly copiesFeeds?: boolean } = {},
): Backend {
  const toOrt = (array: NDArray) => new runtime.Tensor(array.dtype, array.data as Float32Array, array.shape);
  return {
    name,
    copiesFeeds,
    async createSession(model, outputs): Promise<Session> {
      const session = await runtime.InferenceSession.create(model, options);
      return {
        async run(feeds) {
          const results = await session.run(Object.fromEntries([...feeds].map(([key, array]) => [key, toOrt(array)])));
          return outputs.map((key) => {
            const { type, data, dims } = results[key];
            return { dtype: type as DType, shape: dims, data } as NDArray;
          });
        },
        release: () => session.release(),
      };
    },
  };
}
