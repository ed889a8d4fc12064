/** What every build of onnxruntime-web shares, wherever it runs: in a page, or in a worker. */
import type { Env, Tensor } from "onnxruntime-common";
import { GlassformerError } from "../tensor/errors.ts";
import { between, oneOf, TEXT } from "../tensor/kinds.ts";
import type { OptionKinds } from "../tensor/options.ts";
import { shortened } from "../tensor/show.ts";
import type { Backend } from "./backend.ts";
import { DEVICES, type Device } from "./devices.ts";
import type { Feed } from "./feeds.ts";
import { backendOver, type Runtime } from "./ort.ts";
import { onGpu } from "./ort-gpu.ts";
import { placed, settle, type WebBackendOptions } from "./ort-web-settings.ts";

/** More than any machine's cores: the runtime would start a worker for each. */
const MOST_THREADS = 64;

/** The kinds of `WebBackendOptions`. */
export const WEB_OPTIONS: OptionKinds<WebBackendOptions> = {
  device: oneOf(DEVICES),
  threads: {
    accepts: (value) => Number.isInteger(value) && between(1, MOST_THREADS).accepts(value),
    describe: `a whole number from 1 to ${MOST_THREADS}`,
  },
  runtimeFolder: TEXT,
};

/** A build of onnxruntime-web. */
export type WebRuntime = Runtime & { readonly env: Env };

/** A build with its settings, before it starts. */
async function ready(loading: Promise<WebRuntime>, options: WebBackendOptions): Promise<WebRuntime> {
  const runtime = await loading.catch((cause) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new GlassformerError(
      `onnxruntime-web, which computes in pages, could not be loaded (${shortened(reason, 200)}): check the connection, and that the site serves all files of its build, then reload the page.`,
      { cause },
    );
  });
  settle(runtime.env, options);
  return runtime;
}

/** What each build of onnxruntime-web fetches, and its size. */
export const RUNTIME_FILES = {
  cpu: { file: "ort-wasm-simd-threaded.wasm", bytes: 14_239_897 },
  webgpu: { file: "ort-wasm-simd-threaded.jsep.wasm", bytes: 28_312_028 },
};

/** What of a backend follows from its device. Measured with onnxruntime-web 1.30's WebGPU: float16 is read as 0, int4 multiplied to 0, int8 refused, and Gelu by erf whatever it is asked for. */
export const webTraits = (
  device: Device,
): Pick<Backend, "fetched" | "copiesFeeds" | "wholeWeights" | "geluByErf" | "branches"> => ({
  fetched: device === "cuda" ? undefined : RUNTIME_FILES[device],
  copiesFeeds: true,
  wholeWeights: device === "webgpu",
  geluByErf: device === "webgpu",
  branches: device === "cpu",
});

/** Loads the build for a device. @param runtimeFolder the option of that name */
export type LoadBuild = (device: Device, runtimeFolder: string | undefined) => Promise<WebRuntime>;

/** A backend on this thread. @param build called when it is first needed */
export function webBackendOver(build: LoadBuild, options: WebBackendOptions): Backend {
  const { device = "cpu" } = options;
  const settings = placed(options);
  const load = (on: Device) => ready(build(on, settings.runtimeFolder), settings);
  let put: ((feed: Feed) => Promise<Tensor | undefined>) | undefined;
  const place = async (feed: Feed) => {
    put ??= onGpu(await load(device));
    return put(feed);
  };
  const provider = {
    ...{ device, names: { cpu: "wasm", webgpu: "webgpu" } },
    ...(device === "webgpu" ? { place, leavesResults: true } : {}),
  };
  const traits = { ...webTraits(device), holdsThread: true };
  const backend = backendOver("onnxruntime-web", load, { graphOptimizationLevel: "all" }, provider, traits);
  return device === "webgpu" ? inTurn(backend) : backend;
}

/** What onnxruntime-web does on the graphics processor now: it refuses a second run while there is one. */
let gpuIsBusy: Promise<unknown> = Promise.resolve();

function next<T>(act: () => Promise<T>): Promise<T> {
  const done = gpuIsBusy.then(act);
  gpuIsBusy = done.catch(() => {});
  return done;
}

/** A backend that does one thing at a time. */
function inTurn(backend: Backend): Backend {
  return {
    ...backend,
    async createSession(model, outputs) {
      const session = await next(() => backend.createSession(model, outputs));
      return {
        run: (feeds, fixed) => next(() => session.run(feeds, fixed)),
        release: () => next(() => session.release()),
      };
    },
  };
}
