/** Files that a person chose or dropped on the page, as a repository of files. */
import { ArgumentError, InputError, UnknownNameError } from "../tensor/errors.ts";
import { kindOf } from "../tensor/show.ts";
import { firstOf } from "../tensor/words.ts";
import type { ModelFiles } from "./files.ts";
import { readText } from "./text-pieces.ts";
import { blobSource } from "./web-fetch.ts";
import { entriesOf } from "./web-store.ts";

/** What a page gets of a person's files: from `<input type="file">`, from a drop, or from a picker of files or folders. */
export type Choice = Iterable<File | FileSystemHandle> | FileList | DataTransfer | FileSystemHandle;

/** The most files that are looked at: a model has a few dozen. */
const MOST_FILES = 10_000;
/** What systems leave in folders. */
const HIDDEN = /(^|\/)(\.|__MACOSX\/|Thumbs\.db$|desktop\.ini$)/;
/** The formats of models' files. */
const READ = /\.(safetensors|pth|pt|bin|ckpt|gguf|json|txt|model|tiktoken|jinja)$/i;
/** A repository of files that have no folder in common. */
const UNNAMED = "the selection";

type Chosen = readonly [path: string, file: File];

/**
 * A model's files as a person chose them: a `FileList` of `<input type="file" multiple>` (or with `webkitdirectory`), the `dataTransfer` of a drop event, which
 * has to be passed before that event's handler awaits anything, or the handles of `showDirectoryPicker` and `showOpenFilePicker`. A folder's name becomes the
 * model's; nothing is uploaded or stored, and a file is only read where it is needed.
 *
 *     const files = await chosenFiles(event.dataTransfer);
 *     const model = await HookedTransformer.fromPretrained(files.name, { files });
 * @throws InputError if there are no files, none that could be a model's, or two of the same name; ArgumentError for anything else than a choice of files
 */
export async function chosenFiles(choice: Choice): Promise<ModelFiles> {
  // Everything is asked for now: after the event, a drop has nothing any more.
  const found = (await Promise.all(partsOf(choice).map(filesOf))).flat();
  const visible = found.filter(([path]) => !HIDDEN.test(path));
  if (visible.length === 0) {
    throw new InputError(
      "No files were chosen: choose a model's config.json, weights and tokenizer.json together, its folder, or a GGUF file.",
      { asked: choice },
    );
  }
  const [folder, files] = withoutFolder(visible);
  if (!files.some(([path]) => READ.test(path))) {
    throw new InputError(
      `There is no model in ${firstOf(files.map(([path]) => path))}: choose a model's config.json, weights (.safetensors, .pth, .bin) and tokenizer.json together, its folder, or a GGUF file.`,
      { asked: choice, found: files.map(([path]) => path) },
    );
  }
  const [only] = files;
  return repository(folder ?? (files.length === 1 && /\.gguf$/i.test(only[0]) ? only[0] : UNNAMED), files);
}

function repository(name: string, files: readonly Chosen[]): ModelFiles {
  const byPath = new Map<string, File>();
  for (const [path, file] of files) {
    if (byPath.has(path)) {
      throw new InputError(`Two files are called ${path}: choose one of them, or the folder of the model.`, {
        asked: path,
      });
    }
    byPath.set(path, file);
  }
  const paths = [...byPath.keys()].sort();
  const open: ModelFiles["open"] = async (path) => {
    const file = byPath.get(path);
    if (file) return blobSource(path, file);
    throw new UnknownNameError("file", path, paths, `${name} has ${firstOf(paths)}.`);
  };
  return {
    ...{ name, open, list: async () => [...paths] },
    readText: async (path, options) => readText(await open(path), options?.signal),
  };
}

/** Without the folder that all files are in, and its name. */
function withoutFolder(files: readonly Chosen[]): [folder: string | undefined, files: readonly Chosen[]] {
  let folder: string | undefined;
  let inside = files;
  for (;;) {
    const [first] = inside[0][0].split("/");
    if (!inside.every(([path]) => path.startsWith(`${first}/`))) return [folder, inside];
    folder = first;
    inside = inside.map(([path, file]) => [path.slice(first.length + 1), file]);
  }
}

type Part = File | FileSystemHandle | FileSystemEntry;

/** The files and folders of a choice, without waiting. @throws ArgumentError if it is none */
function partsOf(choice: unknown): Part[] {
  if (typeof choice === "object" && choice !== null) {
    const { items, files } = choice as Partial<DataTransfer>;
    if (items && files) {
      const dropped = [...items].flatMap((item) => item.webkitGetAsEntry?.() ?? item.getAsFile() ?? []);
      return dropped.length > 0 ? dropped : [...files];
    }
    const parts = Symbol.iterator in choice ? [...(choice as Iterable<unknown>)] : [choice];
    if (parts.every(isPart)) return parts;
  }
  throw new ArgumentError(
    `chosenFiles takes a FileList, a list of Files, the dataTransfer of a drop, or a folder's handle, not ${kindOf(choice)}.`,
    { asked: choice },
  );
}

function isPart(part: unknown): part is Part {
  if (part instanceof Blob) return typeof (part as File).name === "string";
  const { kind } = (part ?? {}) as Partial<FileSystemHandle>;
  return kind === "file" || kind === "directory";
}

/** The files of a part, with their paths. */
async function filesOf(part: Part): Promise<Chosen[]> {
  const found: Chosen[] = [];
  await walk(part, "", found);
  return found;
}

async function walk(part: Part, before: string, found: Chosen[]): Promise<void> {
  if (found.length >= MOST_FILES) {
    throw new InputError(`The folder has more than ${MOST_FILES} files: choose that of the model.`, {
      found: MOST_FILES,
    });
  }
  if (part instanceof Blob) {
    found.push([before + (part.webkitRelativePath || part.name), part]);
    return;
  }
  const path = before + part.name;
  if (HIDDEN.test(path)) return;
  if ("kind" in part) {
    if (part.kind === "file") found.push([path, await (part as FileSystemFileHandle).getFile()]);
    else for await (const inside of entriesOf(part as FileSystemDirectoryHandle)) await walk(inside, `${path}/`, found);
    return;
  }
  if (part.isFile) found.push([path, await new Promise<File>((...to) => (part as FileSystemFileEntry).file(...to))]);
  else for (const inside of await insideOf(part as FileSystemDirectoryEntry)) await walk(inside, `${path}/`, found);
}

/** What is in a dropped folder: a browser returns it in portions. */
async function insideOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const more = await new Promise<FileSystemEntry[]>((...to) => reader.readEntries(...to));
    if (more.length === 0) return all;
    all.push(...more);
  }
}
