/**
 * The header of a GGUF file: "GGUF", a version, how many tensors and how many settings; the settings, each with a key and a type;
 * for each tensor its name, shape, kind of numbers and place. The numbers follow, aligned. Everything that the header says is
 * checked before a number is read. Source: ggml's docs/gguf.md
 */
import { FileFormatError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import { type ByteSource, readExactly } from "./bytes.ts";
import { whatItIs } from "./file-kinds.ts";
import { GGML_KINDS, type GgmlKind, ggmlKind, ggmlName } from "./gguf-types.ts";
import { Cursor, CursorEnd, GgufError, type GgufValue, readValue } from "./gguf-values.ts";

export type { GgufValue } from "./gguf-values.ts";

/** The location of one tensor: `start` and `end` are offsets into the file. */
export interface GgufPlace {
  readonly name: string;
  /** As in PyTorch: the last axis varies fastest. */
  readonly shape: readonly number[];
  readonly kind: GgmlKind;
  readonly start: number;
  readonly end: number;
}

export interface GgufHeader {
  readonly metadata: ReadonlyMap<string, GgufValue>;
  /** In the order of their bytes. */
  readonly places: readonly GgufPlace[];
}

/** What is read first; then four times as many, up to the most: the longest headers hold 262,000 tokens in 16 MB. */
const FIRST = 1 << 20;
const LONGEST_HEADER = 256 << 20;
const MOST_TENSORS = 100_000;
const MOST_KEYS = 10_000;
const LONGEST_NAME = 1000;
const MOST_AXES = 8;
const VERSIONS = [2, 3];

/** @throws FileFormatError naming the file, and the tensor or the setting */
export async function readGgufHeader(source: ByteSource, signal?: AbortSignal): Promise<GgufHeader> {
  await checkBeginning(source, signal);
  for (let length = FIRST; ; length *= 4) {
    const bytes = await readExactly(source, 0, Math.min(length, LONGEST_HEADER, source.size), signal);
    try {
      return parse(new Cursor(bytes, source.size), source);
    } catch (cause) {
      const whole = bytes.length === source.size;
      if (cause instanceof CursorEnd && !whole && bytes.length < LONGEST_HEADER) continue;
      if (!(cause instanceof GgufError)) throw cause;
      const why =
        cause instanceof CursorEnd && !whole ? `its header is longer than ${LONGEST_HEADER} bytes` : cause.message;
      throw new FileFormatError(`${source.name} is not a whole GGUF file: ${why}.`, { asked: source.name, cause });
    }
  }
}

/** @throws FileFormatError for another kind of file, another version and other numbers than little-endian ones */
async function checkBeginning(source: ByteSource, signal: AbortSignal | undefined): Promise<void> {
  const { name, size } = source;
  const refuse = (what: string, found: unknown): never => {
    throw new FileFormatError(`${name} ${what}.`, { asked: name, found });
  };
  const start = await readExactly(source, 0, Math.min(8, size), signal);
  if (String.fromCharCode(...start.subarray(0, 4)) !== "GGUF") {
    const kind = await whatItIs(source, signal);
    return refuse(
      `is not a GGUF file: ${kind === undefined ? 'it does not begin with "GGUF"' : `it is ${kind}`}`,
      kind,
    );
  }
  if (size < 24)
    return refuse(`is not a whole GGUF file: it has ${size} bytes, but its first fields alone take 24`, size);
  const version = new DataView(start.buffer, start.byteOffset).getUint32(4, true);
  if (VERSIONS.includes(version)) return;
  if ((version & 0xffff) === 0) {
    return refuse(
      "has big-endian numbers; convert it with llama.cpp's gguf-py/gguf/scripts/gguf_convert_endian.py",
      "big",
    );
  }
  return refuse(
    `is a GGUF file of version ${version}, but versions ${VERSIONS.join(" and ")} are read; convert the model again with a current llama.cpp`,
    version,
  );
}

function parse(at: Cursor, source: ByteSource): GgufHeader {
  at.skip(8);
  const tensors = at.count("tensors", MOST_TENSORS, 24);
  const keys = at.count("settings", MOST_KEYS, 13);
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < keys; i++) {
    const key = at.name("A setting", LONGEST_NAME);
    if (metadata.has(key)) throw new GgufError(`it has the setting ${shown(key)} twice`);
    metadata.set(key, readValue(at, key));
  }
  const alignment = metadata.get("general.alignment") ?? 32;
  if (
    typeof alignment !== "number" ||
    !(alignment >= 8 && alignment <= 1 << 20) ||
    !Number.isInteger(Math.log2(alignment))
  ) {
    throw new GgufError(`general.alignment is ${shown(alignment)}, not a power of two`);
  }
  const infos = Array.from({ length: tensors }, () => tensorInfo(at));
  const data = Math.ceil(at.position / alignment) * alignment;
  return { metadata, places: placesOf(infos, data, alignment, source) };
}

interface Info {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: number;
  readonly offset: number;
}

function tensorInfo(at: Cursor): Info {
  const name = at.name("A tensor", LONGEST_NAME);
  const axes = at.uint32();
  if (axes > MOST_AXES)
    throw new GgufError(`tensor ${shown(name)} has ${axes} axes, more than the ${MOST_AXES} that any has`);
  // ggml counts axes from the one that varies fastest.
  const shape = Array.from({ length: axes }, () => at.whole(`an axis of tensor ${shown(name)}`)).reverse();
  return { name, shape, type: at.uint32(), offset: at.whole(`the place of tensor ${shown(name)}`) };
}

function placesOf(infos: readonly Info[], data: number, alignment: number, source: ByteSource): GgufPlace[] {
  const names = new Set<string>();
  const places = infos.map(({ name, shape, type, offset }) => {
    if (names.has(name)) throw new GgufError(`it has two tensors with the name ${shown(name)}`);
    names.add(name);
    const kind = ggmlKind(type);
    if (!kind) {
      throw new FileFormatError(
        `Tensor ${shown(name)} of ${source.name} is quantised as ${ggmlName(type)}, which is not read here; those that are: ${GGML_KINDS.join(", ")}. ` +
          "Quantise the model again as one of them (Q8_0 loses least), or take such a file.",
        { asked: ggmlName(type), found: GGML_KINDS },
      );
    }
    const row = shape.at(-1) ?? 1;
    if (row % kind.numbers !== 0) {
      throw new GgufError(
        `tensor ${shown(name)} has rows of ${row} numbers, but ${kind.name} stores ${kind.numbers} together`,
      );
    }
    const bytes = (shape.reduce((n, size) => n * size, 1) / kind.numbers) * kind.bytes;
    if (offset % alignment !== 0) {
      throw new GgufError(`tensor ${shown(name)} starts at byte ${offset}, not a multiple of ${alignment}`);
    }
    const start = data + offset;
    if (!(start + bytes <= source.size)) {
      throw new GgufError(
        `tensor ${shown(name)} of shape [${shape}] ends at byte ${start + bytes}, but the file has ${source.size}: download it again`,
      );
    }
    return { name, shape, kind, start, end: start + bytes };
  });
  places.sort((a, b) => a.start - b.start || a.end - b.end);
  for (let i = 1; i < places.length; i++) {
    const [before, place] = [places[i - 1], places[i]];
    if (place.start < before.end) {
      throw new GgufError(
        `tensor ${shown(place.name)} starts at byte ${place.start}, inside ${shown(before.name)}, which ends at ${before.end}`,
      );
    }
  }
  return places;
}
