/**
 * llama2.c's files: seven numbers of a Llama and its weights one after the other, in float32 (the first format, without a magic
 * number, and version 1) or in groups of 8-bit numbers with a scale each (version 2); beside them `tokenizer.bin`. They are read as
 * GGUF files of the same model would be, whose order of queries and keys they have. Source: llama2.c, export.py, tokenizer.py
 */
import { type NDArray, ndarray, sizeOf } from "../tensor/array.ts";
import { FileFormatError } from "../tensor/errors.ts";
import { type ByteSource, readExactly, readInto } from "./bytes.ts";
import { memoryFor } from "./dtypes.ts";
import type { GgufFile } from "./gguf.ts";
import type { GgufValue } from "./gguf-header.ts";

interface Place {
  readonly name: string;
  readonly shape: readonly number[];
  readonly start: number;
  /** Numbers with a scale; undefined for float32. */
  readonly group: number | undefined;
}

interface Header {
  readonly version: 0 | 1 | 2;
  readonly dim: number;
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly vocabulary: number;
  readonly length: number;
  readonly tied: boolean;
  readonly group: number | undefined;
  /** Where the weights begin. */
  readonly start: number;
}

/** "ak42" as a number. */
const MAGIC = 0x616b3432;
const FIELDS = 7;
/** Before a version's own weights, whatever it says. */
const HEADER = 256;

/**
 * A file of llama2.c's, as a GGUF file would be.
 * @param tokenizer the file `tokenizer.bin`
 * @throws FileFormatError for a file that is not one, or is truncated
 */
export async function openLlama2c(
  source: ByteSource,
  tokenizer: ByteSource | undefined,
  signal?: AbortSignal,
): Promise<GgufFile> {
  const header = await readHeader(source, signal);
  const places = placesOf(header);
  const last = places.at(-1)!;
  const end = last.start + bytesOf(last);
  if (end !== source.size) {
    throw new FileFormatError(
      `${source.name} is not a whole model of llama2.c's: by its first numbers it would have ${end} bytes, but it has ${source.size}.`,
      { asked: end, found: source.size },
    );
  }
  const weights = new Map(places.filter(({ name }) => name !== ANGLES).map((place) => [place.name, place]));
  const metadata = new Map<string, GgufValue>([
    ["general.architecture", "llama"],
    ["llama.block_count", header.layers],
    ["llama.context_length", header.length],
    ["llama.embedding_length", header.dim],
    ["llama.feed_forward_length", header.hidden],
    ["llama.attention.head_count", header.heads],
    ["llama.attention.head_count_kv", header.keyValueHeads],
    ["llama.attention.layer_norm_rms_epsilon", 1e-5],
    ["llama.attention.sliding_window", 0],
    ...(tokenizer ? await vocabulary(tokenizer, header.vocabulary, signal) : []),
  ]);
  const read = (name: string, stop?: AbortSignal) => readPlace(source, weights.get(name)!, stop);
  return {
    metadata,
    kinds: new Map([...weights].map(([name, { group }]) => [name, group === undefined ? "F32" : "I8"])),
    shapes: new Map([...weights].map(([name, { shape }]) => [name, shape])),
    read,
    readRows: async (name, take, stop) => take((await read(name, stop)).data, 0),
  };
}

/** Whether a file's first numbers and its size are those of a model of llama2.c's. */
export async function isLlama2c(source: ByteSource, signal?: AbortSignal): Promise<boolean> {
  if (source.size < HEADER) return false;
  const head = await readExactly(source, 0, 4, signal);
  if (new DataView(head.buffer, head.byteOffset).getUint32(0, true) === MAGIC) return true;
  try {
    const places = placesOf(await readHeader(source, signal));
    return places.at(-1)!.start + bytesOf(places.at(-1)!) === source.size;
  } catch (error) {
    if (error instanceof FileFormatError) return false;
    throw error;
  }
}

/** @throws FileFormatError */
async function readHeader(source: ByteSource, signal: AbortSignal | undefined): Promise<Header> {
  const refuse = (why: string, found: unknown): never => {
    throw new FileFormatError(`${source.name} is not a model of llama2.c's: ${why}.`, { asked: source.name, found });
  };
  if (source.size < HEADER) return refuse(`it has ${source.size} bytes`, source.size);
  const bytes = await readExactly(source, 0, HEADER, signal);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint32(0, true) === MAGIC ? view.getInt32(4, true) : 0;
  if (version !== 0 && version !== 1 && version !== 2)
    return refuse(`it says version ${version}, but 1 and 2 are read`, version);
  const at = version === 0 ? 0 : 8;
  const numbers = Array.from({ length: FIELDS }, (_, i) => view.getInt32(at + 4 * i, true));
  const [dim, hidden, layers, heads, keyValueHeads, signedVocabulary, length] = numbers;
  const vocabulary = version === 0 ? Math.abs(signedVocabulary) : signedVocabulary;
  const sizes = [dim, hidden, layers, heads, keyValueHeads, vocabulary, length];
  const fits = sizes.every((n) => n > 0) && dim % heads === 0 && heads % keyValueHeads === 0 && (dim / heads) % 2 === 0;
  if (!fits || layers > 10_000)
    return refuse(`its first numbers, ${numbers.join(", ")}, are not the sizes of a model`, numbers);
  const flags = at + 4 * FIELDS;
  const tied = version === 0 ? signedVocabulary > 0 : view.getUint8(flags) === 1;
  const group = version === 2 ? view.getInt32(flags + 1, true) : undefined;
  if (group !== undefined && !(group > 0 && dim % group === 0)) {
    return refuse(`its groups of ${group} numbers do not fit rows of ${dim}`, group);
  }
  const start = version === 0 ? 4 * FIELDS : HEADER;
  return { version, dim, hidden, layers, heads, keyValueHeads, vocabulary, length, tied, group, start };
}

