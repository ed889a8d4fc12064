/**
 * Time and memory as prompts, length, layers, width and vocabulary grow by doublings. Each point is a process of its own, so that its
 * peak memory is its own. The exponent of growth is fitted over the last three points; next to it the exponent over the same points of the
 * multiplications that the job needs, by a formula (`growth-jobs.ts`).
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { JOBS, type JobName, type Sizes } from "./growth-jobs.ts";
import { rounded } from "./measure.ts";

const START: Sizes = { prompts: 2, length: 32, layers: 2, width: 128, vocabulary: 1000 };
/** The first of each axis' points, where a job takes long enough to see it grow. */
const AXES: Readonly<Record<keyof Sizes, number>> = { prompts: 2, length: 32, layers: 2, width: 128, vocabulary: 4000 };
const POINTS = 4;
const RUNS = 3;
/** Less than this does not show in a process' peak memory. */
const LEAST_MB = 8;

interface Point {
  readonly ms: number;
  readonly min_ms: number;
  /** Peak memory of the process when the model is there, and after the job. */
  readonly model_mb: number;
  readonly peak_mb: number;
}

export async function growth() {
  const results: Record<string, Record<string, unknown>> = {};
  for (const job of Object.keys(JOBS) as JobName[]) {
    results[job] = {};
    for (const axis of Object.keys(AXES) as (keyof Sizes)[]) results[job][axis] = await grown(job, axis);
  }
  return { from: START, jobs: results };
}

async function grown(job: JobName, axis: keyof Sizes) {
  const sizes = Array.from({ length: POINTS }, (_, i): Sizes => ({ ...START, [axis]: AXES[axis] * 2 ** i }));
  const points: Point[] = [];
  for (const size of sizes) points.push(await point(job, size));
  const more = points.map(({ peak_mb, model_mb }) => peak_mb - model_mb);
  const fits = (numbers: readonly number[]) =>
    exponent(
      sizes.map((size) => size[axis]),
      numbers,
    );
  return {
    values: sizes.map((size) => size[axis]),
    ms: points.map(({ ms }) => rounded(ms)),
    peak_mb: points.map(({ peak_mb }) => peak_mb),
    job_mb: more,
    exponent: fits(points.map(({ min_ms }) => min_ms)),
    exponent_needed: fits(sizes.map(JOBS[job].needs)),
    exponent_of_memory: more.slice(-3).every((mb) => mb >= LEAST_MB) ? fits(more) : null,
  };
}

function point(job: JobName, sizes: Sizes): Promise<Point> {
  const script = fileURLToPath(new URL("growth-point.ts", import.meta.url));
  const asked = JSON.stringify({ job, sizes, runs: RUNS });
  const child = spawn(process.execPath, ["--import", "tsx", script, asked], { stdio: ["ignore", "pipe", "inherit"] });
  let out = "";
  child.stdout.on("data", (chunk) => {
    out += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on("close", (code) =>
      code === 0 ? resolve(JSON.parse(out)) : reject(new Error(`${job} ended with ${code} for ${asked}`)),
    );
  });
}

/** The slope of log y over log x of the last three points, by least squares. */
function exponent(x: readonly number[], y: readonly number[]): number {
  const [u, v] = [x, y].map((numbers) => numbers.slice(-3).map(Math.log));
  const mean = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0) / numbers.length;
  const [atU, atV] = [mean(u), mean(v)];
  const together = u.reduce((sum, a, i) => sum + (a - atU) * (v[i] - atV), 0);
  return rounded(together / u.reduce((sum, a) => sum + (a - atU) ** 2, 0));
}
