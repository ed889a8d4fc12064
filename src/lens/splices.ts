/**
 * Parts spliced in at hook points: a view of a model with something between a value and whatever reads it, such as a sparse
 * autoencoder. A part is written like the model's own parts: it takes its weights from a scope and names its points there,
 * and both then belong to the view.
 */
import { Tensor } from "../graph/tensor.ts";
import type { HookedTransformerConfig } from "../models/config/config.ts";
import type { Scope, SplicedPart, WeightSource } from "../models/scope.ts";
import { beginnings } from "../models/weights/init.ts";
import type { Init, Sizes } from "../models/weights/spec.ts";
import { type NDArray, zeros } from "../tensor/array.ts";
import { WeightsError } from "../tensor/errors.ts";
import { FUNCTION, type Kind } from "../tensor/kinds.ts";
import { checkArgument, checkOptions, type OptionKinds } from "../tensor/options.ts";
import { type Change, fitted, partAt } from "./changes.ts";
import { type PassSource, tracePass } from "./trace-pass.ts";

/** Where a part asks for its weights and names its points, all within the hook point that it stands at. */
export interface PartScope {
  /** The prefix of names: `blocks.0.mlp.hook_post.`. */
  readonly prefix: string;
  /** A weight of the part: `scope.weight("W_enc", { d_mlp, d_sae }, "drawn")`. */
  weight(name: string, sizes: Sizes, init: Init): Tensor;
  /** Makes a value a hook point; compute what follows from the value that this returns. */
  point(name: string, value: Tensor): Tensor;
  /** A point of the pass that has been made before, by its full name: what a transcoder reads. */
  read(name: string): Tensor;
  /** The scope of a part of the part: `scope.part("sae")` names things `….sae.…`. */
  part(name: string): PartScope;
}

/** What stands at a hook point: a function from the value there to the value that replaces it, of the same shape. */
export type Part = Change<PartScope>;

/** Options of `model.splice`. */
export interface SpliceOptions {
  /**
   * The part's weights by its own names (`"sae.W_enc"`), float32. Weights that it uses and that are not given are initialised
   * as the part and the model's configuration say.
   */
  readonly weights?: ReadonlyMap<string, NDArray | Tensor> | undefined;
}

const MAP: Kind = { accepts: (v) => v instanceof Map, describe: "a Map of arrays by name" };
const KINDS: OptionKinds<SpliceOptions> = { weights: MAP };

/** The parts of a view, with their points and weights. */
export interface Splices {
  /** The parts at a hook point, in the order in which they were put in. */
  at(name: string): readonly SplicedPart[];
  /** The points that parts read besides those that they stand at. */
  readonly reads: ReadonlySet<string>;
  /** Every hook point of the view, in firing order: the model's and the parts'. */
  readonly hookNames: readonly string[];
  /** The parts' weights by full name: `blocks.0.mlp.hook_post.sae.W_enc`. */
  readonly weights: ReadonlyMap<string, Tensor>;
}

/** Tokens of the pass that says which points and weights a part has: as many as parts that name positions will look for. */
const RECORDED = 256;

/**
 * The parts of a model, and one more at each of the names.
 * @throws ArgumentError, ShapeError, WeightsError as `model.splice`
 */
export function spliced(
  model: PassSource & { readonly splices?: Splices | undefined },
  names: readonly string[],
  part: Part,
  options: SpliceOptions,
): Splices {
  checkArgument("What is spliced in", part, FUNCTION);
  checkOptions("splice", options, KINDS);
  const fitting = (x: Tensor, scope: Scope) => fitted(part(x, scope), x, partAt(scope.prefix.slice(0, -1)));
  const weights = new PartWeights(names, options.weights ?? new Map(), model.cfg);
  const own: SplicedPart = { weights, part: fitting };
  const { splices } = model;
  const at = (name: string) => [...(splices?.at(name) ?? []), ...(names.includes(name) ? [own] : [])];
  const tokens = Tensor.leaf(zeros("int32", [1, Math.min(model.cfg.nCtx, RECORDED)]), ["batch", "pos"]);
  const reads = new Set(splices?.reads);
  const recorded = { at, reads: new Set<string>(), noteRead: (name: string) => reads.add(name) };
  const { points } = tracePass({ ...model, splices: recorded }, { tokens, decoderTokens: tokens }, { reads: "all" });
  weights.checkAllUsed();
  return {
    at,
    reads,
    hookNames: [...points.keys()],
    weights: new Map([...(splices?.weights ?? []), ...weights.leaves]),
  };
}

/** The weights of a part, at one hook point or at several. */
class PartWeights implements WeightSource {
  /** By full name. */
  readonly leaves = new Map<string, Tensor>();
  private readonly points: readonly string[];
  private readonly given: ReadonlyMap<string, NDArray | Tensor>;
  private readonly cfg: HookedTransformerConfig;
  private readonly used = new Set<string>();
  private begun: ReturnType<typeof beginnings> | undefined;

  constructor(points: readonly string[], given: ReadonlyMap<string, NDArray | Tensor>, cfg: HookedTransformerConfig) {
    this.points = points;
    this.given = given;
    this.cfg = cfg;
  }

  weight(name: string, sizes: Sizes, init: Init): Tensor {
    const shape = Object.values(sizes);
    const known = this.leaves.get(name);
    if (known) {
      checkShape(name, known, shape);
      return known;
    }
    const array = this.arrayOf(name, shape) ?? (this.begun ??= beginnings(this.cfg))(shape, init);
    const leaf = Tensor.leaf(array, Object.keys(sizes), "weight", name);
    this.leaves.set(name, leaf);
    return leaf;
  }

  /** The array that was given for a weight, by its full name or as the part names it. */
  private arrayOf(name: string, shape: readonly number[]): NDArray | undefined {
    const [point] = this.points.filter((at) => name.startsWith(`${at}.`)).sort((a, b) => b.length - a.length);
    const key = [name, name.slice(point.length + 1)].find((called) => this.given.has(called));
    if (key === undefined) return undefined;
    this.used.add(key);
    const given = this.given.get(key)!;
    const array = given instanceof Tensor ? given.array : given;
    if (array?.dtype !== "float32") {
      throw new WeightsError(`The part's weight "${key}" must be a computed array of float32 numbers.`, {
        asked: key,
        found: array?.dtype,
      });
    }
    checkShape(name, array, shape);
    return array;
  }

  /** @throws WeightsError for a weight that was passed but that the part does not ask for */
  checkAllUsed(): void {
    const unused = [...this.given.keys()].filter((name) => !this.used.has(name));
    if (unused.length === 0) return;
    throw new WeightsError(
      `The part has no weight "${unused[0]}": it asks for ${[...this.leaves.keys()].join(", ") || "none"}.`,
      { asked: unused, found: [...this.leaves.keys()] },
    );
  }
}

/** @throws WeightsError for a weight whose shape is not the one that the part asks for */
function checkShape(name: string, { shape }: { readonly shape: readonly number[] }, asked: readonly number[]): void {
  if (shape.join() === asked.join()) return;
  throw new WeightsError(`The part's weight "${name}" is [${shape}], but the part asks for [${asked}].`, {
    asked,
    found: shape,
  });
}
