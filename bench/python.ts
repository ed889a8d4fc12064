/** The Python side of a benchmark, if there is a Python with the needed packages: `PYTHON`, or by default `python3`. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The last line of JSON that the script printed, or why there is none. */
export async function python(script: string, args: readonly string[] = []): Promise<Record<string, unknown>> {
  const path = fileURLToPath(new URL(`./python/${script}`, import.meta.url));
  const child = spawn(process.env.PYTHON ?? "python3", [path, ...args], { stdio: ["ignore", "pipe", "ignore"] });
  let out = "";
  child.stdout.on("data", (chunk) => {
    out += chunk;
  });
  const code = await new Promise<number | null>((resolve) => {
    child.on("error", () => resolve(null));
    child.on("close", resolve);
  });
  const last = out.trim().split("\n").at(-1) ?? "";
  if (code !== 0 || !last.startsWith("{")) return { error: `${script} did not run (exit ${code})` };
  return JSON.parse(last) as Record<string, unknown>;
}
