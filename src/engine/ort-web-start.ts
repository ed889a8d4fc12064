/** Starts onnxruntime-web for the processor before there is an engine. Each of its builds starts once in a page, or in a worker: an engine then finds it started. */
import { placed, settle, type WebBackendOptions } from "./ort-web-settings.ts";

/** Resolves once its WebAssembly is on its way. Whatever is wrong, the first run says. @param graph any that it can compile: it starts with its first */
export async function startWebRuntime(graph: Uint8Array, options: WebBackendOptions): Promise<void> {
  const settings = placed(options);
  const script = `${settings.runtimeFolder}ort-wasm-simd-threaded.mjs`;
  try {
    const [{ env, InferenceSession }] = await Promise.all([
      import("onnxruntime-web/wasm"),
      import(/* @vite-ignore */ script),
    ]);
    settle(env, settings);
    void InferenceSession.create(graph, { executionProviders: ["wasm"] }).then(
      (session) => session.release(),
      () => {},
    );
  } catch {
    // Its first use says so.
  }
}
