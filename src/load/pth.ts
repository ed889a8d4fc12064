/** PyTorch checkpoints, as `torch.save(state_dict, file)` writes them since torch 1.6: tensors without any Python. */
import type { NDArray } from "../tensor/array.ts";
import { emptyData, ndarray, sizeOf, stridesOf } from "../tensor/array.ts";
import { FileFormatError } from "../tensor/errors.ts";
import type { ByteSource } from "./bytes.ts";
import { bytesPerNumber, decodeNumbers } from "./dtypes.ts";
import type { LoadOptions } from "./files.ts";
import type { PthStorage } from "./pth-pickle.ts";
import { PthTensor, readPthPickle } from "./pth-pickle.ts";
import type { PthArchive } from "./pth-zip.ts";
import { openPthArchive } from "./pth-zip.ts";

/** Deeper nesting than any checkpoint has; an end to a dictionary that contains itself. */
const DEEPEST = 16;
const MOST_VALUES = 1_000_000;

/**
 * All tensors of a checkpoint, row-major whatever their strides were, each with memory of its own. In nested
 * dictionaries and lists the keys are joined with a dot: `{"model": {"W": ...}}` gives `model.W`. Values that are no
 * tensors (a step count, a configuration) are left out. dtypes become ours as in `readSafetensors`.
 * @throws FileFormatError if the file is truncated or garbled, was written before torch 1.6, or its pickle names a
 * global off the allow-list.
 */
export async function readPth(source: ByteSource, options: LoadOptions = {}): Promise<Map<string, NDArray>> {
  const archive = await openPthArchive(source, options.signal);
  const root = await readPthPickle(await archive.read("data.pkl"), source.name);
  const tensors = new Map<string, PthTensor>();
  collect(root, "", tensors, { depth: 0, seen: 0, file: source.name });

  // Each storage is read once, and forgotten after the last tensor that looks into it.
  const place = ({ storage }: PthTensor) => `${storage.dtype} ${storage.key}`;
  const uses = new Map<string, number>();
  for (const tensor of tensors.values()) uses.set(place(tensor), (uses.get(place(tensor)) ?? 0) + 1);
  const storages = new Map<string, NDArray>();
  const arrays = new Map<string, NDArray>();
  for (const [name, tensor] of tensors) {
    options.signal?.throwIfAborted();
    const key = place(tensor);
    const numbers = storages.get(key) ?? (await readStorage(archive, tensor.storage, source.name));
    const usesLeft = uses.get(key)! - 1;
    uses.set(key, usesLeft);
    if (usesLeft > 0) storages.set(key, numbers);
    else storages.delete(key);
    arrays.set(name, take(name, tensor, numbers, usesLeft === 0, source.name));
  }
  return arrays;
}

interface Walk {
  depth: number;
  seen: number;
  readonly file: string;
}

function collect(value: unknown, name: string, into: Map<string, PthTensor>, walk: Walk): void {
  if (value instanceof PthTensor) {
    into.set(name, value);
    return;
  }
  const isList = Array.isArray(value);
  if (!isList && !(value instanceof Map)) return;
  if (++walk.depth > DEEPEST) {
    throw new FileFormatError(`${walk.file} nests more than ${DEEPEST} levels deep at "${name}".`, { asked: name });
  }
  for (const [key, child] of isList ? Object.entries(value) : value) {
    if (++walk.seen > MOST_VALUES) {
      throw new FileFormatError(
        `${walk.file} holds more than ${MOST_VALUES} values; that is no checkpoint of a model.`,
        {
          asked: walk.file,
        },
      );
    }
    if (typeof key === "string" || typeof key === "number")
      collect(child, name ? `${name}.${key}` : `${key}`, into, walk);
  }
  walk.depth--;
}

async function readStorage(archive: PthArchive, storage: PthStorage, file: string): Promise<NDArray> {
  const label = `Storage ${storage.key} of ${file}`;
  const bytes = storage.length * bytesPerNumber[storage.dtype];
  const found = archive.size(`data/${storage.key}`);
  if (found !== bytes) {
    throw new FileFormatError(
      found === undefined
        ? `${label} is missing; the file is incomplete.`
        : `${label} should hold ${storage.length} numbers of ${storage.dtype}, ${bytes} bytes, but has ${found}.`,
      { asked: bytes, found },
    );
  }
  return decodeNumbers(storage.dtype, [storage.length], await archive.read(`data/${storage.key}`), label);
}

/** The numbers of a tensor out of its storage; the storage's own memory if it is the tensor's alone and in order. */
function take(name: string, tensor: PthTensor, numbers: NDArray, alone: boolean, file: string): NDArray {
  const { offset, shape, strides } = tensor;
  const size = sizeOf(shape);
  const last = size === 0 ? -1 : offset + shape.reduce((sum, n, axis) => sum + (n - 1) * strides[axis], 0);
  if (!(last < numbers.data.length)) {
    throw new FileFormatError(
      `Tensor "${name}" of ${file} reaches number ${last} of a storage that has ${numbers.data.length}.`,
      { asked: name, found: numbers.data.length },
    );
  }
  const inOrder = isRowMajor(shape, strides);
  if (inOrder && alone && size === numbers.data.length) return ndarray(numbers.dtype, shape, numbers.data);
  if (inOrder) return ndarray(numbers.dtype, shape, numbers.data.slice(offset, offset + size));
  try {
    return ndarray(numbers.dtype, shape, gather(numbers, tensor));
  } catch (cause) {
    // Stride 0 repeats numbers, so a few bytes may claim to be more than memory holds.
    if (!(cause instanceof RangeError)) throw cause;
    throw new FileFormatError(`Tensor "${name}" of ${file} has shape [${shape}], more than memory holds.`, {
      asked: name,
      cause,
    });
  }
}

/** An axis of size 1 may have any stride; so may all axes of an empty tensor. */
function isRowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  if (shape.includes(0)) return true;
  const expected = stridesOf(shape);
  return shape.every((n, axis) => n === 1 || strides[axis] === expected[axis]);
}

function gather(numbers: NDArray, { offset, shape, strides }: PthTensor): NDArray["data"] {
  const out = emptyData(numbers.dtype, sizeOf(shape));
  const lastAxis = shape.length - 1;
  const index = new Array<number>(shape.length).fill(0);
  let from = offset;
  for (let to = 0; to < out.length; ) {
    for (let i = 0; i < shape[lastAxis]; i++) out[to++] = numbers.data[from + i * strides[lastAxis]];
    for (let axis = lastAxis - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      from -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return out;
}
