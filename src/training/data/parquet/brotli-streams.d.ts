/** A file of hyparquet-compressors that has no types of its own. */
declare module "hyparquet-compressors/src/brotli.streams.js" {
  export class BrotliOutput {
    constructor(buffer: Uint8Array);
    buffer: Uint8Array;
    pos: number;
  }
}
