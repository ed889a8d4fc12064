/** GGUF files written by hand, as writers make them and as none would. */

/** A number with its size in bytes, or a text with its length before it (of 8 bytes; each character is a byte). */
export type Field = readonly [size: number, value: number | bigint | string];

export interface GgufParts {
  readonly version?: number;
  /** Default: as many as there are. */
  readonly tensorCount?: bigint;
  readonly keyCount?: bigint;
  readonly keys?: readonly (readonly [key: string, type: number, ...value: readonly Field[]])[];
  /** Shapes are ggml's: the fastest axis first. */
  readonly tensors?: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly type: number;
    readonly offset: number;
  }[];
  /** Bytes of numbers. */
  readonly data?: number;
}

export function ggufFile({
  version = 3,
  tensorCount,
  keyCount,
  keys = [],
  tensors = [],
  data = 0,
}: GgufParts): Uint8Array {
  const bytes: number[] = [...[..."GGUF"].map((c) => c.charCodeAt(0))];
  const add = (...fields: readonly Field[]) => {
    for (const [size, value] of fields) {
      if (typeof value === "string") {
        add([8, BigInt(value.length)]);
        for (const c of value) bytes.push(c.charCodeAt(0));
        continue;
      }
      for (let i = 0; i < size; i++) bytes.push(Number((BigInt(value) >> BigInt(8 * i)) & 255n));
    }
  };
  add([4, version], [8, tensorCount ?? BigInt(tensors.length)], [8, keyCount ?? BigInt(keys.length)]);
  for (const [key, type, ...value] of keys) add([8, key], [4, type], ...value);
  for (const { name, shape, type, offset } of tensors) {
    add([8, name], [4, shape.length], ...shape.map((n): Field => [8, BigInt(n)]), [4, type], [8, BigInt(offset)]);
  }
  if (tensors.length > 0) while (bytes.length % 32 !== 0) bytes.push(0);
  for (let i = 0; i < data; i++) bytes.push(0);
  return Uint8Array.from(bytes);
}
