/** PyTorch checkpoints, as written by `torch.save(state_dict, file)` of any version, read without any Python. */
import { emptyData, type NDArray, ndarray, sizeOf, type TypedData } from "../tensor/array.ts";
import { FileFormatError } from "../tensor/errors.ts";
import { FUNCTION, SIGNAL } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { shown } from "../tensor/show.ts";
import { type ByteSource, checkSource } from "./bytes.ts";
import { bytesPerNumber, decodeInto, heldAs, type Misfit, memoryFor, misfitText } from "./dtypes.ts";
import { whatItIs } from "./file-kinds.ts";
import type { LoadOptions } from "./files.ts";
import { PthArchive } from "./pth-archive.ts";
import { collectTensors, type OnSkipped } from "./pth-collect.ts";
import type { PthContainer } from "./pth-container.ts";
import { openLegacyPth } from "./pth-legacy.ts";
import { isRowMajor, lastNumber, Taking } from "./pth-taking.ts";
import { isTarPth, openTarPth } from "./pth-tar.ts";
import type { PthStorage, PthTensor } from "./pth-tensor.ts";

/** How to read a .pth file: a signal, and what to do about unsupported tensors. */
export interface PthOptions extends LoadOptions {
  /**
   * Called for each tensor that is in the file but not in the result, because its numbers are of an unsupported kind:
   * complex, quantised, sparse, an integer over 32 bits. `why` ends a sentence.
   */
  readonly onSkipped?: OnSkipped | undefined;
}

const PTH_OPTIONS: OptionKinds<PthOptions> = { signal: SIGNAL, onProgress: FUNCTION, onSkipped: FUNCTION };

/** Tensors that share a storage each get their own memory; together they may take this many times the size of the storages … */
const MOST_VIEWS = 4;
/** … plus this many bytes. */
const FREE_VIEWS = 16 << 20;

/**
 * All tensors of a checkpoint, row-major whatever their strides were, each with its own memory. In nested
 * dictionaries and lists the keys are joined with a dot: `{"model": {"W": ...}}` gives `model.W`. Values that are not
 * tensors (a step count, a configuration) are left out; unsupported tensors go to `options.onSkipped`.
 * dtypes are converted as in `readSafetensors`.
 * @throws FileFormatError if the file is truncated or garbled, its pickle names a
 * global that is not on the allow-list, or its tensors would take far more memory than the numbers in the file.
 */
export async function readPth(source: ByteSource, options: PthOptions = {}): Promise<Map<string, NDArray>> {
  checkSource("readPth", source);
  checkOptions("readPth", options, PTH_OPTIONS);
  const { signal } = options;
  const skipped: string[] = [];
  const onSkipped: OnSkipped = (name, why) => {
    skipped.push(`${shown(name)} was left out: ${why}`);
    options.onSkipped?.(name, why);
  };
  const archive = await openPth(source, signal);
  const { root, bytes } = await archive.readRoot();
  const tensors = collectTensors(root, source.name, bytes, onSkipped);
  const storages = byStorage(tensors);
  checkPlaces(storages, archive, source.name);

  const data = new Map<string, TypedData>();
  for (const { storage, tensors } of storages) {
    signal?.throwIfAborted();
    await readStorage(archive, storage, tensors, data, onSkipped);
  }
  const arrays = new Map<string, NDArray>();
  for (const [name, { shape, storage }] of tensors) {
    const numbers = data.get(name);
    if (numbers) arrays.set(name, ndarray(heldAs[storage.dtype], shape, numbers));
  }
  if (arrays.size === 0 && skipped.length > 0) {
    throw new FileFormatError(
      `${source.name} has no tensor that can be read here; ${skipped.slice(0, 3).join("; ")}.`,
      {
        asked: source.name,
        found: skipped,
      },
    );
  }
  return arrays;
}

/** Opens a checkpoint, in the zip that torch writes since 1.6 or in one of its formats before. @throws FileFormatError for any other file */
export async function openPth(source: ByteSource, signal: AbortSignal | undefined): Promise<PthContainer> {
  const kind = await whatItIs(source, signal);
  if (kind === "torch before 1.6") return openLegacyPth(source, signal);
  if (await isTarPth(source, signal)) return openTarPth(source, signal);
  return PthArchive.open(source, kind, signal);
}

/** A storage, with the tensors that are views of it. */
interface StorageUse {
  readonly storage: PthStorage;
  readonly tensors: [name: string, tensor: PthTensor][];
}

function byStorage(tensors: ReadonlyMap<string, PthTensor>): StorageUse[] {
  const uses = new Map<string, StorageUse>();
  for (const [name, tensor] of tensors) {
    const { storage } = tensor;
    const key = `${storage.dtype} ${storage.length} ${storage.key}`;
    const use = uses.get(key) ?? { storage, tensors: [] };
    use.tensors.push([name, tensor]);
    uses.set(key, use);
  }
  return [...uses.values()];
}

