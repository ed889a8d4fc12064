/** The Parquet files of a dataset on the Hugging Face hub: which there are, and their bytes by ranges. */
import { ArgumentError, HubError, UnknownNameError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import { counted } from "../tensor/words.ts";
import type { ByteSource } from "./bytes.ts";
import { atRevision } from "./names.ts";
import { fetchFileInfo, fetchPart, fetchRevision, fileUrl, type HubRepository } from "./node-hub-http.ts";
import type { HubSettings } from "./node-hub-settings.ts";
import { checkedHub, hubSettings } from "./node-hub-settings.ts";

/** The branch with the hub's own conversion of a dataset to Parquet. */
const CONVERTED = "refs/convert/parquet";
const SCHEME = /^hf:\/\//i;

/** A file of a dataset. */
export interface DatasetFile {
  readonly source: ByteSource;
  /** Of its contents. */
  readonly checksum: string;
}

/** Whether a name is that of a dataset on the hub, or of a file of one. */
export const isDatasetName = (name: string): boolean => SCHEME.test(name);

/** Where a Parquet file belongs. */
interface Placed {
  readonly path: string;
  /** The part of the dataset, where it has several, which the hub calls a configuration or subset. */
  readonly part: string;
  readonly split: string;
}

/** How the hub is reached. */
interface Reaching {
  readonly settings?: Partial<HubSettings> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The names of a dataset's Parquet files, `hf://org/name@commit/path`: they mean the same forever. Of `hf://org/name` or
 * `hf://org/name@revision` its own files, or else those that the hub has made of it.
 * @param split the split, "train", or of a dataset of several parts "part/train"; by default "train", or the only one
 * @throws ArgumentError for a name that is none, or a dataset of several parts; UnknownNameError for a split that is not there; HubError for one that is
 * gated, does not exist, or has no Parquet
 */
export async function datasetFiles(
  name: string,
  { split, settings, signal }: Reaching & { readonly split?: string | undefined } = {},
): Promise<string[]> {
  if (FILE.test(name)) return [name];
  const { name: id, revision } = atRevision(name.replace(SCHEME, ""), undefined);
  if (
    !/^\w[\w.-]*\/[\w.-]+$/.test(id) ||
    id.includes("..") ||
    (revision !== undefined && !/^[\w.-]+(\/[\w.-]+)*$/.test(revision))
  ) {
    throw new ArgumentError(
      `${shown(name)} is not the name of a dataset on the hub: write hf://org/name, or hf://org/name@revision.`,
      { asked: name },
    );
  }
  const hub = await reachable(name, settings);
  const { commit, paths } = await parquetOf(hub, id, revision, signal);
  return ofSplit(name, paths.map(placed), split).map(({ path }) => `hf://${id}@${commit}/${path}`);
}

/** A file by the name that `datasetFiles` gave it: nothing is downloaded but what is read. @throws HubError as there */
export async function openDatasetFile(name: string, { settings, signal }: Reaching = {}): Promise<DatasetFile> {
  const [, id, revision, path] = FILE.exec(name) ?? [];
  if (path === undefined) {
    throw new ArgumentError(`${shown(name)} is not the name of a dataset's file, hf://org/name@commit/path.`, {
      asked: name,
    });
  }
  const hub = await reachable(name, settings);
  const repository: HubRepository = { id, revision, kind: "dataset" };
  const url = fileUrl(hub, repository, revision, path);
  const { etag, size } = await fetchFileInfo(hub, repository, url, signal);
  const read: ByteSource["read"] = (start, end, stop = signal) => fetchPart(hub, repository, url, start, end, stop);
  return { source: { name: path, size, read }, checksum: etag };
}

/** A file's name: a commit, and a path in it. */
const FILE = /^hf:\/\/(\w[\w.-]*\/[\w.-]+)@([0-9a-f]{40})\/(.+)$/i;

async function reachable(name: string, settings: Partial<HubSettings> | undefined): Promise<HubSettings> {
  const hub = checkedHub({ ...(await hubSettings()), ...settings });
  if (!hub.offline) return hub;
  throw new HubError(
    `${name} is on the hub, and the network is not used (HF_HUB_OFFLINE is set): unset it, or name files that are here.`,
    { asked: name },
  );
}

/** The dataset's Parquet files, or the hub's conversion where it has none. */
async function parquetOf(hub: HubSettings, id: string, revision: string | undefined, signal: AbortSignal | undefined) {
  const at = async (one: string) => {
    const repository: HubRepository = { id, revision: one, kind: "dataset" };
    const { commit, files } = await fetchRevision(hub, repository, signal);
    const paths = files.map(({ path }) => path).filter((path) => /\.parquet$/i.test(path));
    return { repository, commit, paths };
  };
  const own = await at(revision ?? "main");
  if (own.paths.length > 0) return own;
  if (revision === undefined) {
    const made = await at(CONVERTED).catch((error) => {
      if (error instanceof HubError && error.found === 404) return undefined;
      throw error;
    });
    if (made && made.paths.length > 0) return made;
  }
  throw new HubError(
    `"${id}" has no Parquet files${revision === undefined ? ", neither its own nor the hub's conversion (refs/convert/parquet)" : ` at ${revision}`}: download its files, and name them.`,
    { asked: id },
  );
}

/** Where a file belongs, by its path: `data/train-00000-of-00002.parquet`, `part/train/0000.parquet`, `train.parquet`. */
function placed(path: string): Placed {
  const folders = path.split("/");
  const file = folders.pop()!.replace(/\.parquet$/i, "");
  const numbered = /^(.+?)-\d{4,}(-of-\d{4,})?(-[0-9a-f]+)?$/.exec(file)?.[1];
  if (numbered !== undefined) return { path, split: numbered, part: partOf(folders) };
  if (/^\d+$/.test(file) && folders.length > 0) {
    const split = folders.pop()!.replace(/^partial-/, "");
    return { path, split, part: partOf(folders) };
  }
  const known = /(?:^|[^a-z])(train|test|validation|valid|val|dev)(?:[^a-z]|$)/i.exec(file)?.[1];
  return { path, split: known ?? "train", part: partOf(folders) };
}

const partOf = (folders: readonly string[]): string => {
  const rest = folders.filter((folder) => folder !== "data");
  return rest.length === 0 ? "default" : rest.join("/");
};

/** @throws ArgumentError, UnknownNameError */
function ofSplit(name: string, files: readonly Placed[], asked: string | undefined): readonly Placed[] {
  const called = ({ part, split }: Placed) => (several ? `${part}/${split}` : split);
  const several = new Set(files.map(({ part }) => part)).size > 1;
  const names = [...new Set(files.map(called))].sort();
  if (asked !== undefined) {
    const found = files.filter((file) => called(file) === asked || (several && `default/${asked}` === called(file)));
    if (found.length > 0) return found;
    throw new UnknownNameError("split", asked, names, `${name} has ${names.join(", ")}.`);
  }
  const usual =
    ["train", "default/train"].find((one) => names.includes(one)) ?? (names.length === 1 ? names[0] : undefined);
  if (usual !== undefined) return files.filter((file) => called(file) === usual);
  throw new ArgumentError(
    `${name} has ${counted(names.length, "split")}: choose one with --split (${names.join(", ")}).`,
    {
      asked: name,
      found: names,
    },
  );
}
