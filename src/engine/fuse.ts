/**
 * Steps that the runtime does faster in another way. A product with a weight and its bias, `x W + b`, becomes `linear`, against the
 * weight transposed; with few rows, as a prompt has, every product with a large weight becomes `fewRows`, with the weight as the first
 * factor, on runtimes that are faster so; several of the same few rows, as queries, keys and values are, become one; the product of a single row with a tall
 * weight becomes that of its parts; and attention is masked by a sum. Everything that decides on it is here.
 */
import type { Attrs } from "../graph/op.ts";
import { attrsOf, type Tensor } from "../graph/tensor.ts";
import { sizeOf } from "../tensor/array.ts";
import { DraftIndex } from "./draft-index.ts";
import { laidOutOnce, layoutKey, uncopied } from "./layout.ts";
import type { Draft, Input, Slot, Step } from "./steps.ts";

/** Number of rows from which the product with a transposed weight is faster. Measured: `npm run bench -- forward`. */
const TRANSPOSED_FROM = 4;

/**
 * A weight that could be read as it is gets a transposed copy beside it only where the product gains most: where it is
 * this many times wider than tall, as an unembedding is and an MLP is not.
 */
const WIDE = 6;

/**
 * From TRANSPOSED_FROM rows to this number a large weight is the first factor. Measured: a product of 16 rows with a weight [768 3072] takes
 * 0.56 ms so, 0.87 ms with the weight transposed as second factor and 1.15 ms with it as it is; of 64 rows 1.65, 1.91 and 2.17 ms, and with
 * an unembedding [512 48262] more than with it transposed. Smaller weights gain nothing.
 */
const FEW_ROWS = 40;
/** How many numbers a weight has that is large. */
export const LARGE = 1 << 18;
/** A weight with more numbers gets no transposed copy for that beside it. */
const COPIED = 1 << 22;

/**
 * A single row times a weight that is this many times taller than wide is done in parts of the weight's rows, each of which
 * is read from end to end. Measured on bare products: 18.7 GB/s whole and 24 GB/s in parts for [3072 768].
 */
const TALL = 2;
const TALL_PARTS = 4;

/**
 * From this many numbers, and if a mask is this many times smaller than what it hides parts of, as attention's is, that is done by a
 * sum. Measured: a pass of 1024 tokens at GPT-2 small's size takes 1.02 s so, and 1.26 s by the runtime's Where.
 */
const MASKED = 1 << 20;
const SHARED = 4;

/** `x W + b`, perhaps with an axis split between the product and the sum. */
interface Biased {
  readonly product: Step;
  readonly split: Step | undefined;
  readonly weight: Input;
  readonly bias: Slot;
}

/**
 * The same values, with every product in the step that is fastest for it.
 * @param weightsFirst whether the runtime does `fewRows` faster
 */
export function fuse(draft: Draft, weightsFirst: boolean): Draft {
  const fusion = new Fusion(draft, weightsFirst);
  const replaced = new Map<Step, readonly Step[]>();
  const beside = new Map<number, (readonly [Step, Biased])[]>();
  for (const step of draft.steps) {
    const tall = fusion.tall(step);
    if (tall) replaced.set(step, [tall]);
    const few = fusion.fewRows(step);
    if (few) replaced.set(step, [few]);
    const masked = fusion.masked(step);
    if (masked) replaced.set(step, [masked]);
    const biased = fusion.biased(step);
    if (!biased || !fusion.pays(biased)) continue;
    replaced.set(step, fusion.linear(biased, step));
    replaced.set(biased.product, []);
    if (biased.split) replaced.set(biased.split, []);
    const { id } = biased.product.inputs[0];
    if (fusion.joins(biased)) beside.set(id, [...(beside.get(id) ?? []), [step, biased]]);
  }
  for (const group of beside.values()) {
    if (group.length < 2) continue;
    for (const [step] of group) replaced.set(step, []);
    replaced.set(group[0][0], fusion.linears(group));
  }
  if (replaced.size === 0) return draft;
  return {
    ...draft,
    inputs: fusion.inputs,
    sizes: fusion.sizes,
    steps: draft.steps.flatMap((step) => replaced.get(step) ?? [step]),
  };
}

/** A draft's values and who uses them, and what fusing adds to it. */
class Fusion {
  readonly inputs: Input[];
  readonly sizes: number[];
  private readonly index: DraftIndex;
  private readonly weightsFirst: boolean;
  private byLayout: Map<string, Input> | undefined;
  private layouts: Set<string> | undefined;

