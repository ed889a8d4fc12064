/** One point of `bench -- growth`, in a process of its own: the job's median time in ms, and the process' peak memory without and with it. */
import "../src/node.ts";
import { configOf, JOBS, type JobName, type Sizes } from "./growth-jobs.ts";
import { inTurn, peakMb } from "./measure.ts";
import { randomModel } from "./models.ts";

const { job, sizes, runs }: { job: JobName; sizes: Sizes; runs: number } = JSON.parse(process.argv[2]);

async function point() {
  const model = randomModel(configOf(sizes));
  const work = await JOBS[job].prepare(model, sizes);
  const before = peakMb();
  const measured = await inTurn({ work }, runs);
  return { ms: measured.work.median_ms, min_ms: measured.work.min_ms, model_mb: before, peak_mb: peakMb() };
}

point().then((found) => process.stdout.write(JSON.stringify(found)));
