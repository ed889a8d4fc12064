/** onnxruntime-node as a backend: native, multi-threaded. */
import { availableParallelism } from "node:os";
import { isMainThread } from "node:worker_threads";
import * as ort from "onnxruntime-node";
import { between, oneOf } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import type { Backend } from "./backend.ts";
import { DEVICES, type Device } from "./devices.ts";
import type { Feed } from "./feeds.ts";
import { backendOver } from "./ort.ts";
import { onNodeGpu } from "./ort-node-gpu.ts";
import { turnTelemetryOff } from "./telemetry-node.ts";

export interface NodeBackendOptions {
  /** What computes; the processor by default. */
  readonly device?: Device | undefined;
  /** Threads within one op; all cores by default. */
  readonly threads?: number | undefined;
}

/** More than any machine's cores: the runtime would make that many threads for each session. */
const MOST_THREADS = 1024;

const OPTIONS: OptionKinds<NodeBackendOptions> = {
  device: oneOf(DEVICES),
  threads: {
    accepts: (value) => Number.isInteger(value) && between(1, MOST_THREADS).accepts(value),
    describe: `a whole number from 1 to ${MOST_THREADS}`,
  },
};

/** Most threads of all sessions together, as far as limiting the number of sessions can achieve it. */
const THREADS_TOGETHER = 512;
const MOST_SESSIONS = 64;
/** As many sessions as one analysis alternates between. */
const FEWEST_SESSIONS = 16;

// Before anything of onnxruntime's, so that workers started later find it set.
if (isMainThread) turnTelemetryOff();

/**
 * On Linux WebGPU is Vulkan, without which onnxruntime's WebGPU writes lines of its own to stderr before it fails. An attempt to load
 * it as an addon, which it never is, shows whether the system has it.
 * @throws the system's reason, if it has none
 */
function needVulkan(device: Device): void {
  if (device !== "webgpu" || process.platform !== "linux") return;
  try {
    process.dlopen({ exports: {} }, "libvulkan.so.1");
  } catch (error) {
    if (/cannot open shared object/.test((error as Error).message)) throw error;
  }
}

/** A session on WebGPU whose results stay in the graphics processor's memory. */
const leavingResults = (model: Uint8Array): Promise<ort.InferenceSession> =>
  ort.InferenceSession.create(model, { executionProviders: ["webgpu"], preferredOutputLocation: "gpu-buffer" });

const toOrt = ({ dtype, data, shape }: Feed): ort.Tensor =>
  new ort.Tensor(dtype as "float32", data as Float32Array, shape);

/**
 * The engine of Node. onnxruntime-node has no pool of threads for all sessions: each session has its own, one thread less
 * than `threads`. So at most 64 sessions live at a time, fewer if together they would have more than 512 threads, but at
 * least 16.
 */
export function nodeBackend(options: NodeBackendOptions = {}): Backend {
  checkOptions("nodeBackend", options, OPTIONS);
  turnTelemetryOff();
  // Lines of its own on stderr, such as those on a library that is not there, are off: errors contain what they say.
  if (ort.env.logLevel === "warning") ort.env.logLevel = "fatal";
  const { threads, device = "cpu" } = options;
  const provider = { device, names: { cpu: "cpu", webgpu: "webgpu", cuda: "cuda" }, check: needVulkan };
  const place = device === "webgpu" ? { place: onNodeGpu({ compile: leavingResults, toOrt }) } : {};
  const maxSessions = Math.floor(THREADS_TOGETHER / (threads ?? availableParallelism()));
  return backendOver(
    "onnxruntime-node",
    async () => ort,
    {
      graphOptimizationLevel: "all",
      // A block planned for all values of a shape comes on top of what the first run took: a training step held twice as much.
      enableMemPattern: false,
      // Each session has its own threads; those of one must not spin after its run and take the next one's cores.
      extra: { session: { force_spinning_stop: "1" } },
      ...(threads ? { intraOpNumThreads: threads } : {}),
    },
    { ...provider, ...place },
    {
      weightsFirst: device === "cpu",
      branches: device === "cpu",
      maxSessions: Math.min(MOST_SESSIONS, Math.max(FEWEST_SESSIONS, maxSessions)),
    },
  );
}
