/** A scan that is written down, opened again: its model with its question, on this machine. */
import type { Model } from "../../lens/model.ts";
import { settle } from "../../options/settle.ts";
import { SCANS } from "../../scan/index.ts";
import type { ModelScan, Scan } from "../../scan/scan.ts";
import { ArgumentError, UnknownNameError } from "../../tensor/errors.ts";
import { FLAGS } from "../flags.ts";
import { type ModelRun, openedWith } from "../model-options.ts";
import { checksumOfModel } from "../origin.ts";
import { needSame, type ScanSettings } from "./settings.ts";

/** A model, and what it is asked. */
export interface OpenedScan {
  readonly model: Model;
  readonly scan: ModelScan;
}

/**
 * @param folder that holds the scan, for messages
 * @param name where its model is on this machine
 * @throws ArgumentError for other weights
 */
export async function openScan(
  folder: string,
  settings: ScanSettings,
  name: string,
  run: Omit<ModelRun, "adapter" | "dtype">,
): Promise<OpenedScan> {
  const record = scanCalled(settings.scan);
  const weights = (await checksumOfModel(name))?.sha256 ?? null;
  needSame(folder, settings, { ...settings, weights, ...(weights === null ? { model: name } : {}) });
  const { HookedTransformer } = await import("../../node.ts");
  const opening = await openedWith({
    ...run,
    ...{ adapter: settings.adapter ?? undefined, dtype: (settings.dtype ?? undefined) as never },
  });
  const model = await HookedTransformer.fromPretrained(name, opening);
  const options = settle(settings.options as never, record.options, { model, spelling: FLAGS });
  const corpus = { sources: settings.data.map((one) => one.name), maxLength: settings.maxLength };
  return { model, scan: record.on(model, options, corpus) };
}

/** The names of all scans. */
export const SCAN_NAMES = SCANS.map(({ name }) => name);

/** @throws UnknownNameError */
export function scanCalled(name: string | undefined): Scan {
  if (name === undefined) {
    throw new ArgumentError(`Name what to scan for: glassformer scan ${SCAN_NAMES[0]} --data texts.txt --out folder.`, {
      asked: "scan",
    });
  }
  const found = SCANS.find((one) => one.name === name);
  if (found) return found;
  throw new UnknownNameError("scan", name, SCAN_NAMES);
}
