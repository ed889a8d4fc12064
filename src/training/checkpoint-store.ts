/** Where checkpoints are saved. A store does not know what a checkpoint contains, but ensures that none is ever incomplete. */
import type { ModelFiles } from "../load/files.ts";

/** A place for checkpoints: a folder in Node; a page brings its own. */
export interface CheckpointStore {
  /** Checks whether anything can be written, before training starts. @throws ArgumentError that says why not. */
  check(): Promise<void>;
  /**
   * Prevents others from writing there, until the returned function is called.
   * @throws ArgumentError that says who is already writing there
   */
  hold?(): Promise<() => Promise<void>>;
  /** Writes all files of a checkpoint, or none of them. Returns where it is. */
  write(checkpoint: string, files: ReadonlyMap<string, Uint8Array>): Promise<string>;
  /** The files of a checkpoint. */
  open(checkpoint: string): ModelFiles;
}
