/**
 * The number formats of weight files, under their safetensors names, and how their bytes are converted:
 * floats become float32, integers int32, BOOL bool. Bytes are little-endian, as in both file formats and on every
 * machine that JavaScript runs on.
 */
import { type DType, emptyData, type TypedData } from "../tensor/array.ts";
import { FileFormatError } from "../tensor/errors.ts";
import { decodeBfloat16, decodeFloat16 } from "../tensor/floats.ts";
import { decodeFloat8, type Float8, isFloat8 } from "./float8.ts";

export type FileDType = "F64" | "F32" | "F16" | "BF16" | Float8 | "I64" | "I32" | "I16" | "I8" | "U8" | "BOOL";

/** Bytes per number. */
export const bytesPerNumber: Readonly<Record<FileDType, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  F8_E4M3: 1,
  F8_E5M2: 1,
  F8_E4M3FNUZ: 1,
  F8_E5M2FNUZ: 1,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
};

export function isFileDType(name: unknown): name is FileDType {
  return typeof name === "string" && Object.hasOwn(bytesPerNumber, name);
}

/** The dtype that each becomes. */
export const heldAs: Readonly<Record<FileDType, DType>> = {
  F64: "float32",
  F32: "float32",
  F16: "float32",
  BF16: "float32",
  F8_E4M3: "float32",
  F8_E5M2: "float32",
  F8_E4M3FNUZ: "float32",
  F8_E5M2FNUZ: "float32",
  I64: "int32",
  I32: "int32",
  I16: "int32",
  I8: "int32",
  U8: "int32",
  BOOL: "bool",
};

/** Memory for this many numbers. @param what what they belong to, for an error. @throws FileFormatError if there is not enough memory */
export function memoryFor(dtype: FileDType, count: number, what: string): TypedData {
  try {
    return emptyData(heldAs[dtype], count);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new FileFormatError(`${what} has ${count} numbers, more than fit in memory.`, { asked: count, cause });
  }
}

/** An I64 outside int32's range, and its position among the numbers that were decoded. */
export interface Misfit {
  readonly position: number;
  readonly value: bigint;
}

/**
 * Decodes the numbers of `bytes` into `data`, whose dtype is `heldAs[dtype]`, from number `at` on. Memory is never shared.
 * @return the first I64 outside int32's range, if there is one; `data` then has its lowest 32 bits.
 */
export function decodeInto(dtype: FileDType, bytes: Uint8Array, data: TypedData, at: number): Misfit | undefined {
  const size = bytesPerNumber[dtype];
  if (dtype === "F32" || dtype === "I32") {
    new Uint8Array(data.buffer, data.byteOffset, data.byteLength).set(bytes, size * at);
    return undefined;
  }
  if (dtype === "U8") {
    data.set(bytes, at);
    return undefined;
  }
  if (isFloat8(dtype)) {
    decodeFloat8(dtype, bytes, data as Float32Array, at);
    return undefined;
  }
  const { buffer, byteOffset, length } = aligned(bytes, size);
  const count = length / size;
  switch (dtype) {
    case "F64":
      data.set(new Float64Array(buffer, byteOffset, count), at);
      return undefined;
    case "F16":
      decodeFloat16(new Uint16Array(buffer, byteOffset, count), data as Float32Array, at);
      return undefined;
    case "BF16":
      decodeBfloat16(new Uint16Array(buffer, byteOffset, count), data as Float32Array, at);
      return undefined;
    case "I64":
      return narrow(new Int32Array(buffer, byteOffset, 2 * count), data as Int32Array, at);
    case "I16":
      data.set(new Int16Array(buffer, byteOffset, count), at);
      return undefined;
    case "I8":
      data.set(new Int8Array(buffer, byteOffset, count), at);
      return undefined;
    case "BOOL":
      for (let i = 0; i < count; i++) data[at + i] = bytes[i] === 0 ? 0 : 1;
      return undefined;
  }
}

/** Why a number cannot be represented, to follow "has". */
export function misfitText({ position, value }: Misfit): string {
  return `the integer ${value} at position ${position}, which does not fit 32 bits; glassformer computes with int32`;
}

/** The same bytes, aligned for numbers of this size; copied only if needed. */
function aligned(bytes: Uint8Array, size: number): Uint8Array {
  return bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes); // not bytes.slice(): Node's Buffer does not copy there
}

/** @param halves lower and upper 32 bits in turn: an integer fits if the upper ones repeat the lower ones' sign */
function narrow(halves: Int32Array, data: Int32Array, at: number): Misfit | undefined {
  let misfit: Misfit | undefined;
  for (let i = 0, j = at; i < halves.length; i += 2, j++) {
    const low = halves[i];
    const high = halves[i + 1];
    data[j] = low;
    if (high !== low >> 31 && !misfit) {
      misfit = { position: i / 2, value: (BigInt(high) << 32n) | BigInt(low >>> 0) };
    }
  }
  return misfit;
}
