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

/** An engine over the platform's backend on a device; for the processor it is the default one. */
export function engineOn(device: Device): Engine {
  const usual = defaultEngine();
  return device === "cpu" ? usual : new Engine(platform().backend!(device));
}

/** @throws ArgumentError for an engine whose device cannot be used here, with those that can: a run is what shows it */
export async function tryEngine(engine: Engine): Promise<void> {
  const one = Tensor.leaf(ndarray("float32", [1], Float32Array.of(1)));
  await engine.run([one.add(one)]);
}

/** What will compute, if there is an engine. */
export function usualEngine(): Engine | undefined {
  return platform().backend && defaultEngine();
}

/** Starts what will compute while a model is read. Whatever is wrong with it, the first run says. */
export async function startEngine(engine = usualEngine()): Promise<void> {
  await engine?.start().catch(() => {});
}
