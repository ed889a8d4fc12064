/** The settings of a GGUF file, which belong to its architecture: `llama.block_count`. */
import type { NDArray } from "../../../tensor/array.ts";
import { ConfigError } from "../../../tensor/errors.ts";
import { shown } from "../../../tensor/show.ts";

/** A GGUF file, without the numbers of its large tensors. */
export interface GgufContents {
  readonly metadata: ReadonlyMap<string, unknown>;
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** Those tensors that belong to the configuration: factors of rotary positions. */
  readonly small: ReadonlyMap<string, NDArray>;
}

const MOST_LAYERS = 10_000;

export class GgufSettings {
  readonly architecture: string;
  readonly shapes: GgufContents["shapes"];
  readonly small: GgufContents["small"];
  readonly #metadata: GgufContents["metadata"];

  /** @throws ConfigError for a file that does not name its architecture */
  constructor({ metadata, shapes, small }: GgufContents) {
    const architecture = metadata.get("general.architecture");
    if (typeof architecture !== "string") {
      throw new ConfigError(`The GGUF file's general.architecture is ${shown(architecture)}, not a name.`, {
        asked: "general.architecture",
        found: architecture,
      });
    }
    this.architecture = architecture;
    this.shapes = shapes;
    this.small = small;
    this.#metadata = metadata;
  }

  /** A number that must be there. A list of one for each layer must have the same everywhere. @throws ConfigError */
  need(name: string): number {
    const value = this.maybe(name);
    if (value !== undefined) return value;
    throw new ConfigError(`The GGUF file has no ${this.architecture}.${name}.`, { asked: name });
  }

  /** How many layers there are. @throws ConfigError for a number that no model has */
  get layers(): number {
    const count = this.need("block_count");
    if (Number.isInteger(count) && count >= 1 && count <= MOST_LAYERS) return count;
    throw new ConfigError(
      `${this.architecture}.block_count of the GGUF file is ${count}, but it must be a whole number from 1 to ${MOST_LAYERS}.`,
      { asked: "block_count", found: count },
    );
  }

  or(name: string, byDefault: number): number {
    return this.maybe(name) ?? byDefault;
  }

  /** @throws ConfigError for anything but a number */
  maybe(name: string): number | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    const [first, ...rest] = Array.isArray(value) || ArrayBuffer.isView(value) ? [...(value as number[])] : [value];
    const same = rest.every((other) => other === first);
    if (typeof first === "number" && same) return decimal(first);
    throw new ConfigError(
      same
        ? `${this.architecture}.${name} of the GGUF file is ${shown(value)}, but it must be a number.`
        : `${this.architecture}.${name} of the GGUF file differs from layer to layer, which is not supported: ${shown(value)}.`,
      { asked: name, found: value },
    );
  }

  text(name: string): string | undefined {
    const value = this.#value(name);
    return typeof value === "string" ? value : undefined;
  }

  flag(name: string, byDefault: boolean): boolean {
    const value = this.#value(name);
    return typeof value === "boolean" ? value : byDefault;
  }

  /** A list with an entry for each layer, if there is one. @throws ConfigError for a list of another length */
  eachLayer(name: string): readonly unknown[] | undefined {
    const value = this.#value(name);
    if (!(Array.isArray(value) || ArrayBuffer.isView(value))) return undefined;
    const list = [...(value as unknown[])];
    const { layers } = this;
    if (list.length === layers) return list;
    throw new ConfigError(
      `${this.architecture}.${name} of the GGUF file has ${list.length} entries, but the model has ${layers} layers.`,
      { asked: name, found: list.length },
    );
  }

  /** A list of numbers under a name that no architecture's name precedes. */
  shared(name: string): readonly number[] | undefined {
    const value = this.#metadata.get(name);
    const list = Array.isArray(value) || ArrayBuffer.isView(value) ? [...(value as number[])] : undefined;
    return list?.every((x) => typeof x === "number") ? list : undefined;
  }

  /** Whether the file has a tensor, of the first layer where it is one of each. */
  has(tensor: string): boolean {
    return this.shapes.has(tensor);
  }

  /** The rows of a matrix [out in]. @throws ConfigError if it is not there */
  rows(tensor: string): number {
    const shape = this.shapes.get(tensor);
    if (shape?.length === 2) return shape[0];
    throw new ConfigError(
      `The GGUF file has ${shape ? `"${tensor}" of shape [${shape}], not a matrix` : `no "${tensor}"`}, which says the sizes of a ${this.architecture} model.`,
      { asked: tensor, found: [...this.shapes.keys()] },
    );
  }

  #value(name: string): unknown {
    return this.#metadata.get(`${this.architecture}.${name}`);
  }
}

/** The shortest decimal number that is this float32: 1e-6, not 9.999999974752427e-7. Others stay as they are. */
export function decimal(value: number): number {
  if (Number.isInteger(value) || Math.fround(value) !== value) return value;
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}
