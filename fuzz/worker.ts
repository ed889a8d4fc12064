/**
 * The process in which cases run: `node worker.ts TARGET SEED FROM TO PLACE`. Before each case, its number, and how many were
 * right and refused before it, are written to the file PLACE, so that the parent knows in which case it hung or died. Each
 * fault is a line of JSON on standard output.
 */
import { openSync, writeSync } from "node:fs";
import type { Fault } from "./outcome.ts";
import { Random } from "./random.ts";
import { targetCalled } from "./targets/index.ts";

/** In milliseconds of processor time, which hardly depends on what else the machine does. An attribution graph takes up to 5,000. */
const SLOW_MS = 8000;
/** How many bytes a case may add to the peak memory of the process. */
const MOST_GROWTH = 400 * 2 ** 20;

const [name, seed, from, to, place] = process.argv.slice(2);
const target = targetCalled(name);
const run = await target.prepare();
const file = openSync(place, "w");
const counts = { right: 0, refused: 0 };
const keep = (i: number) => writeSync(file, `${i} ${counts.right} ${counts.refused}`.padEnd(40), 0);
const say = (line: object) => writeSync(1, `${JSON.stringify(line)}\n`);
const peak = () => process.resourceUsage().maxRSS * 1024;

let before = peak();
for (let i = Number(from); i < Number(to); i++) {
  keep(i);
  const start = process.cpuUsage();
  let outcome = await run(new Random(Number(seed), i));
  const { user, system } = process.cpuUsage(start);
  const ms = (user + system) / 1000;
  const now = peak();
  if (ms > SLOW_MS) outcome = { fault: "slow", found: `${(ms / 1000).toFixed(1)} s` };
  // The first cases load code and caches.
  if (now - before > MOST_GROWTH) outcome = { fault: "memory", found: `${Math.round((now - before) / 1e6)} MB more` };
  before = now;
  if (typeof outcome === "string") counts[outcome]++;
  else say({ case: i, ...(outcome satisfies Fault) });
}
keep(Number(to));
say({ done: true });
