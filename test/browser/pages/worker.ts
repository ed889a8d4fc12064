/** A page whose models run in a worker (the test puts the package's names in place of the paths below). */
import * as glassformer from "../../../src/web.ts";
import { runInWorker } from "../../../src/worker.ts";
import { numbersOf } from "../numbers.ts";

const { HookedTransformer, tensor } = glassformer;

/** The page's workers, and how many bytes it sent to them. */
const made: Worker[] = [];
let sent = 0;
/** Requests that no worker has answered. */
let open = 0;
const PageWorker = Worker;
globalThis.Worker = class extends PageWorker {
  constructor(url: string | URL, options?: WorkerOptions) {
    super(url, options);
    made.push(this);
    this.addEventListener("message", ({ data }) => {
      if (data.kind !== "started") open--;
    });
  }
  override postMessage(message: unknown, transfer?: Transferable[] | StructuredSerializeOptions): void {
    for (const buffer of (transfer ?? []) as ArrayBuffer[]) sent += buffer.byteLength;
    if ((message as { kind: string }).kind === "request") open++;
    super.postMessage(message, transfer as Transferable[]);
  }
};

const longTasks: number[] = [];
new PerformanceObserver((list) => longTasks.push(...list.getEntries().map(({ duration }) => duration))).observe({
  entryTypes: ["longtask"],
});

const runtimeFolder = new URLSearchParams(location.search).get("runtime") ?? undefined;
const workers = runInWorker({ threads: 2, runtimeFolder });

/** What was reported of downloads. */
const heard: glassformer.DownloadProgress[] = [];
const models = new Map<string, Promise<glassformer.HookedTransformer>>();
function opened(name: string, device?: "webgpu") {
  const key = `${name} ${device}`;
  const onProgress = (progress: glassformer.DownloadProgress) => void heard.push(progress);
  const options = { onProgress, ...(device && { device }) };
  const model = models.get(key) ?? HookedTransformer.fromPretrained(`/models/${name}`, options);
  models.set(key, model);
  return model;
}

const prompt = "The old man looked at";
/** An error, as its class and sentence. */
const described = (error: unknown) => {
  const kind = [glassformer.ShapeError, glassformer.GlassformerError].find((Class) => error instanceof Class);
  return `${kind ? (error as Error).name : "not ours"}: ${(error as Error).message}`;
};

const worker = {
  async losses(text: string, device?: "webgpu"): Promise<number[]> {
    const model = await opened("solu-1l-novels", device);
    const losses = await model.forward(text, { returnType: "loss", lossPerToken: true });
    return Array.from(losses.data);
  },
  /** Numbers of all kinds of runs, for comparison with Node's. */
  numbers: async () => numbersOf(glassformer, await opened("gelu-3l-novels")),
  /** Bytes sent with a run: the second time, weights are there. */
  async sentWith(text: string): Promise<number> {
    const before = sent;
    await worker.losses(text);
    return sent - before;
  },
  /** The same on a model whose weights are kept in fewer bits. */
  async keptLosses(text: string, dtype: "float16" | "int4"): Promise<number[]> {
    const model = await HookedTransformer.fromPretrained("/models/solu-1l-novels", { dtype });
    return Array.from((await model.forward(text, { returnType: "loss", lossPerToken: true })).data);
  },
  /** Lets go of everything that was compiled, which frees the weights in the worker, too: bytes sent with the next run. */
  async sentAfterDispose(text: string): Promise<number> {
    await (await opened("solu-1l-novels")).engine.dispose();
    return worker.sentWith(text);
  },
  /** Continues a prompt with a timer of 10 ms next to it. */
  async generate() {
    const model = await opened("solu-1l-novels");
    longTasks.length = 0;
    let ticks = 0;
    const timer = setInterval(() => ticks++, 10);
    const text = await model.generate(prompt, { maxNewTokens: 60, temperature: 0 });
    clearInterval(timer);
    await new Promise((later) => setTimeout(later, 100));
    return { text, ticks, longest: Math.max(0, ...longTasks) };
  },
  /** Ends the worker while it runs, as a browser that is short of memory does, and runs again. */
  async killed(): Promise<[string, number]> {
    const model = await opened("solu-1l-novels");
    const running = model.forward(prompt).then(() => "it ran", described);
    made.at(-1)!.terminate();
    return [await running, (await worker.losses(prompt)).length];
  },
  /** Ends the workers by the package's own function. */
  async closed(): Promise<number[]> {
    workers.close();
    return worker.losses(prompt);
  },
  /** Aborts a run in the middle: whether the caller was answered before the worker was done. */
  async aborted(): Promise<[string, boolean]> {
    const model = await opened("gelu-3l-novels");
    const controller = new AbortController();
    const running = model.forward(
      Array.from({ length: 250 }, (_, i) => i),
      { signal: controller.signal },
    );
    setTimeout(() => controller.abort(), 1);
    const name = await running.then(
      () => "it ran",
      (error) => error.name,
    );
    return [name, open > 0];
  },
  /** What onnxruntime refuses in the worker, as the page gets it. */
  async refused(): Promise<string> {
    const index = tensor([1, 2], { dtype: "int32" });
    return tensor([1, 2, 3])
      .gather(0, index.add(index))
      .compute()
      .then(() => "it ran", described);
  },
  made: () => made.length,
  heard: () => heard,
};
export type WorkerPage = typeof worker;
Object.assign(globalThis, { worker });
