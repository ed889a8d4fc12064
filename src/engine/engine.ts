/**
 * Runs graphs: plans them, compiles each structure once, feeds it, and returns the numbers as leaves. Knows nothing
 * about transformers.
 */
import { showShape } from "../graph/axes.ts";
import { largestValue } from "../graph/largest-value.ts";
import { needTensors } from "../graph/methods/expression.ts";
import type { EvaluateOptions, Sized } from "../graph/runner.ts";
import { Tensor } from "../graph/tensor.ts";
import { untilAborted } from "../tensor/abort.ts";
import { type NDArray, ndarray, sizeOf } from "../tensor/array.ts";
import { ArgumentError, GlassformerError, MemoryError } from "../tensor/errors.ts";
import { freeMemory, needMemory, showBytes } from "../tensor/free-memory.ts";
import { identityOf, keptOf } from "../tensor/kept.ts";
import { ANYTHING, POSITIVE, SIGNAL } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { shown } from "../tensor/show.ts";
import type { Backend, Session } from "./backend.ts";
import type { Feed } from "./feeds.ts";
import { feedOf } from "./kept.ts";
import { laidOut } from "./laid-out.ts";
import { layoutKey, uncopied } from "./layout.ts";
import { Layouts } from "./layouts.ts";
import { keptBytes, runBytes } from "./memory.ts";
import { computedOutputs, slotName, writeOnnx } from "./onnx.ts";
import { pause } from "./pause.ts";
import { makePlan, planOf } from "./plan.ts";
import { Sessions } from "./sessions.ts";
import type { Plan } from "./steps.ts";

/** What one run would do, for `explain`. */
export interface Explanation {
  readonly plan: Plan;
  /** Whether a session of this structure is already compiled. */
  readonly reused: boolean;
}

/** Settings of an engine. */
export interface EngineOptions {
  /** Most bytes that the values of one run may take; default: what is free. A run that needs more is refused. */
  readonly memoryBytes?: number | undefined;
}

const ENGINE_OPTIONS: OptionKinds<EngineOptions> = { memoryBytes: POSITIVE };

const RUN_OPTIONS: OptionKinds<EvaluateOptions> = { signal: SIGNAL, sized: ANYTHING };

const USUAL: Sized = { what: "This run", advice: "ask for fewer values, or for fewer rows at a time" };

/** Sessions that live at one time on a backend that does not set a limit. */
const MAX_SESSIONS = 32;

/** The files of runtimes that were fetched, each with the name of its backend. */
const fetched = new Set<string>();

/** Runs graphs on a backend: compiles each structure once, feeds it numbers, and returns the results as leaves. */
export class Engine {
  readonly backend: Backend;
  /** Most bytes that the values of one run may take, if that was set. */
  readonly memoryBytes: number | undefined;
  /** Runs requested so far. */
  runs = 0;
  private readonly sessions: Sessions;
  private readonly layouts = new Layouts();
  private starting: Promise<void> | undefined;

  constructor(backend: Backend, options: EngineOptions = {}) {
    checkOptions("Engine", options, ENGINE_OPTIONS);
    if (typeof backend?.createSession !== "function") {
      throw new ArgumentError(`An engine needs a backend, nodeBackend() or webBackend(), not ${shown(backend)}.`, {
        asked: backend,
      });
    }
    this.backend = backend;
    this.memoryBytes = options.memoryBytes;
    this.sessions = new Sessions(backend.maxSessions ?? MAX_SESSIONS);
  }

  /** Sessions compiled so far. */
  get sessionsCreated(): number {
    return this.sessions.created;
  }

  /** The runtime's file, if it has yet to be fetched before this engine can compute. */
  get awaited(): Backend["fetched"] {
    const { name, fetched: file } = this.backend;
    return file && !fetched.has(name + file.file) ? file : undefined;
  }

  /**
   * Starts a runtime that has to be fetched, so that the first run need not wait for it. Whatever is wrong with it, the first run says.
   */
  start(): Promise<void> {
    this.starting ??= this.fetchRuntime().catch((error) => {
      this.starting = undefined;
      throw error;
    });
    return this.starting;
  }

  private async fetchRuntime(): Promise<void> {
    if (!this.backend.fetched) return;
    const one = Tensor.leaf(ndarray("float32", [1], Float32Array.of(1)));
    const plan = makePlan([one.add(one)]);
    const session = await this.compile(plan);
    await session.release();
  }

  private async compile(plan: Plan): Promise<Session> {
    const outputs = computedOutputs(plan).map(slotName);
    const session = await this.backend.createSession(writeOnnx(plan, this.backend), outputs);
    const { name, fetched: file } = this.backend;
    if (file) fetched.add(name + file.file);
    return session;
  }

