/**
 * Unpacks Brotli into exactly as many bytes as announced. The decoder enlarges its output without a limit if a stream has more:
 * its outputs are watched, and a second buffer is refused.
 */
import { decompressBrotli } from "hyparquet-compressors";
import { BrotliOutput } from "hyparquet-compressors/src/brotli.streams.js";
import { Damage, Unread } from "./damage.ts";

/** The buffer of each output. */
const buffers = new WeakMap<object, Uint8Array>();
/** While a page is being unpacked, its output. */
let watching = false;
let output: BrotliOutput | undefined;

Object.defineProperty(BrotliOutput.prototype, "buffer", {
  get(this: BrotliOutput) {
    return buffers.get(this);
  },
  set(this: BrotliOutput, buffer: Uint8Array) {
    if (watching && buffers.has(this)) throw new Damage("a page unpacks to more than it announces");
    buffers.set(this, buffer);
    if (watching) output = this;
  },
});

export function unpackBrotli(bytes: Uint8Array, size: number): Uint8Array {
  watching = true;
  try {
    const out = decompressBrotli(bytes, size);
    // A build that contains the decoder's files twice has another class: then nothing is watched.
    if (!output) throw new Unread("it is packed with Brotli, which this build of the library does not read");
    if (output.pos !== size) throw new Damage("a page unpacks to less than it announces");
    return out;
  } finally {
    watching = false;
    output = undefined;
  }
}
