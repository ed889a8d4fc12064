/** `--memory`, of every command that runs a model. */
import { InvalidArgumentError, Option } from "commander";
import type { Engine } from "../engine/engine.ts";
import { finiteNumber } from "./arguments.ts";

/** The option; its value is in bytes. */
export const memoryOption = (): Option =>
  new Option(
    "--memory <GB>",
    "most memory that a run's values may take; what goes in parts takes more runs with less (default: what is free)",
  ).argParser(bytesOf);

function bytesOf(text: string): number {
  const amount = finiteNumber(text);
  if (amount > 0) return amount * 1e9;
  throw new InvalidArgumentError("It takes a number of gigabytes above 0, as in --memory 2.");
}

/** The engine that keeps to it; the platform's own unless it is given. */
export async function engineWithin(bytes: number | undefined): Promise<{ readonly engine?: Engine }> {
  if (bytes === undefined) return {};
  const { Engine, nodeBackend } = await import("../node.ts");
  return { engine: new Engine(nodeBackend(), { memoryBytes: bytes }) };
}
