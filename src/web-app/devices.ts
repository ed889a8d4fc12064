/** On what the worker computes: WebAssembly, or a graphics processor by WebGPU. */
import { engineOn, tryEngine } from "../engine/default.ts";
import { webThreads } from "../engine/ort-web-settings.ts";
import type { HookedTransformerConfig } from "../models/config/config.ts";
import { type Platform, platform, usePlatform } from "../platform.ts";
import type { ComputesOn } from "./messages.ts";
import type { DeviceChoice } from "./state.ts";

/**
 * From this many parameters on, embeddings left aside, a graphics processor is chosen. Measured (`npm run bench -- devices`): passes gain from 3 million on, but a
 * first result comes later, and a continuation gains from 19 million on.
 */
const WORTH_GPU = 15e6;

/** Makes the runtime that is chosen the one that starts while a model is read. */
export async function expectOn(choice: DeviceChoice): Promise<void> {
  if (choice === "webgpu" && (await whyNoWebGpu()) === "") use("webgpu");
}

/** Makes every run of the worker be on the chosen device, or on WebAssembly where that cannot be. */
export async function computeOn(choice: DeviceChoice, cfg: HookedTransformerConfig): Promise<ComputesOn> {
  const wanted = choice === "webgpu" || (choice === "automatic" && (await gains(cfg)));
  const why = wanted ? await whyNotOnGpu(cfg) : "";
  const device = wanted && why === "" ? "webgpu" : "cpu";
  use(device);
  return { device, threads: webThreads(), ...(choice === "webgpu" && why !== "" ? { why } : {}) };
}

/** Why there is no WebGPU; "" if there is. */
export async function whyNoWebGpu(): Promise<string> {
  if (!isSecureContext) return "only pages on https have it";
  if (!(navigator as Partial<Navigator>).gpu) return "this browser does not have it";
  return (await navigator.gpu.requestAdapter()) ? "" : "this browser finds no graphics processor";
}

/** Whether there is a graphics processor, not one made of software, and the model is large enough for it. */
async function gains({ nParams }: HookedTransformerConfig): Promise<boolean> {
  if (nParams < WORTH_GPU || (await whyNoWebGpu()) !== "") return false;
  return (await navigator.gpu.requestAdapter())?.info.isFallbackAdapter === false;
}

async function whyNotOnGpu({ numExperts }: HookedTransformerConfig): Promise<string> {
  if (numExperts !== null) return "mixtures of experts do not run there";
  const missing = await whyNoWebGpu();
  if (missing !== "") return missing;
  return tryEngine(engineOn("webgpu")).then(
    () => "",
    (error: Error) => error.message,
  );
}

function use(device: ComputesOn["device"]): void {
  usePlatform({ ...platform(), backend: device === "webgpu" ? onGpu : usual() });
}

let first: Platform["backend"] | undefined;

/** The platform's own backend, on WebAssembly unless it is asked for a device. */
function usual(): Platform["backend"] {
  first ??= platform().backend!;
  return first;
}

const onGpu: Platform["backend"] = (device = "webgpu") => usual()(device);
