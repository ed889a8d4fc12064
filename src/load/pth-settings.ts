/** The strings and numbers next to the tensors of a PyTorch file: how what it holds is meant. */
import type { ByteSource } from "./bytes.ts";
import type { LoadOptions } from "./files.ts";
import { PickleDict } from "./pickle.ts";
import { openPth } from "./pth.ts";

/** Deeper nesting than settings have. */
const DEEPEST = 8;

/** Values by their keys, where a dictionary has more of them. */
export interface PthSettings {
  readonly [key: string]: string | number | boolean | null | PthSettings;
}

/**
 * Strings, numbers, flags and dictionaries of them in a checkpoint's dictionary, without its tensors. Nothing in the file is run.
 * @throws FileFormatError as `readPth`
 */
export async function readPthSettings(source: ByteSource, { signal }: LoadOptions = {}): Promise<PthSettings> {
  const { root } = await (await openPth(source, signal)).readRoot();
  return settingsOf(root, 0);
}

function settingsOf(value: unknown, depth: number): PthSettings {
  if (!PickleDict.is(value) || depth > DEEPEST) return {};
  const found: [string, PthSettings[string]][] = [];
  for (const [key, child] of value.entries) {
    if (PickleDict.is(child)) found.push([`${key}`, settingsOf(child, depth + 1)]);
    else if (child === null || ["string", "number", "boolean"].includes(typeof child))
      found.push([`${key}`, child as string]);
  }
  return Object.fromEntries(found);
}
