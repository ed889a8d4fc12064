/** The zip around a PyTorch checkpoint since torch 1.6: `name/data.pkl`, `name/byteorder`, and each storage's bytes at `name/data/KEY`. */
import { FileFormatError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import { listed } from "../tensor/words.ts";
import type { ByteSource } from "./bytes.ts";
import type { PthContainer } from "./pth-container.ts";
import { readPthPickle } from "./pth-pickle.ts";
import { type TakePiece, ZipFile } from "./zip.ts";
import type { ZipEntry } from "./zip-directory.ts";

/** The pickle is read whole; a model's takes a few hundred bytes for each tensor. */
const LONGEST_PICKLE = 64 << 20;
const LONGEST_BYTE_ORDER = 8;
/** The memory that the pickle's objects may take, besides an eighth of the file's size. */
const PICKLE_MEMORY = 32_000_000;

export class PthArchive implements PthContainer {
  readonly #zip: ZipFile;
  readonly #folder: string;

  private constructor(zip: ZipFile, folder: string) {
    this.#zip = zip;
    this.#folder = folder;
  }

  /**
   * @param kind what it is by its first bytes
   * @throws FileFormatError if the source is not a zip, or not exactly one torch archive
   */
  static async open(source: ByteSource, kind: string | undefined, signal?: AbortSignal): Promise<PthArchive> {
    checkKind(source, kind);
    const zip = await ZipFile.open(source, signal);
    const paths = [...zip.entries.keys()];
    const pickles = paths.filter((path) => /^([^/]*\/)?data\.pkl$/.test(path));
    if (pickles.length === 0) {
      throw new FileFormatError(`${source.name} is a zip file, but not one from torch: it has no data.pkl.`, {
        asked: source.name,
        found: paths,
      });
    }
    if (pickles.length > 1) {
      throw new FileFormatError(
        `${source.name} has more than one archive: ${listed(pickles.slice(0, 3).map((path) => shown(path)))}. Save each in a separate file.`,
        { asked: source.name, found: pickles },
      );
    }
    const folder = pickles[0].slice(0, -"data.pkl".length);
    if (zip.entries.has(`${folder}constants.pkl`)) {
      throw new FileFormatError(
        `${source.name} is a TorchScript program, not weights. Save those in Python: ` +
          `torch.save(torch.jit.load("OLD").state_dict(), "NEW").`,
        { asked: source.name, found: "TorchScript" },
      );
    }
    const archive = new PthArchive(zip, folder);
    await archive.#checkByteOrder();
    return archive;
  }

  size(key: string): number | undefined {
    return this.#entry(`data/${key}`)?.size;
  }

  start(key: string): number {
    return this.#entry(`data/${key}`)?.start ?? 0;
  }

  async readRoot(): Promise<{ readonly root: unknown; readonly bytes: number }> {
    const { source } = this.#zip;
    const pickle = this.#entry("data.pkl")!;
    if (pickle.size > LONGEST_PICKLE) {
      throw new FileFormatError(
        `The pickle in ${source.name} has ${pickle.size} bytes, but at most ${LONGEST_PICKLE} are read, far more than a model's has.`,
        { asked: source.name, found: pickle.size },
      );
    }
    const bytes = new Uint8Array(pickle.size);
    await this.#zip.readInto(pickle, bytes);
    return { root: readPthPickle(bytes, source.name, PICKLE_MEMORY + source.size / 8), bytes: bytes.length };
  }

  readInto(key: string, into: Uint8Array): Promise<void> {
    return this.#zip.readInto(this.#entry(`data/${key}`)!, into);
  }

  pieces(key: string, take: TakePiece): Promise<void> {
    return this.#zip.pieces(this.#entry(`data/${key}`)!, take);
  }

  #entry(path: string): ZipEntry | undefined {
    return this.#zip.entries.get(this.#folder + path);
  }

  async #checkByteOrder(): Promise<void> {
    const entry = this.#entry("byteorder"); // files from before torch 2.1 have none and are little-endian
    if (entry === undefined) return;
    const { name } = this.#zip.source;
    let order = `of ${entry.size} bytes`;
    if (entry.size <= LONGEST_BYTE_ORDER) {
      const bytes = new Uint8Array(entry.size);
      await this.#zip.readInto(entry, bytes);
      order = new TextDecoder().decode(bytes);
    }
    if (order === "little") return;
    throw new FileFormatError(`${name} has ${shown(order)}-endian numbers: save it on a little-endian machine.`, {
      asked: name,
      found: order,
    });
  }
}

function checkKind(source: ByteSource, kind: string | undefined): void {
  if (kind === "zip") return;
  const found = kind ?? "it does not begin like a zip file";
  const what = kind ? `it is ${kind}` : found;
  throw new FileFormatError(`${source.name} is not a PyTorch checkpoint: ${what}.`, { asked: source.name, found });
}
