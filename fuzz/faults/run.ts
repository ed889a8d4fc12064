/**
 * `npm run faults -- [NAME …] [--seed S] [--minutes M] [--kills N] [--restarts N]`: processes killed, disks filled, runs aborted, long loops, the page used at
 * random (for that many minutes), a queue's workers killed and its server (that many of them), each many times, with what was left counted. docs/reliability.md has the numbers.
 */
import { parseArgs } from "node:util";
import { UnknownNameError } from "../../src/index.ts";
import { Random } from "../random.ts";
import { whole } from "../whole.ts";
import { aborts } from "./aborts.ts";
import { fullDisks } from "./disks.ts";
import { killedDownloads, killedTraining } from "./kills.ts";
import { loadedAgain, newLengths, newStructures, newStructuresOfEveryKind, repeatedRuns } from "./loops.ts";
import { usedPage } from "./page.ts";
import { fullQueueDisk, killedWorkers } from "./queue.ts";

const { values, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: "string", default: "1" },
    minutes: { type: "string" },
    kills: { type: "string", default: "200" },
    restarts: { type: "string", default: "20" },
  },
});
const seed = whole("--seed", values.seed);
const random = new Random(seed, 0);
const used = values.minutes === undefined ? { actions: 2000 } : { minutes: whole("--minutes", values.minutes) };
const FAULTS: Readonly<Record<string, () => Promise<Record<string, unknown>>>> = {
  "training killed": () => killedTraining(random, "SIGKILL", 8),
  "training interrupted": () => killedTraining(random, "SIGINT", 4),
  "training terminated": () => killedTraining(random, "SIGTERM", 4),
  "downloads killed": () => killedDownloads(random, 8),
  "full disks": fullDisks,
  "queue killed": () =>
    killedWorkers(random, {
      kills: whole("--kills", values.kills),
      restarts: whole("--restarts", values.restarts),
      lines: 6000,
    }),
  "queue's disk full": fullQueueDisk,
  aborts: () => aborts(random, 200),
  "10,000 runs": () => repeatedRuns(10_000),
  "5,000 structures": () => newStructures(5000),
  "1,000 structures of every kind": () => newStructuresOfEveryKind(1000),
  "1,000 lengths": () => newLengths(1000),
  "60 loads": () => loadedAgain(60),
  "page in use": () => usedPage(random, used),
};

const unknown = names.find((name) => !(name in FAULTS));
if (unknown)
  throw new UnknownNameError(
    "fault test",
    unknown,
    Object.keys(FAULTS),
    `They are: ${Object.keys(FAULTS).join(", ")}.`,
  );
for (const name of names.length > 0 ? names : Object.keys(FAULTS)) {
  const start = performance.now();
  const found = await FAULTS[name]();
  process.stdout.write(`${name} (seed ${seed}, ${((performance.now() - start) / 1000).toFixed(0)} s)\n`);
  for (const [what, value] of Object.entries(found)) {
    process.stdout.write(`  ${what}: ${typeof value === "object" ? JSON.stringify(value) : value}\n`);
  }
}