  /**
   * Computes values together, in one run of one session. Once the signal is aborted the promise is rejected with its
   * reason; what is running then finishes unnoticed.
   * @throws MemoryError for a run that needs more memory than allowed or free, usually before anything is allocated
   */
  async run(outputs: readonly Tensor[], options: EvaluateOptions = {}): Promise<Tensor[]> {
    needTensors("Engine.run", outputs);
    checkOptions("Engine.run", options, RUN_OPTIONS);
    const { signal, sized } = options;
    signal?.throwIfAborted();
    return untilAborted(this.compute(outputs, signal, sized), signal);
  }

  private async compute(
    outputs: readonly Tensor[],
    signal: AbortSignal | undefined,
    sized: Sized | undefined,
  ): Promise<Tensor[]> {
    const plan = planOf(outputs);
    this.admit(plan, outputs, sized);
    const layouts = await this.layOut(plan, signal);
    const arrays = await this.execute(plan, (source) => source.array ?? layouts.get(layoutKey(source))!, signal);
    this.runs++;
    return plan.outputs.map((slot, i) => {
      const { axes, label } = outputs[i];
      return Tensor.leaf(shaped(arrays.get(slot.id)!, outputs[i]), axes, "feed", label);
    });
  }

  /**
   * The same computation again and again, planned once: a function from new numbers for some of its leaves to the outputs'
   * numbers. The arrays it returns may be passed to it the next time, as a training step's state is. Few rows are multiplied as the backend
   * does it fastest, so their last digits may differ from those of a run with more rows; in `run` they do not, and what has no
   * effect changes nothing.
   */
  async program(
    inputs: readonly Tensor[],
    outputs: readonly Tensor[],
    options: Pick<EvaluateOptions, "sized"> = {},
  ): Promise<(arrays: readonly NDArray[]) => Promise<NDArray[]>> {
    needTensors("Engine.program", outputs);
    needTensors("Engine.program", inputs);
    checkOptions("Engine.program", options, { sized: ANYTHING });
    if (!inputs.every((input) => input.array)) {
      throw new ArgumentError("The inputs of a program must be leaves: values that hold numbers.", { asked: inputs });
    }
    const plan = makePlan(outputs, this.backend);
    this.admit(plan, outputs, options.sized);
    const layouts = await this.layOut(plan);
    return async (arrays) => {
      if (!Array.isArray(arrays) || !inputs.every((input, i) => fits(arrays[i], input))) {
        throw new ArgumentError(
          `This program needs an array for each of its ${inputs.length} inputs, with the same dtype and number of axes.`,
          { asked: arrays },
        );
      }
      const given = new Map(inputs.map((input, i) => [identityOf(input.array!), arrays[i]]));
      this.runs++;
      const found = await this.execute(plan, (source) =>
        source.array ? (given.get(identityOf(source.array)) ?? source.array) : layouts.get(layoutKey(source))!,
      );
      return plan.outputs.map((slot, i) => ({ ...found.get(slot.id)!, shape: outputs[i].shape }) as NDArray);
    };
  }

  /** The most bytes that a run would take at one time, by its sizes. */
  plannedBytes(outputs: readonly Tensor[]): number {
    needTensors("Engine.plannedBytes", outputs);
    return runBytes(planOf(outputs), this.backend.copiesFeeds === true);
  }

  /** How many bytes of values (`peakBytes`) work in parts may hold at one time: no more than is available. */
  partBytes(most: number): number {
    return Math.min(most, (this.memoryBytes ?? freeMemory()) / 2);
  }

  /** @throws ArgumentError for a weight that is kept in fewer bits than the backend can compute with */
  private needKept({ label, array }: Tensor): void {
    if (!this.backend.wholeWeights) return;
    const dtype = keptOf(array)!.dtype;
    throw new ArgumentError(
      `${label ?? "A weight"} is kept as ${dtype}, but this device computes with float32 weights only: open the model with dtype "float32", or with device "cpu".`,
      { asked: dtype, found: this.backend.name, nearest: "float32" },
    );
  }

  /** The error for a run that was started but did not fit after all. */
  private tooLarge(plan: Plan, cause: MemoryError): MemoryError {
    const bytes = runBytes(plan, this.backend.copiesFeeds === true);
    return new MemoryError(
      `This run needed about ${showBytes(bytes)} of memory at one time, but there was not that much: ${USUAL.advice}.`,
      { asked: bytes, cause },
    );
  }

  /** @throws MemoryError for a run that does not fit */
  private admit(plan: Plan, outputs: readonly Tensor[], { what, advice }: Sized = USUAL): void {
    const bytes = runBytes(plan, this.backend.copiesFeeds === true);
    needMemory({
      what,
      largest: () => largestValue(outputs),
      ...{ bytes, advice, limit: this.memoryBytes, held: this.sessions.bytesOf(plan.key) },
    });
  }

