/** The list of files in a hub's answer, with limits that no real model reaches. */
import { HubError } from "../tensor/errors.ts";

/** The most bytes in the unpacked answer. */
export const MOST_LIST_BYTES = 16_000_000;
/** A list is small: it is given up if this little arrives in this time. */
export const LIST_PACE = { slowMs: 10_000, slowBytes: 10_000 };
const MOST_FILES = 100_000;

export interface ListedFile {
  readonly path: string;
  /** In bytes, if the hub says so. */
  readonly size: number | undefined;
}

/** @throws HubError for a list that is too long to be real */
export function listedPaths(siblings: readonly unknown[], url: string): ListedFile[] {
  if (siblings.length > MOST_FILES) {
    throw new HubError(`${url} lists ${siblings.length} files, but at most ${MOST_FILES} are read.`, {
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

/** The names of branches and tags in a hub's answer to `/api/models/ID/refs`. @throws HubError for a list that is too long to be real */
export function listedRefs(answer: Readonly<Record<string, unknown>>, url: string): string[] {
  const refs = [answer.branches, answer.tags].flatMap((list) => (Array.isArray(list) ? list : []));
  if (refs.length > MOST_FILES) {
    throw new HubError(`${url} lists ${refs.length} revisions, but at most ${MOST_FILES} are read.`, {
      asked: url,
      found: refs.length,
    });
  }
  return refs.flatMap((ref) => {
    const name = (ref as { name?: unknown } | null)?.name;
    return typeof name === "string" ? [name] : [];
  });
}
