import { base64 } from "../../tensor/base64.ts";

/** Numbers in an attribute of a page: float32 in base64, four bytes each, however many digits they have; a gap is NaN. */
export function packNumbers(values: Iterable<number | null>): string {
  return base64(new Uint8Array(Float32Array.from(values, (value) => value ?? Number.NaN).buffer));
}
