/** A page that uses the package as anybody's would (the test puts the package's name in place of the path below). */
import * as glassformer from "../../../src/web.ts";
import { training } from "../training.ts";

const { blobSource, Engine, HookedTransformer, hubFiles, imshow, setHub, urlFiles, webBackend } = glassformer;

const models = new Map<string, glassformer.HookedTransformer>();

const page = {
  /** Losses [pos-1] in nats of a prompt, on a model that is loaded once. */
  async losses(name: string, prompt: string, options: glassformer.FromPretrainedOptions = {}): Promise<number[]> {
    const model = models.get(name) ?? (await HookedTransformer.fromPretrained(name, options));
    models.set(name, model);
    const losses = await model.forward(prompt, { returnType: "loss", lossPerToken: true });
    return Array.from(losses.data);
  },
  /** The same, on a number of threads. */
  async lossesInThreads(prompt: string, threads: number): Promise<number[]> {
    return page.losses("/models/solu-1l-novels", prompt, { engine: new Engine(webBackend({ threads })) });
  },
  /** Opens a model, and does not run it. */
  async open(name: string): Promise<void> {
    await HookedTransformer.fromPretrained(name);
  },
  /** Files of a folder behind a URL. */
  list: (url: string) => urlFiles(url).list(),
  /** A file of the hub as text, with the progress of its download. */
  async hubText(id: string, path: string) {
    const seen: number[] = [];
    const files = await hubFiles(id);
    const text = await files.readText(path, { onProgress: ({ done, total }) => seen.push(done / total) });
    return { text, seen };
  },
  setHub,
  /** What went wrong, as its class and sentence. */
  async error(name: string): Promise<string> {
    const error = await HookedTransformer.fromPretrained(name).catch((reason) => reason);
    return `${error.name}: ${error.message}`;
  },
  /** A heatmap of one head's attention, put into the page. */
  async draw(prompt: string): Promise<string> {
    const model = await HookedTransformer.fromPretrained("/models/solu-1l-novels");
    const [, cache] = await model.runWithCache(prompt, { namesFilter: "blocks.0.attn.hook_pattern" });
    const svg = await imshow(cache.get("pattern0").row(0).row(0), { title: "Attention of head 0" }).svg();
    document.body.innerHTML = svg;
    return svg;
  },
  /** A training run on a file that was dropped on the page. */
  train: (file: readonly number[]) =>
    training(glassformer, blobSource("rows.parquet", new Blob([Uint8Array.from(file)]))),
  /** A PNG of the same, by the page's canvas. */
  async png(): Promise<number[]> {
    return Array.from(await imshow([[1, -1]], { title: "two" }).png());
  },
};
export type ModelPage = typeof page;
Object.assign(globalThis, { page });