/** Tables of sines that the first format has. */
const ANGLES = "rope_angles";

function placesOf(header: Header): Place[] {
  const { version, dim, hidden, layers, heads, keyValueHeads, vocabulary, length, tied, group } = header;
  const keys = (dim / heads) * keyValueHeads;
  const each = (name: string, ...shape: number[]) =>
    Array.from({ length: layers }, (_, l): [string, number[]] => [`blk.${l}.${name}.weight`, shape]);
  const embedding: [string, number[]][] = [["token_embd.weight", [vocabulary, dim]]];
  const attention = [
    ...each("attn_q", dim, dim),
    ...each("attn_k", keys, dim),
    ...each("attn_v", keys, dim),
    ...each("attn_output", dim, dim),
  ];
  const mlp = [...each("ffn_gate", hidden, dim), ...each("ffn_down", dim, hidden), ...each("ffn_up", hidden, dim)];
  const last: [string, number[]][] = [["output_norm.weight", [dim]]];
  const angles: [string, number[]][] = [[ANGLES, [2, length, dim / heads / 2]]];
  const output: [string, number[]][] = tied ? [] : [["output.weight", [vocabulary, dim]]];
  const [norm1, norm2] = [each("attn_norm", dim), each("ffn_norm", dim)];
  const order =
    version === 0
      ? [...embedding, ...norm1, ...attention, ...norm2, ...mlp, ...last, ...angles, ...output]
      : [...norm1, ...norm2, ...last, ...embedding, ...attention, ...mlp, ...output];
  let at = header.start;
  return order.map(([name, shape]) => {
    const place: Place = { name, shape, start: at, group: shape.length === 2 ? group : undefined };
    at += bytesOf(place);
    return place;
  });
}

function bytesOf({ shape, group }: Place): number {
  const count = sizeOf(shape);
  return group === undefined ? 4 * count : count + 4 * (count / group);
}

async function readPlace(source: ByteSource, place: Place, signal: AbortSignal | undefined): Promise<NDArray> {
  const { name, shape, start, group } = place;
  const count = sizeOf(shape);
  const data = memoryFor("F32", count, `Tensor ${name} of ${source.name}`) as Float32Array;
  if (group === undefined) {
    await readInto(source, start, new Uint8Array(data.buffer), signal);
    return ndarray("float32", shape, data);
  }
  const bytes = await readExactly(source, start, start + bytesOf(place), signal);
  const whole = new Int8Array(bytes.buffer, bytes.byteOffset, count);
  const scales = new Float32Array(new Uint8Array(bytes.subarray(count)).buffer);
  for (let i = 0; i < count; i++) data[i] = whole[i] * scales[Math.floor(i / group)];
  return ndarray("float32", shape, data);
}

/** SentencePiece's types of pieces. */
const [NORMAL, UNKNOWN, CONTROL, BYTE] = [1, 2, 3, 6];
const LONGEST_TOKENIZER = 256_000_000;

/** What a GGUF file would say of `tokenizer.bin`: a number, then for each token its score, its length and its bytes. */
async function vocabulary(
  source: ByteSource,
  count: number,
  signal: AbortSignal | undefined,
): Promise<[string, GgufValue][]> {
  const broken = (why: string): never => {
    throw new FileFormatError(`${source.name} is not the tokenizer of a model with ${count} tokens: ${why}.`, {
      asked: count,
      found: source.size,
    });
  };
  if (source.size > LONGEST_TOKENIZER || source.size < 4 + 8 * count) broken(`it has ${source.size} bytes`);
  const bytes = await readExactly(source, 0, source.size, signal);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const tokens: string[] = [];
  const scores = new Float32Array(count);
  let at = 4;
  for (let id = 0; id < count; id++) {
    if (at + 8 > bytes.length) broken(`it ends after ${id} tokens`);
    scores[id] = view.getFloat32(at, true);
    const end = at + 8 + view.getUint32(at + 4, true);
    if (end > bytes.length) broken(`token ${id} goes beyond its end`);
    tokens.push(decoder.decode(bytes.subarray(at + 8, end)).replaceAll(" ", "\u2581"));
    at = end;
  }
  if (at !== bytes.length) broken(`it has ${bytes.length - at} bytes more`);
  // The beginning and the end of a text have line feeds around them in the file.
  [tokens[1], tokens[2]] = ["<s>", "</s>"];
  const types = Int32Array.from(tokens, (token, id) => {
    if (id < 3) return id === 0 ? UNKNOWN : CONTROL;
    return /^<0x[0-9A-F]{2}>$/.test(token) ? BYTE : NORMAL;
  });
  return [
    ["tokenizer.ggml.model", "llama"],
    ["tokenizer.ggml.tokens", tokens],
    ["tokenizer.ggml.scores", scores],
    ["tokenizer.ggml.token_type", types],
    ["tokenizer.ggml.bos_token_id", 1],
    ["tokenizer.ggml.eos_token_id", 2],
    ["tokenizer.ggml.unknown_token_id", 0],
    ["tokenizer.ggml.add_bos_token", true],
  ];
}
