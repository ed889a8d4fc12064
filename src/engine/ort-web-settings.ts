/** How onnxruntime-web is set before it starts. What needs no more than this can start it before the library is there. */
import type { Env } from "onnxruntime-common";
import type { Device } from "./devices.ts";

/** Where and how onnxruntime-web computes. */
export interface WebBackendOptions {
  /** What computes: the processor by WebAssembly (the default), or the graphics processor by WebGPU. */
  readonly device?: Device | undefined;
  /**
   * Threads within one op, where pages may share memory between threads (COOP and COEP); elsewhere there is one. Default: half of
   * the cores, at most 4. The first run in a page, or in a worker, decides it.
   */
  readonly threads?: number | undefined;
  /**
   * The address of the folder that has onnxruntime-web's own files (`ort-wasm-*.mjs` and `.wasm`). Default: that of its script, where
   * bundlers put them. The first run in a page, or in a worker, decides it.
   */
  readonly runtimeFolder?: string | undefined;
}

/** onnxruntime-web's own default, which its build for WebAssembly cannot work out in Node. */
function usualThreads(): number {
  const cores = (globalThis as { readonly navigator?: Partial<Navigator> }).navigator?.hardwareConcurrency ?? 1;
  return Math.min(4, Math.ceil(cores / 2));
}

/** Threads of a run: `wanted`, or as many as are usual, and one where pages may not share memory. */
export function webThreads(wanted: number = usualThreads()): number {
  const shares = (globalThis as { readonly crossOriginIsolated?: boolean }).crossOriginIsolated !== false;
  return shares ? wanted : 1;
}

/** Options that mean the same in a worker, whose addresses are relative to its own script. */
export function placed(options: WebBackendOptions): WebBackendOptions {
  const { runtimeFolder } = options;
  if (runtimeFolder === undefined) return options;
  const { location } = globalThis as { readonly location?: Location };
  return { ...options, runtimeFolder: new URL(runtimeFolder.replace(/\/?$/, "/"), location?.href).href };
}

/** Sets a build that has not started. */
export function settle({ wasm }: Env, { threads, runtimeFolder }: WebBackendOptions): void {
  // Asked for more where memory cannot be shared, the runtime would write warnings to the console.
  wasm.numThreads = webThreads(threads);
  if (runtimeFolder !== undefined) wasm.wasmPaths = runtimeFolder;
}
