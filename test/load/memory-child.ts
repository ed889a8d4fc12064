/** Reads a weights file and prints the peak memory, for tests of it. */
import { readFileSync } from "node:fs";
import { readPth, readSafetensors } from "../../src/load/index.ts";
import { fileSource } from "../../src/load/node-file.ts";

const [path] = process.argv.slice(2);
const status = (field: string) =>
  1024 * Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync("/proc/self/status", "utf8"))?.[1]);
const source = await fileSource(path);
const before = status("VmRSS");
const read = path.endsWith(".safetensors") ? readSafetensors : readPth;
let held = 0;
let refused: string | undefined;
try {
  for (const { data } of (await read(source)).values()) held += data.byteLength;
} catch (error) {
  refused = (error as Error).message;
}
process.stdout.write(JSON.stringify({ file: source.size, held, peak: status("VmHWM") - before, refused }));
