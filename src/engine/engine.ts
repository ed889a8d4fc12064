/**
 * Runs graphs: plans them, compiles each structure once, feeds it, and gives the numbers back as leaves. Knows nothing
 * of transformers.
 */
import { type EvaluateOptions, evaluateWith } from "../graph/evaluate.ts";
import { Tensor } from "../graph/tensor.ts";
import type { NDArray } from "../tensor/array.ts";
import { outputNames, slotName, writeOnnx } from "./onnx.ts";
import { makePlan, type Plan } from "./plan.ts";

/** A compiled graph, ready to run. */
export interface Session {
  /** Arrays by input name in, arrays in the order of the session's output names out. */
  run(feeds: ReadonlyMap<string, NDArray>): Promise<NDArray[]>;
  release(): Promise<void>;
}

/** A runtime that takes ONNX bytes: onnxruntime-node, onnxruntime-web. */
export interface Backend {
  readonly name: string;
  createSession(model: Uint8Array, outputs: readonly string[]): Promise<Session>;
}

/** What one run would do, for `explain`. */
export interface Explanation {
  readonly plan: Plan;
  /** Whether a session of this structure is already compiled. */
  readonly reused: boolean;
}

/** Sessions kept at most; the one unused for longest is released first. */
const MAX_SESSIONS = 256;

export class Engine {
  readonly backend: Backend;
  /** Sessions compiled so far. */
  sessionsCreated = 0;
  /** Runs of a session so far. */
  runs = 0;
  private readonly sessions = new Map<string, Promise<Session>>();
  /** Weights laid out anew, by the weight they were made from and how. They go when the weight goes. */
  private readonly layouts = new WeakMap<NDArray["data"], Map<string, Promise<NDArray>>>();

  constructor(backend: Backend) {
    this.backend = backend;
  }

  /** Computes values together, in one run of one session. */
  async run(outputs: readonly Tensor[], { signal }: EvaluateOptions = {}): Promise<Tensor[]> {
    signal?.throwIfAborted();
    const plan = makePlan(outputs);
    const names = outputNames(plan);
    const arrays = new Map<string, NDArray>();
    if (names.length > 0) {
      const feeds = new Map<string, NDArray>();
      for (const input of plan.inputs) feeds.set(slotName(input), await this.arrayOf(input.source));
      const session = await this.session(plan, names);
      signal?.throwIfAborted();
      this.runs++;
      const results = await session.run(feeds);
      for (const [i, name] of names.entries()) arrays.set(name, results[i]);
      signal?.throwIfAborted();
    }
    for (const c of plan.constants) arrays.set(slotName(c), c.array);
    const inputs = new Map(plan.inputs.map((input) => [input.id, input.source]));
    return Promise.all(
      plan.outputs.map(async (slot, i) => {
        const source = inputs.get(slot.id);
        const array = source ? await this.arrayOf(source) : arrays.get(slotName(slot))!;
        return Tensor.leaf({ ...array, shape: outputs[i].shape } as NDArray, outputs[i].axes, "feed", outputs[i].label);
      }),
    );
  }

  explain(outputs: readonly Tensor[]): Explanation {
    const plan = makePlan(outputs);
    return { plan, reused: this.sessions.has(plan.key) };
  }

  /** Makes `compute()` on anything derived from `x` run here. */
  adopt(x: Tensor): void {
    evaluateWith(x, (outputs, options) => this.run(outputs, options));
  }

  async dispose(): Promise<void> {
    const all = [...this.sessions.values()];
    this.sessions.clear();
    for (const session of all) await (await session).release();
  }

  private session(plan: Plan, names: readonly string[]): Promise<Session> {
    let session = this.sessions.get(plan.key);
    if (session) {
      this.sessions.delete(plan.key); // set again below, so that the map is in order of last use
    } else {
      this.sessionsCreated++;
      session = this.backend.createSession(writeOnnx(plan), names);
      session.catch(() => this.sessions.delete(plan.key));
    }
    this.sessions.set(plan.key, session);
    if (this.sessions.size > MAX_SESSIONS) {
      const [oldest, unused] = this.sessions.entries().next().value!;
      this.sessions.delete(oldest);
      unused.then((s) => s.release()).catch(() => {});
    }
    return session;
  }

  /** A leaf's numbers; or those of weights laid out anew, computed at first need. */
  private async arrayOf(source: Tensor): Promise<NDArray> {
    if (source.array) return source.array;
    const weights: Tensor[] = [];
    const how = describe(source, weights);
    const first = weights[0].array!.data;
    const known = this.layouts.get(first) ?? new Map<string, Promise<NDArray>>();
    this.layouts.set(first, known);
    const key = how + weights.slice(1).map((w) => ` ${idOf(w.array!.data)}`);
    let array = known.get(key);
    if (!array) {
      array = this.layOut(source);
      known.set(key, array);
    }
    return array;
  }

  private async layOut(source: Tensor): Promise<NDArray> {
    if (keepsOrder(source)) return { ...leafUnder(source).array!, shape: source.shape } as NDArray;
    const [made] = await this.run([unfixed(source)]);
    return made.array!;
  }
}

const ids = new WeakMap<object, number>();
let nextId = 0;
function idOf(x: object): number {
  if (!ids.has(x)) ids.set(x, nextId++);
  return ids.get(x)!;
}

/** The ops from weights to a layout, as text; the weights are collected in order. */
function describe(t: Tensor, weights: Tensor[]): string {
  if (t.op === null) return `w${weights.push(t)}[${t.shape}]`;
  return `${t.op}${JSON.stringify(t.attrs)}(${t.inputs.map((x) => describe(x, weights)).join()})`;
}

const reshapes = new Set(["point", "splitAxis", "mergeAxes", "unsqueeze", "squeeze"]);

/** Whether a layout leaves the numbers in their order, so that it needs no copy. */
function keepsOrder(t: Tensor): boolean {
  return t.op === null || (reshapes.has(t.op) && keepsOrder(t.inputs[0]));
}

function leafUnder(t: Tensor): Tensor {
  return t.op === null ? t : leafUnder(t.inputs[0]);
}

/** The same layout on leaves that count as feeds, so that a plan computes it instead of asking for it. */
function unfixed(t: Tensor): Tensor {
  if (t.op === null) return Tensor.leaf(t.array!, t.axes);
  return Tensor.apply(t.op, t.inputs.map(unfixed), t.attrs);
}
