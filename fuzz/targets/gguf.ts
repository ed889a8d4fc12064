/** GGUF files and llama2.c's: changed bytes, and settings of the wrong kind. There are no checksums: what loads must run. */

import { openGguf } from "../../src/load/index.ts";
import { fromGguf } from "../../src/models/families/gguf/index.ts";
import { readConfig } from "../../src/models/families/index.ts";
import { HookedTransformer, memoryFiles, memorySource, readGguf } from "../../src/node.ts";
import { joined, mutateBytes, oddValue } from "../mutate.ts";
import { outcomeOf } from "../outcome.ts";
import type { Random } from "../random.ts";
import type { Target } from "../target.ts";
import { bytesOf } from "./files.ts";

const MODELS = ["llama", "qwen2", "gpt2", "gemma2", "mixtral"].map((name) => `test/goldens/gguf/${name}.gguf`);
const LLAMA2C = ["first", "second", "groups"].map((name) => `test/goldens/llama2c/${name}.bin`);
/** About the bytes of the headers. */
const HEAD = 6000;
const TOKENS = [[1, 5, 9, 2]];

export const gguf: Target = {
  name: "gguf",
  description:
    "bytes and settings of GGUF files and llama2.c's; what is accepted has numbers of the right count, and runs",
  async prepare() {
    const blocks = bytesOf("test/load/fixtures/blocks.gguf");
    const models = MODELS.map(bytesOf);
    const opened = await Promise.all(models.map((bytes) => openGguf(memorySource("m.gguf", bytes))));
    const tokenizer = bytesOf("test/goldens/llama2c/tokenizer.bin");
    const llama2c = LLAMA2C.map(bytesOf);
    const run = async (files: Record<string, Uint8Array>) => {
      const model = await HookedTransformer.fromPretrained("a/b", { files: memoryFiles("a/b", files) });
      return { vocabulary: model.cfg.dVocabOut, logits: await model.forward(TOKENS) };
    };
    const ran = ({ vocabulary, logits }: Awaited<ReturnType<typeof run>>) =>
      logits.shape.join() === `1,4,${vocabulary}` ? undefined : `logits of shape [${logits.shape}]`;
    return (random) => {
      const kind = random.below(4);
      if (kind === 0) {
        const bytes = mutateBytes(random, blocks);
        return outcomeOf(() => readGguf(memorySource("m.gguf", bytes)), wrongCount);
      }
      if (kind === 1) {
        const { metadata, shapes } = random.pick(opened);
        const changed = withOddSettings(random, metadata);
        return outcomeOf(
          () => readConfig(fromGguf({ metadata: changed, shapes, small: new Map() }).configJson, "a/b"),
          ({ nLayers }) => (nLayers >= 1 ? undefined : `${nLayers} layers`),
        );
      }
      if (kind === 2) return outcomeOf(() => run({ "m.gguf": withHead(random, random.pick(models)) }), ran);
      const [model, words] = random.chance(0.5)
        ? [withHead(random, random.pick(llama2c)), tokenizer]
        : [random.pick(llama2c), mutateBytes(random, tokenizer)];
      return outcomeOf(() => run({ "m.bin": model, "tokenizer.bin": words }), ran);
    };
  },
};

function wrongCount(arrays: Awaited<ReturnType<typeof readGguf>>): string | undefined {
  for (const [name, { shape, data }] of arrays) {
    if (data.length !== shape.reduce((n, size) => n * size, 1)) return `${name} [${shape}] has ${data.length}`;
  }
  return undefined;
}

/** A file whose first bytes are changed. */
function withHead(random: Random, bytes: Uint8Array): Uint8Array {
  return joined(mutateBytes(random, bytes.slice(0, HEAD)), bytes.subarray(HEAD));
}

function withOddSettings(random: Random, metadata: ReadonlyMap<string, unknown>): Map<string, unknown> {
  const changed = new Map(metadata);
  const keys = [...changed.keys()].filter((key) => !key.startsWith("tokenizer."));
  for (let n = random.between(1, 3); n > 0; n--) {
    const key = random.pick(keys);
    if (random.chance(0.2)) changed.delete(key);
    else changed.set(key, oddValue(random));
  }
  return changed;
}
