/** How far long work is. */

/** How far a measurement or a download is. */
export interface Progress {
  readonly done: number;
  /** 0 while nobody knows: some servers do not say how long a file is. */
  readonly total: number;
  /** What is counted: "cells", "prompts", "bytes". */
  readonly unit: string;
}

/** Receives how far a measurement is. */
export type OnProgress = (progress: Progress) => void;
