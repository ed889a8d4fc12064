/** Where checkpoints are kept. What a checkpoint holds is none of its business; that none is ever half there, is. */
import type { ModelFiles } from "../load/index.ts";
import { ArgumentError } from "../tensor/errors.ts";

/** A place for checkpoints: a folder in Node; a page brings its own. */
export interface CheckpointStore {
  /** Whether anything can be written, found out before the training starts. @throws ArgumentError that says why not. */
  check(): Promise<void>;
  /**
   * Keeps others from writing there, until what it gives is called.
   * @throws ArgumentError that says who does already
   */
  hold?(): Promise<() => Promise<void>>;
  /** Writes all files of a checkpoint, or none of them. Returns where it is. */
  write(checkpoint: string, files: ReadonlyMap<string, Uint8Array>): Promise<string>;
  /** The files of a checkpoint. */
  open(checkpoint: string): ModelFiles;
}

let platform: ((folder: string) => CheckpointStore) | undefined;

/** The platform's entry says what a folder's path means. */
export function setDefaultCheckpoints(open: (folder: string) => CheckpointStore): void {
  platform = open;
}

/** @throws ArgumentError for a path where there are no folders. */
export function storeOf(place: string | CheckpointStore): CheckpointStore {
  if (typeof place !== "string") {
    const lacks = (["check", "write", "open"] as const).find((method) => typeof place[method] !== "function");
    if (lacks === undefined) return place;
    throw new ArgumentError(`A CheckpointStore has ${lacks}(), and the one that is saveDir has not.`, { asked: lacks });
  }
  if (platform) return platform(place);
  throw new ArgumentError(`There is no folder "${place}" here: pass a CheckpointStore as saveDir.`, { asked: place });
}
