/**
 * Sessions of the tests that load this compute in one thread: there is a test file for each core already, and a thread waits for its
 * first work by spinning, for longer than a tiny graph takes to compile. The tests of the engine, of training and of commands use all cores.
 */
import { createRequire } from "node:module";
import type { InferenceSession } from "onnxruntime-common";

// onnxruntime-node's own copy, which is CommonJS.
const runtime: { InferenceSession: { create: Create } } = createRequire(import.meta.url)("onnxruntime-common");
type Create = (model: Uint8Array, options?: InferenceSession.SessionOptions) => Promise<InferenceSession>;

const { create } = runtime.InferenceSession;
runtime.InferenceSession.create = (model, options) =>
  create.call(runtime.InferenceSession, model, { intraOpNumThreads: 1, ...options });
