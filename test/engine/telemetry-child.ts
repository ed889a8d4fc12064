/** Makes a backend in the thread that is asked for, and prints what native code and JavaScript then see. */
import { isMainThread, SHARE_ENV, Worker } from "node:worker_threads";

const where = process.argv[2];
if (where === "worker after main") await import("../../src/engine/ort-node.ts");
if (isMainThread && where !== "main") {
  const here = JSON.stringify(import.meta.url);
  // A worker does not inherit tsx, which reads TypeScript.
  const code = `import("tsx/esm/api").then((tsx) => tsx.tsImport(${here}, ${here}))`;
  const options = { eval: true, argv: ["main"] };
  if (where === "shared") new Worker(code, { ...options, env: SHARE_ENV });
  else if (where === "given") new Worker(code, { ...options, env: { ...process.env, ORT_DISABLE_TELEMETRY: "1" } });
  else new Worker(code, options);
} else {
  const { nodeBackend } = await import("../../src/engine/ort-node.ts");
  nodeBackend();
  nodeBackend();
  const { environmentVariables } = process.report.getReport() as { environmentVariables: Record<string, string> };
  const name = "ORT_DISABLE_TELEMETRY";
  process.stdout.write(`${environmentVariables[name]} ${process.env[name]}`);
}
