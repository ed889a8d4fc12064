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

/** onnxruntime-web's own default, which its build for WebAssembly cannot work out in Node. */
function usualThreads(): number {
  const cores = (globalThis as { readonly navigator?: Partial<Navigator> }).navigator?.hardwareConcurrency ?? 1;
  return Math.min(4, Math.ceil(cores / 2));
}

/** Options that mean the same in a worker, whose addresses are relative to its own script. */
export function placed(options: WebBackendOptions): WebBackendOptions {
  const { runtimeFolder } = options;
  if (runtimeFolder === undefined) return options;
  const { location } = globalThis as { readonly location?: Location };
  return { ...options, runtimeFolder: new URL(runtimeFolder.replace(/\/?$/, "/"), location?.href).href };
}

/** Threads of a run: `wanted`, or as many as are usual, and one where pages may not share memory. */
export function webThreads(wanted: number = usualThreads()): number {
  const shares = (globalThis as { readonly crossOriginIsolated?: boolean }).crossOriginIsolated !== false;
  return shares ? wanted : 1;
}

/** A build with its settings, before it starts. */
async function ready(loading: Promise<WebRuntime>, { threads, runtimeFolder }: WebBackendOptions): Promise<WebRuntime> {
  const runtime = await loading.catch((cause) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new GlassformerError(
      `onnxruntime-web, which computes in pages, could not be loaded (${shortened(reason, 200)}): check the connection, and that the site serves all files of its build, then reload the page.`,
      { cause },
    );
  });
  // Asked for more where memory cannot be shared, the runtime would write warnings to the console.
  runtime.env.wasm.numThreads = webThreads(threads);
  if (runtimeFolder !== undefined) runtime.env.wasm.wasmPaths = runtimeFolder;
  return runtime;
}

/** What of a backend follows from its device. Measured with onnxruntime-web 1.30's WebGPU: float16 is read as 0, int4 multiplied to 0, int8 refused, and Gelu by erf whatever it is asked for. */
export const webTraits = (
  device: Device,
): Pick<Backend, "isFetched" | "copiesFeeds" | "wholeWeights" | "geluByErf"> => ({
  isFetched: true,
  copiesFeeds: true,
  wholeWeights: device === "webgpu",
  geluByErf: device === "webgpu",
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
