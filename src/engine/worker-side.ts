/** The worker's side of `workerBackend`: a backend on its own thread that does what a page asks, in order. */
import type { NDArray } from "../tensor/array.ts";
import type { Backend, Session } from "./backend.ts";
import type { Feed, SlotDType } from "./feeds.ts";
import { type LoadBuild, webBackendOver } from "./ort-web-runtime.ts";
import { holdLock } from "./worker-life.ts";
import { errorData, type KeptFeed, type Message, type Reply, type Request } from "./worker-messages.ts";

/** What is used of a worker's global scope; TypeScript's types are those of a page. */
interface Scope {
  readonly name: string;
  onmessage: ((event: MessageEvent<Message>) => void) | null;
  postMessage(reply: Reply, transfer?: readonly Transferable[]): void;
}

/** The name that onnxruntime gives the workers of its threads, which load the same script. */
const THREAD = /^em-pthread/;

/** Answers a page. @param build loads the build of onnxruntime-web that this worker has */
export function serveRuns(build: LoadBuild): void {
  const scope = globalThis as unknown as Scope;
  if (THREAD.test(scope.name)) return;
  const runs = new Runs();
  scope.onmessage = async ({ data }) => {
    if (data.kind === "start") {
      runs.backend = webBackendOver(build, data.options);
      await holdLock(data.lock);
      scope.postMessage({ kind: "started" });
    } else if (data.kind === "keep") runs.keep(data.kept, data.size, data.at, data.bytes);
    else if (data.kind === "drop") for (const kept of data.kept) runs.drop(kept);
    else {
      const { id, request } = data;
      const reply = await runs.answer(request).then(
        (results): Reply => ({ kind: "done", id, results }),
        (error): Reply => ({ kind: "failed", id, error: errorData(error) }),
      );
      scope.postMessage(reply, reply.kind === "done" ? buffersOf(reply.results) : []);
    }
  };
}

/** What can be handed over: results are the runtime's copies, each an array of its own. */
function buffersOf(arrays: readonly NDArray[]): ArrayBuffer[] {
  return [...new Set(arrays.map(({ data }) => data.buffer as ArrayBuffer))];
}

/** Sessions and kept numbers, by the page's numbers for them. */
class Runs {
  backend: Backend | undefined;
  private readonly sessions = new Map<number, Session>();
  private readonly bytes = new Map<number, Uint8Array>();
  /** The same object each time, which is how numbers are recognised that are on the graphics processor already. */
  private readonly arrays = new Map<number, Feed["data"]>();

  keep(kept: number, size: number, at: number, bytes: Uint8Array): void {
    const whole = this.bytes.get(kept) ?? (at === 0 && bytes.length === size ? bytes : new Uint8Array(size));
    if (whole !== bytes) whole.set(bytes, at);
    this.bytes.set(kept, whole);
  }

  drop(kept: number): void {
    this.bytes.delete(kept);
    this.arrays.delete(kept);
  }

  async answer(request: Request): Promise<readonly NDArray[]> {
    if (request.kind === "compile") {
      this.sessions.set(request.session, await this.backend!.createSession(request.model, request.outputs));
      return [];
    }
    const session = this.sessions.get(request.session)!;
    if (request.kind === "release") {
      this.sessions.delete(request.session);
      await session.release();
      return [];
    }
    const fixed = request.feeds.filter(([, feed]) => "kept" in feed).map(([name]) => name);
    const feeds = request.feeds.map(([name, feed]) => [name, "kept" in feed ? this.keptFeed(feed) : feed] as const);
    return session.run(new Map(feeds), new Set(fixed));
  }

  private keptFeed({ kept, dtype, shape }: KeptFeed): Feed {
    const data = this.arrays.get(kept) ?? arrayOver(dtype, this.bytes.get(kept)!);
    this.arrays.set(kept, data);
    return { dtype, shape, data };
  }
}

/** The numbers that bytes are. */
function arrayOver(dtype: SlotDType, { buffer, byteOffset, byteLength }: Uint8Array): Feed["data"] {
  if (dtype === "float32") return new Float32Array(buffer, byteOffset, byteLength / 4);
  if (dtype === "float64") return new Float64Array(buffer, byteOffset, byteLength / 8);
  if (dtype === "int32") return new Int32Array(buffer, byteOffset, byteLength / 4);
  if (dtype === "uint16" || dtype === "float16") return new Uint16Array(buffer, byteOffset, byteLength / 2);
  return new Uint8Array(buffer, byteOffset, byteLength);
}