/** Checks what the pickle says against the file, before memory is allocated. Sorts the storages by their order in the file. */
function checkPlaces(storages: StorageUse[], archive: PthContainer, file: string): void {
  const entries = new Map<string, number>();
  let needed = 0;
  for (const { storage, tensors } of storages) {
    const label = `Storage ${shown(storage.key).slice(1, -1)} of ${file}`;
    const bytes = storage.length * bytesPerNumber[storage.dtype];
    const size = archive.size(storage.key);
    if (size !== bytes) {
      throw new FileFormatError(
        size === undefined
          ? `${label} is missing: the file is incomplete.`
          : `${label} should have ${storage.length} numbers of ${storage.dtype}, ${bytes} bytes, but has ${size}.`,
        { asked: bytes, found: size },
      );
    }
    entries.set(storage.key, size);
    for (const [name, tensor] of tensors) {
      const last = lastNumber(tensor);
      if (!(last < storage.length)) {
        throw new FileFormatError(
          `Tensor ${shown(name)} of ${file} reaches number ${last} of a storage that has ${storage.length}.`,
          { asked: name, found: storage.length },
        );
      }
      if (last >= 0) needed += sizeOf(tensor.shape) * bytesPerNumber[storage.dtype];
    }
  }
  const there = [...entries.values()].reduce((sum, bytes) => sum + bytes, 0);
  if (!(needed <= MOST_VIEWS * there + FREE_VIEWS)) {
    throw new FileFormatError(
      `The tensors of ${file} would take ${needed} bytes, but it has ${there} bytes of numbers: many of them share ` +
        "the same numbers. Save each only once, or only the part that is used: tensor.clone().",
      { asked: needed, found: there },
    );
  }
  storages.sort((a, b) => archive.start(a.storage.key) - archive.start(b.storage.key));
}

/** Reads a storage once, in pieces, for all tensors that are views of it. */
async function readStorage(
  archive: PthContainer,
  storage: PthStorage,
  tensors: StorageUse["tensors"],
  data: Map<string, TypedData>,
  onSkipped: OnSkipped,
): Promise<void> {
  const { dtype, length, key } = storage;
  const [[name, only]] = tensors;
  if (tensors.length === 1 && isRowMajor(only) && sizeOf(only.shape) === length) {
    const numbers = memoryFor(dtype, length, `Tensor ${shown(name)}`);
    let misfit: Misfit | undefined;
    if (dtype === "F32" || dtype === "I32") await archive.readInto(key, new Uint8Array(numbers.buffer));
    else {
      await archive.pieces(key, (bytes, at) => {
        const first = at / bytesPerNumber[dtype];
        const found = decodeInto(dtype, bytes, numbers, first);
        misfit ??= found && { value: found.value, position: first + found.position };
      });
    }
    if (misfit) onSkipped(name, `it has ${misfitText(misfit)}`);
    else data.set(name, numbers);
    return;
  }

  const waiting = tensors
    .map(([name, tensor]) => ({
      name,
      taking: new Taking(tensor, dtype, name),
      misfit: undefined as Misfit | undefined,
    }))
    .sort((a, b) => b.taking.first - a.taking.first);
  const all = [...waiting];
  let active: typeof waiting = [];
  let scratch: TypedData | undefined;
  await archive.pieces(key, (bytes, at) => {
    const begin = at / bytesPerNumber[dtype];
    const count = bytes.length / bytesPerNumber[dtype];
    scratch ??= emptyData(heldAs[dtype], count);
    const numbers = scratch.subarray(0, count);
    let misfit = decodeInto(dtype, bytes, numbers, 0);
    while (waiting.length > 0 && waiting[waiting.length - 1].taking.first < begin + count) active.push(waiting.pop()!);
    for (const use of active) {
      const { taking } = use;
      taking.take(numbers, begin);
      if (!misfit || use.misfit) continue;
      const from = Math.max(taking.first - begin, 0);
      const to = Math.min(taking.last - begin + 1, count);
      const size = bytesPerNumber[dtype];
      const found =
        from < to && decodeInto(dtype, bytes.subarray(from * size, to * size), scratch.subarray(from, to), 0);
      if (found) use.misfit = { value: found.value, position: begin + from + found.position - taking.first };
    }
    misfit = undefined;
    active = active.filter(({ taking }) => taking.last >= begin + count);
  });
  for (const { name, taking, misfit } of all) {
    if (misfit) onSkipped(name, `it has ${misfitText(misfit)}`);
    else data.set(name, taking.result());
  }
}
