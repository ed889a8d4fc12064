/** What both onnxruntimes share: they have one JavaScript API, onnxruntime-common. */
import type { InferenceSession, InferenceSessionFactory, TensorConstructor } from "onnxruntime-common";
import type { DType, NDArray } from "../tensor/array.ts";
import type { Backend, Session } from "./backend.ts";
import type { Feed } from "./feeds.ts";
import { told } from "./ort-errors.ts";

interface Runtime {
  readonly InferenceSession: InferenceSessionFactory;
  readonly Tensor: TensorConstructor;
}

/** Its own coloured lines on stderr are off: the errors contain what they say. */
const FATAL_ONLY = 4;

/** @param traits the backend's other properties */
export function backendOver(
  name: string,
  runtime: Runtime,
  options: InferenceSession.SessionOptions,
  traits: Omit<Backend, "name" | "createSession"> = {},
): Backend {
  const toOrt = ({ dtype, data, shape }: Feed) => new runtime.Tensor(dtype as "float32", data as Float32Array, shape);
  const silent = { ...options, logSeverityLevel: FATAL_ONLY } as const;
  return {
    ...traits,
    name,
    async createSession(model, outputs): Promise<Session> {
      const session = await runtime.InferenceSession.create(model, silent).catch((error) => {
        throw told(error, "compile a graph");
      });
      return {
        async run(feeds) {
          try {
            const inputs = Object.fromEntries([...feeds].map(([key, array]) => [key, toOrt(array)]));
            const results = await session.run(inputs);
            return outputs.map((key) => {
              const { type, data, dims } = results[key];
              return { dtype: type as DType, shape: dims, data } as NDArray;
            });
          } catch (error) {
            throw told(error, "run a graph");
          }
        },
        release: () => session.release(),
      };
    },
  };
}
