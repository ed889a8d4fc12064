/** How a command opens a model: with which adapter, in which dtype its weights are kept, and on which device it runs. */
import { Option } from "commander";
import { DEVICES, type Device } from "../engine/devices.ts";
import type { FromPretrainedOptions } from "../lens/from-pretrained.ts";
import { KEPT_DTYPES, type KeptDType } from "../tensor/kept.ts";
import { engineWithin } from "./memory-option.ts";

export interface ModelFlags {
  readonly adapter?: string;
  readonly dtype?: KeptDType;
  readonly device?: Device;
  /** In bytes. */
  readonly memory?: number;
}

export const adapterOption = (): Option =>
  new Option("--adapter <adapter>", "a LoRA adapter to add to the weights: a folder or a Hugging Face id");

export const dtypeOption = (): Option =>
  new Option("--dtype <dtype>", "how weights are kept in memory; all arithmetic is in float32").choices(KEPT_DTYPES);

export const deviceOption = (): Option => new Option("--device <device>", "what computes").choices(DEVICES);

/** What `fromPretrained` takes of them. */
export async function openedWith({ adapter, dtype, device, memory }: ModelFlags): Promise<FromPretrainedOptions> {
  if (memory === undefined) return { adapter, dtype, device };
  return { adapter, dtype, ...(await engineWithin(memory, device)) };
}
