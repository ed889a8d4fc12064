/** safetensors: changed bytes or a random header, compared with a second reader written from the format's documentation. */
import { memorySource, type NDArray, readSafetensors, writeSafetensors } from "../../src/index.ts";
import { joined, jsonOf, mutateBytes, mutateJson } from "../mutate.ts";
import { outcomeOf } from "../outcome.ts";
import type { Random } from "../random.ts";
import type { Target } from "../target.ts";

const original = writeSafetensors(
  new Map<string, NDArray>([
    ["embed.W_E", { dtype: "float32", shape: [3, 4], data: Float32Array.from({ length: 12 }, (_, i) => i / 7) }],
    ["blocks.0.b", { dtype: "float32", shape: [5], data: Float32Array.of(1, -2, 3e30, -0, 5) }],
    ["scalar", { dtype: "float32", shape: [], data: Float32Array.of(0.25) }],
    ["ids", { dtype: "int32", shape: [2, 1, 2], data: Int32Array.of(1, -1, 7, 2 ** 31 - 1) }],
    ["mask", { dtype: "bool", shape: [4], data: Uint8Array.of(1, 0, 0, 1) }],
    ["empty", { dtype: "float32", shape: [0, 3], data: new Float32Array(0) }],
  ]),
);

export const safetensors: Target = {
  name: "safetensors",
  description: "bytes and headers of a file; the result must be what the format's definition gives",
  async prepare() {
    return (random) => {
      const bytes = random.chance(0.5) ? mutateBytes(random, original) : withHeader(random);
      return outcomeOf(
        () => readSafetensors(memorySource("m.safetensors", bytes)),
        (read) => difference(read, naive(bytes)),
      );
    };
  },
};

/** The same numbers with a header that was changed as JSON. */
function withHeader(random: Random): Uint8Array {
  const length = Number(new DataView(original.buffer, original.byteOffset).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(original.subarray(8, 8 + length)));
  const text = new TextEncoder().encode(jsonOf(mutateJson(random, header)));
  const size = new Uint8Array(8);
  new DataView(size.buffer).setBigUint64(0, BigInt(text.length), true);
  return joined(size, text, original.subarray(8 + length));
}

type Read = Map<string, { shape: readonly number[]; data: ArrayLike<number> }>;

/** The definition, without checks: 8 bytes of length, JSON, numbers at their offsets. */
function naive(bytes: Uint8Array): Read | undefined {
  try {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const length = Number(view.getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    const at = (offset: number, dtype: string): number => {
      if (dtype === "F32") return view.getFloat32(offset, true);
      if (dtype === "I32") return view.getInt32(offset, true);
      if (dtype === "U8") return view.getUint8(offset);
      if (dtype === "BOOL") return Number(view.getUint8(offset) !== 0);
      if (dtype === "F64") return Math.fround(view.getFloat64(offset, true));
      throw new Error(`the second reader does not know ${dtype}`);
    };
    const sizes: Record<string, number> = { F32: 4, I32: 4, U8: 1, BOOL: 1, F64: 8 };
    return new Map(
      Object.entries<{ dtype: string; shape: number[]; data_offsets: [number, number] }>(header)
        .filter(([name]) => name !== "__metadata__")
        .map(([name, { dtype, shape, data_offsets }]) => {
          const count = shape.reduce((n, size) => n * size, 1);
          const data = Array.from({ length: count }, (_, i) =>
            at(8 + length + data_offsets[0] + i * sizes[dtype], dtype),
          );
          return [name, { shape, data }];
        }),
    );
  } catch {
    return undefined; // a dtype that the second reader does not know, half a file
  }
}

function difference(read: Read, expected: Read | undefined): string | undefined {
  if (expected === undefined) return undefined;
  if ([...read.keys()].sort().join() !== [...expected.keys()].sort().join()) return `tensors ${[...read.keys()]}`;
  for (const [name, { shape, data }] of read) {
    const other = expected.get(name)!;
    if (shape.join() !== other.shape.join()) return `${name} is [${shape}], not [${other.shape}]`;
    const at = Array.from(data).findIndex((x, i) => !Object.is(Number(x), other.data[i]));
    if (at >= 0 || data.length !== other.data.length) return `${name} differs at ${at}`;
  }
  return undefined;
}
