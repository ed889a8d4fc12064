/**
 * The names that a checkpoint's pickle may use, as `module.name`: those that `torch.load(weights_only=True)` accepts. Each
 * makes data; none has side effects. Unsupported tensors (complex, quantised, sparse …) become a record of why.
 * Source: PyTorch 2.13, torch/_weights_only_unpickler.py and torch/_utils.py
 */
import { shown } from "../tensor/show.ts";
import { bytesPerNumber, type FileDType } from "./dtypes.ts";
import { OTHER, PickleDict, PickleError, PickleList } from "./pickle.ts";
import { PthStorage, PthTensor, PthUnheld } from "./pth-tensor.ts";

/** A name on the list. Without `make` it can be passed on but not called. */
export class PthName {
  readonly #name: string;
  /** For a storage's type or a dtype: the kind of numbers; null if unsupported. */
  readonly dtype: FileDType | null | undefined;
  readonly make: ((args: readonly unknown[]) => unknown) | undefined;

  constructor(name: string, dtype?: FileDType | null, make?: (args: readonly unknown[]) => unknown) {
    this.#name = name;
    this.dtype = dtype;
    this.make = make;
  }
  get name(): string {
    return this.#name;
  }
  static is(value: unknown): value is PthName {
    return typeof value === "object" && value !== null && #name in value;
  }
}

