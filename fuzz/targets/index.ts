/** Every target, in the order in which a model's files are read. */
import { UnknownNameError } from "../../src/index.ts";
import type { Target } from "../target.ts";
import { adapter } from "./adapter.ts";
import { chat } from "./chat.ts";
import { cli } from "./cli.ts";
import { config } from "./config.ts";
import { gguf } from "./gguf.ts";
import { hub } from "./hub.ts";
import { model } from "./model.ts";
import { parquet } from "./parquet.ts";
import { pickle } from "./pickle.ts";
import { prompts } from "./prompts.ts";
import { pth } from "./pth.ts";
import { safetensors } from "./safetensors.ts";
import { texts } from "./texts.ts";
import { tokenizer } from "./tokenizer.ts";
import { vocabulary } from "./vocabulary.ts";
import { zip } from "./zip.ts";

export const TARGETS: readonly Target[] = [
  safetensors,
  pth,
  zip,
  pickle,
  gguf,
  adapter,
  config,
  tokenizer,
  vocabulary,
  chat,
  model,
  prompts,
  texts,
  parquet,
  hub,
  cli,
];

/** @throws UnknownNameError */
export function targetCalled(name: string): Target {
  const found = TARGETS.find((target) => target.name === name);
  if (found) return found;
  throw new UnknownNameError(
    "fuzz target",
    name,
    TARGETS.map((target) => target.name),
    `They are: ${TARGETS.map((target) => target.name).join(", ")}.`,
  );
}
