/** A file of hyparquet-compressors that has no types. */
declare module "hyparquet-compressors/src/brotli.streams.js" {
  export class BrotliOutput {
    constructor(buffer: Uint8Array);
    buffer: Uint8Array;
    pos: number;
  }
}
