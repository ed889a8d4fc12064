/** Models in several files, as transformers writes them: test/goldens/sharded/make.py. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { loadWeights, memoryFiles } from "../../src/load/index.ts";
import { folderFiles } from "../../src/load/node.ts";
import { FileFormatError, WeightsError } from "../../src/tensor/errors.ts";

const goldens = fileURLToPath(new URL("../goldens/", import.meta.url));

describe.each(["safetensors", "bin"])("%s", (kind) => {
  const folder = join(goldens, "sharded", kind);
  const contents = (): Record<string, Uint8Array> =>
    Object.fromEntries(readdirSync(folder).map((file) => [file, new Uint8Array(readFileSync(join(folder, file)))]));
  const shards = readdirSync(folder).filter((file) => /-of-/.test(file));

  test("its files together are the model", async () => {
    expect(shards.length).toBeGreaterThan(1);
    const whole = await loadWeights(folderFiles(join(goldens, "hf/llama-tiny")), { checkpoint: "model.safetensors" });
    const found = await loadWeights(folderFiles(folder));
    expect([...found.keys()].sort()).toEqual([...whole.keys()].sort());
    for (const [name, array] of whole) expect(found.get(name), name).toEqual(array);
  });

  test("a file that is missing is named", async () => {
    const files = contents();
    delete files[shards[1]];
    const error = await loadWeights(memoryFiles("m", files)).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(FileFormatError);
    expect((error as Error).message).toMatch(`of which 1 is missing: ${shards[1]}`);
  });

  test("a file that has what another has is named, with the tensor", async () => {
    const files = contents();
    files[shards[1]] = files[shards[0]];
    const error = await loadWeights(memoryFiles("m", files)).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(FileFormatError);
    expect((error as Error).message).toMatch(/ of m has "[^"]+", but so does an earlier file/);
  });

  test("without the index, the files that are there are counted", async () => {
    const files = contents();
    for (const file of Object.keys(files)) if (file.endsWith(".index.json")) delete files[file];
    const error = await loadWeights(memoryFiles("m", files)).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(WeightsError);
    expect((error as Error).message).toMatch(`m has ${shards.length} of the ${shards.length} parts of a model`);
  });
});
