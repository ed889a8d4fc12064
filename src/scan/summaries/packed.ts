/** Rows of whole numbers in few bytes: most of what a scan remembers of a token is small numbers. */

/** Whole numbers of rows, column by column. */
export interface PackedRows {
  /** For each column, how many bytes its numbers take if they are packed; 0 if they are saved as they are. */
  readonly sizes: Int32Array;
  /** The columns one after the other, each from a whole word on. */
  readonly words: Int32Array;
}

/** @param rows [row column] @param width columns */
export function packedRows(rows: Int32Array, width: number): PackedRows {
  const count = width === 0 ? 0 : rows.length / width;
  const sizes = new Int32Array(width);
  const columns: Int32Array[] = [];
  for (let c = 0; c < width; c++) {
    const column = Int32Array.from({ length: count }, (_, row) => rows[row * width + c]);
    const bytes = varints(column);
    const isShorter = bytes.length < 4 * count;
    if (isShorter) sizes[c] = bytes.length;
    columns.push(isShorter ? wordsOf(bytes) : column);
  }
  const words = new Int32Array(columns.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const column of columns) {
    words.set(column, at);
    at += column.length;
  }
  return { sizes, words };
}

/** The rows that `packedRows` was given. @param count how many */
export function unpackedRows({ sizes, words }: PackedRows, count: number): Int32Array {
  const width = sizes.length;
  const rows = new Int32Array(count * width);
  let word = 0;
  for (let c = 0; c < width; c++) {
    if (sizes[c] === 0) {
      for (let row = 0; row < count; row++) rows[row * width + c] = words[word++];
      continue;
    }
    let byte = 0;
    const next = () => (words[word + (byte >> 2)] >>> (8 * (byte++ & 3))) & 0xff;
    for (let row = 0; row < count; row++) {
      let value = 0;
      for (let shift = 0; ; shift += 7) {
        const part = next();
        value |= (part & 0x7f) << shift;
        if (part < 0x80) break;
      }
      rows[row * width + c] = (value >>> 1) ^ -(value & 1);
    }
    word += Math.ceil(sizes[c] / 4);
  }
  return rows;
}

/** Seven bits a byte, the lowest first; a sign is the lowest bit. */
function varints(numbers: Int32Array): Uint8Array {
  const bytes: number[] = [];
  for (const number of numbers) {
    let rest = ((number << 1) ^ (number >> 31)) >>> 0;
    while (rest >= 0x80) {
      bytes.push((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    bytes.push(rest);
  }
  return Uint8Array.from(bytes);
}

function wordsOf(bytes: Uint8Array): Int32Array {
  const words = new Int32Array(Math.ceil(bytes.length / 4));
  bytes.forEach((byte, i) => {
    words[i >> 2] |= byte << (8 * (i & 3));
  });
  return words;
}
