/** What both onnxruntimes share: they have one JavaScript API, onnxruntime-common. */
import type { InferenceSession, InferenceSessionFactory, Tensor, TensorConstructor } from "onnxruntime-common";
import type { DType, NDArray } from "../tensor/array.ts";
import type { Backend, Session } from "./backend.ts";
import { type Device, missingDevice } from "./devices.ts";
import type { Feed } from "./feeds.ts";
import { told } from "./ort-errors.ts";

/** What is used of a runtime's module. */
export interface Runtime {
  readonly InferenceSession: InferenceSessionFactory;
  readonly Tensor: TensorConstructor;
}

/** How a runtime computes on a device. */
interface Provider {
  readonly device: Device;
  /** onnxruntime's name for what computes on a device. */
  readonly names: Readonly<Partial<Record<Device, string>>>;
  /** Throws for a device that is not there, where the runtime would say more than its error does. */
  readonly check?: (device: Device) => void;
  /** Puts numbers that stay the same onto the device, if it can hold them there. */
  readonly place?: (feed: Feed) => Promise<Tensor | undefined>;
  /** Whether results stay on the device until they are read, all of them at the same time. The runtime would read one after the other. */
  readonly leavesResults?: boolean;
}

/** Its own coloured lines on stderr and the console are off: the errors contain what they say. */
const FATAL_ONLY = 4;

/**
 * @param load the runtime that computes on a device, which is loaded when it is first needed
 * @param traits the backend's other properties
 */
export function backendOver(
  name: string,
  load: (device: Device) => Promise<Runtime>,
  options: InferenceSession.SessionOptions,
  { device, names, check, place, leavesResults }: Provider,
  traits: Omit<Backend, "name" | "createSession"> = {},
): Backend {
  const create = async (model: Uint8Array, on: Device) => {
    check?.(on);
    const { InferenceSession } = await load(on);
    return InferenceSession.create(model, {
      ...options,
      executionProviders: [names[on] ?? on],
      ...(leavesResults && on === device ? { preferredOutputLocation: "gpu-buffer" } : {}),
      logSeverityLevel: FATAL_ONLY,
    });
  };
  const works = (model: Uint8Array) => async (on: Device) => {
    if (names[on] === undefined) return false;
    const session = await create(model, on).catch(() => undefined);
    await session?.release();
    return session !== undefined;
  };
  let worked = device === "cpu";
  return {
    ...traits,
    name,
    async createSession(model, outputs): Promise<Session> {
      const session = await create(model, device).catch(async (error) => {
        throw worked ? told(error, "compile a graph") : await missingDevice(device, error, works(model));
      });
      worked = true;
      const runtime = await load(device);
      const toOrt = ({ dtype, data, shape }: Feed) =>
        new runtime.Tensor(dtype as "float32", data as Float32Array, shape) as Tensor;
      return {
        async run(feeds, fixed) {
          try {
            const inputs: Record<string, Tensor> = {};
            for (const [key, feed] of feeds) {
              inputs[key] = (fixed?.has(key) ? await place?.(feed) : undefined) ?? toOrt(feed);
            }
            const results = await session.run(inputs, { logSeverityLevel: FATAL_ONLY });
            return await Promise.all(
              outputs.map(async (key) => {
                const { type, dims } = results[key];
                return { dtype: type as DType, shape: dims, data: await results[key].getData(true) } as NDArray;
              }),
            );
          } catch (error) {
            throw told(error, "run a graph");
          }
        },
        release: () => session.release(),
      };
    },
  };
}
