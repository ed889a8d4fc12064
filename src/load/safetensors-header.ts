/**
 * The header of a safetensors file: 8 bytes with its length (little-endian), then JSON that gives each tensor's dtype,
 * shape and location, then the numbers, without gaps. Everything that the header says is checked before a number is read.
 * Format: https://github.com/huggingface/safetensors#format
 */
import { sizeOf } from "../tensor/array.ts";
import { FileFormatError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import type { ByteSource } from "./bytes.ts";
import { parseJsonObject, readExactly } from "./bytes.ts";
import type { FileDType } from "./dtypes.ts";
import { bytesPerNumber, isFileDType } from "./dtypes.ts";
import { whatItIs } from "./file-kinds.ts";
import { checkJson } from "./json-check.ts";

/** The location of one tensor: `start` and `end` are offsets into the file. */
export interface TensorPlace {
  readonly name: string;
  readonly dtype: FileDType;
  readonly shape: readonly number[];
  readonly start: number;
  readonly end: number;
}

/** A hundred bytes per tensor are usual. The reference implementation's limit is 100 MB, which takes many times that when parsed. */
const LONGEST_HEADER = 25_000_000;

/** The tensors of a file in the order of their bytes. @throws FileFormatError naming the file, the tensor and the numbers. */
export async function readSafetensorsHeader(source: ByteSource, signal?: AbortSignal): Promise<TensorPlace[]> {
  const { name, size } = source;
  const refuse = (what: string, found?: unknown): never => {
    throw new FileFormatError(`${name} is not a whole safetensors file: ${what}. Download it again.`, {
      asked: name,
      found,
    });
  };

  if (size < 8) return refuse(`it has ${size} bytes, but the header's length alone takes 8`, size);
  const lengthBytes = await readExactly(source, 0, 8, signal);
  const announced = new DataView(lengthBytes.buffer, lengthBytes.byteOffset, 8).getBigUint64(0, true);
  const length = Number(announced);
  if (length > LONGEST_HEADER || 8 + length > size) {
    await refuseOtherKind(source, signal);
    const than = 8 + length > size ? `but the file has ${size}` : `but at most ${LONGEST_HEADER} are read`;
    return refuse(`its first 8 bytes announce a header of ${announced} bytes, ${than}`, announced);
  }
  let header: Record<string, unknown>;
  try {
    header = parseHeader(await readExactly(source, 8, 8 + length, signal), name);
  } catch (cause) {
    await refuseOtherKind(source, signal);
    throw cause;
  }
  checkMetadata(header.__metadata__, refuse);

  const places: TensorPlace[] = [];
  for (const [tensor, entry] of Object.entries(header)) {
    if (tensor !== "__metadata__") places.push(placeOf(tensor, entry, 8 + length, name));
  }
  places.sort((a, b) => a.start - b.start || a.end - b.end);

  let at = 8 + length;
  for (const { name: tensor, start, end } of places) {
    if (start < at)
      refuse(`tensor ${shown(tensor)} starts at byte ${start}, inside the previous one, which ends at ${at}`);
    if (start > at) refuse(`no tensor owns the ${start - at} bytes before tensor ${shown(tensor)} at byte ${start}`);
    if (end > size) refuse(`tensor ${shown(tensor)} ends at byte ${end}, but the file has ${size}`, size);
    at = end;
  }
  if (at !== size) refuse(`its tensors end at byte ${at}, but the file has ${size}`, size);
  return places;
}

/** @throws FileFormatError that names the file's kind, if it is a known one */
async function refuseOtherKind(source: ByteSource, signal: AbortSignal | undefined): Promise<void> {
  const kind = await whatItIs(source, signal);
  if (kind === undefined || kind.startsWith("a safetensors file")) return;
  const found =
    kind === "zip" || kind === "torch before 1.6"
      ? "a PyTorch file, or another zip file (read it with readPth, or give it a name ending in .pth)"
      : kind;
  throw new FileFormatError(`${source.name} is not a safetensors file: it is ${found}.`, { asked: source.name, found });
}

/** Strings only, as the format requires. */
function checkMetadata(metadata: unknown, refuse: (what: string, found: unknown) => never): void {
  if (metadata === undefined || metadata === null) return;
  const isRecord = typeof metadata === "object" && !Array.isArray(metadata);
  if (isRecord && Object.values(metadata).every((value) => typeof value === "string")) return;
  refuse(`its "__metadata__" is ${shown(metadata)}, not an object of strings`, metadata);
}

function parseHeader(bytes: Uint8Array, file: string): Record<string, unknown> {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new FileFormatError(`${file} is not a whole safetensors file: its header is not UTF-8.`, {
      asked: file,
      cause,
    });
  }
  const what = `The safetensors header of ${file}`;
  checkJson(text, what);
  return parseJsonObject(text, what);
}

function placeOf(tensor: string, entry: unknown, dataStart: number, file: string): TensorPlace {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  const refuse = (what: string, found: unknown): never => {
    throw new FileFormatError(`Tensor ${shown(tensor)} of ${file} ${what}.`, { asked: tensor, found });
  };
  if (!isFileDType(dtype)) {
    const known = Object.keys(bytesPerNumber).join(", ");
    return refuse(`has the dtype ${shown(dtype)}; glassformer reads ${known}`, dtype);
  }
  if (!isCounts(shape)) return refuse(`has the shape ${listed(shape)}, not a list of whole numbers`, shape);
  if (!isCounts(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    return refuse(`has the data offsets ${listed(offsets)}, not a start and an end`, offsets);
  }
  const bytes = sizeOf(shape) * bytesPerNumber[dtype];
  if (bytes !== offsets[1] - offsets[0]) {
    return refuse(
      `has shape ${listed(shape)} of ${dtype}, ${bytes} bytes, but its data offsets span ${offsets[1] - offsets[0]}`,
      offsets,
    );
  }
  return { name: tensor, dtype, shape, start: dataStart + offsets[0], end: dataStart + offsets[1] };
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

/** A list exactly as in the file; anything else in readable form. */
function listed(value: unknown): string {
  return isCounts(value) && value.length <= 64 ? `[${value}]` : shown(value);
}
