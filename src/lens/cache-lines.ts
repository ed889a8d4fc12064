/** A cache as text: a line for each kind of hook point. */
import { showShape } from "../graph/axes.ts";
import type { Tensor } from "../graph/tensor.ts";

/** Values of hook points that differ in their layer alone. */
interface Kind {
  readonly before: string;
  readonly after: string;
  readonly layers: number[];
  readonly shape: string;
}

/** One line a hook point, or where those of several layers are alike: `blocks.{0–11}.attn.hook_z  float32 [batch 1, …]`. */
export function cacheLines(items: readonly (readonly [name: string, value: Tensor])[]): string[] {
  const kinds = new Map<string, Kind>();
  for (const [name, value] of items) {
    const [, before, layer, after] = /^(.*?\.)(\d+)(\..*)$/.exec(name) ?? [];
    const shape = `${value.dtype} ${showShape(value)}${value.computed ? "" : ", not computed"}`;
    const key = layer === undefined ? name : JSON.stringify([before, after, shape]);
    const kind = kinds.get(key) ?? { before: before ?? name, after: after ?? "", layers: [], shape };
    if (layer !== undefined) kind.layers.push(Number(layer));
    kinds.set(key, kind);
  }
  const names = [...kinds.values()].map(({ before, after, layers }) => `${before}${layerText(layers)}${after}`);
  const width = Math.max(0, ...names.map((name) => name.length));
  return [...kinds.values()].map(({ shape }, i) => `${names[i].padEnd(width)}  ${shape}`);
}

/** "3", "{0–11}", "{0–2,5}": neighbours together. */
function layerText(layers: readonly number[]): string {
  const runs: [first: number, last: number][] = [];
  for (const layer of layers) {
    const run = runs.at(-1);
    if (run && layer === run[1] + 1) run[1] = layer;
    else runs.push([layer, layer]);
  }
  const text = runs.map(([first, last]) => (first === last ? `${first}` : `${first}–${last}`)).join();
  return layers.length > 1 ? `{${text}}` : text;
}
