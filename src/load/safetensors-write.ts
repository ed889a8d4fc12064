/** Writes arrays as the bytes of a safetensors file. */
import type { NDArray } from "../tensor/array.ts";
import { sizeOf } from "../tensor/array.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { encodeBfloat16, encodeFloat16 } from "../tensor/floats.ts";
import { oneOf } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { shown } from "../tensor/show.ts";
import type { FileDType } from "./dtypes.ts";
import { bytesPerNumber } from "./dtypes.ts";

export interface WriteOptions {
  /** How floats are stored; F16 and BF16 round to nearest. Default: F32 for float32 and F64 for float64. */
  readonly dtype?: "F32" | "F16" | "BF16" | undefined;
}

const WRITE_OPTIONS: OptionKinds<WriteOptions> = { dtype: oneOf(["F32", "F16", "BF16"]) };

/**
 * A safetensors file. Tensors are ordered by descending size of their numbers, so that each is aligned, then by name; the same
 * arrays always give the same bytes.
 * @param metadata the file's `__metadata__`: strings only, as the format requires.
 * @throws ArgumentError for a tensor named `__metadata__`, one whose data does not match its dtype and shape, or
 * metadata that is not strings.
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, NDArray>,
  metadata: Readonly<Record<string, string>> = {},
  options: WriteOptions = {},
): Uint8Array {
  checkTensors(tensors);
  checkMetadata(metadata);
  checkOptions("writeSafetensors", options, WRITE_OPTIONS);
  const entries = [...tensors].map(([name, array]) => ({ name, array, dtype: dtypeFor(array, options) }));
  entries.sort((a, b) => bytesPerNumber[b.dtype] - bytesPerNumber[a.dtype] || (a.name < b.name ? -1 : 1));

  // A list of pairs, not an object built key by key, so that "__proto__" is a name like any other.
  const header: [string, unknown][] = Object.keys(metadata).length > 0 ? [["__metadata__", metadata]] : [];
  let at = 0;
  for (const { name, array, dtype } of entries) {
    const end = at + sizeOf(array.shape) * bytesPerNumber[dtype];
    header.push([name, { dtype, shape: array.shape, data_offsets: [at, end] }]);
    at = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const length = Math.ceil(json.length / 8) * 8;

  const file = memoryFor(8 + length + at);
  new DataView(file.buffer).setBigUint64(0, BigInt(length), true);
  file.fill(0x20, 8, 8 + length); // spaces after the JSON, so that the numbers start on a multiple of 8
  file.set(json, 8);
  let offset = 8 + length;
  for (const { array, dtype } of entries) {
    const bytes = encode(array, dtype);
    file.set(bytes, offset);
    offset += bytes.length;
  }
  return file;
}

const DATA = { float32: Float32Array, float64: Float64Array, int32: Int32Array, bool: Uint8Array };

/** Untyped callers may pass anything, but the header of a file must always match its numbers. */
function checkTensors(tensors: unknown): void {
  if (!(tensors instanceof Map)) {
    throw new ArgumentError(`writeSafetensors takes a Map from names to arrays, not ${shown(tensors)}.`, {
      asked: tensors,
    });
  }
  for (const [name, array] of tensors) {
    const refuse = (what: string): never => {
      throw new ArgumentError(`A safetensors file cannot contain a tensor ${what}.`, { asked: name, found: array });
    };
    if (typeof name !== "string") refuse(`named ${shown(name)}: names must be strings`);
    if (name === "__metadata__") refuse(`named "__metadata__": rename it`);
    if (!name.isWellFormed()) refuse(`named ${shown(name)}, which contains half a character`);
    const { dtype, shape, data } = (array ?? {}) as Partial<NDArray>;
    const isHeld = typeof dtype === "string" && Object.hasOwn(DATA, dtype);
    if (!isHeld) refuse(`with dtype ${shown(dtype)} ("${name}"): it supports ${Object.keys(DATA).join(", ")}`);
    if (!Array.isArray(shape) || !shape.every((n) => Number.isSafeInteger(n) && n >= 0)) {
      refuse(`with shape ${shown(shape)} ("${name}"): a shape must be a list of whole numbers`);
    }
    const type = DATA[dtype as keyof typeof DATA];
    if (!(data instanceof type)) refuse(`of ${dtype} whose data is ${shown(data)} ("${name}"), not a ${type.name}`);
    if (data!.length !== sizeOf(shape!)) {
      refuse(`of shape ${shown(shape)}, ${sizeOf(shape!)} numbers, whose data has ${data!.length} ("${name}")`);
    }
  }
}

function checkMetadata(metadata: unknown): void {
  const isRecord = typeof metadata === "object" && metadata !== null && !Array.isArray(metadata);
  if (isRecord && Object.values(metadata).every((value) => typeof value === "string")) return;
  throw new ArgumentError(`The metadata of a safetensors file must be an object of strings, not ${shown(metadata)}.`, {
    asked: metadata,
  });
}

function memoryFor(bytes: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(bytes);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new ArgumentError(
      `The file would have ${bytes} bytes, more than fit in memory: write the tensors to several files, or as F16.`,
      { asked: bytes, cause },
    );
  }
}

function dtypeFor(array: NDArray, options: WriteOptions): FileDType {
  if (array.dtype === "int32") return "I32";
  if (array.dtype === "bool") return "BOOL";
  return options.dtype ?? (array.dtype === "float64" ? "F64" : "F32");
}

function encode(array: NDArray, dtype: FileDType): Uint8Array {
  const narrowed = array.dtype === "float64" && dtype !== "F64" ? Float32Array.from(array.data) : array.data;
  const data =
    dtype === "F16"
      ? encodeFloat16(narrowed as Float32Array)
      : dtype === "BF16"
        ? encodeBfloat16(narrowed as Float32Array)
        : narrowed;
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