  constructor(draft: Draft, weightsFirst: boolean) {
    this.weightsFirst = weightsFirst;
    this.inputs = [...draft.inputs];
    this.sizes = [...draft.sizes];
    this.index = new DraftIndex(draft);
  }

  /** The product and the bias that a step adds, if that is what it does. */
  biased(sum: Step): Biased | undefined {
    if (sum.op !== "add") return undefined;
    for (const [value, bias] of [sum.inputs, sum.inputs.toReversed()]) {
      const split = this.index.onlyUseOf(value, "splitAxis");
      const product = this.index.onlyUseOf(split ? split.inputs[0] : value, "matmul");
      if (!product) continue;
      const weight = this.index.inputs[product.inputs[1].id];
      if (weight?.rank !== 2 || weight.dtype !== "float32" || !isFixed(weight.source)) continue;
      const columns = weight.source.shape[1];
      if (this.sizes[bias.id] === columns && (split ? this.fitsSplit(bias, split) : bias.rank === 1)) {
        return { product, split, weight, bias };
      }
    }
    return undefined;
  }

  /** Whether the product of a value with a weight is done with the weight as the first factor. */
  private isFew(x: Slot, { source }: Input): boolean {
    const numbers = sizeOf(source.shape);
    const rows = this.sizes[x.id] / source.shape[0];
    if (rows < TRANSPOSED_FROM || rows > FEW_ROWS || numbers < LARGE) return false;
    if (this.liesBothWays(source)) return true;
    if (!this.weightsFirst) return false;
    const lies = uncopied(source) !== undefined && uncopied(transpose(source)) === undefined;
    return !lies || numbers <= COPIED;
  }

  /** Whether the draft needs a weight as it is and transposed, as one with gradients does: then neither is a further copy. */
  private liesBothWays(source: Tensor): boolean {
    this.layouts ??= new Set(this.index.inputs.flatMap((input) => (input ? [layoutKey(input.source)] : [])));
    return this.layouts.has(layoutKey(source)) && this.layouts.has(layoutKey(transpose(source)));
  }

  /** What replaces the product of few rows with a weight; `undefined` for any other step. */
  fewRows({ op, inputs: [x, matrix], outputs }: Step): Step | undefined {
    const weight = op === "matmul" ? this.index.inputs[matrix.id] : undefined;
    if (weight?.rank !== 2 || weight.dtype !== "float32" || !isFixed(weight.source)) return undefined;
    if (!this.isFew(x, weight)) return undefined;
    const [out] = outputs;
    const { attrs, rank } = this.asItLeaves(out);
    return { op: "fewRows", attrs, inputs: [x, this.input(transpose(weight.source))], outputs: [{ ...out, rank }] };
  }

  /** What only leaves the graph stays rows: its shape is set outside. */
  private asItLeaves(out: Slot): { readonly attrs: Attrs; readonly rank: number } {
    const flat = out.rank > 2 && this.index.leaves(out) && this.index.usesOf(out) === 0;
    return flat ? { attrs: { flat }, rank: 2 } : { attrs: {}, rank: out.rank };
  }

  /** What replaces the choice between the numbers of a large value and -Infinity, by a mask that many parts of it share; `undefined` for any other step. */
  masked({ op, inputs, outputs }: Step): Step | undefined {
    if (op !== "where") return undefined;
    const [mask, x, other] = inputs;
    const hidden = this.index.constants[other.id]?.array.data;
    if (!this.index.inputs[mask.id] || x.dtype !== "float32" || hidden?.length !== 1 || hidden[0] !== -Infinity)
      return undefined;
    const size = this.sizes[outputs[0].id];
    if (size < MASKED || this.sizes[x.id] !== size || SHARED * this.sizes[mask.id] > size) return undefined;
    return { op: "masked", attrs: {}, inputs: [mask, x], outputs };
  }

  pays({ product, weight }: Biased): boolean {
    if (this.isFew(product.inputs[0], weight)) return true;
    if (!uncopied(weight.source)) return true; // it gets a new layout in any case, so it may as well be transposed
    const [height, width] = weight.source.shape;
    return width >= WIDE * height && this.sizes[product.inputs[0].id] / height >= TRANSPOSED_FROM;
  }

  /** Whether a product is done together with others of the same value: of a few rows, reading the weights is what takes time. */
  joins({ product: { inputs }, split, weight }: Biased): boolean {
    if (split === undefined || uncopied(weight.source)) return false;
    return this.isFew(inputs[0], weight) || this.sizes[inputs[0].id] / weight.source.shape[0] < TRANSPOSED_FROM;
  }

