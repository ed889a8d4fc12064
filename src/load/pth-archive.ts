/** The zip around a PyTorch checkpoint: `name/data.pkl`, `name/byteorder`, and each storage's bytes at `name/data/KEY`. */
import { FileFormatError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import { listed } from "../tensor/words.ts";
import type { ByteSource } from "./bytes.ts";
import { whatItIs } from "./file-kinds.ts";
import { type TakePiece, ZipFile } from "./zip.ts";

/** The pickle is read whole; a model's takes a few hundred bytes for each tensor. */
const LONGEST_PICKLE = 64 << 20;
const LONGEST_BYTE_ORDER = 8;

export class PthArchive {
  readonly #zip: ZipFile;
  readonly #folder: string;

  private constructor(zip: ZipFile, folder: string) {
    this.#zip = zip;
    this.#folder = folder;
  }

  /** @throws FileFormatError if the source is not a zip, not exactly one torch archive, or in torch's format from before 1.6. */
  static async open(source: ByteSource, signal?: AbortSignal): Promise<PthArchive> {
    await checkKind(source, signal);
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

  /** The bytes of an entry, by its path inside the archive's folder; undefined if there is none. */
  size(path: string): number | undefined {
    return this.#zip.entries.get(this.#folder + path)?.size;
  }

  /** Where an entry begins in the file: reading entries in this order is fastest. */
  start(path: string): number {
    return this.#zip.entries.get(this.#folder + path)?.start ?? 0;
  }

  /** @throws FileFormatError if it is longer than a checkpoint's pickle can be, or the file is damaged */
  async readPickle(): Promise<Uint8Array> {
    const size = this.size("data.pkl") ?? 0;
    if (size > LONGEST_PICKLE) {
      throw new FileFormatError(
        `The pickle in ${this.#zip.source.name} has ${size} bytes, but at most ${LONGEST_PICKLE} are read, far more than a model's has.`,
        { asked: this.#zip.source.name, found: size },
      );
    }
    const bytes = new Uint8Array(size);
    await this.readInto("data.pkl", bytes);
    return bytes;
  }

  /** Fills `into`, which has the entry's length. @throws FileFormatError if the entry does not match its checksum. */
  readInto(path: string, into: Uint8Array): Promise<void> {
    return this.#zip.readInto(this.#zip.entries.get(this.#folder + path)!, into);
  }

  /** An entry's bytes in pieces. @throws FileFormatError at the end, if the entry does not match its checksum. */
  pieces(path: string, take: TakePiece): Promise<void> {
    return this.#zip.pieces(this.#zip.entries.get(this.#folder + path)!, take);
  }

  async #checkByteOrder(): Promise<void> {
    const size = this.size("byteorder"); // files from before torch 2.1 have none and are little-endian
    if (size === undefined) return;
    const { name } = this.#zip.source;
    let order = `of ${size} bytes`;
    if (size <= LONGEST_BYTE_ORDER) {
      const bytes = new Uint8Array(size);
      await this.readInto("byteorder", bytes);
      order = new TextDecoder().decode(bytes);
    }
    if (order === "little") return;
    throw new FileFormatError(`${name} has ${shown(order)}-endian numbers: save it on a little-endian machine.`, {
      asked: name,
      found: order,
    });
  }
}

async function checkKind(source: ByteSource, signal: AbortSignal | undefined): Promise<void> {
  const kind = await whatItIs(source, signal);
  if (kind === "zip") return;
  if (kind === "torch before 1.6") {
    throw new FileFormatError(
      `${source.name} is in the format torch wrote before version 1.6, which glassformer does not read. ` +
        `Convert it in Python: import torch; torch.save(torch.load("OLD", map_location="cpu"), "NEW").`,
      { asked: source.name, found: "torch's format before 1.6" },
    );
  }
  const found = kind ?? "it does not begin like a zip file";
  const what = kind ? `it is ${kind}` : found;
  throw new FileFormatError(`${source.name} is not a PyTorch checkpoint: ${what}.`, { asked: source.name, found });
}
