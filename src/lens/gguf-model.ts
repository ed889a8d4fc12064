/** A model in a GGUF file, or one of llama2.c's: its configuration, its tensors under Hugging Face's names, each read when it is needed, and its tokenizer. */
import type { GgufFile } from "../load/gguf.ts";
import type { StoredTensors } from "../load/stored.ts";
import type { ConfigJson } from "../models/families/family.ts";
import { fromGguf, type MadeArray, ROPE_TENSORS } from "../models/families/gguf/index.ts";
import { toFloat32 } from "../models/families/layout.ts";
import type { NDArray } from "../tensor/array.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { tokenizerOfGguf } from "../text/vocabularies/gguf.ts";

/** What a model in a GGUF file has, in the place of a repository's files. */
export interface OpenedGguf {
  readonly configJson: ConfigJson;
  readonly stored: StoredTensors;
  readonly notes: readonly string[];
  /** Undefined if there is none. @throws FileFormatError for one that is not supported */
  tokenizer(): Tokenizer | undefined;
}

/** @throws ConfigError or WeightsError for a model that is not supported */
export async function modelOfGguf(file: GgufFile, signal: AbortSignal | undefined): Promise<OpenedGguf> {
  const small = new Map<string, NDArray>();
  for (const name of file.shapes.keys()) {
    if (ROPE_TENSORS.test(name)) small.set(name, await file.read(name, signal));
  }
  const { configJson, arrays, notes } = fromGguf({ metadata: file.metadata, shapes: file.shapes, small });
  return { configJson, stored: underOtherNames(file, arrays), notes, tokenizer: () => tokenizerOf(file) };
}

/** Matrices of experts lie in one tensor: as many are remembered as a layer has kinds of them. */
const TENSORS_HELD = 3;

function underOtherNames(file: GgufFile, arrays: ReadonlyMap<string, MadeArray>): StoredTensors {
  const uses = new Map<string, number>();
  for (const { from } of arrays.values()) for (const tensor of from) uses.set(tensor, (uses.get(tensor) ?? 0) + 1);
  const held = new Map<string, NDArray<"float32">>();
  const tensor = async (name: string, signal: AbortSignal | undefined) => {
    const array = held.get(name) ?? toFloat32(name, await file.read(name, signal));
    if (uses.get(name) === 1) return array;
    held.delete(name);
    held.set(name, array);
    if (held.size > TENSORS_HELD) held.delete(held.keys().next().value!);
    return array;
  };
  const read: StoredTensors["read"] = async (name, signal) => {
    const { from, make } = arrays.get(name)!;
    const tensors: NDArray<"float32">[] = [];
    for (const one of from) tensors.push(await tensor(one, signal));
    return make(tensors);
  };
  return {
    shapes: new Map([...arrays].map(([name, { shape }]) => [name, shape])),
    read,
    async readRows(name, take, signal) {
      const { from, same } = arrays.get(name)!;
      if (same) await file.readRows!(from[0], take, signal);
      else take((await read(name, signal)).data, 0);
    },
  };
}

/** What the file says of its tokenizer. A setting of the wrong kind is refused where it is read. */
function tokenizerOf({ metadata }: GgufFile): Tokenizer | undefined {
  if (!metadata.has("tokenizer.ggml.model")) return undefined;
  const of = (name: string) => metadata.get(`tokenizer.ggml.${name}`) as never;
  const charsmap = of("precompiled_charsmap") as ArrayLike<number> | undefined;
  return tokenizerOfGguf({
    model: of("model"),
    pre: of("pre"),
    tokens: of("tokens"),
    scores: of("scores"),
    tokenTypes: of("token_type"),
    merges: of("merges"),
    bosTokenId: of("bos_token_id"),
    eosTokenId: of("eos_token_id"),
    unknownTokenId: of("unknown_token_id"),
    paddingTokenId: of("padding_token_id"),
    addBosToken: of("add_bos_token"),
    addEosToken: of("add_eos_token"),
    addSpacePrefix: of("add_space_prefix"),
    precompiledCharsmap: charsmap && Uint8Array.from(charsmap),
    architecture: metadata.get("general.architecture") as string,
  });
}
