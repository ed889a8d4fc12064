/** The worker of `workerBackend`, on WebAssembly. A file of its own for each build, so that bundlers put only that one into it. */
import * as ort from "onnxruntime-web/wasm";
import { serveRuns } from "./worker-side.ts";

serveRuns(async () => ort);
