/** Numbers in an attribute of a page: float32 in base64, four bytes each however many digits they have; a gap is NaN. */
export function packNumbers(values: Iterable<number | null>): string {
  const bytes = new Uint8Array(Float32Array.from(values, (value) => value ?? Number.NaN).buffer);
  const parts: string[] = [];
  for (let from = 0; from < bytes.length; from += 0x8000) {
    parts.push(String.fromCharCode(...bytes.subarray(from, from + 0x8000)));
  }
  return btoa(parts.join(""));
}
