/** A sparse dictionary at a model's hook point: whether it fits there, and the part that it is. */
import { showShape } from "../graph/axes.ts";
import { Tensor } from "../graph/tensor.ts";
import type { HookedTransformerConfig } from "../models/config/config.ts";
import { MODEL_ALIASES } from "../models/families/aliases.ts";
import { recordingOf } from "../models/recording.ts";
import { ndarray } from "../tensor/array.ts";
import { ArgumentError, ShapeError } from "../tensor/errors.ts";
import { firstOf } from "../tensor/words.ts";
import { compositionOf, type DictionaryConfig } from "./config.ts";
import { pass } from "./pass.ts";
import { weightSizes } from "./weights.ts";

/** How dictionaries stand in a model. */
export interface WithDictionariesOptions {
  /**
   * Whether what a dictionary misses is added to what it makes, so that the model computes as before until a hook changes something
   * within the dictionary. Default: no, and what follows is computed from the reconstruction.
   */
  readonly useErrorTerm?: boolean | undefined;
  /** Whether dictionaries of another model are accepted, such as one of the base model in its fine-tuned version. Default: no. */
  readonly ofAnotherModel?: boolean | undefined;
}

/** What of a dictionary a place for it depends on. */
interface Placeable {
  readonly name: string;
  readonly cfg: DictionaryConfig;
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly norms: Tensor | undefined;
}

/** The model, as far as dictionaries have to fit it. */
export interface DictionaryHost {
  readonly cfg: HookedTransformerConfig;
  readonly hookNames: readonly string[];
  /** A hook point's own name. @throws UnknownNameError for one that the model lacks */
  readonly resolved: (name: string) => string;
}

/** What a part needs of the graph that it is in. */
interface Scope {
  weight(name: string, sizes: Readonly<Record<string, number>>, init: "zeros"): Tensor;
  point(name: string, value: Tensor): Tensor;
  read(name: string): Tensor;
}

/** A dictionary that fits, as a part at its hook point. */
export interface PlacedDictionary {
  readonly at: string;
  readonly part: (value: Tensor, scope: Scope) => Tensor;
  readonly weights: ReadonlyMap<string, Tensor>;
}

/**
 * A dictionary as a part at its hook point.
 * @param taken the names of dictionaries by their hook points: this one is added
 * @throws as `model.withDictionaries`
 */
export function placedDictionary(
  dictionary: Placeable,
  host: DictionaryHost,
  options: WithDictionariesOptions,
  taken: Map<string, string>,
): PlacedDictionary {
  if (!options.ofAnotherModel) checkModel(dictionary, host.cfg);
  const place = dictionaryPlace(dictionary, host);
  const before = taken.get(place.at) ?? (host.hookNames.includes(`${place.at}.hook_sae_input`) ? "one" : undefined);
  if (before !== undefined) {
    throw new ArgumentError(
      `The dictionary ${dictionary.name} is for "${place.at}", where there is ${before} already: a hook point has one dictionary. Make a view for each.`,
      { asked: place.at },
    );
  }
  taken.set(place.at, dictionary.name);
  return { at: place.at, part: partOf(dictionary, place, options), weights: dictionary.weights };
}

/** Where a dictionary stands in a model, and what it reads and replaces of the values there. */
export interface DictionaryPlace {
  /** The hook point that it stands at, and the one that it reads: the same, unless it is a transcoder. */
  readonly at: string;
  readonly from: string;
  /** Of the value at its hook point, what it is to make: all, or one head. */
  own(value: Tensor): Tensor;
  /** What it encodes. @param read the value at the hook point that it reads */
  input(read: Tensor): Tensor;
  /** The value with what stands for its own part of it. */
  put(value: Tensor, own: Tensor): Tensor;
}

/**
 * Where a dictionary stands in a model.
 * @throws UnknownNameError for a hook point that the model lacks, ArgumentError, ShapeError for one that does not fit the dictionary
 */
export function dictionaryPlace(dictionary: Placeable, host: DictionaryHost): DictionaryPlace {
  const { cfg } = dictionary;
  const { transcoder } = compositionOf(cfg);
  const named = (field: "hookName" | "hookNameOut") => {
    const name = cfg[field];
    if (name !== null) return host.resolved(name);
    throw new ArgumentError(
      `The dictionary ${dictionary.name} does not say which hook point it ${field === "hookName" ? "reads" : "stands at"}: name it, as in fromPretrained(name, { ${field}: "blocks.0.hook_mlp_out" }).`,
      { asked: field },
    );
  };
  const from = named("hookName");
  const at = transcoder ? named("hookNameOut") : from;
  const whole = (x: Tensor) => x;
  const one = (x: Tensor) => headOf(x, cfg.hookHeadIndex!);
  const input = isOfOneHead(dictionary, host, from, cfg.dIn) ? one : whole;
  const writesOne = isOfOneHead(dictionary, host, at, cfg.dOut);
  const put = (value: Tensor, own: Tensor) => (writesOne ? withHead(value, own, cfg.hookHeadIndex!) : own);
  return { at, from, input, own: writesOne ? one : whole, put };
}