const STORAGES: Readonly<Record<string, FileDType>> = {
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
const DTYPES: Readonly<Record<string, FileDType>> = {
  float64: "F64",
  float32: "F32",
  float16: "F16",
  bfloat16: "BF16",
  float8_e4m3fn: "F8_E4M3",
  float8_e5m2: "F8_E5M2",
  float8_e4m3fnuz: "F8_E4M3FNUZ",
  float8_e5m2fnuz: "F8_E5M2FNUZ",
  int64: "I64",
  int32: "I32",
  int16: "I16",
  int8: "I8",
  uint8: "U8",
  bool: "BOOL",
};
/** Storages of numbers that are not read, and the bytes of each number. */
const UNHELD_STORAGES: Readonly<Record<string, number>> = {
  ComplexFloatStorage: 8,
  ComplexDoubleStorage: 16,
  QInt8Storage: 1,
  QUInt8Storage: 1,
  QInt32Storage: 4,
  QUInt4x2Storage: 1,
  QUInt2x4Storage: 1,
};
const UNHELD_DTYPES =
  /^(complex(32|64|128)|u?int([1-7]|16|32|64)|float8_e8m0fnu|float4_e2m1fn_x2|q(u?int8|int32)|quint[24]x[24]|bits\d+(x\d)?)$/;
const SCHEMES = /^per_(tensor|channel)_(affine|symmetric|affine_float_qparams)$/;
const TENSOR_CLASSES =
  /^((cuda|sparse|cuda\.sparse)\.)?(BFloat16|Bool|Byte|Char|Double|Float|Half|Int|Long|Short)?Tensor$/;

/** The most axes: PyTorch's own limit. */
const MOST_AXES = 64;

const other = () => OTHER;
const unheld = (why: string) => () => new PthUnheld(why);
const rebuilds: Readonly<Record<string, (args: readonly unknown[]) => unknown>> = {
  _rebuild_tensor: ([storage, offset, shape, strides]) => tensorOf(storage, offset, shape, strides),
  _rebuild_tensor_v2: ([storage, offset, shape, strides, , , metadata]) =>
    tensorOf(storage, offset, shape, strides, metadata),
  _rebuild_tensor_v3: ([storage, offset, shape, strides, , , dtype, metadata]) =>
    tensorOf(as(storage, dtype), offset, shape, strides, metadata),
  _rebuild_parameter: ([tensor]) => tensor,
  _rebuild_parameter_with_state: ([tensor]) => tensor,
  _rebuild_device_tensor_from_cpu_tensor: ([tensor, dtype]) =>
    PthTensor.is(tensor) && PthName.is(dtype) && dtype.dtype === tensor.storage.dtype
      ? tensor
      : new PthUnheld("it is a tensor for another device in another dtype"),
  _rebuild_device_tensor_from_numpy: unheld("it is a tensor for another device"),
  _rebuild_qtensor: unheld("it is quantised"),
  _rebuild_sparse_tensor: unheld("it is sparse"),
  _rebuild_nested_tensor: unheld("it is a nested tensor"),
  _rebuild_meta_tensor_no_storage: unheld("it is a tensor without numbers (on the device meta)"),
  _rebuild_wrapper_subclass: unheld("it is a tensor of a custom class"),
};
const others: Readonly<Record<string, (args: readonly unknown[]) => unknown>> = {
  "collections.OrderedDict": ([items]) => orderedDict(items),
  "collections.Counter": other,
  "torch.Size": ([items = []]) => items,
  "torch.device": other,
  "torch.serialization._get_layout": other,
  "torch.nn.parameter.Parameter": ([tensor]) => tensor,
  "torch._tensor._rebuild_from_type_v2": ([rebuild, , args]) => {
    if (PthName.is(rebuild) && rebuild.make && rebuild.name.startsWith("torch._utils.") && Array.isArray(args)) {
      return rebuild.make(args);
    }
    throw new PickleError("a tensor with attributes is not built as torch builds it");
  },
  "_codecs.encode": other,
  ...Object.fromEntries(
    ["builtins", "__builtin__"].flatMap((module) =>
      ["set", "frozenset", "bytearray", "complex"].map((name) => [`${module}.${name}`, other]),
    ),
  ),
};

/** What a name means; undefined for a name that is not on the list. */
export function pthName(module: string, name: string): PthName | undefined {
  const full = `${module}.${name}`;
  if (Object.hasOwn(others, full)) return new PthName(full, undefined, others[full]);
  if (module === "torch._utils" && Object.hasOwn(rebuilds, name)) return new PthName(full, undefined, rebuilds[name]);
  if (module === "torch" || module === "torch.cuda") {
    if (Object.hasOwn(STORAGES, name)) return new PthName(full, STORAGES[name]);
    if (Object.hasOwn(UNHELD_STORAGES, name)) return new PthName(full, null);
  }
  if (module === "torch.storage" && (name === "UntypedStorage" || name === "TypedStorage")) {
    return new PthName(full, name === "UntypedStorage" ? "U8" : null);
  }
  if (module === "torch") {
    if (Object.hasOwn(DTYPES, name)) return new PthName(full, DTYPES[name]);
    if (UNHELD_DTYPES.test(name)) return new PthName(full, null);
    if (SCHEMES.test(name)) return new PthName(full);
  }
  if (/^torch(\.|$)/.test(module) && TENSOR_CLASSES.test(full.slice("torch.".length))) {
    return new PthName(full, undefined, unheld("it is a tensor in a very old PyTorch format"));
  }
  return undefined;
}

/**
 * ("storage", type, key, location, length); the location, `cpu` or `cuda:0`, says where it was, which no longer matters. Before torch
 * 1.6 also null, or (key, offset, length) for a storage that is a part of this one.
 */
export function storageOf(id: unknown): PthStorage | PthUnheld {
  const [kind, type, key, , length, part] = Array.isArray(id) ? id : [];
  if (
    kind !== "storage" ||
    !PthName.is(type) ||
    type.dtype === undefined ||
    typeof key !== "string" ||
    !isCount(length)
  ) {
    throw new PickleError("a persistent id is not a storage of a known type");
  }
  if (type.dtype === null) return new PthUnheld(`it has numbers of the kind ${kindOfNumbers(type)}`);
  if (part === undefined || part === null) return new PthStorage(key, type.dtype, length);
  const [, offset, size] = Array.isArray(part) ? part : [];
  if (!isCount(offset) || !isCount(size) || offset + size > length) {
    throw new PickleError("a storage is part of another, but not a stretch of it");
  }
  return new PthStorage(key, type.dtype, length, offset);
}

/** The key of a storage by its id, and its bytes: also of one whose numbers are not read. @throws PickleError */
export function storageBytes(id: unknown): { readonly key: string; readonly length: number; readonly size: number } {
  storageOf(id);
  const [, type, key, , length] = id as [unknown, PthName, string, unknown, number];
  const size = type.dtype
    ? bytesPerNumber[type.dtype]
    : UNHELD_STORAGES[type.name.slice(type.name.lastIndexOf(".") + 1)];
  if (size === undefined) throw new PickleError(`the numbers of its ${type.name} have no known size`);
  return { key, length, size };
}

/** The bytes of an untyped storage as numbers of a dtype. */
function as(storage: unknown, dtype: unknown): unknown {
  if (!PthName.is(dtype) || dtype.dtype === undefined) throw new PickleError("a tensor's dtype is not a dtype");
  if (dtype.dtype === null) return new PthUnheld(`it has numbers of the kind ${kindOfNumbers(dtype)}`);
  if (!PthStorage.is(storage)) return storage;
  const size = bytesPerNumber[dtype.dtype];
  return new PthStorage(storage.key, dtype.dtype, Math.floor(storage.length / size), Math.floor(storage.offset / size));
}

/** A view of a storage. @throws PickleError */
export function tensorOf(
  storage: unknown,
  offset: unknown,
  shape: unknown,
  strides: unknown,
  metadata?: unknown,
): PthTensor | PthUnheld {
  if (!isCount(offset) || !areCounts(shape) || !areCounts(strides) || shape.length !== strides.length) {
    throw new PickleError("a tensor is not built from a storage, an offset, a shape and strides");
  }
  if (shape.length > MOST_AXES || shape.reduce((size, n) => size * (n || 1), 1) > Number.MAX_SAFE_INTEGER) {
    throw new PickleError(`a tensor's shape, ${shown(shape)}, is out of bounds`);
  }
  if (PthUnheld.is(storage)) return storage;
  if (!PthStorage.is(storage)) throw new PickleError("a tensor is not built from a storage");
  // The metadata says that the numbers are stored negated (the imaginary part of a conjugate).
  if (PickleDict.is(metadata) && [...metadata.entries.values()].some((flag) => flag !== false)) {
    return new PthUnheld("its numbers are stored negated or conjugated (resolve_neg() in PyTorch)");
  }
  return new PthTensor(storage, storage.offset + offset, [...shape], [...strides]);
}

/** With the pairs that Python 2 passed to it, if any. */
function orderedDict(items: unknown): PickleDict {
  const dict = new PickleDict();
  if (items === undefined) return dict;
  if (!PickleList.is(items)) throw new PickleError("an OrderedDict is not made from a list of pairs");
  for (const item of items.items) {
    const pair = PickleList.is(item) ? item.items : item;
    if (!Array.isArray(pair) || pair.length !== 2)
      throw new PickleError("an OrderedDict is made from something other than pairs");
    dict.set(pair[0], pair[1]);
  }
  return dict;
}

/** "complex64" for torch.complex64, "ComplexFloat" for torch.ComplexFloatStorage. */
function kindOfNumbers({ name }: PthName): string {
  return name.slice(name.lastIndexOf(".") + 1).replace(/Storage$/, "");
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function areCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(isCount);
}
