/** NumPy's .npz: a zip of .npy files, an array each. Arrays of Python objects, which are pickled, are refused. */
import { type NDArray, ndarray, sizeOf } from "../tensor/array.ts";
import { FileFormatError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import type { ByteSource } from "./bytes.ts";
import { bytesPerNumber, decodeInto, type FileDType, heldAs, memoryFor, misfitText } from "./dtypes.ts";
import type { LoadOptions } from "./files.ts";
import { ZipFile } from "./zip.ts";
import type { ZipEntry } from "./zip-directory.ts";

/** NumPy's names of the number formats that are read. */
const DTYPES: Readonly<Record<string, FileDType>> = {
  "<f8": "F64",
  "<f4": "F32",
  "<f2": "F16",
  "<i8": "I64",
  "<i4": "I32",
  "<i2": "I16",
  "|i1": "I8",
  "|u1": "U8",
  "|b1": "BOOL",
};

/** What an array's header says, and where its numbers begin. */
interface Header {
  readonly dtype: FileDType;
  readonly shape: readonly number[];
  /** Whether its first axis varies fastest. */
  readonly fortran: boolean;
  readonly start: number;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const LITERAL =
  /^\{\s*'descr':\s*(?<descr>'[^']*'|\[.*\]),\s*'fortran_order':\s*(?<fortran>True|False),\s*'shape':\s*\((?<shape>[\d, ]*)\),?\s*\}\s*$/s;
/** An array of equal numbers unpacks to far more bytes than it has; up to this many it may. */
const SMALL = 64 << 20;

/**
 * All arrays of a .npz file, by name without ".npy", row-major, dtypes converted as in `readSafetensors`.
 * @throws FileFormatError if the file is truncated or garbled, or has numbers of a kind that is not read, or Python objects
 */
export async function readNpz(source: ByteSource, { signal }: LoadOptions = {}): Promise<Map<string, NDArray>> {
  const zip = await ZipFile.open(source, signal, SMALL);
  const arrays = new Map<string, NDArray>();
  for (const entry of [...zip.entries.values()].sort((a, b) => a.start - b.start)) {
    if (!entry.name.endsWith(".npy")) continue;
    arrays.set(entry.name.slice(0, -".npy".length), await readNpy(zip, entry));
  }
  return arrays;
}

async function readNpy(zip: ZipFile, entry: ZipEntry): Promise<NDArray> {
  const what = `${shown(entry.name).slice(1, -1)} of ${zip.source.name}`;
  let header: Header | undefined;
  let array: NDArray | undefined;
  await zip.pieces(entry, (bytes, at) => {
    header ??= readHeader(bytes, entry.size, what);
    const { dtype, shape, start } = header;
    array ??= ndarray(heldAs[dtype], shape, memoryFor(dtype, sizeOf(shape), what));
    const numbers = bytes.subarray(Math.max(0, start - at));
    const misfit = decodeInto(
      dtype,
      numbers,
      array.data,
      (at + bytes.length - numbers.length - start) / bytesPerNumber[dtype],
    );
    if (misfit) throw new FileFormatError(`${what} has ${misfitText(misfit)}.`, { asked: entry.name });
  });
  if (!header || !array) throw new FileFormatError(`${what} is empty.`, { asked: entry.name });
  return header.fortran ? rowMajor(array, what) : array;
}

/** @param size of the whole file, which must be that of the header and the numbers */
function readHeader(bytes: Uint8Array, size: number, what: string): Header {
  const refuse = (why: string): never => {
    throw new FileFormatError(`${what} ${why}.`, { asked: what });
  };
  if (!MAGIC.every((byte, i) => bytes[i] === byte)) refuse("is not a .npy file: it does not begin like one");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const first = bytes[6] === 1;
  const start = first ? 10 + view.getUint16(8, true) : 12 + (bytes.length >= 12 ? view.getUint32(8, true) : size);
  if (start > bytes.length) refuse("has a header that is longer than its bytes, or than an array's");
  const text = new TextDecoder().decode(bytes.subarray(first ? 10 : 12, start));
  const { descr = "", fortran = "", shape = "" } = LITERAL.exec(text)?.groups ?? {};
  if (descr === "") refuse(`has a header that is not one of an array: ${shown(text)}`);
  const format = descr.replaceAll("'", "");
  if (format.includes("O")) {
    refuse(
      "has Python objects, which are pickled and could run anything when they are read: nothing was. Save its numbers alone",
    );
  }
  const dtype = Object.hasOwn(DTYPES, format)
    ? DTYPES[format]
    : refuse(`has numbers of the kind ${shown(format)}, which is not read: ${Object.keys(DTYPES).join(", ")} are`);
  const sizes = shape
    .split(",")
    .filter((n) => n.trim() !== "")
    .map(Number);
  const numbers = sizeOf(sizes) * bytesPerNumber[dtype];
  if (start + numbers !== size) refuse(`should have ${numbers} bytes of numbers [${sizes}], but has ${size - start}`);
  if (start % bytesPerNumber[dtype] !== 0) refuse("has numbers that do not begin at a multiple of their size");
  return { dtype, shape: sizes, fortran: fortran === "True" && sizes.length > 1, start };
}

/** A matrix whose columns lie one after the other, as rows. */
function rowMajor({ dtype, shape, data }: NDArray, what: string): NDArray {
  if (shape.length !== 2) {
    throw new FileFormatError(
      `${what} has ${shape.length} axes in Fortran's order: save it with np.ascontiguousarray.`,
      {
        asked: what,
        found: shape,
      },
    );
  }
  const [rows, cols] = shape;
  const turned = data.slice();
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) turned[i * cols + j] = data[j * rows + i];
  return { dtype, shape, data: turned } as NDArray;
}
