/**
 * The number formats that weight files use, under their safetensors names, and the way from their bytes to ours:
 * floats become float32, integers int32, BOOL bool. Bytes are little-endian, as in both file formats and on every
 * machine that JavaScript runs on.
 */
import type { NDArray } from "../tensor/array.ts";
import { ndarray } from "../tensor/array.ts";
import { FileFormatError } from "../tensor/errors.ts";
import { decodeBfloat16, decodeFloat16 } from "./floats.ts";

export type FileDType = "F64" | "F32" | "F16" | "BF16" | "I64" | "I32" | "I16" | "I8" | "U8" | "BOOL";

/** Bytes per number. */
export const bytesPerNumber: Readonly<Record<FileDType, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
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

/**
 * The array that `bytes` hold. It never shares memory with `bytes`, unless they are a whole buffer of float32 or int32.
 * @param label the file and the tensor, for errors.
 * @throws FileFormatError if an I64 lies outside int32's range.
 */
export function decodeNumbers(dtype: FileDType, shape: readonly number[], bytes: Uint8Array, label: string): NDArray {
  switch (dtype) {
    case "F32":
      return ndarray("float32", shape, new Float32Array(ownBuffer(bytes)));
    case "F64":
      return ndarray("float32", shape, Float32Array.from(new Float64Array(ownBuffer(bytes))));
    case "F16":
      return ndarray("float32", shape, decodeFloat16(new Uint16Array(ownBuffer(bytes))));
    case "BF16":
      return ndarray("float32", shape, decodeBfloat16(new Uint16Array(ownBuffer(bytes))));
    case "I64":
      return ndarray("int32", shape, narrow(new BigInt64Array(ownBuffer(bytes)), label));
    case "I32":
      return ndarray("int32", shape, new Int32Array(ownBuffer(bytes)));
    case "I16":
      return ndarray("int32", shape, Int32Array.from(new Int16Array(ownBuffer(bytes))));
    case "I8":
      return ndarray("int32", shape, Int32Array.from(new Int8Array(ownBuffer(bytes))));
    case "U8":
      return ndarray("int32", shape, Int32Array.from(bytes));
    case "BOOL":
      return ndarray(
        "bool",
        shape,
        Uint8Array.from(bytes, (b) => (b === 0 ? 0 : 1)),
      );
  }
}

/** The bytes as a buffer that starts at 0, so that any typed array may lie over it; copied only where needed. */
function ownBuffer(bytes: Uint8Array): ArrayBuffer {
  const { buffer, byteLength } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) return buffer;
  return new Uint8Array(bytes).buffer; // not bytes.slice(): Node's Buffer, a Uint8Array too, does not copy there
}

function narrow(values: BigInt64Array, label: string): Int32Array {
  const out = new Int32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    out[i] = Number(values[i]);
    if (BigInt(out[i]) !== values[i]) {
      throw new FileFormatError(
        `${label} holds the integer ${values[i]} at position ${i}, which does not fit 32 bits; glassformer computes with int32.`,
        { asked: label, found: values[i] },
      );
    }
  }
  return out;
}
