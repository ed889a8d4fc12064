/** SAELens' names of releases: which repository each is, and where in it a dictionary is. */
import { UnknownNameError } from "../../tensor/errors.ts";
import type { NormalizationName } from "../normalizations.ts";

/** A release. */
export interface Release {
  readonly repo: string;
  /**
   * Where dictionaries are that have another id in the release than in the repository: an id with "#" in place of numbers, a path with
   * "$k" for its k-th number and "*" for further ones, and for each dictionary its numbers and then those, in words. Left out: ids are paths.
   */
  readonly paths?: readonly (readonly [id: string, path: string, rows: string])[];
  /** The factors of inputs, by id, which the files lack. */
  readonly scales?: Readonly<Record<string, number>>;
  /** How inputs are normalised, where the files say something else. */
  readonly normalizeActivations?: NormalizationName;
}

/** A dictionary of a release, as it is in the repository. */
export interface Released {
  /** What the repository calls it; undefined for the only one. */
  readonly id: string | undefined;
  readonly inputScale: number | undefined;
  readonly normalizeActivations: NormalizationName | undefined;
}

/** The ids of a release with their paths in its repository; empty where they are the same. */
export function pathsOf({ paths = [] }: Release): Map<string, string> {
  const found = new Map<string, string>();
  for (const [id, path, rows] of paths) {
    const count = id.split("#").length - 1;
    for (const row of rows.split(",")) {
      const numbers = row === "" ? [] : row.split(" ");
      let [own, more] = [0, count];
      const name = id.replaceAll("#", () => numbers[own++]);
      found.set(
        name,
        path.replaceAll(/\$(\d+)|\*/g, (_, k?: string) => (k === undefined ? numbers[more++] : numbers[Number(k)])),
      );
    }
  }
  return found;
}

/**
 * A dictionary of a release.
 * @throws UnknownNameError for an id that the release does not have
 */
export function releasedAs(name: string, release: Release, id: string | undefined): Released {
  const paths = pathsOf(release);
  const { normalizeActivations } = release;
  const only = id === undefined && paths.size === 1 ? [...paths.keys()][0] : id;
  if (only === undefined || paths.size === 0) {
    return { id: only, inputScale: only === undefined ? undefined : release.scales?.[only], normalizeActivations };
  }
  const path = paths.get(only);
  if (path === undefined)
    throw new UnknownNameError(`dictionary in the release ${name} with the id`, only, [...paths.keys()]);
  return { id: path, inputScale: release.scales?.[only], normalizeActivations };
}