  /** What replaces the sum. */
  linear({ product, split, weight, bias }: Biased, sum: Step): readonly Step[] {
    const [x] = product.inputs;
    const op = this.isFew(x, weight) ? "fewRows" : "linear";
    const transposed = this.input(transpose(weight.source));
    if (!split) {
      const [out] = sum.outputs;
      const { attrs, rank } = this.asItLeaves(out);
      return [{ op, attrs, inputs: [x, transposed, bias], outputs: [{ ...out, rank }] }];
    }
    const whole = { ...product.outputs[0], id: this.sizes.push(this.sizes[product.outputs[0].id]) - 1 };
    const merged = this.input(mergeAll(this.index.inputs[bias.id]!.source));
    return [
      { op, attrs: {}, inputs: [x, transposed, merged], outputs: [whole] },
      { ...split, inputs: [whole], outputs: sum.outputs },
    ];
  }

  /** What replaces several sums of products of the same value. */
  linears(group: readonly (readonly [Step, Biased])[]): readonly Step[] {
    const products = group.map(([, biased]) => biased);
    const [x] = products[0].product.inputs;
    const weight = products.map((p) => transpose(p.weight.source)).reduce((all, one) => all.concat(one, -2));
    const bias = products
      .map((p) => mergeAll(this.index.inputs[p.bias.id]!.source))
      .reduce((all, one) => all.concat(one, -1));
    const columns = products.map((p) => p.weight.source.shape[1]);
    const rows = this.sizes[x.id] / weight.shape[1];
    const like = products[0].product.outputs[0];
    const slot = (width: number): Slot => ({ ...like, id: this.sizes.push(rows * width) - 1 });
    const whole = slot(weight.shape[0]);
    const parts = columns.map(slot);
    const op = products.some((p) => this.isFew(x, p.weight)) ? "fewRows" : "linear";
    return [
      { op, attrs: {}, inputs: [x, this.input(weight), this.input(bias)], outputs: [whole] },
      { op: "parts", attrs: { sizes: columns }, inputs: [whole], outputs: parts },
      ...group.map(([sum, { split }], i) => ({ ...split!, inputs: [parts[i]], outputs: sum.outputs })),
    ];
  }

  /** What replaces the product of a single row with a tall weight; `undefined` for any other step. */
  tall({ op, inputs: [x, matrix], outputs }: Step): Step | undefined {
    const source = op === "matmul" ? this.index.inputs[matrix.id]?.source : undefined;
    if (source?.shape.length !== 2 || source.dtype !== "float32" || !isFixed(source) || !uncopied(source))
      return undefined;
    const [height, width] = source.shape;
    if (height < TALL * width || height % TALL_PARTS !== 0 || this.sizes[x.id] !== height) return undefined;
    const weight = this.input(source.splitAxis(-2, { "": TALL_PARTS, part: -1 }));
    return { op: "tallProduct", attrs: { count: TALL_PARTS }, inputs: [x, weight], outputs };
  }

  /** Whether a bias has the axes that the last one is split into. */
  private fitsSplit(bias: Slot, { attrs: { axis, sizes } }: Step): boolean {
    const source = this.index.inputs[bias.id]?.source;
    return source !== undefined && isFixed(source) && axis === -1 && source.shape.join() === `${sizes}`;
  }

  /** The input that a weight in some layout is. */
  private input(source: Tensor): Input {
    this.byLayout ??= new Map(this.inputs.map((input) => [layoutKey(input.source), input]));
    const key = layoutKey(source);
    const known = this.byLayout.get(key);
    if (known) return known;
    const id = this.sizes.push(sizeOf(source.shape)) - 1;
    const input = { id, rank: source.shape.length, dtype: source.dtype, source };
    this.byLayout.set(key, input);
    this.inputs.push(input);
    return input;
  }
}

/** Whether a value is a weight, or one in a new layout. */
const isFixed = (source: Tensor): boolean => source.op !== null || source.role === "weight";

/** A matrix transposed, or the one that it is the transpose of. */
function transpose(matrix: Tensor): Tensor {
  const perm = attrsOf(matrix, "permute")?.perm;
  return perm?.join() === "-1,-2" ? matrix.inputs[0] : laidOutOnce(matrix, "transposed", (w) => w.transpose());
}

function mergeAll(x: Tensor): Tensor {
  return laidOutOnce(x, "merged", (b) => b.mergeAxes(0, b.shape.length));
}
