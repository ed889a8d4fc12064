/** Opens a model and prints the peak memory, for a test of it. */
import { readFileSync } from "node:fs";
import { HookedTransformer } from "../../src/node.ts";

const [folder, how, layers] = process.argv.slice(2);
const status = (field: string) =>
  1024 * Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync("/proc/self/status", "utf8"))?.[1]);
const before = status("VmRSS");
const model = await HookedTransformer[how === "processed" ? "fromPretrained" : "fromPretrainedNoProcessing"](folder, {
  firstNLayers: layers === undefined ? undefined : Number(layers),
});
let held = 0;
for (const [, { array }] of model.weights.entries()) held += array!.data.byteLength;
process.stdout.write(JSON.stringify({ held, peak: status("VmHWM") - before, nLayers: model.cfg.nLayers }));
