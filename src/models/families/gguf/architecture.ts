/** An architecture of llama.cpp's: what its files say in Hugging Face's words, and which of Hugging Face's arrays its tensors are. */
import { type NDArray, ndarray } from "../../../tensor/array.ts";
import { WeightsError } from "../../../tensor/errors.ts";
import { firstOf } from "../../../tensor/words.ts";
import type { ConfigJson } from "../family.ts";
import type { Change } from "./changes.ts";
import { ROPE_TENSORS } from "./rope.ts";
import type { GgufSettings } from "./settings.ts";

type Float32 = NDArray<"float32">;

export interface GgufArchitecture {
  /** Its `general.architecture`. */
  readonly name: string;
  /** Hugging Face's `config.json`. @throws ConfigError */
  config(s: GgufSettings): ConfigJson;
  /** Hugging Face's names without `.weight` or `.bias`, by llama.cpp's; `{l}` is the layer, `{e}` the expert, or the head of a norm. */
  names(s: GgufSettings): Readonly<Record<string, string>>;
  /** What has to be undone, by llama.cpp's names. */
  readonly changes?: Readonly<Record<string, Change>>;
  /** Arrays that are made of several tensors, or of settings. */
  others?(s: GgufSettings): Readonly<Record<string, MadeArray>>;
  /** What the file cannot say, as a sentence. */
  note?(s: GgufSettings): string | undefined;
}

/** An array of Hugging Face's, and what it is made of. */
export interface MadeArray {
  readonly shape: readonly number[];
  /** Tensors of the file. */
  readonly from: readonly string[];
  make(tensors: readonly Float32[]): Float32;
  /** Whether it is the tensor as it is. */
  readonly same?: true;
}

/** Every array of Hugging Face's, by its name. @throws WeightsError for a tensor that the architecture does not have */
export function arraysOf(architecture: GgufArchitecture, s: GgufSettings): Map<string, MadeArray> {
  const others = Object.entries(architecture.others?.(s) ?? {});
  const arrays = new Map(others);
  const used = new Set(others.flatMap(([, { from }]) => from));
  const names = architecture.names(s);
  const unknown: string[] = [];
  for (const [tensor, shape] of s.shapes) {
    if (used.has(tensor) || ROPE_TENSORS.test(tensor)) continue;
    const [, layer, kind, suffix] = /^(?:blk\.(\d+)\.)?(.*?)(\.weight|\.bias)?$/.exec(tensor)!;
    const key = layer === undefined ? kind : `blk.${kind}`;
    const name = Object.hasOwn(names, key) ? names[key] : undefined;
    if (name === undefined) {
      unknown.push(tensor);
      continue;
    }
    const full = `${name.replace("{l}", layer ?? "")}${suffix ?? ""}`;
    const change = architecture.changes?.[key];
    if (full.includes("{e}")) addEach(arrays, full, tensor, shape);
    else if (change) {
      const make = ([array]: readonly Float32[]) => change.make(array, s);
      arrays.set(full, { shape: change.shape?.(shape) ?? shape, from: [tensor], make });
    } else arrays.set(full, { shape, from: [tensor], make: ([array]) => array, same: true });
  }
  if (unknown.length === 0) return arrays;
  throw new WeightsError(
    `The GGUF file has tensors that a model of the architecture ${s.architecture} does not have here: ${firstOf(unknown)}.`,
    { asked: unknown, found: Object.keys(names) },
  );
}

/** The matrices of experts, or the norms of heads, which are one tensor here and many there. */
function addEach(arrays: Map<string, MadeArray>, name: string, tensor: string, shape: readonly number[]): void {
  const [count, ...each] = shape;
  for (let e = 0; e < count; e++) {
    arrays.set(name.replace("{e}", String(e)), {
      shape: each,
      from: [tensor],
      make([array]) {
        const size = array.data.length / count;
        return ndarray("float32", each, array.data.slice(e * size, (e + 1) * size));
      },
    });
  }
}
