/** How known kinds of files begin, so that errors can say what a misnamed file really is. */

/** A kind of file. */
export interface Beginning {
  /** Its first bytes, one character each. */
  readonly bytes: string;
  /** Ends a sentence that begins "it is", with what to do. */
  readonly is: string;
  /** Set for kinds that some reader supports. */
  readonly kind?: "zip" | "torch before 1.6";
  /** No text begins like this, although the file could be all text. */
  readonly neverText?: true;
}

/** The pickle with torch's magic number, in the protocols without and with frames. */
const TORCH_MAGIC = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
const TORCH_FRAME = "\x95\x0d\0\0\0\0\0\0\0";

const BEGINNINGS: readonly Beginning[] = [
  ...["\x80\x02", "\x80\x03", `\x80\x04${TORCH_FRAME}`, `\x80\x05${TORCH_FRAME}`].map(
    (protocol): Beginning => ({
      bytes: protocol + TORCH_MAGIC,
      is: "a PyTorch checkpoint from before torch 1.6",
      kind: "torch before 1.6",
    }),
  ),
  {
    bytes: "PK\x03\x04",
    is: "a zip archive (like Word and Excel files): unpack it, or save it as text",
    kind: "zip",
  },
  { bytes: "PK\x05\x06", is: "an empty zip file" },
  { bytes: "\x1f\x8b", is: "packed with gzip: unpack it first (gzip -d)" },
  { bytes: "\xfd7zXZ\0", is: "packed with xz: unpack it first (xz -d)" },
  { bytes: "\x28\xb5\x2f\xfd", is: "packed with zstd: unpack it first (zstd -d)" },
  { bytes: "\x04\x22\x4d\x18", is: "packed with lz4: unpack it first (lz4 -d)" },
  { bytes: "BZh", is: "packed with bzip2: unpack it first (bzip2 -d)" },
  { bytes: "7z\xbc\xaf\x27\x1c", is: "a 7-Zip archive: unpack it first" },
  { bytes: "GGUF", is: "a GGUF file, as used by llama.cpp (read it with readGguf, or give it a name ending in .gguf)" },
  { bytes: "\x89HDF\r\n\x1a\n", is: "an HDF5 file, as written by Keras, which glassformer does not read" },
  { bytes: "\x93NUMPY", is: "a NumPy array, which glassformer does not read" },
  { bytes: "PAR1", is: "a Parquet file: give it a name that ends in .parquet" },
  { bytes: "ARROW1", is: "an Arrow file: save it as Parquet or as JSON lines" },
  { bytes: "SQLite format 3\0", is: "an SQLite database: save its texts as JSON lines" },
  { bytes: "%PDF-", is: "a PDF: save its text as .txt", neverText: true },
  {
    bytes: "version https://git-lfs",
    is: "the pointer that git keeps in place of a large file (git lfs pull fetches the file itself)",
    neverText: true,
  },
];

/** The kind of file that begins like this, if it is a known one. @param start its first bytes, one character each */
export function beginningOf(start: string): Beginning | undefined {
  return BEGINNINGS.find(({ bytes }) => start.startsWith(bytes));
}

/** Recognises a web page or a server's error. Texts may begin like this too: only use it for other files. */
export function webPage(start: string): string | undefined {
  return /^(\ufeff|\xef\xbb\xbf)?\s*<(!doctype|html|head|body|\?xml|!--)/i.test(start)
    ? "a web page, perhaps an error or login page instead of the file: download it again"
    : undefined;
}
