/**
 * The state of a shard, or of several that were merged, as a file: the summaries' arrays as safetensors. It says which scan it belongs to, and has a
 * checksum, because a shard that is missing half of its numbers would be read without any other sign.
 */
import { type ByteSource, memorySource } from "../load/bytes.ts";
import { crc32 } from "../load/crc32.ts";
import { readSafetensorsHeader } from "../load/safetensors-header.ts";
import { writeSafetensors } from "../load/safetensors-write.ts";
import { type NDArray, ndarray } from "../tensor/array.ts";
import { FileFormatError } from "../tensor/errors.ts";
import type { ShardState } from "./shard.ts";
import type { SummaryState } from "./summaries/summary.ts";

/** Raised when a file of another version means something else. */
const FORMAT = 3;
const ABOUT = "about";

/** @param scan a hash of the scan's settings, as eight numbers @param rows whether the rows are in it too */
export function shardBytes(state: ShardState, scan: Int32Array, { rows }: { readonly rows: boolean }): Uint8Array {
  const arrays = new Map<string, NDArray>();
  const put = (name: string, data: SummaryState[string]) =>
    arrays.set(
      name,
      data instanceof Int32Array ? ndarray("int32", [data.length], data) : ndarray("float64", [data.length], data),
    );
  const states = { ...stateOf(state.summaries), ...(rows ? { rows: state.rows.state() } : {}) };
  for (const [name, arrays] of Object.entries(states)) {
    for (const [part, data] of Object.entries(arrays)) put(`${name}.${part}`, data);
  }
  put(ABOUT, Int32Array.of(FORMAT, state.batches, checksumOf(arrays), ...scan));
  return writeSafetensors(arrays);
}

function stateOf(summaries: ShardState["summaries"]): Record<string, SummaryState> {
  return Object.fromEntries(Object.entries(summaries).map(([name, summary]) => [name, summary.state()]));
}

/**
 * Adds what a file has to a state.
 * @returns the state with the file's number of batches
 * @throws FileFormatError for a file that is damaged, cut off, or of another scan
 */
export function addShard(name: string, bytes: Uint8Array, scan: Int32Array, to: ShardState): Promise<ShardState> {
  return addFrom(memorySource(name, bytes), scan, to);
}

async function addFrom(source: ByteSource, scan: Int32Array, to: ShardState): Promise<ShardState> {
  const { name } = source;
  const refuse = (why: string) =>
    new FileFormatError(`${name} ${why}: delete it, and run the scan again with --resume to make it again.`, {
      asked: name,
    });
  const arrays = await arraysOf(source).catch((cause) => {
    if (cause instanceof FileFormatError) throw refuse("is cut off or damaged");
    throw cause;
  });
  const about = arrays.get(ABOUT)?.data as Int32Array | undefined;
  arrays.delete(ABOUT);
  if (!about || about.length !== 3 + scan.length) throw refuse("is not a shard of a scan");
  const [format, batches, checksum, ...of] = about;
  if (format !== FORMAT) throw refuse(`is of another version of glassformer (format ${format}, not ${FORMAT})`);
  if (checksum !== checksumOf(arrays)) throw refuse("is damaged: its checksum does not match");
  if (of.some((word, i) => word !== scan[i])) throw refuse("belongs to another scan");
  for (const [summary, state] of Object.entries(grouped(arrays))) {
    const into = summary === "rows" ? to.rows : to.summaries[summary];
    if (!into) throw refuse(`has a summary "${summary}" that this scan does not have`);
    into.restore(state);
  }
  return { ...to, batches };
}

function grouped(arrays: ReadonlyMap<string, NDArray>): Record<string, SummaryState> {
  const states: Record<string, Record<string, Int32Array | Float64Array>> = {};
  for (const [name, { data }] of arrays) {
    const dot = name.indexOf(".");
    (states[name.slice(0, dot)] ??= {})[name.slice(dot + 1)] = data as Int32Array | Float64Array;
  }
  return states;
}

/** Arrays as they were written: readers for models make float32 of float64. */
async function arraysOf(source: ByteSource): Promise<Map<string, NDArray>> {
  const places = await readSafetensorsHeader(source);
  const arrays = new Map<string, NDArray>();
  for (const { name, dtype, shape, start, end } of places) {
    const bytes = new Uint8Array(await source.read(start, end)); // a copy, so that it is aligned
    if (dtype === "I32") arrays.set(name, ndarray("int32", shape, new Int32Array(bytes.buffer)));
    else if (dtype === "F64") arrays.set(name, ndarray("float64", shape, new Float64Array(bytes.buffer)));
    else throw new FileFormatError(`${source.name} has an array of ${dtype}.`, { asked: name, found: dtype });
  }
  return arrays;
}

function checksumOf(arrays: ReadonlyMap<string, NDArray>): number {
  let sum = 0;
  for (const name of [...arrays.keys()].sort()) {
    const { data } = arrays.get(name)!;
    sum = crc32(new TextEncoder().encode(name), sum);
    sum = crc32(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), sum);
  }
  return sum | 0;
}
