/** Where checkpoints are kept. What a checkpoint holds is none of its business; that none is ever half there, is. */
import type { ModelFiles } from "../load/files.ts";

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
