/**
 * onnxruntime's official binaries report usage to their maker, unless `ORT_DISABLE_TELEMETRY` is in the environment of the
 * process when the first session is made. In a worker thread `process.env` is usually a copy, which native code never sees.
 */
import { isMainThread } from "node:worker_threads";

const NAME = "ORT_DISABLE_TELEMETRY";

let warned = false;

/** Turns the reports off if that is possible, and warns once if it is not. What the user has set stays. */
export function turnTelemetryOff(): void {
  if (isMainThread) {
    process.env[NAME] ??= "1";
    return;
  }
  if (warned || NAME in nativeEnvironment()) return;
  const copied = process.env[NAME];
  process.env[NAME] = copied ?? "1";
  if (NAME in nativeEnvironment()) return; // the worker shares the environment of the main thread
  if (copied === undefined) delete process.env[NAME];
  warned = true;
  process.emitWarning(
    `onnxruntime reports usage to its maker from this worker thread, and glassformer cannot turn that off here: set ${NAME}=1 before the process starts, import glassformer in the main thread first, or start the worker with { env: SHARE_ENV }.`,
    { type: "GlassformerWarning", code: "GLASSFORMER_TELEMETRY" },
  );
}

/** The environment as native code sees it. */
function nativeEnvironment(): object {
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork?: boolean };
  const before = report.excludeNetwork;
  // Otherwise the report looks up the names of whatever the process is connected to.
  if (before !== undefined) report.excludeNetwork = true;
  try {
    return (report.getReport() as { environmentVariables?: object }).environmentVariables ?? {};
  } finally {
    if (before !== undefined) report.excludeNetwork = before;
  }
}
