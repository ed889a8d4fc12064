/** Reads texts of a Parquet file and reports the peak memory and time, for tests of both. */
import { readFileSync } from "node:fs";
import { memorySource, readTexts } from "../../src/node.ts";

const [path, maxTexts] = process.argv.slice(2);
const status = (field: string) =>
  1024 * Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync("/proc/self/status", "utf8"))?.[1]);
// What unpacks is loaded before.
const honest = new Uint8Array(readFileSync(new URL("fixtures/zstd.parquet", import.meta.url)));
await readTexts(memorySource("honest.parquet", honest));
const source = memorySource("t.parquet", new Uint8Array(readFileSync(path)));
const before = status("VmRSS");
let outcome: string;
try {
  outcome = `${(await readTexts(source, maxTexts ? { maxTexts: Number(maxTexts) } : {})).length} texts`;
} catch (error) {
  outcome = (error as Error).message;
}
process.stdout.write(JSON.stringify({ outcome, peak: status("VmHWM") - before }));
