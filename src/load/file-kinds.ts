/** What a file is, by its first bytes: so that one that is not what its name says is called by its right name. */
import { type ByteSource, readExactly } from "./bytes.ts";

/** The first bytes of the pickle with torch's magic number, with which its format before 1.6 begins. */
const TORCH_BEFORE_1_6 = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";

/** How files begin, and what they are then. */
const BEGINNINGS: readonly (readonly [string, string])[] = [
  [TORCH_BEFORE_1_6, "torch before 1.6"],
  ["PK\x03\x04", "zip"],
  ["PK\x05\x06", "a zip file that holds nothing"],
  ["\x1f\x8b", "packed with gzip: unpack it first (gzip -d)"],
  ["\xfd7zXZ\0", "packed with xz: unpack it first (xz -d)"],
  ["\x28\xb5\x2f\xfd", "packed with zstd: unpack it first (zstd -d)"],
  ["BZh", "packed with bzip2: unpack it first (bzip2 -d)"],
  ["7z\xbc\xaf\x27\x1c", "a 7-Zip archive: unpack it first"],
  ["GGUF", "a GGUF file, as llama.cpp has, which glassformer does not read"],
  ["\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras writes, which glassformer does not read"],
  ["\x93NUMPY", "an array of NumPy's, which glassformer does not read"],
  [
    "version https://git-lfs",
    "the pointer that git keeps in place of a large file (git lfs pull brings the file itself)",
  ],
];

/** What a source is if it is something known, as the end of "it is …": "zip", "a safetensors file", "an HTML page". */
export async function whatItIs(source: ByteSource, signal?: AbortSignal): Promise<string | undefined> {
  if (source.size === 0) return "empty (0 bytes)";
  const bytes = await readExactly(source, 0, Math.min(source.size, 512), signal);
  const start = String.fromCharCode(...bytes);
  const known = BEGINNINGS.find(([beginning]) => start.startsWith(beginning));
  if (known) return known[1];
  if (bytes.length > 8 && bytes[8] === 0x7b) {
    const header = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
    if (header <= BigInt(source.size - 8))
      return "a safetensors file (readSafetensors reads it; a name ending in .safetensors says so)";
  }
  if (/^(\xef\xbb\xbf)?\s*<(!doctype|html|head|\?xml|!--)/i.test(start)) {
    return "a web page, perhaps an error or a login in place of the file: download it again";
  }
  if (start.startsWith("\x80") && bytes[1] >= 2 && bytes[1] <= 5) {
    return "a pickle of Python's own, not one that torch.save wrote (load it in Python, and torch.save the weights)";
  }
  if (/^\s*[{[]/.test(start) && !start.includes("\0")) return "JSON text, not weights";
  return undefined;
}
