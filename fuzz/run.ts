/**
 * `npm run fuzz -- [TARGET …] [--cases N] [--seed S] [--only CASE]`: many wrong inputs, each of which must be refused in
 * a sentence or read correctly. Prints counts for each target and every fault with its case, which `--only` runs again.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { GlassformerError } from "../src/index.ts";
import type { Fault } from "./outcome.ts";
import { TARGETS, targetCalled } from "./targets/index.ts";
import { whole } from "./whole.ts";

/** A case that takes longer counts as endless. */
const NO_END_MS = 20_000;
/** How many faults of one kind are shown; all are counted. */
const SHOWN = 5;

interface Work {
  readonly name: string;
  readonly seed: number;
  readonly from: number;
  readonly to: number;
}

interface Tally {
  right: number;
  refused: number;
  seconds: number;
  readonly faults: (Fault & { readonly case: number })[];
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      cases: { type: "string", default: "2000" },
      seed: { type: "string", default: "1" },
      only: { type: "string" },
    },
  });
  // From the last, the whole product, which takes longest.
  const targets = positionals.length > 0 ? positionals.map(targetCalled) : TARGETS.toReversed();
  const seed = whole("--seed", values.seed);
  const only = values.only === undefined ? undefined : whole("--only", values.only);
  const [from, to] = only === undefined ? [0, whole("--cases", values.cases)] : [only, only + 1];
  let [cases, faults] = [0, 0];
  process.stdout.write("target         cases    right  refused   faults  seconds\n");
  const tallies = someAtATime(targets, ({ name }) => runTarget({ name, seed, from, to }));
  for (const [i, target] of targets.entries()) {
    const tally = await tallies[i];
    const done = tally.right + tally.refused + tally.faults.length;
    cases += done;
    faults += tally.faults.length;
    const numbers = [done, tally.right, tally.refused, tally.faults.length, tally.seconds];
    process.stdout.write(`${target.name.padEnd(12)}${numbers.map((n) => n.toFixed(0).padStart(8)).join(" ")}\n`);
    showFaults(tally.faults);
  }
  process.stdout.write(`${cases} cases, ${faults} faults\n`);
  return faults > 0 ? 1 : 0;
}

/** Works on items in order, as many at a time as there are cores. */
function someAtATime<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R>[] {
  let free = availableParallelism();
  const waiting: (() => void)[] = [];
  const results = items.map(async (item) => {
    if (free > 0) free--;
    else await new Promise<void>((turn) => waiting.push(turn));
    try {
      return await work(item);
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  });
  for (const result of results) result.catch(() => {}); // who awaits it hears of it
  return results;
}

function showFaults(faults: Tally["faults"]): void {
  for (const kind of new Set(faults.map(({ fault }) => fault))) {
    const all = faults.filter(({ fault }) => fault === kind);
    for (const { case: i, found } of all.slice(0, SHOWN)) process.stdout.write(`  case ${i}: ${kind}: ${found}\n`);
    if (all.length > SHOWN) process.stdout.write(`  and ${all.length - SHOWN} more: ${kind}\n`);
  }
}

/** Runs a target's cases in a separate process; after a case that hangs or kills it, the rest in a new one. */
async function runTarget(work: Work): Promise<Tally> {
  const tally: Tally = { right: 0, refused: 0, seconds: 0, faults: [] };
  const start = performance.now();
  const folder = mkdtempSync(join(tmpdir(), "glassformer-fuzz-"));
  try {
    for (let next = work.from; next < work.to; ) {
      next = await runSome({ ...work, from: next }, join(folder, "case"), tally);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  tally.seconds = (performance.now() - start) / 1000;
  return tally;
}

/** @returns the case to continue with. */
function runSome({ name, seed, from, to }: Work, place: string, tally: Tally): Promise<number> {
  const worker = fileURLToPath(new URL("worker.ts", import.meta.url));
  const args = ["--import", "tsx", worker, name, String(seed), String(from), String(to), place];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  /** The current case, and how many were right and refused before it. */
  const kept = () => (existsSync(place) ? readFileSync(place, "utf8").trim() : "");
  let complaint = "";
  let ended = false;
  let hung = false;
  let [seen, since] = ["", performance.now()];
  const watch = setInterval(() => {
    const now = kept();
    if (now !== seen) [seen, since] = [now, performance.now()];
    else if (now !== "" && performance.now() - since > NO_END_MS) {
      hung = true;
      child.kill("SIGKILL");
    }
  }, 250);
  child.stderr.on("data", (data) => {
    complaint = (complaint + data).slice(-500);
  });
  createInterface(child.stdout).on("line", (line) => {
    const said = JSON.parse(line);
    if (said.done) ended = true;
    else tally.faults.push(said);
  });
  return new Promise((resolve, reject) => {
    child.on("close", (code, signal) => {
      clearInterval(watch);
      if (kept() === "") {
        reject(new Error(`The target ${name} could not be prepared: ${complaint}`));
        return;
      }
      const [last, right, refused] = kept().split(" ").map(Number);
      rmSync(place);
      tally.right += right;
      tally.refused += refused;
      if (!ended) {
        const found = hung ? `after ${NO_END_MS / 1000} s` : `${signal ?? `exit ${code}`} ${complaint.slice(-200)}`;
        tally.faults.push({ case: last, fault: hung ? "no end" : "process died", found });
      }
      resolve(ended ? to : last + 1);
    });
  });
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    process.stderr.write(`${error instanceof GlassformerError ? error.message : error.stack}\n`);
    process.exitCode = error instanceof GlassformerError ? 2 : 1;
  },
);
