/**
 * Unpacks Zstandard into exactly as many bytes as announced. fzstd unpacks; before that, each frame is walked block by block, since
 * fzstd neither says how much it wrote nor objects to a window of 2 GB.
 */
import { Damage } from "./damage.ts";

/** fzstd's function: unpacks one frame into a buffer. */
type Unpack = (frame: Uint8Array, into: Uint8Array) => Uint8Array;

/** The most bytes in an unpacked block: the format's own limit. */
const LARGEST_BLOCK = 2 ** 17;

/** Bytes that record how far they were written, and refuse writes past their end. */
class Written extends Uint8Array {
  to = 0;

  static get [Symbol.species]() {
    return Uint8Array;
  }

  /** fzstd compares it with 1, which would convert all its bytes to text. */
  [Symbol.toPrimitive](): number {
    return Number.NaN;
  }

  override subarray(start = 0, end?: number): Uint8Array<ArrayBuffer> {
    this.#reached(start);
    return super.subarray(start, end) as Uint8Array<ArrayBuffer>;
  }

  override set(from: ArrayLike<number>, at = 0): void {
    this.#reached(at + from.length);
    super.set(from, at);
  }

  #reached(at: number): void {
    if (at > this.length) throw new Damage("a page unpacks to more than it announces");
    this.to = at;
  }
}

export function unpackZstd(bytes: Uint8Array, size: number, unpack: Unpack): Uint8Array {
  const out = new Uint8Array(size);
  let done = 0;
  for (let at = 0; at < bytes.length; ) {
    const { frame, size: told, end } = nextFrame(bytes, at);
    at = end;
    if (!frame) continue;
    const into = new Written(out.buffer, done);
    unpack(frame, into);
    if (told !== undefined && told !== into.to) throw new Damage("a page unpacks to a different size than it says");
    done += into.to;
  }
  if (done !== size) throw new Damage("a page unpacks to less than it announces");
  return out;
}

/**
 * The frame that begins at `at`, with an empty block after its last one: there fzstd reports how far it got. Undefined if
 * there is something else, which is skipped.
 */
function nextFrame(bytes: Uint8Array, at: number): { frame?: Uint8Array; size?: number | undefined; end: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (at + 9 > bytes.length) throw cutOff();
  const magic = view.getUint32(at, true);
  if (magic >>> 4 === 0x184d2a5) {
    const end = at + 8 + view.getUint32(at + 4, true);
    if (end > bytes.length) throw cutOff();
    return { end };
  }
  if (magic !== 0xfd2fb528) throw new Damage("a page is not packed with Zstandard, although it says so");
  const flags = bytes[at + 4];
  const single = (flags >> 5) & 1;
  const sizeAt = at + 6 - single + [0, 1, 2, 4][flags & 3];
  const sizeBytes = [single, 2, 4, 8][flags >> 6];
  let block = sizeAt + sizeBytes;
  if (block > bytes.length) throw cutOff();
  let declared: number | undefined;
  if (sizeBytes > 0) {
    declared = sizeBytes === 2 ? 256 : 0;
    for (let i = 0; i < sizeBytes; i++) declared += bytes[sizeAt + i] * 2 ** (8 * i);
  }
  for (;;) {
    if (block + 3 > bytes.length) throw cutOff();
    const head = bytes[block] | (bytes[block + 1] << 8) | (bytes[block + 2] << 16);
    const size = head >> 3;
    if (size > LARGEST_BLOCK) throw new Damage("a packed page has a block that is too large");
    const next = block + 3 + (((head >> 1) & 3) === 1 ? 1 : size);
    if (next > bytes.length) throw cutOff();
    if (head & 1) {
      const frame = new Uint8Array(next - at + 3);
      frame.set(bytes.subarray(at, next));
      frame[block - at] &= ~1;
      frame[next - at] = 1;
      const end = next + 4 * ((flags >> 2) & 1);
      if (end > bytes.length) throw cutOff();
      return { frame, size: declared, end };
    }
    block = next;
  }
}

const cutOff = () => new Damage("a packed page ends in the middle");
