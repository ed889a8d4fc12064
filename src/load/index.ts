/** load: name -> bytes -> named arrays. Everything here runs anywhere; `node.ts` has what needs Node. */
export type { ByteSource } from "./bytes.ts";
export { memorySource, parseJsonObject } from "./bytes.ts";
export type { FileDType } from "./dtypes.ts";
export type { LoadOptions, ModelFiles, Progress } from "./files.ts";
export { memoryFiles } from "./memory.ts";
export type { PthOptions } from "./pth.ts";
export { readPth } from "./pth.ts";
export { readSafetensors, readShardedSafetensors } from "./safetensors.ts";
export type { WriteOptions } from "./safetensors-write.ts";
export { writeSafetensors } from "./safetensors-write.ts";
export type { StoredTensors } from "./stored.ts";
export { readAll } from "./stored.ts";
export { inFolder, trainedSteps } from "./training-folder.ts";
export type { UrlSourceOptions } from "./url.ts";
export { urlSource } from "./url.ts";
export type { WeightsOptions } from "./weights.ts";
export { loadWeights, openWeights } from "./weights.ts";
