/** onnxruntime-web's own files, loaded from their folder. */
import type { LoadBuild } from "../engine/ort-web-runtime.ts";

/** The build for a device, which looks for its WebAssembly in the same folder. */
export const loadBuild: LoadBuild = (device, folder) =>
  import(/* @vite-ignore */ `${folder}${device === "webgpu" ? "ort.min.mjs" : "ort.wasm.min.mjs"}`);
