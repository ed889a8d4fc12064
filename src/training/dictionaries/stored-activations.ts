/** Activations that `glassformer scan activations` has saved, as the data of a training run. */

import type { ByteSource } from "../../load/bytes.ts";
import { parseJsonObject } from "../../load/bytes.ts";
import { decodeInto, heldAs } from "../../load/dtypes.ts";
import { MODEL_FILES, type ModelFiles } from "../../load/files.ts";
import { openDefault } from "../../load/open.ts";
import { readSafetensorsHeader, type TensorPlace } from "../../load/safetensors-header.ts";
import { ndarray } from "../../tensor/array.ts";
import { ArgumentError, FileFormatError, UnknownNameError } from "../../tensor/errors.ts";
import { either, TEXT } from "../../tensor/kinds.ts";
import { checkArgument } from "../../tensor/options.ts";
import { shown } from "../../tensor/show.ts";
import { mixed, permutation } from "../data/batches.ts";
import type { ActivationBatch } from "./activations.ts";

/** The file that says what a folder holds. */
export const ACTIVATIONS_INDEX = "index.json";

/** What it says. */
export interface ActivationsIndex {
  readonly format: "glassformer activations";
  readonly version: 1;
  /** The same for the same scan. */
  readonly id: string;
  /** The model, and the checksum of its weights. */
  readonly model: string;
  readonly weights: string | null;
  readonly dtype: "F32" | "F16";
  readonly tokens: number;
  /** The shape of what each hook point holds for a token. */
  readonly hooks: Readonly<Record<string, readonly number[]>>;
  /** Files of the folder, in order, and how many tokens each has. */
  readonly files: readonly { readonly file: string; readonly tokens: number }[];
}

/** Tokens that are read together: neighbours in the corpus. */
const BLOCK = 256;

/**
 * The activations in a folder that `glassformer scan activations` has written: by its path in Node, or as a repository of files. They are
 * the data of `trainDictionary`, in place of rows of tokens.
 * @throws FileFormatError for a folder that holds something else
 */
export async function openActivations(folder: string | ModelFiles): Promise<StoredActivations> {
  checkArgument("What openActivations takes", folder, either(TEXT, MODEL_FILES));
  if (typeof folder !== "string") checkArgument("The name of the files that openActivations takes", folder.name, TEXT);
  return StoredActivations.open(folder);
}

/** A folder of activations. Numbers are read when they are needed. */
export class StoredActivations {
  /** The folder. */
  readonly name: string;
  readonly index: ActivationsIndex;
  private readonly folder: ModelFiles;
  private readonly open = new Map<string, Promise<{ source: ByteSource; places: ReadonlyMap<string, TensorPlace> }>>();

  private constructor(folder: ModelFiles, index: ActivationsIndex) {
    this.folder = folder;
    this.name = folder.name;
    this.index = index;
  }

  /** @see openActivations */
  static async open(folder: string | ModelFiles): Promise<StoredActivations> {
    const files = typeof folder === "string" ? await openDefault(folder, (path) => path, {}) : folder;
    const where = `${files.name}/${ACTIVATIONS_INDEX}`;
    const index = parseJsonObject(await files.readText(ACTIVATIONS_INDEX), where) as unknown as ActivationsIndex;
    if (index.format !== "glassformer activations" || index.version !== 1 || !Array.isArray(index.files)) {
      throw new FileFormatError(
        `${where} is not the index of activations that glassformer scan activations has saved.`,
        {
          asked: where,
          found: index.format,
        },
      );
    }
    return new StoredActivations(files, index);
  }

  /** How many numbers a hook point holds for a token. @throws UnknownNameError for one that was not saved */
  width(hook: string): number {
    const { hooks } = this.index;
    if (!Object.hasOwn(hooks, hook)) {
      throw new UnknownNameError("hook point", hook, Object.keys(hooks), `${this.name} has these alone.`);
    }
    return hooks[hook].reduce((a, b) => a * b, 1);
  }

  /** The numbers of tokens `from` to `to` at a hook point, [token width]. */
  async read(hook: string, from: number, to: number, signal?: AbortSignal): Promise<Float32Array> {
    const width = this.width(hook);
    const all = new Float32Array((to - from) * width);
    let first = 0;
    for (const { file, tokens } of this.index.files) {
      const [a, b] = [Math.max(from, first), Math.min(to, first + tokens)];
      if (a < b) await this.part(file, hook, [a - first, b - first], all, (a - from) * width, signal);
      first += tokens;
      if (first >= to) break;
    }
    return all;
  }

