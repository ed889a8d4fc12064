/** Writes protobuf messages, as https://protobuf.dev/programming-guides/encoding describes them. */

const VARINT = 0;
const LENGTH = 2;
const BITS32 = 5;
const text = new TextEncoder();

export class MessageWriter {
  #bytes = new Uint8Array(256);
  #length = 0;

  /** A whole number: an int64, int32 or enum. */
  integer(field: number, value: number): void {
    this.#varint(8 * field + VARINT);
    this.#varint(value);
  }

  float(field: number, value: number): void {
    this.#varint(8 * field + BITS32);
    const at = this.#room(4);
    new DataView(this.#bytes.buffer).setFloat32(at, value, true);
  }

  text(field: number, value: string): void {
    this.bytes(field, text.encode(value));
  }

  bytes(field: number, value: Uint8Array): void {
    this.#varint(8 * field + LENGTH);
    this.#varint(value.length);
    const at = this.#room(value.length);
    this.#bytes.set(value, at);
  }

  /** A message within this one. */
  message(field: number, write: (inner: MessageWriter) => void): void {
    const inner = new MessageWriter();
    write(inner);
    this.bytes(field, inner.finish());
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Seven bits a byte, the lowest first; a negative number in the 64 bits of its two's complement. */
  #varint(value: number): void {
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 127n) {
      const at = this.#room(1);
      this.#bytes[at] = Number(rest & 127n) | 128;
      rest >>= 7n;
    }
    const at = this.#room(1);
    this.#bytes[at] = Number(rest);
  }

  /** Where the next bytes go. */
  #room(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, 2 * this.#bytes.length));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    return at;
  }
}
