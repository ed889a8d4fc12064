/** The worker of `workerBackend`, for pages without a bundler. */
import { serveRuns } from "../engine/worker-side.ts";
import { loadBuild } from "./runtime.ts";

serveRuns(loadBuild);
