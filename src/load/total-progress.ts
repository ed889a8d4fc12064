/** The downloads of several files as one progress: their bytes together. */
import type { DownloadProgress, FilesOptions, Pending } from "./files.ts";

export class TotalProgress {
  /** Whether anything was reported. */
  begun = false;
  readonly #files = new Map<string, Pending>();
  readonly #onProgress: FilesOptions["onProgress"];

  constructor(onProgress: FilesOptions["onProgress"]) {
    this.#onProgress = onProgress;
  }

  /** Counts files of a repository that will be downloaded, before they are; those that are not announced count once they begin. */
  expect(repository: string, files: ReadonlyMap<string, Pending>): void {
    for (const [path, pending] of files) {
      const key = keyOf(repository, path);
      if (!this.#files.has(key)) this.#files.set(key, pending);
    }
  }

  /** Receives one file's progress, and reports that of all; undefined if nobody wants it. */
  get report(): FilesOptions["onProgress"] {
    const onProgress = this.#onProgress;
    if (!onProgress) return undefined;
    return (progress: DownloadProgress) => {
      this.begun = true;
      this.#files.set(keyOf(progress.of, progress.file), { done: progress.done, total: progress.total });
      const all = [...this.#files.values()];
      const sum = (of: keyof Pending) => all.reduce((bytes, file) => bytes + file[of], 0);
      // A sum without a part of it would be no total.
      const isKnown = all.every(({ done, total }) => total >= done);
      onProgress({ ...progress, done: sum("done"), total: isKnown ? sum("total") : 0 });
    };
  }
}

const keyOf = (repository: string, path: string) => `${repository}/${path}`;
