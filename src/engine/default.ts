/** The engine that everything uses unless told otherwise; the platform's entry says which backend it runs on. */
import { setDefaultEvaluate } from "../graph/evaluate.ts";
import { GlassformerError } from "../tensor/errors.ts";
import { type Backend, Engine } from "./engine.ts";

let make: (() => Backend) | undefined;
let engine: Engine | undefined;

export function setDefaultBackend(backend: () => Backend): void {
  make = backend;
  engine = undefined;
  setDefaultEvaluate((outputs, options) => defaultEngine().run(outputs, options));
}

/** @throws GlassformerError if no platform's entry was imported. */
export function defaultEngine(): Engine {
  if (!engine && make) engine = new Engine(make());
  if (engine) return engine;
  throw new GlassformerError(
    'No engine is there: import from "glassformer", which brings its platform\'s, or pass `engine`.',
  );
}
