/** The default engine: one over the platform's backend. */
import { Tensor } from "../graph/tensor.ts";
import { platform } from "../platform.ts";
import { ndarray } from "../tensor/array.ts";
import { GlassformerError } from "../tensor/errors.ts";
import type { Backend } from "./backend.ts";
import type { Device } from "./devices.ts";
import { Engine } from "./engine.ts";

const engines = new WeakMap<(device?: Device) => Backend, Engine>();

/** @throws GlassformerError if no platform's entry was imported. */
export function defaultEngine(): Engine {
  const { backend } = platform();
  if (!backend) {
    throw new GlassformerError(
      'There is no engine: import from "glassformer", which brings its platform\'s, or pass `engine`.',
    );
  }
  const engine = engines.get(backend) ?? new Engine(backend());
  engines.set(backend, engine);
  return engine;
}

/**
 * An engine over the platform's backend on a device; for the processor it is the default one.
 * @throws ArgumentError for a device that cannot be used here, with those that can
 */
export async function engineOn(device: Device): Promise<Engine> {
  const usual = defaultEngine();
  if (device === "cpu") return usual;
  const engine = new Engine(platform().backend!(device));
  const one = Tensor.leaf(ndarray("float32", [1], Float32Array.of(1)));
  await engine.run([one.add(one)]); // a run is what shows whether the device is there
  return engine;
}

/** Starts what will compute, if there is an engine, while a model is read. */
export function startEngine(engine?: Engine): void {
  if (engine || platform().backend) void (engine ?? defaultEngine()).start().catch(() => {});
}
