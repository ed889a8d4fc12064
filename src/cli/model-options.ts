/** How a command opens a model: which one, with which adapter, in which dtype its weights are kept, on which device it runs, in how much memory. */
import { DEVICES, type Device } from "../engine/devices.ts";
import type { Engine } from "../engine/engine.ts";
import type { FromPretrainedOptions } from "../lens/from-pretrained.ts";
import { bundledModel } from "../load/names.ts";
import type { OptionRecords } from "../options/records.ts";
import type { Settled } from "../options/settle.ts";
import { KEPT_DTYPES } from "../tensor/kept.ts";

export const MEMORY_OPTION = {
  type: "number",
  above: 0,
  placeholder: "GB",
  description: "the most memory that the values of a run may use; with less, some work takes more runs",
  defaultText: "what is free",
} as const;

export const MODEL_OPTION = {
  type: "model",
  description: "a folder, a Hugging Face id or its short name",
  default: bundledModel,
} as const;

/** The options of commands that run a model, besides its name. */
export const OPENING_OPTIONS = {
  adapter: {
    type: "model",
    placeholder: "adapter",
    description: "a LoRA adapter to add to the weights: a folder or a Hugging Face id",
  },
  dtype: {
    type: "choice",
    placeholder: "dtype",
    choices: KEPT_DTYPES,
    description: "how weights are kept in memory; all arithmetic is in float32",
  },
  device: { type: "choice", placeholder: "device", choices: DEVICES, description: "what computes" },
  memory: MEMORY_OPTION,
} as const satisfies OptionRecords;

/** What a model is opened and run with. */
export type ModelRun = Settled<typeof OPENING_OPTIONS> & { readonly threads?: number | undefined };

/** What `fromPretrained` takes of them. */
export async function openedWith({
  adapter,
  dtype,
  device,
  memory,
  threads,
}: ModelRun): Promise<FromPretrainedOptions> {
  if (memory === undefined && threads === undefined) return { adapter, dtype, device };
  return { adapter, dtype, ...(await engineWithin(memory, { device, threads })) };
}

/** An engine that stays within this many GB; without them and without threads, the platform's own engine. */
export async function engineWithin(
  gigabytes: number | undefined,
  { device, threads }: { readonly device?: Device | undefined; readonly threads?: number | undefined } = {},
): Promise<{ readonly engine?: Engine }> {
  if (gigabytes === undefined && threads === undefined) return {};
  const { Engine, nodeBackend } = await import("../node.ts");
  const bytes = gigabytes === undefined ? {} : { memoryBytes: gigabytes * 1e9 };
  return { engine: new Engine(nodeBackend({ device, threads }), bytes) };
}
