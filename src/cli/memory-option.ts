/** `--memory`, an option of every command that runs a model. */
import { InvalidArgumentError, Option } from "commander";
import type { Device } from "../engine/devices.ts";
import type { Engine } from "../engine/engine.ts";
import { finiteNumber } from "./arguments.ts";

/** The option; its value is in bytes. */
export const memoryOption = (): Option =>
  new Option(
    "--memory <GB>",
    "the most memory that the values of a run may use; with less, some work takes more runs (default: what is free)",
  ).argParser(bytesOf);

function bytesOf(text: string): number {
  const amount = finiteNumber(text);
  if (amount > 0) return amount * 1e9;
  throw new InvalidArgumentError("It must be a number of gigabytes above 0, as in --memory 2.");
}

/** An engine that stays within it; without the option, the platform's own engine. */
export async function engineWithin(bytes: number | undefined, device?: Device): Promise<{ readonly engine?: Engine }> {
  if (bytes === undefined) return {};
  const { Engine, nodeBackend } = await import("../node.ts");
  return { engine: new Engine(nodeBackend({ device }), { memoryBytes: bytes }) };
}
