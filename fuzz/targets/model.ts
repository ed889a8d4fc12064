/** Whole models: one file of a folder changed, loaded and run. Numbers may differ only if the change means other numbers. */
import { HookedTransformer, memoryFiles } from "../../src/node.ts";
import { jsonOf, mutateBytes, mutateJson } from "../mutate.ts";
import { outcomeOf } from "../outcome.ts";
import type { Random } from "../random.ts";
import type { Target } from "../target.ts";
import { bytesOf } from "./files.ts";

const FOLDER = "test/goldens/hf/gpt2-tiny";
const TOKENS = [[1, 5, 9, 2]];

/** Fields of GPT-2's configuration that give other numbers with the same weights. */
const CHANGES_NUMBERS = [
  "activation_function",
  "layer_norm_epsilon",
  "scale_attn_by_inverse_layer_idx",
  "scale_attn_weights",
  "n_head",
  "tie_word_embeddings",
  "model_type",
];

export const model: Target = {
  name: "model",
  description:
    "config.json and weights of a GPT-2 on disk; what loads gives the same logits, or other ones for a field or a weight that says so",
  async prepare() {
    const config = JSON.parse(new TextDecoder().decode(bytesOf(`${FOLDER}/config.json`)));
    const weights = bytesOf(`${FOLDER}/model.safetensors`);
    const header = 8 + Number(new DataView(weights.buffer).getBigUint64(0, true));
    const logits = async (files: Record<string, string | Uint8Array>) => {
      const loaded = await HookedTransformer.fromPretrained("a/b", { files: memoryFiles("a/b", files) });
      return (await loaded.forward(TOKENS)).data;
    };
    const truth = await logits({ "config.json": JSON.stringify(config), "model.safetensors": weights });
    return (random) => {
      const changesWeights = random.chance(0.4);
      const { bytes, numbers } = changesWeights ? changed(random, weights, header) : { bytes: weights, numbers: false };
      const text = changesWeights ? JSON.stringify(config) : jsonOf(mutateJson(random, config));
      return outcomeOf(
        () => logits({ "config.json": text, "model.safetensors": bytes }),
        (found) => {
          if (found.length === truth.length && found.every((x, i) => Math.abs(x - truth[i]) <= 1e-4)) return undefined;
          const said = JSON.parse(text);
          const differs = (field: string) => JSON.stringify(said?.[field]) !== JSON.stringify(config[field]);
          return numbers || CHANGES_NUMBERS.some(differs) ? undefined : `other logits: ${text.slice(0, 250)}`;
        },
      );
    };
  },
};

/** Weights with changed bytes, and whether numbers changed rather than the header. */
function changed(random: Random, weights: Uint8Array, header: number): { bytes: Uint8Array; numbers: boolean } {
  if (random.chance(0.8)) {
    const head = mutateBytes(random, weights.slice(0, header));
    const bytes = new Uint8Array(head.length + weights.length - header);
    bytes.set(head);
    bytes.set(weights.subarray(header), head.length);
    return { bytes, numbers: false };
  }
  const bytes = weights.slice();
  for (let n = random.between(1, 4); n > 0; n--)
    bytes[random.between(header, bytes.length - 1)] ^= 1 << random.below(8);
  return { bytes, numbers: true };
}