/**
 * Whether a dictionary reads or writes one head of the value at a hook point, not the whole.
 * @throws ShapeError for a hook point of another width, with those of the dictionary's
 */
function isOfOneHead(dictionary: Placeable, { cfg }: DictionaryHost, name: string, width: number): boolean {
  const point = recordingOf(cfg).points.get(name);
  if (!point) return false; // a point of another spliced part, whose width the pass checks
  const heads = ["head", "kv_head"].find((axis) => axis === point.axes.at(-2));
  const { hookHeadIndex, reshapeActivations } = dictionary.cfg;
  if (hookHeadIndex !== null && heads !== undefined && point.shape.at(-1) === width) {
    const count = point.shape.at(-2)!;
    if (hookHeadIndex < count) return true;
    throw new ArgumentError(
      `The dictionary ${dictionary.name} is of head ${hookHeadIndex}, but ${cfg.modelName} has ${count} at "${name}", counted from 0.`,
      { asked: hookHeadIndex, found: count },
    );
  }
  if (hookHeadIndex === null && widths(point, reshapeActivations).includes(width)) return false;
  const fitting = [...recordingOf(cfg).points]
    .filter(([, other]) => widths(other, reshapeActivations).includes(width))
    .map(([other]) => other.replace(/^((?:blocks|encoder|decoder)\.)\d+/, "$1L"));
  const others = firstOf([...new Set(fitting)], 8);
  throw new ShapeError(
    `The dictionary ${dictionary.name} is of width ${width}${hookHeadIndex === null ? "" : `, of head ${hookHeadIndex}`}, but "${name}" of ${cfg.modelName} is ${showShape(point)} for one token. ${others ? `Of that width are ${others}.` : "The model has no hook point of that width: is it another model's?"}`,
    { asked: width, found: point.shape },
  );
}

/** The widths of dictionaries that read a value whole. */
function widths({ shape, axes, dtype }: Tensor, reshape: DictionaryConfig["reshapeActivations"]): number[] {
  if (dtype !== "float32") return [];
  const last = shape.at(-1)!;
  const ofHeads = reshape === "hook_z" && (axes.at(-2) === "head" || axes.at(-2) === "kv_head");
  return ofHeads ? [last * shape.at(-2)!] : [last];
}

/** @throws ArgumentError for a dictionary of a model that is known to be another one */
function checkModel({ name, cfg }: Placeable, { modelName }: HookedTransformerConfig): void {
  const [own, other] = [knownModel(cfg.modelName), knownModel(modelName)];
  if (own === undefined || other === undefined || own === other) return;
  throw new ArgumentError(
    `The dictionary ${name} is of ${cfg.modelName}, not of ${modelName}: open that model, or pass ofAnotherModel: true if both compute alike.`,
    { asked: cfg.modelName, found: modelName, nearest: own },
  );
}

/** The model on the hub that a name or an alias stands for, as far as it is known. */
function knownModel(name: string | null): string | undefined {
  const wanted = (name ?? "").toLowerCase();
  return [...MODEL_ALIASES].find(([id, aliases]) => [id, ...aliases].some((one) => one.toLowerCase() === wanted))?.[0];
}

/**
 * A dictionary as a part: its points, then `hook_sae_error` where there is an error term, and `hook_sae_output`. The error is what
 * the dictionary without hooks misses, and a constant for gradients: `detach(x − clean(x))`.
 */
function partOf(
  dictionary: Placeable,
  place: DictionaryPlace,
  { useErrorTerm = false }: WithDictionariesOptions,
): PlacedDictionary["part"] {
  const { cfg, norms } = dictionary;
  const sizes = weightSizes(cfg);
  return (value: Tensor, scope: Scope): Tensor => {
    const own = place.own(value);
    const x = place.input(place.from === place.at ? value : scope.read(place.from));
    const of = { cfg, norms, weight: (name: string) => scope.weight(name, sizes.get(name)!, "zeros") };
    const made = pass(of, x, (name, point) => scope.point(name, point)).rename(own.axes);
    const missed = () => own.sub(pass(of, x).rename(own.axes)).detach();
    const whole = useErrorTerm ? made.add(scope.point("hook_sae_error", missed())) : made;
    return place.put(value, scope.point("hook_sae_output", whole));
  };
}

/** One head of a value [... head d_head], without the axis. */
const headOf = (x: Tensor, head: number) => x.slice(-2, head, head + 1).squeeze(-2);

/** A value [... head d_head] with one of its heads replaced. */
function withHead(x: Tensor, replacement: Tensor, head: number): Tensor {
  const count = x.shape.at(-2)!;
  const here = Uint8Array.from({ length: count }, (_, i) => Number(i === head));
  // A choice and not slices next to each other: a replacement may have further axes in front, as in a sweep.
  const mask = Tensor.leaf(ndarray("bool", [count, 1], here), x.axes.slice(-2));
  return replacement.unsqueeze(-2, x.axes.at(-2)).where(mask, x);
}
