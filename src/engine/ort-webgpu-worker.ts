/** The worker of `workerBackend`, with WebGPU. */
import * as ort from "onnxruntime-web";
import { serveRuns } from "./worker-side.ts";

serveRuns(async () => ort);
