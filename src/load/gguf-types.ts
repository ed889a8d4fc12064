/** The kinds of numbers that tensors of GGUF files have, by the numbers that files call them. Source: gguf-py, GGMLQuantizationType */
import { type DType, emptyData, type TypedData } from "../tensor/array.ts";
import { bytesPerNumber, decodeInto, type FileDType, heldAs, type Misfit } from "./dtypes.ts";
import { BLOCKS } from "./gguf-blocks.ts";

const NAMES: Readonly<Record<number, string>> = {
  0: "F32",
  1: "F16",
  2: "Q4_0",
  3: "Q4_1",
  6: "Q5_0",
  7: "Q5_1",
  8: "Q8_0",
  9: "Q8_1",
  10: "Q2_K",
  11: "Q3_K",
  12: "Q4_K",
  13: "Q5_K",
  14: "Q6_K",
  15: "Q8_K",
  16: "IQ2_XXS",
  17: "IQ2_XS",
  18: "IQ3_XXS",
  19: "IQ1_S",
  20: "IQ4_NL",
  21: "IQ3_S",
  22: "IQ2_S",
  23: "IQ4_XS",
  24: "I8",
  25: "I16",
  26: "I32",
  27: "I64",
  28: "F64",
  29: "IQ1_M",
  30: "BF16",
  34: "TQ1_0",
  35: "TQ2_0",
  39: "MXFP4",
  40: "NVFP4",
  41: "Q1_0",
  42: "Q2_0",
};

/** What a kind of numbers is called. */
export function ggmlName(type: number): string {
  return NAMES[type] ?? `number ${type}`;
}

/** A kind that is read. */
export interface GgmlKind {
  readonly name: string;
  /** Numbers that are stored together, in a row's direction, and their bytes. */
  readonly numbers: number;
  readonly bytes: number;
  readonly heldAs: DType;
  empty(count: number): TypedData;
  /** Whole blocks into `out`, from number `at` on. @return an integer that does not fit int32, if there is one */
  decode(bytes: Uint8Array, out: TypedData, at: number): Misfit | undefined;
}

function plain(name: FileDType): GgmlKind {
  return {
    name,
    numbers: 1,
    bytes: bytesPerNumber[name],
    heldAs: heldAs[name],
    empty: (count) => emptyData(heldAs[name], count),
    decode: (bytes, out, at) => decodeInto(name, bytes, out, at),
  };
}

const KINDS: ReadonlyMap<string, GgmlKind> = new Map([
  ...(["F32", "F16", "BF16", "F64", "I8", "I16", "I32", "I64"] as const).map((name) => [name, plain(name)] as const),
  ...Object.entries(BLOCKS).map(([name, block]) => {
    const { numbers, bytes, decode } = block;
    const kind: GgmlKind = {
      name,
      numbers,
      bytes,
      heldAs: "float32",
      empty: (count) => new Float32Array(count),
      decode(data, out, at) {
        decode(data, out as Float32Array, at);
        return undefined;
      },
    };
    return [name, kind] as const;
  }),
]);

export function ggmlKind(type: number): GgmlKind | undefined {
  return Object.hasOwn(NAMES, type) ? KINDS.get(NAMES[type]) : undefined;
}

/** The names of all that are read. */
export const GGML_KINDS: readonly string[] = [...KINDS.keys()];
