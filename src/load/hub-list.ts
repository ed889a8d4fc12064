/** The list of files in a hub's answer, which is bounded: nobody's model has more. */
import { HubError } from "../tensor/errors.ts";

/** Bytes of the answer, unpacked. */
export const MOST_LIST_BYTES = 16_000_000;
/** A list is small: it is given up where so little comes in so short a time. */
export const LIST_PACE = { slowMs: 10_000, slowBytes: 10_000 };
const MOST_FILES = 100_000;

export interface ListedFile {
  readonly path: string;
  /** Bytes, where the hub says. */
  readonly size: number | undefined;
}

/** @throws HubError for a list that is too long to be one */
export function listedPaths(siblings: readonly unknown[], url: string): ListedFile[] {
  if (siblings.length > MOST_FILES) {
    throw new HubError(`${url} lists ${siblings.length} files, and at most ${MOST_FILES} are read.`, {
      asked: url,
      found: siblings.length,
    });
  }
  return siblings.flatMap((file) => {
    const { rfilename, size } = (file ?? {}) as { rfilename?: unknown; size?: unknown };
    if (typeof rfilename !== "string") return [];
    return [{ path: rfilename, size: Number.isSafeInteger(size) ? (size as number) : undefined }];
  });
}
