/**
 * What a PyTorch file's pickle says, read as data. A pickle is a program that may name any Python function and call it;
 * here a name outside the list below is an error before anything else happens, and the names on it build plain
 * records. No Python runs, and no JavaScript but this file's.
 */
import { FileFormatError, GlassformerError } from "../tensor/errors.ts";
import type { FileDType } from "./dtypes.ts";

/** A storage: the flat numbers that one or more tensors look into. `key` is its entry under `data/` in the zip. */
export interface PthStorage {
  readonly key: string;
  readonly dtype: FileDType;
  /** How many numbers. */
  readonly length: number;
}

/** A tensor as the pickle describes it: `storage[offset + sum_i index_i * strides_i]`. */
export class PthTensor {
  readonly storage: PthStorage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];

  constructor(storage: PthStorage, offset: number, shape: readonly number[], strides: readonly number[]) {
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
    Object.freeze(this); // a pickle may ask to set fields on what it built
  }
}

const storageTypes: Readonly<Record<string, FileDType>> = {
  DoubleStorage: "F64",
  FloatStorage: "F32",
  HalfStorage: "F16",
  BFloat16Storage: "BF16",
  LongStorage: "I64",
  IntStorage: "I32",
  ShortStorage: "I16",
  CharStorage: "I8",
  ByteStorage: "U8",
  BoolStorage: "BOOL",
};

/** The type of a storage, as a persistent id names it. */
class StorageType {
  readonly dtype: FileDType;
  constructor(dtype: FileDType) {
    this.dtype = dtype;
    Object.freeze(this);
  }
}

/** Every global a pickle may name, as `module.name`. Each makes data; none does anything. */
const allowed: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["collections.OrderedDict", orderedDict],
  ["torch._utils._rebuild_tensor_v2", rebuildTensor],
  ["torch._utils._rebuild_parameter", rebuildParameter],
  ["torch.Size", size],
  ...Object.entries(storageTypes).map(([name, dtype]): [string, unknown] => [`torch.${name}`, new StorageType(dtype)]),
]);

/**
 * The object that a torch pickle describes: dictionaries as `Map`, lists and tuples as arrays, tensors as `PthTensor`.
 * @param file the file's name in errors.
 * @throws FileFormatError naming the global, if one is not on the list; or saying that the pickle is broken.
 */
export async function readPthPickle(bytes: Uint8Array, file: string): Promise<unknown> {
  const { Parser } = await import("pickleparser");
  const parser = new Parser({
    unpicklingTypeOfDictionary: "Map",
    nameResolver: {
      resolve(module, name) {
        const global = `${module}.${name}`;
        const made = allowed.get(global);
        if (made === undefined) {
          throw new FileFormatError(
            `${file} asks to load "${global}", which is not among the names that hold weights; nothing was run. ` +
              "Save the plain weights instead: torch.save(model.state_dict(), file).",
            { asked: file, found: global },
          );
        }
        // Frozen: a pickle may ask to set fields on it. (A StorageType is only handed on, never called.)
        return Object.freeze(made) as () => unknown;
      },
    },
    persistentResolver: { resolve: storageOf },
  });
  try {
    return parser.parse<unknown>(bytes);
  } catch (cause) {
    if (cause instanceof GlassformerError) throw cause;
    throw new FileFormatError(`The pickle in ${file} is broken or not one that torch.save writes: ${reason(cause)}.`, {
      asked: file,
      cause,
    });
  }
}

/** ("storage", type, key, location, length); the location, `cpu` or `cuda:0`, says where it was, which is over. */
function storageOf(id: unknown): PthStorage {
  const [kind, type, key, , length] = Array.isArray(id) ? id : [];
  if (kind !== "storage" || !(type instanceof StorageType) || typeof key !== "string" || !isCount(length)) {
    throw new TypeError("a persistent id is not a storage of a known type");
  }
  return Object.freeze({ key, dtype: type.dtype, length });
}

function rebuildTensor(storage: unknown, offset: unknown, shape: unknown, strides: unknown): PthTensor {
  if (!isStorage(storage) || !isCount(offset) || !areCounts(shape) || !areCounts(strides)) {
    throw new TypeError("a tensor is not built from a storage, an offset, a shape and strides");
  }
  if (shape.length !== strides.length) throw new TypeError(`a tensor of shape [${shape}] has strides [${strides}]`);
  return new PthTensor(storage, offset, Object.freeze([...shape]), Object.freeze([...strides]));
}

function rebuildParameter(tensor: unknown): unknown {
  return tensor;
}

function orderedDict(items: unknown = []): Map<unknown, unknown> {
  return new Map(items as [unknown, unknown][]);
}

function size(items: unknown = []): unknown {
  return items;
}

function isStorage(value: unknown): value is PthStorage {
  return typeof value === "object" && value !== null && "key" in value && "dtype" in value && Object.isFrozen(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function areCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(isCount);
}

function reason(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).replace(/\.$/, "");
}
