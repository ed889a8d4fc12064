/** What the page and its worker say to each other. */
import type { Finding } from "../finding/finding.ts";
import type { StoredModel } from "../load/web-stored.ts";
import type { GivenIntervention } from "../measures/interventions/options.ts";
import type { Described } from "./described.ts";
import type { PackedFinding } from "./packed-finding.ts";
import type { DeviceChoice } from "./state.ts";

/** A model to load: its name, id or address, or files that were chosen; and on what it is to compute. */
export interface ModelChoice {
  readonly name: string;
  readonly files?: readonly File[];
  readonly device: DeviceChoice;
  /** The analysis that will be wanted of it first. */
  readonly first: string;
}

/** What computes: WebAssembly on the processor with this many threads, or WebGPU. */
export interface ComputesOn {
  readonly device: "cpu" | "webgpu";
  readonly threads: number;
  /** Why not on WebGPU, although that was chosen. */
  readonly why?: string;
}

/** A model that is ready. */
export interface Loaded {
  readonly described: Described;
  readonly on: ComputesOn;
}

/** How far something is. */
export interface Progress {
  readonly done: number;
  /** 0 where it is not known. */
  readonly total: number;
  /** What is counted: "prompts", or the name of the file that is being fetched. */
  readonly unit: string;
  /** Whether bytes are counted. */
  readonly bytes?: true;
}

/** A token of a prompt. */
export interface ShownToken {
  readonly text: string;
  readonly id: number;
  readonly isBos: boolean;
}

/** What changes do, and the code that makes them. */
export interface Effect {
  readonly finding: Finding;
  readonly typescript: string;
  readonly python: string;
}

/** What the worker can be asked to do: what each task takes, returns, and says while it runs. */
export interface Tasks {
  readonly load: { readonly ask: ModelChoice; readonly answer: ComputesOn; readonly event: Progress };
  readonly describe: { readonly ask: { readonly model: string }; readonly answer: Described; readonly event: never };
  readonly tokens: {
    readonly ask: { readonly model: string; readonly prompt: string };
    readonly answer: readonly ShownToken[];
    readonly event: never;
  };
  readonly analyse: {
    readonly ask: {
      readonly model: string;
      readonly analysis: string;
      readonly options: Readonly<Record<string, unknown>>;
      readonly changes: readonly GivenIntervention[];
    };
    readonly answer: PackedFinding;
    readonly event: Progress;
  };
  readonly effect: {
    readonly ask: {
      readonly model: string;
      readonly prompt: string;
      readonly changes: readonly GivenIntervention[];
    };
    readonly answer: Effect;
    readonly event: never;
  };
  readonly generate: {
    readonly ask: {
      readonly model: string;
      readonly prompt: string;
      readonly options: Readonly<Record<string, unknown>>;
      readonly changes: readonly GivenIntervention[];
    };
    readonly answer: string;
    readonly event: string;
  };
  /** Why there is no WebGPU; "" if there is. */
  readonly whyNoWebGpu: { readonly ask: object; readonly answer: string; readonly event: never };
  readonly stored: { readonly ask: object; readonly answer: readonly StoredModel[]; readonly event: never };
  /** Answers with the bytes that are free again. */
  readonly deleteStored: { readonly ask: StoredModel; readonly answer: number; readonly event: never };
}

export type TaskName = keyof Tasks;

/** From the page: first a lock to hold, then tasks, and the end of one that is not wanted any more. */
export type ToWorker =
  | { readonly lock: string | undefined }
  | { readonly [K in TaskName]: { readonly id: number; readonly task: K; readonly ask: Tasks[K]["ask"] } }[TaskName]
  | { readonly id: number; readonly cancel: true };

/** From the worker, about the task with that id. */
export type Reply =
  | { readonly id: number; readonly event: unknown }
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: Failure };

/** From the worker: that it holds its lock, replies, or why it cannot go on. */
export type FromWorker = { readonly lives: true } | Reply | { readonly ends: string };

/** An error, as it crosses over. */
export interface Failure {
  readonly name: string;
  readonly message: string;
}
