/** LoRA adapters: their configuration and their tensors changed, and added to a model. */
import { HookedTransformer, memoryFiles } from "../../src/node.ts";
import { jsonOf, mutateBytes, mutateJson } from "../mutate.ts";
import { outcomeOf } from "../outcome.ts";
import type { Target } from "../target.ts";
import { bytesOf } from "./files.ts";

const FOLDERS = ["llama-plain", "llama-patterns", "llama-dora", "llama-saved"].map(
  (name) => `test/goldens/lora/${name}`,
);
const BASE = "test/goldens/hf/llama-tiny";

export const adapter: Target = {
  name: "adapter",
  description: "files of LoRA adapters; what is accepted gives a model that runs",
  async prepare() {
    const base = memoryFiles("a/b", {
      "config.json": bytesOf(`${BASE}/config.json`),
      "model.safetensors": bytesOf(`${BASE}/model.safetensors`),
    });
    const adapters = FOLDERS.map((folder) => ({
      config: JSON.parse(new TextDecoder().decode(bytesOf(`${folder}/adapter_config.json`))),
      tensors: bytesOf(`${folder}/adapter_model.safetensors`),
    }));
    return (random) => {
      const { config, tensors } = random.pick(adapters);
      const changesTensors = random.chance(0.5);
      const files = memoryFiles("c/d", {
        "adapter_config.json": changesTensors ? jsonOf(config) : jsonOf(mutateJson(random, config)),
        "adapter_model.safetensors": changesTensors ? mutateBytes(random, tensors) : tensors,
      });
      return outcomeOf(
        async () => {
          const model = await HookedTransformer.fromPretrained("a/b", { files: base, adapter: files });
          return model.forward([[1, 5, 9, 2]]);
        },
        ({ shape }) => (shape.join() === "1,4,97" ? undefined : `logits of shape [${shape}]`),
      );
    };
  },
};
