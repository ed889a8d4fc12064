import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

/** What native code and JavaScript see of the variable, and the warnings, in a process of its own. */
async function started(where: string, value?: string) {
  const child = fileURLToPath(new URL("./telemetry-child.ts", import.meta.url));
  const { ORT_DISABLE_TELEMETRY: _, ...env } = process.env;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ["--import", "tsx", child, where], {
    env: value === undefined ? env : { ...env, ORT_DISABLE_TELEMETRY: value },
    encoding: "utf8",
  });
  return { seen: stdout, warnings: stderr.split("GLASSFORMER_TELEMETRY").length - 1, stderr };
}

test.each([
  ["in the main thread", "main", undefined, "1 1"],
  ["in a worker that shares the main thread's environment", "shared", undefined, "1 1"],
  ["in a worker whose main thread has imported glassformer", "worker after main", undefined, "1 1"],
  ["in a worker of a process that was started with it", "worker", "1", "1 1"],
])("onnxruntime's reports are off %s", async (_, where, value, seen) => {
  expect(await started(where, value)).toEqual({ seen, warnings: 0, stderr: "" });
});

test.each(["main", "worker"])("what the user has set stays, without a warning: %s", async (where) => {
  expect(await started(where, "0")).toEqual({ seen: "0 0", warnings: 0, stderr: "" });
});

test.each([
  ["worker", "undefined undefined"],
  ["given", "undefined 1"],
])(
  "where it cannot be turned off, one warning says what to do, and nothing pretends that it is: %s",
  async (where, seen) => {
    const found = await started(where);
    expect(found).toMatchObject({ seen, warnings: 1 });
    expect(found.stderr).toContain("start the worker with { env: SHARE_ENV }");
  },
);
