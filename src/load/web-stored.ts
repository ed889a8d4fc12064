/** What a page has stored of models, and its removal. */
import { ArgumentError, HubError, UnknownNameError } from "../tensor/errors.ts";
import { kindOf } from "../tensor/show.ts";
import { bundledName } from "./names.ts";
import { isModelUrl } from "./url-file.ts";
import { pageUrl } from "./web-page.ts";
import { webSettings } from "./web-settings.ts";
import { openStore } from "./web-store.ts";
import { StoredFile, type StoredVersion } from "./web-stored-file.ts";
import { ifFree } from "./web-turn.ts";

/** A file that is stored, or the part of it that has arrived. */
export interface StoredModelFile {
  readonly path: string;
  readonly bytes: number;
  /** Whether all of it has arrived. */
  readonly complete: boolean;
}

/** What a page has stored of a model. */
export interface StoredModel {
  /** The id on the hub, or the URL of the folder or file: `fromPretrained` opens it by this name. */
  readonly name: string;
  /** The commit on the hub; undefined for a URL. */
  readonly revision: string | undefined;
  readonly bytes: number;
  /** Whether all of every file that was opened has arrived; if not, opening the model again downloads the rest. */
  readonly complete: boolean;
  /** When the last of its files began to be downloaded, as an ISO date. */
  readonly date: string;
  readonly files: readonly StoredModelFile[];
}

interface Found extends StoredVersion {
  readonly file: StoredFile;
}

/**
 * The models that this site has stored in the browser, those of the hub and those of URLs, by name. Each revision on the hub is one.
 * Empty where a browser stores nothing: in some private windows, and on pages that are neither on https nor on localhost.
 */
export async function storedModels(): Promise<StoredModel[]> {
  const groups = [...groupsOf(await found()).values()].map(modelOf);
  return groups.sort((a, b) => (a.name === b.name ? (a.date < b.date ? -1 : 1) : a.name < b.name ? -1 : 1));
}

/**
 * Removes models from the browser's storage: those that `storedModels` returned, or all revisions of a name. `await deleteStored(await storedModels())`
 * removes everything. A model that is loaded stays loaded.
 * @returns the bytes that are free again
 * @throws UnknownNameError for a name of which nothing is stored; HubError if another tab is downloading it
 */
export async function deleteStored(models: string | StoredModel | readonly (string | StoredModel)[]): Promise<number> {
  const all = await found();
  const chosen = new Set<Found>();
  for (const model of Array.isArray(models) ? models : [models]) {
    for (const one of ofModel(all, model)) chosen.add(one);
  }
  let bytes = 0;
  const busy = new Set<string>();
  for (const { file, blob, record } of chosen) {
    if (await ifFree(file.folder, () => file.remove())) bytes += blob.size;
    else busy.add(record.model);
  }
  if (busy.size === 0) return bytes;
  const [name] = busy;
  throw new HubError(`${name} is being downloaded, here or in another tab: stop that, and delete it then.`, {
    asked: name,
  });
}

async function found(): Promise<Found[]> {
  const store = await openStore(webSettings().cache);
  const all: Found[] = [];
  for (const folder of (await store?.folders()) ?? []) {
    const file = new StoredFile(store!, folder);
    const version = await file.read();
    if (version) all.push({ ...version, file });
  }
  return all;
}

function groupsOf(all: readonly Found[]): Map<string, Found[]> {
  const groups = new Map<string, Found[]>();
  for (const one of all) {
    const key = `${one.record.model}\n${one.record.revision ?? ""}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return groups;
}

function modelOf(group: readonly Found[]): StoredModel {
  const files = group.map(({ record, blob }) => ({ path: record.path, bytes: blob.size, complete: record.complete }));
  const { model, revision } = group[0].record;
  return {
    ...{ name: model, revision },
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    complete: files.every((file) => file.complete),
    date: group
      .map(({ record }) => record.date)
      .sort()
      .at(-1)!,
    files: files.sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
}

/** @throws UnknownNameError if nothing is stored of it, ArgumentError for anything but a name or a stored model */
function ofModel(all: readonly Found[], model: unknown): Found[] {
  const { name, revision } = (typeof model === "string" ? { name: model } : (model ?? {})) as Partial<StoredModel>;
  if (typeof name !== "string") {
    throw new ArgumentError(
      `deleteStored takes the name of a stored model, or what storedModels returned, not ${kindOf(model)}.`,
      { asked: model },
    );
  }
  const stored = storedName(name);
  const there = all.filter(
    ({ record }) => record.model === stored && (typeof model === "string" || record.revision === revision),
  );
  if (there.length > 0) return there;
  const names = [...new Set(all.map(({ record }) => record.model))];
  throw new UnknownNameError("stored model", name, names, names.length === 0 ? "Nothing is stored." : "");
}

/** How a model's name stands in the store: as an id on the hub, or a whole URL. */
function storedName(name: string): string {
  const bundled = bundledName(name);
  const path = bundled ? `models/${bundled}` : name;
  if (!bundled && !/^(https?:\/\/|\.{0,2}\/)/.test(path)) return path;
  if (!URL.canParse(path, pageUrl())) return path;
  const url = new URL(path, pageUrl());
  if (!isModelUrl(url.href) && !url.pathname.endsWith("/")) url.pathname += "/";
  return url.href;
}