  private async part(
    file: string,
    hook: string,
    [from, to]: readonly [number, number],
    into: Float32Array,
    at: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    let opened = this.open.get(file);
    if (!opened) this.open.set(file, (opened = this.opened(file)));
    const { source, places } = await opened;
    const place = places.get(hook);
    if (!place || heldAs[place.dtype] !== "float32") {
      throw new FileFormatError(`${this.name}/${file} does not hold ${hook}: scan again.`, { asked: hook });
    }
    const each = (place.end - place.start) / place.shape[0];
    const bytes = await source.read(place.start + from * each, place.start + to * each, signal);
    decodeInto(place.dtype, bytes, into, at);
  }

  private async opened(file: string) {
    const source = await this.folder.open(file);
    const places = new Map((await readSafetensorsHeader(source)).map((place) => [place.name, place]));
    return { source, places };
  }
}

/** What is read of stored activations, and how it is mixed. */
export interface StoredOptions {
  readonly reads: readonly string[];
  readonly makes: readonly string[];
  readonly batchSize: number;
  readonly mixedBatches: number;
  readonly seed: number;
}

/**
 * Batches of stored activations by their number: blocks of neighbours in another order in each pass over the data, as many as fill
 * `mixedBatches` batches shuffled together. Which tokens a batch has depends on the seed and its number alone.
 */
export class StoredStream {
  private readonly from: StoredActivations;
  private readonly options: StoredOptions;
  private readonly blocks: number;
  private held: { readonly chunk: number; readonly x: Float32Array; readonly target: Float32Array } | undefined;

  /** @throws ArgumentError for fewer tokens than a block has */
  constructor(from: StoredActivations, options: StoredOptions) {
    this.from = from;
    this.options = options;
    this.blocks = Math.floor(from.index.tokens / BLOCK);
    for (const hook of [...options.reads, ...options.makes]) from.width(hook);
    if (this.blocks > 0) return;
    throw new ArgumentError(
      `${from.name} has ${shown(from.index.tokens)} tokens, fewer than the ${BLOCK} that are read together: scan more text.`,
      { asked: BLOCK, found: from.index.tokens },
    );
  }

  /** The batch of a step (the first is 0). */
  async batch(step: number, signal?: AbortSignal): Promise<ActivationBatch> {
    const { batchSize, mixedBatches, reads, makes } = this.options;
    const { x, target } = await this.chunk(Math.floor(step / mixedBatches), signal);
    const first = (step % mixedBatches) * batchSize;
    const part = (data: Float32Array, hooks: readonly string[]) => {
      const width = this.widthOf(hooks);
      return ndarray("float32", [batchSize, width], data.slice(first * width, (first + batchSize) * width));
    };
    const read = part(x, reads);
    return { x: read, target: target === x ? read : part(target, makes) };
  }

  private widthOf(hooks: readonly string[]): number {
    return hooks.reduce((sum, hook) => sum + this.from.width(hook), 0);
  }

  private async chunk(chunk: number, signal: AbortSignal | undefined) {
    if (this.held?.chunk === chunk) return this.held;
    this.held = undefined;
    const { reads, makes, batchSize, mixedBatches, seed } = this.options;
    const together = batchSize * mixedBatches;
    const places = permutation(together, mixed(seed, 1), chunk);
    const x = await this.placed(reads, chunk, together, places, signal);
    const target = reads.join() === makes.join() ? x : await this.placed(makes, chunk, together, places, signal);
    this.held = { chunk, x, target };
    return this.held;
  }

  /** The tokens of a chunk at their places, the hook points side by side. */
  private async placed(
    hooks: readonly string[],
    chunk: number,
    together: number,
    places: Int32Array,
    signal: AbortSignal | undefined,
  ): Promise<Float32Array> {
    const all = this.widthOf(hooks);
    const data = new Float32Array(together * all);
    const blocks = Math.ceil(together / BLOCK);
    let offset = 0;
    for (const hook of hooks) {
      const width = this.from.width(hook);
      for (let b = 0; b < blocks; b++) {
        signal?.throwIfAborted();
        const start = this.blockAt(chunk * blocks + b) * BLOCK;
        const read = await this.from.read(hook, start, start + BLOCK, signal);
        for (let i = 0; i < BLOCK && b * BLOCK + i < together; i++) {
          data.set(read.subarray(i * width, (i + 1) * width), places[b * BLOCK + i] * all + offset);
        }
      }
      offset += width;
    }
    return data;
  }

  private order: { readonly pass: number; readonly blocks: Int32Array } | undefined;

  /** The block at a place in the order of the passes over the data. */
  private blockAt(at: number): number {
    const pass = Math.floor(at / this.blocks);
    if (this.order?.pass !== pass) this.order = { pass, blocks: permutation(this.blocks, this.options.seed, pass) };
    return this.order.blocks[at % this.blocks];
  }
}
