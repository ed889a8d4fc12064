/** glassformer: everything that runs on any platform. `glassformer` itself adds the platform's engine and files. */

// the engine
export { type Backend, Engine, type Session } from "./engine/engine.ts";
// the graph of named values
export type { AxisRef } from "./graph/axes.ts";
export { grad } from "./graph/grad.ts";
export { print } from "./graph/print.ts";
export { Tensor, tensor } from "./graph/tensor.ts";
// the lens
export { ActivationCache } from "./lens/activation-cache.ts";
export type { FromPretrainedOptions } from "./lens/from-pretrained.ts";
export type { HookName, HookNameLike, NamesFilter } from "./lens/hook-names.ts";
export {
  type CacheOptions,
  type ForwardOptions,
  HookedTransformer,
  type HookOptions,
  type Output,
  type ReturnType,
} from "./lens/hooked-transformer.ts";
export type { Hook, HookFunction, HookPoint } from "./lens/hooks.ts";
export { type Edit, ModelGraph } from "./lens/model-graph.ts";
export type { ModelInput } from "./lens/model-input.ts";
export { type ModelFiles, memoryFiles, readPth, readSafetensors, writeSafetensors } from "./load/index.ts";
// models and their files
export { getActName } from "./models/act-name.ts";
export { type HookedTransformerConfig, parseConfig } from "./models/config.ts";
export { MODEL_ALIASES } from "./models/families/index.ts";
// numbers and errors
export type { DType, NDArray, TypedData } from "./tensor/array.ts";
export {
  ArgumentError,
  ConfigError,
  FileFormatError,
  GlassformerError,
  HubError,
  InputError,
  ShapeError,
  UnknownNameError,
  WeightsError,
} from "./tensor/errors.ts";
// text
export { parsePrompts, Tokenizer, TokenRules } from "./text/index.ts";
