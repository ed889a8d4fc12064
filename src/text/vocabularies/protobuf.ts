/** Reads protobuf messages, as https://protobuf.dev/programming-guides/encoding describes them. */

/** What fields are written as. */
const VARINT = 0;
const BITS64 = 1;
const LENGTH = 2;
const BITS32 = 5;
/** The most bytes of a number of 64 bits. */
const LONGEST_VARINT = 10;

const MOST_FIELDS = 2 ** 29;

/** Calls back with a message's fields: a number for whole numbers and floats, bytes for what has a length. @throws Error if it is none */
export function eachField(bytes: Uint8Array, visit: (field: number, value: number | Uint8Array) => void): void {
  let at = 0;
  const take = (count: number) => {
    if (count < 0 || count > bytes.length - at) throw new Error("it ends inside a field");
    at += count;
    return bytes.subarray(at - count, at);
  };
  const varint = () => {
    let value = 0n;
    for (let i = 0; i < LONGEST_VARINT; i++) {
      const [byte] = take(1);
      value |= BigInt(byte & 127) << BigInt(7 * i);
      if (byte < 128) return Number(BigInt.asIntN(64, value));
    }
    throw new Error("a number in it has more than 64 bits");
  };
  while (at < bytes.length) {
    const key = varint();
    const [field, kind] = [Math.floor(key / 8), key & 7];
    if (field < 1 || field >= MOST_FIELDS) throw new Error(`a field in it has the number ${field}`);
    if (kind === VARINT) visit(field, varint());
    else if (kind === BITS64) take(8);
    else if (kind === LENGTH) visit(field, take(varint()));
    else if (kind === BITS32) visit(field, floatOf(take(4)));
    else throw new Error(`a field in it is of the unknown kind ${kind}`);
  }
}

const floatOf = ({ buffer, byteOffset }: Uint8Array) => new DataView(buffer, byteOffset).getFloat32(0, true);
