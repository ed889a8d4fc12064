/** The peak memory of opening a model, measured in a separate process by Linux. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeSafetensors } from "../../src/load/index.ts";
import { HookedTransformer } from "../../src/node.ts";
import { ndarray, sizeOf } from "../../src/tensor/array.ts";
import { setMemory } from "../memory.ts";

const child = fileURLToPath(new URL("loading-child.ts", import.meta.url));
const MB = 1e6;
const [width, mlp, vocabulary, layers] = [1024, 4096, 8192, 4];
let folder: string;

/** A Llama of 330 MB, with an unembedding of its own. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "glassformer-loading-"));
  const config = {
    ...{ model_type: "llama", hidden_size: width, intermediate_size: mlp, num_hidden_layers: layers },
    ...{ num_attention_heads: 16, max_position_embeddings: 64, vocab_size: vocabulary, tie_word_embeddings: false },
  };
  const arrays = new Map(
    Object.entries({
      "model.embed_tokens.weight": [vocabulary, width],
      "model.norm.weight": [width],
      "lm_head.weight": [vocabulary, width],
    }),
  );
  for (let l = 0; l < layers; l++) {
    const at = `model.layers.${l}`;
    for (const x of ["q", "k", "v", "o"]) arrays.set(`${at}.self_attn.${x}_proj.weight`, [width, width]);
    for (const x of ["gate", "up"]) arrays.set(`${at}.mlp.${x}_proj.weight`, [mlp, width]);
    arrays.set(`${at}.mlp.down_proj.weight`, [width, mlp]);
    for (const x of ["input", "post_attention"]) arrays.set(`${at}.${x}_layernorm.weight`, [width]);
  }
  const filled = [...arrays].map(
    ([name, shape]) => [name, ndarray("float32", shape, new Float32Array(sizeOf(shape)).fill(0.01))] as const,
  );
  await writeFile(join(folder, "config.json"), JSON.stringify(config));
  await writeFile(join(folder, "model.safetensors"), writeSafetensors(new Map(filled)));
});
afterAll(() => rm(folder, { recursive: true }));

async function opening(...options: string[]): Promise<{ held: number; peak: number; nLayers: number }> {
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", child, folder, ...options]);
  return JSON.parse(stdout);
}

test("a model that does not fit in memory is refused before it is read, with what it needs and what can be done", async () => {
  setMemory({ read: () => 200 * MB });
  const opening = (dtype: "float32" | "int8") => HookedTransformer.fromPretrained(folder, { dtype });
  await expect(opening("float32")).rejects.toThrow(
    /needs about 336 MB of memory .* only 200 MB is free: open a smaller model, only its first layers \(firstNLayers\), or keep its weights in fewer bits \(dtype "int4"\)/,
  );
  expect((await opening("int8")).cfg.nLayers).toBe(layers);
});

describe.skipIf(!existsSync("/proc/self/status"))(
  "a model whose weights take N bytes is opened in N x 1.15 + 64 MB",
  () => {
    test.each(["as it is", "processed"])("%s", async (how) => {
      const { held, peak } = await opening(how);
      expect(held).toBeGreaterThan(330 * MB);
      expect(peak).toBeLessThan(1.15 * held + 64 * MB);
    });

    test("and of one that is cut after its first layers, only those are read", async () => {
      const { held, peak, nLayers } = await opening("processed", "1");
      expect(nLayers).toBe(1);
      expect(held).toBeLessThan(140 * MB);
      expect(peak).toBeLessThan(held + 128 * MB); // the whole model has 200 MB more
    });
  },
);
