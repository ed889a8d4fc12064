/** The zip around a PyTorch checkpoint: `name/data.pkl`, `name/byteorder`, and each storage's bytes at `name/data/KEY`. */
import type { FileEntry } from "@zip.js/zip.js";
import { FileFormatError } from "../tensor/errors.ts";
import type { ByteSource } from "./bytes.ts";

export interface PthArchive {
  /** Bytes of an entry, by its path below the archive's own folder; undefined if there is none. */
  size(path: string): number | undefined;
  /** @throws FileFormatError if the entry is missing, cut off, or does not match its checksum. */
  read(path: string): Promise<Uint8Array>;
}

/** The first bytes of the pickle with torch's magic number, with which its format before 1.6 begins. */
const LEGACY_MAGIC = [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const ZIP_MAGIC = [0x50, 0x4b, 0x03, 0x04];

/** @throws FileFormatError if the source is no zip, no torch archive, or torch's format from before 1.6. */
export async function openPthArchive(source: ByteSource, signal?: AbortSignal): Promise<PthArchive> {
  await checkMagic(source, signal);
  const entries = await readEntries(source, signal);
  const pickle = [...entries.keys()].find((path) => path === "data.pkl" || path.endsWith("/data.pkl"));
  if (pickle === undefined) {
    throw new FileFormatError(`${source.name} is a zip file but not one of torch's: it has no data.pkl.`, {
      asked: source.name,
      found: [...entries.keys()],
    });
  }
  const folder = pickle.slice(0, -"data.pkl".length);
  const archive: PthArchive = {
    size: (path) => entries.get(folder + path)?.uncompressedSize,
    async read(path) {
      const entry = entries.get(folder + path);
      if (entry === undefined) {
        throw new FileFormatError(`${source.name} has no ${folder}${path}; it is incomplete.`, { asked: path });
      }
      return guarded(source, signal, async () => {
        const bytes = await entry.arrayBuffer({ checkCrc32: true, useWebWorkers: false, ...(signal && { signal }) });
        return new Uint8Array(bytes);
      });
    },
  };
  await checkByteOrder(archive, source);
  return archive;
}

async function checkMagic(source: ByteSource, signal: AbortSignal | undefined): Promise<void> {
  const start = await source.read(0, Math.min(source.size, LEGACY_MAGIC.length), signal);
  const startsWith = (magic: number[]) => magic.every((byte, i) => start[i] === byte);
  if (startsWith(LEGACY_MAGIC)) {
    throw new FileFormatError(
      `${source.name} is in the format torch wrote before version 1.6, which glassformer does not read. ` +
        `Convert it in Python: import torch; torch.save(torch.load("OLD", map_location="cpu"), "NEW").`,
      { asked: source.name, found: "torch's format before 1.6" },
    );
  }
  if (!startsWith(ZIP_MAGIC)) {
    throw new FileFormatError(`${source.name} is not a PyTorch checkpoint: it does not begin as a zip file does.`, {
      asked: source.name,
      found: [...start],
    });
  }
}

async function checkByteOrder(archive: PthArchive, source: ByteSource): Promise<void> {
  const size = archive.size("byteorder"); // files from before torch 2.1 have none and are little-endian
  if (size === undefined) return;
  const order = new TextDecoder().decode(await archive.read("byteorder"));
  if (order !== "little") {
    throw new FileFormatError(
      `${source.name} holds ${JSON.stringify(order)}-endian numbers; save it on a little-endian machine.`,
      { asked: source.name, found: order },
    );
  }
}

async function readEntries(source: ByteSource, signal: AbortSignal | undefined): Promise<Map<string, FileEntry>> {
  const { Reader, ZipReader } = await import("@zip.js/zip.js");
  class SourceReader extends Reader<ByteSource> {
    override size = source.size;
    override readUint8Array(index: number, length: number): Promise<Uint8Array> {
      const end = Math.min(index + length, source.size);
      return source.read(Math.min(index, end), end, signal);
    }
    /** One read for an entry of ordinary size, instead of one for each 64 KB. */
    override createReadable(options: { offset?: number; size?: number } = {}): ReadableStream<Uint8Array> {
      return super.createReadable({ ...options, chunkSize: 16 << 20 });
    }
  }
  return guarded(source, signal, async () => {
    const entries = await new ZipReader(new SourceReader(source)).getEntries();
    return new Map(entries.flatMap((entry) => (entry.directory ? [] : [[entry.filename, entry]])));
  });
}

/** Runs zip.js, whose complaints are about the file unless the caller's signal was the reason. */
async function guarded<T>(source: ByteSource, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof FileFormatError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new FileFormatError(`${source.name} is not a whole zip file, as a PyTorch checkpoint is: ${why}.`, {
      asked: source.name,
      cause,
    });
  }
}
