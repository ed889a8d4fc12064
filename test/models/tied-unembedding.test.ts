/** A model whose unembedding should be its embedding, and whose file has another: transformers uses that, and warns. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { memorySource, readSafetensors } from "../../src/load/index.ts";
import { readModel } from "../../src/models/families/index.ts";
import { ndarray } from "../../src/tensor/array.ts";

const folder = fileURLToPath(new URL("../goldens/hf/starcoder2-tiny/", import.meta.url));
const EMBEDDING = "model.embed_tokens.weight";

test("the one in the file is used, and a note says so", async () => {
  const config = JSON.parse(readFileSync(`${folder}config.json`, "utf8"));
  const raw = await readSafetensors(memorySource("m", new Uint8Array(readFileSync(`${folder}model.safetensors`))));
  const tied = readModel(config, raw, "a/b");
  expect(tied.notes.join(" ")).not.toContain("lm_head");
  const { shape, data } = raw.get(EMBEDDING)!;
  const twice = ndarray(
    "float32",
    shape,
    Float32Array.from(data, (x) => 2 * x),
  );
  const apart = readModel(config, new Map([...raw, ["lm_head.weight", twice]]), "a/b");
  expect(apart.notes.join(" ")).toContain("the file has lm_head.weight too: that is used, as transformers does.");
  const [before, after] = [tied, apart].map(({ weights }) => weights.get("unembed.W_U")!.data);
  expect([...after]).toEqual(Array.from(before, (x) => 2 * x));
  expect(apart.weights.get("embed.W_E")!.data).toEqual(tied.weights.get("embed.W_E")!.data);
});
