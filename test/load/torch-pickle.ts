/** Pickles written by hand, both as `torch.save` writes them and as it never would. */
import { torchZip } from "./torch-zip.ts";

/** A piece of a pickle: an opcode's letter or number, or the bytes of several. */
export type Part = string | number | Uint8Array | readonly Part[];

export function bytesOf(...parts: readonly Part[]): Uint8Array {
  const chunks: number[] = [];
  const add = (part: Part): void => {
    if (typeof part === "number") chunks.push(part);
    else if (typeof part === "string") for (const c of part) chunks.push(c.charCodeAt(0));
    else for (const inner of part) add(inner);
  };
  for (const part of parts) add(part);
  return Uint8Array.from(chunks);
}

const little = (n: number, bytes: number): number[] =>
  Array.from({ length: bytes }, (_, i) => Math.floor(n / 256 ** i) % 256);

export const int = (n: number): Part =>
  n < 256 ? ["K", n] : n < 65536 ? ["M", ...little(n, 2)] : ["\x8a", 8, ...little(n, 8)];
export const text = (s: string): Part => {
  const utf8 = new TextEncoder().encode(s);
  return ["X", ...little(utf8.length, 4), utf8];
};
export const named = (module: string, name: string): Part => `c${module}\n${name}\n`;
export const tuple = (...items: readonly Part[]): Part => ["(", ...items, "t"];
export const list = (...items: readonly Part[]): Part => ["](", ...items, "e"];
export const dict = (...pairs: readonly (readonly [Part, Part])[]): Part => ["}(", ...pairs.flat(), "u"];
export const storage = (key: string, length: number, type = "FloatStorage"): Part => [
  tuple(text("storage"), named("torch", type), text(key), text("cpu"), int(length)),
  "Q",
];
export const tensor = (of: Part, shape: readonly number[], strides: readonly number[], offset = 0): Part => [
  named("torch._utils", "_rebuild_tensor_v2"),
  tuple(of, int(offset), tuple(...shape.map(int)), tuple(...strides.map(int)), "\x89", [
    named("collections", "OrderedDict"),
    ")R",
  ]),
  "R",
];
export const pickle = (...parts: readonly Part[]): Uint8Array => bytesOf("\x80", 2, ...parts, ".");

/** A checkpoint of a pickle and its storages, `data/0` on. */
export function checkpoint(root: Uint8Array, storages: readonly ArrayBufferView[] = [], folder = "m"): Uint8Array {
  const data = storages.map((s, i) => ({
    name: `${folder}/data/${i}`,
    data: new Uint8Array(s.buffer, s.byteOffset, s.byteLength),
  }));
  return torchZip([{ name: `${folder}/data.pkl`, data: root }, ...data]);
}
