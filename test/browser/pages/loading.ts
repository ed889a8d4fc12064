/** A page, and a worker, that load and store models as anybody's would. */
import * as glassformer from "../../../src/web.ts";

const { chosenFiles, deleteStored, HookedTransformer, hubFiles, setHub, storedModels, urlFiles } = glassformer;

/** The SHA-256 of bytes in hex. */
async function hashOf(source: glassformer.ByteSource): Promise<string> {
  const bytes = (await source.read(0, source.size)) as Uint8Array<ArrayBuffer>;
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...hash].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

interface Fetched {
  readonly hash?: string;
  readonly error?: string;
  readonly notes: readonly string[];
  /** The shares of the file that were reported, and the first number of bytes. */
  readonly progress: readonly number[];
  readonly first: number | undefined;
}

const messageOf = (error: Error) => `${error.name}: ${error.message}`;

/** What was chosen or dropped, as the last event of the page has it. */
let chosen: Promise<glassformer.ModelFiles | Error> | undefined;

const loading = {
  setHub,
  storedModels,
  deleteStored,
  /** A file of a folder, or of a model on the hub. */
  async fetch(folder: string, path: string, stopAt = Number.POSITIVE_INFINITY): Promise<Fetched> {
    const notes: string[] = [];
    const seen: glassformer.DownloadProgress[] = [];
    const stop = new AbortController();
    const options = {
      signal: stop.signal,
      note: (sentence: string) => notes.push(sentence),
      onProgress: (progress: glassformer.DownloadProgress) => {
        seen.push(progress);
        if (progress.done >= stopAt) stop.abort(new Error("stopped by the person"));
      },
    };
    const told = () => ({ notes, progress: seen.map(({ done, total }) => done / total), first: seen[0]?.done });
    try {
      const files = folder.startsWith("hub:") ? await hubFiles(folder.slice(4)) : urlFiles(folder);
      return { hash: await hashOf(await files.open(path, options)), ...told() };
    } catch (error) {
      return { error: messageOf(error as Error), ...told() };
    }
  },
  list: (folder: string) => urlFiles(folder).list(),
  /** The losses of a model, and all that it reported while it was loaded. */
  async model(name: string, prompt: string | number[][]) {
    const seen: glassformer.DownloadProgress[] = [];
    const notes: string[] = [];
    const model = await HookedTransformer.fromPretrained(name, {
      onProgress: (progress) => void seen.push(progress),
      note: (sentence) => void notes.push(sentence),
    });
    const loss = await model.forward(prompt, { returnType: "loss" });
    return { loss: Number(loss.data[0]), seen, notes };
  },
  /** What was reported before a model was there. */
  async progress(name: string) {
    const seen: glassformer.DownloadProgress[] = [];
    await HookedTransformer.fromPretrained(name, { onProgress: (progress) => void seen.push(progress) });
    return [...seen];
  },
  async refusal(name: string): Promise<string> {
    const error = await HookedTransformer.fromPretrained(name).catch((reason) => reason);
    return messageOf(error);
  },
  /** Shows an input for files, and a place to drop them. */
  chooser() {
    document.body.innerHTML = '<input id="files" type="file" multiple><input id="folder" type="file" webkitdirectory>';
    for (const input of document.querySelectorAll("input")) {
      input.onchange = () => {
        chosen = chosenFiles(input.files!).catch((error) => error);
      };
    }
  },
  /** What the model of the chosen files says of a prompt, or why there is none. */
  async chosen(prompt: string) {
    const files = await chosen!;
    if (files instanceof Error) return { error: messageOf(files) };
    try {
      const model = await HookedTransformer.fromPretrained(files.name, { files });
      const loss = await model.forward(prompt, { returnType: "loss" });
      return { name: files.name, paths: await files.list(), loss: Number(loss.data[0]), notes: model.notes };
    } catch (error) {
      return { error: messageOf(error as Error) };
    }
  },
  /** Files that are dropped, by name and content; their names may have folders. */
  drop(contents: Readonly<Record<string, string>>): void {
    const data = new DataTransfer();
    for (const [name, text] of Object.entries(contents)) data.items.add(new File([text], name));
    chosen = chosenFiles(data).catch((error) => error);
  },
  /** A folder's handle, as a picker returns it: here of the page's own file system. */
  async pick(contents: Readonly<Record<string, string>>) {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle("my-model", { create: true });
    for (const [name, text] of Object.entries(contents)) {
      const stream = await (await folder.getFileHandle(name, { create: true })).createWritable();
      await stream.write(text);
      await stream.close();
    }
    const files = await chosenFiles(folder);
    return { name: files.name, paths: await files.list() };
  },
  async wrongChoice(): Promise<string[]> {
    const wrong = [undefined, 5, "model.safetensors", [5], {}, [new Blob(["x"])]];
    return Promise.all(wrong.map((choice) => chosenFiles(choice as never).then(String, messageOf)));
  },
  async wrongDelete(names: readonly unknown[]): Promise<string[]> {
    return Promise.all(names.map((name) => deleteStored(name as never).then(String, messageOf)));
  },
};
export type Loading = typeof loading;
Object.assign(globalThis, { loading });

// In a worker, calls arrive as messages.
if (typeof document === "undefined") {
  globalThis.onmessage = async ({ data: [id, name, args] }) => {
    const call = loading[name as keyof Loading] as (...args: unknown[]) => unknown;
    globalThis.postMessage([id, await call(...args)]);
  };
} else {
  let worker: Worker | undefined;
  Object.assign(globalThis, {
    inWorker: (name: string, ...args: unknown[]) => {
      worker ??= new Worker("/loading.js", { type: "module" });
      const id = Math.random();
      return new Promise((done) => {
        worker!.addEventListener("message", ({ data }) => data[0] === id && done(data[1]));
        worker!.postMessage([id, name, args]);
      });
    },
  });
}