  /** What a run for these outputs would do, without running it. */
  explain(outputs: readonly Tensor[]): Explanation {
    needTensors("Engine.explain", outputs);
    const plan = planOf(outputs);
    return { plan, reused: this.sessions.has(plan.key) };
  }

  /**
   * Lets go of the session that these values run in, and of the memory that it keeps for its next run, as soon as no run is
   * in it.
   */
  async forget(outputs: readonly Tensor[]): Promise<void> {
    needTensors("Engine.forget", outputs);
    await this.sessions.forget(planOf(outputs).key);
  }

  /** Lets go of every session, each as soon as no run is in it. A later run compiles what it needs again. */
  async dispose(): Promise<void> {
    await this.sessions.dispose();
  }

  /** The numbers of a plan's outputs, by slot. */
  private async execute(
    plan: Plan,
    arrayOf: (source: Tensor) => NDArray,
    signal?: AbortSignal,
  ): Promise<Map<number, NDArray>> {
    const feeds = new Map<string, Feed>();
    const arrays = new Map(plan.constants.map((c) => [c.id, c.array]));
    for (const input of plan.inputs) {
      if (input.part) {
        this.needKept(input.source);
        feeds.set(slotName(input), feedOf(input.source, input.part));
        continue;
      }
      const { dtype, shape, data } = arrayOf(input.source);
      const array = ndarray(dtype, shape, data);
      arrays.set(input.id, array);
      feeds.set(slotName(input), array);
    }
    const computed = computedOutputs(plan);
    if (computed.length === 0) return arrays;
    const fixed = new Set(
      plan.inputs.filter(({ source }) => source.role === "weight" || source.op !== null).map(slotName),
    );
    const { holdsThread } = this.backend;
    // Every run of every caller comes through here, so this is where a page gets its turn and can abort.
    if (holdsThread) await pause();
    const results = await this.sessions
      .use(plan.key, {
        compile: async () => {
          const session = await this.compile(plan);
          if (holdsThread) await pause();
          if (typeof session?.run === "function" && typeof session.release === "function") return session;
          throw new ArgumentError(
            `The backend ${shown(this.backend.name)} returned ${shown(session)} as a session, which must have run() and release().`,
            { asked: session },
          );
        },
        run: (session) => session.run(feeds, fixed),
        bytes: keptBytes(plan),
        signal,
      })
      .catch((error) => {
        throw error instanceof MemoryError ? this.tooLarge(plan, error) : error;
      });
    for (const [i, slot] of computed.entries()) {
      if (!ArrayBuffer.isView(results?.[i]?.data) || results[i].dtype !== slot.dtype) {
        throw new ArgumentError(
          `The backend ${shown(this.backend.name)} returned ${shown(results?.[i])} for value ${i + 1} of ${computed.length}: a session must return an array of the right dtype for each of its outputs.`,
          { asked: computed.length, found: results?.length },
        );
      }
      arrays.set(slot.id, results[i]);
    }
    return arrays;
  }

  /** The numbers of a plan's weights in new layouts, each by its key: without a copy if numbers keep their order, and otherwise made once. */
  private async layOut(plan: Plan, signal?: AbortSignal): Promise<ReadonlyMap<string, NDArray>> {
    const found = new Map<string, NDArray>();
    for (const { source } of plan.inputs) {
      if (source.array) continue;
      const weight = uncopied(source);
      let array = weight ? ({ ...weight.array!, shape: source.shape } as NDArray) : this.layouts.get(source);
      if (!array) {
        const steps = laidOut(source);
        for (let step = steps.next(); ; step = steps.next()) {
          if (step.done) {
            array = step.value;
            break;
          }
          await pause();
          signal?.throwIfAborted();
        }
        this.layouts.keep(source, array);
      }
      found.set(layoutKey(source), array);
    }
    return found;
  }
}

/** A result in the requested shape. @throws GlassformerError if the backend returned a different number of numbers */
function shaped({ dtype, data }: NDArray, asked: Tensor): NDArray {
  if (data.length === sizeOf(asked.shape)) return { dtype, data, shape: asked.shape } as NDArray;
  throw new GlassformerError(
    `The engine returned ${data.length} numbers for a value ${showShape(asked)}. This is a bug in glassformer, not in your request: please report it.`,
    { asked: asked.shape, found: data.length },
  );
}

/** Whether an array may stand in for a leaf. */
function fits(array: NDArray | undefined, leaf: Tensor): boolean {
  return ArrayBuffer.isView(array?.data) && array.dtype === leaf.dtype && array.shape?.length === leaf.shape.length;
}
