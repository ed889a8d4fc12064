/**
 * What a platform brings. `node.ts` and `web.ts` make one value each; what a page lacks, its value leaves out, and
 * whatever needs it says so when it is needed. This file has types of every layer and code of none, so that all may use
 * it.
 */
import type { Backend } from "./engine/backend.ts";
import type { Device } from "./engine/devices.ts";
import type { Runner } from "./graph/runner.ts";
import type { FilesOptions, ModelFiles } from "./load/files.ts";
import type { ResolveName } from "./load/names.ts";
import type { CheckpointStore } from "./training/checkpoint-store.ts";

/** What a platform knows about its memory. */
export interface MemoryReader {
  /** Bytes that can be allocated now, less a safety margin. */
  read(): number;
  /** Bytes that strings and objects may still take, if the JavaScript engine limits those separately. */
  heap?(): number;
  /** Says what the limit is, if it is not what happens to be free: "a page may only have 3.2 GB". */
  limit?(bytes: string): string;
  /** Collects garbage now, where that is possible. */
  collect?(): void;
}

export interface OpenOptions extends FilesOptions {
  readonly revision?: string | undefined;
}

/** What Node or a page brings; what it lacks is `undefined`. */
export interface Platform {
  /** What compiles graphs and runs them. */
  readonly backend: (device?: Device) => Backend;
  /** What computes values outside a model's runs: those of `compute()`. */
  readonly engine: () => Runner;
  /** Opens what a model's name means here. `resolve` turns an alias into a hub id, if the name is not local. */
  readonly open: (name: string, resolve: ResolveName, options: OpenOptions) => Promise<ModelFiles>;
  /** How much memory there is. Without this, only work that exceeds an explicit limit is refused. */
  readonly memory: MemoryReader | undefined;
  /** Checkpoints under a folder's path. */
  readonly checkpoints: ((folder: string) => CheckpointStore) | undefined;
  /** What a notebook shows of a finding, a picture or a tensor besides text, by MIME type; of anything else nothing. */
  readonly notebook: (x: object) => Promise<Readonly<Record<string, string>>>;
  /** Draws an SVG as a PNG, `scale` pixels for each of its own. */
  readonly rasterize:
    | ((svg: string, look: { readonly scale: number; readonly background: string }) => Promise<Uint8Array>)
    | undefined;
}

let current: Partial<Platform> = {};

/** Makes a platform the one that everything uses; the core alone has none. */
export function usePlatform(brings: Partial<Platform>): void {
  current = brings;
}

/** What the platform brings. */
export function platform(): Partial<Platform> {
  return current;
}
