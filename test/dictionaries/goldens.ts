/** Expected numbers for dictionaries: what SAELens and circuit-tracer give, on two small models. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { HookedTransformer, memorySource, parseConfig, readSafetensors, Tensor } from "../../src/node.ts";
import type { NDArray } from "../../src/tensor/array.ts";

const folder = new URL("../goldens/dictionaries/", import.meta.url);

// biome-ignore lint/suspicious/noExplicitAny: a JSON file.
export const index: any = JSON.parse(readFileSync(new URL("index.json", folder), "utf8"));

/** The path of a file or folder of the goldens. */
export const at = (path: string): string => fileURLToPath(new URL(path, folder));

/** The arrays of one of the goldens' files. */
export async function arrays(path: string): Promise<Map<string, NDArray>> {
  return readSafetensors(memorySource(path, new Uint8Array(readFileSync(at(path)))));
}

/** A value as a leaf of a graph. */
export const leaf = (array: NDArray): Tensor => Tensor.leaf(array);

/** The dictionaries of saes/, each at one hook point of one of the models. */
export const saeNames: readonly string[] = Object.keys(index.saes).filter((name) => name !== "two_at_once");

/** One of the models, and what it gives. */
export async function goldenModel(name: string) {
  const all = await arrays(`${name}.safetensors`);
  const weights = new Map(
    [...all].filter(([key]) => key.startsWith("weights.")).map(([key, array]) => [key.slice("weights.".length), array]),
  );
  const model = new HookedTransformer(parseConfig(index.models[name].config), weights);
  const get = (key: string) => all.get(key)!;
  const [answers, wrong] = [get("answers").data, get("wrong").data];
  /** The sum over prompts of `logits[last, answer] - logits[last, wrong]`. */
  const metric = (logits: Tensor) => {
    const last = logits.at({ pos: -1 });
    return [...answers]
      .map((answer, row) => last.at({ batch: row, d_vocab: answer }).sub(last.at({ batch: row, d_vocab: wrong[row] })))
      .reduce((a, b) => a.add(b));
  };
  return { model, get, metric, tokens: Tensor.leaf(get("tokens"), ["batch", "pos"]) };
}
