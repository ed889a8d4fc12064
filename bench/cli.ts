/** The whole `glassformer diffuse-mlp` on the bundled model, from process start to the report, with the built package. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { GlassformerError } from "../src/tensor/errors.ts";
import { rounded } from "./measure.ts";

const main = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));

export async function cli() {
  if (!existsSync(main)) throw new GlassformerError("There is no dist/: run `npm run build` first.");
  const folder = await mkdtemp(join(tmpdir(), "glassformer-bench-"));
  try {
    const runs: number[] = [];
    let peak = 0;
    for (let i = 0; i < 6; i++) {
      const report = join(folder, `${i}.html`);
      const start = performance.now();
      peak = Math.max(peak, await peakOf([main, "diffuse-mlp", "--out", report]));
      if (i > 0) runs.push(performance.now() - start);
      if ((await readFile(report, "utf8")).length < 1000) throw new Error("The report is empty.");
    }
    const sorted = runs.toSorted((a, b) => a - b);
    return { median_ms: rounded(sorted[2]), min_ms: rounded(sorted[0]), peak_mb: rounded(peak / 1024, 0) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Runs Node with these arguments and returns its peak memory in KB, which a preloaded line of code reports on exit. */
async function peakOf(args: readonly string[]): Promise<number> {
  const report = `process.on("exit",()=>process.stderr.write("\\nmaxrss "+process.resourceUsage().maxRSS+"\\n"))`;
  const preload = `data:text/javascript,${encodeURIComponent(report)}`;
  const child = spawn(process.execPath, ["--import", preload, ...args], { stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const code = await new Promise((resolve) => child.on("close", resolve));
  const found = /maxrss (\d+)/.exec(stderr)?.[1];
  if (code !== 0 || !found) throw new Error(`diffuse-mlp ended with ${code}: ${stderr}`);
  return Number(found);
}
