/** Which files a model is loaded from, how much of them is to be downloaded, and whether that can fit, before it is. */
import type { FilesOptions, ModelFiles, Pending } from "../load/files.ts";
import { weightFiles } from "../load/weights.ts";
import { WeightsError } from "../tensor/errors.ts";
import { type KeptDType, keptSize } from "../tensor/kept.ts";
import { tokenizerPaths } from "./pretrained-tokenizer.ts";
import { needWeightMemory } from "./read-weights.ts";

/** What is needed of a repository besides its configuration. */
export interface Needs {
  /** A weights file that is asked for by name. */
  readonly checkpoint: string | undefined;
  /** Whether the model's own tokenizer is not needed. */
  readonly hasTokenizer: boolean;
}

/** The files that will be downloaded; empty where nothing is. */
export async function pendingFiles(
  files: ModelFiles,
  { checkpoint, hasTokenizer }: Needs,
  { signal, note }: FilesOptions,
): Promise<ReadonlyMap<string, Pending>> {
  if (!files.pending) return new Map();
  const quiet = { signal, note };
  const paths = await files.list(quiet);
  // Without weights, reading them says so.
  const weights = checkpoint === undefined ? await weightFiles(files, quiet).catch(noneIf(WeightsError)) : [checkpoint];
  const config = paths.filter((path) => path === "config.json");
  return files.pending([...config, ...weights, ...(hasTokenizer ? [] : tokenizerPaths(paths))], quiet);
}

const noneIf = (kind: abstract new (...args: never[]) => Error) => (error: unknown) => {
  if (error instanceof kind) return [];
  throw error;
};

/**
 * A GGUF file says what its model is only once it is read; but its numbers have at most four bytes each.
 * @throws MemoryError if the weights of GGUF files cannot fit in memory
 */
export function needMemoryOfGguf(
  pending: ReadonlyMap<string, Pending>,
  { name, dtype, firstNLayers }: { readonly name: string; readonly dtype: KeptDType; readonly firstNLayers?: unknown },
): void {
  if (firstNLayers !== undefined) return;
  const gguf = [...pending].filter(([path]) => /\.gguf$/i.test(path));
  const bytes = gguf.reduce((sum, [, { total }]) => sum + total, 0);
  needWeightMemory(keptSize(dtype, 1, bytes / 4), { name, dtype });
}
