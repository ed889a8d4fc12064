/** The built command in a separate process, and what it took. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
  /** In milliseconds. */
  readonly took: number;
}

/** @param onStart receives the process, to kill it, for example */
export function glassformer(
  args: readonly string[],
  { cwd, env = {}, onStart }: { cwd: string; env?: Record<string, string>; onStart?: (child: ChildProcess) => void },
): Promise<Ended> {
  return node([MAIN, ...args], { cwd, env, ...(onStart ? { onStart } : {}) });
}

export function node(
  args: readonly string[],
  { cwd, env = {}, onStart }: { cwd: string; env?: Record<string, string>; onStart?: (child: ChildProcess) => void },
): Promise<Ended> {
  const start = performance.now();
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...process.env, NO_COLOR: "1", ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr += text;
  });
  onStart?.(child);
  return new Promise((resolve) =>
    child.on("close", (code, signal) => resolve({ code, signal, stderr, took: performance.now() - start })),
  );
}
