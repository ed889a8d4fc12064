/** The default engine: one over the platform's backend. */
import { platform } from "../platform.ts";
import { GlassformerError } from "../tensor/errors.ts";
import type { Backend } from "./backend.ts";
import { Engine } from "./engine.ts";

let last: { readonly over: () => Backend; readonly engine: Engine } | undefined;

/** @throws GlassformerError if no platform's entry was imported. */
export function defaultEngine(): Engine {
  const { backend } = platform();
  if (!backend) {
    throw new GlassformerError(
      'There is no engine: import from "glassformer", which brings its platform\'s, or pass `engine`.',
    );
  }
  if (last?.over !== backend) last = { over: backend, engine: new Engine(backend()) };
  return last.engine;
}
