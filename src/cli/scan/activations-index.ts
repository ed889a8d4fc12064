/** `index.json` of a folder with activations: which files there are, and what they hold. `train-dictionary` reads it. */
import { basename, join, relative } from "node:path";
import { fileSource } from "../../load/node.ts";
import { readSafetensorsHeader } from "../../load/safetensors-header.ts";
import type { StoredColumns } from "../../scan/scan.ts";
import { ACTIVATIONS_INDEX, type ActivationsIndex } from "../../training/dictionaries/stored-activations.ts";
import { writeWhole } from "../output-files.ts";
import type { ScanFolder } from "./folder.ts";

/** Writes it, from the headers of all shards' files. */
export async function writeActivationsIndex(folder: ScanFolder, { points, dtype }: StoredColumns): Promise<void> {
  const { settings, path } = folder;
  const files: { file: string; tokens: number }[] = [];
  for (let shard = 0; shard < settings.shards; shard++) {
    const file = folder.rowsFile(shard);
    const header = await readSafetensorsHeader(await fileSource(file));
    const tokens = header.find(({ name }) => name === points[0].name)!.shape[0];
    files.push({ file: `${basename(join(file, ".."))}/${relative(join(file, ".."), file)}`, tokens });
  }
  const index: ActivationsIndex = {
    format: "glassformer activations",
    version: 1,
    id: folder.id,
    model: settings.model,
    weights: settings.weights,
    dtype,
    tokens: files.reduce((sum, { tokens }) => sum + tokens, 0),
    hooks: Object.fromEntries(points.map(({ name, shape }) => [name, shape])),
    files,
  };
  await writeWhole(join(path, ACTIVATIONS_INDEX), `${JSON.stringify(index, null, 2)}\n`);
}
