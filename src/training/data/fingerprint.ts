/** A fingerprint of rows of tokens, to check that a training run resumes with the data that it started with. */
import type { NDArray } from "../../tensor/array.ts";

/** Eight characters that are the same for the same rows, and almost never for others (FNV-1a). */
export function fingerprint({ shape, data }: NDArray<"int32">): string {
  let hash = 0x811c9dc5;
  const add = (value: number) => {
    for (let shift = 0; shift < 32; shift += 8) hash = Math.imul(hash ^ ((value >> shift) & 0xff), 0x01000193);
  };
  for (const n of shape) add(n);
  for (const id of data) add(id);
  return (hash >>> 0).toString(16).padStart(8, "0");
}
