/**
 * The components of a residual stack, by how they are computed. Each kind can compute its product with a direction
 * without making its components first: a head's `z W_O · d` is `z · (W_O d)`, which is d_head wide instead of d_model.
 */
import { Tensor } from "../graph/tensor.ts";

/** Components that are computed alike. */
export interface StackPart {
  readonly labels: readonly string[];
  /** Each component, [component ... d_model]. */
  vectors(): Tensor;
  /** Their sum, [... d_model]. */
  sum(): Tensor;
  /** Each component's inner product with a direction [... d_model], which may lack axes: [component ...]. */
  dot(direction: Tensor): Tensor;
}

/** Values that exist, [... d_model] each. */
export function values(labels: readonly string[], each: readonly Tensor[]): StackPart {
  const vectors = () => stackOf(each);
  return {
    labels,
    vectors,
    sum: () => each.reduce((a, b) => a.add(b)),
    dot: (direction) => dotEach(vectors(), direction),
  };
}

/** Values that are already one tensor, [component ... d_model]. */
export function slab(labels: readonly string[], whole: Tensor): StackPart {
  return { labels, vectors: () => whole, sum: () => whole.sum(0), dot: (direction) => dotEach(whole, direction) };
}

/** What each head of a layer adds, from `hook_z` [... head d_head] and `W_O` [head d_head d_model]. */
export function heads(labels: readonly string[], z: Tensor, W_O: Tensor): StackPart {
  const [head, d_head] = W_O.shape;
  const flat = () => z.mergeAxes(-2, 2);
  const rows = () => W_O.mergeAxes(0, 2);
  return {
    labels,
    vectors() {
      const first = z
        .permute([-2, ...lead(z, 2), -1])
        .rename(["component", ...z.axes.slice(0, -2)].concat(z.axes.at(-1)!));
      const behind = Array.from({ length: z.shape.length - 3 });
      return first.matmul(behind.reduce<Tensor>((w) => w.unsqueeze(1), W_O.rename({ head: "component" })));
    },
    sum: () => flat().matmul(rows()),
    dot: (direction) => weighed(flat(), rows(), direction).splitAxis(0, { component: head, d_head }).sum(1),
  };
}

/** What each neuron of a layer adds, from its activation [... neuron] and its row of `W_out` [neuron d_model]. */
export function neurons(labels: readonly string[], post: Tensor, W_out: Tensor): StackPart {
  const rows = W_out.rename(["component", "d_model"]);
  return {
    labels,
    vectors() {
      const behind = Array.from({ length: post.shape.length - 1 });
      return lastFirst(post)
        .unsqueeze(-1, "d_model")
        .mul(behind.reduce<Tensor>((w) => w.unsqueeze(1), rows));
    },
    sum: () => post.matmul(rows),
    dot: (direction) => weighed(post, rows, direction),
  };
}

/** What is left of a value [... d_model] without other components. */
export function remainder(total: Tensor, others: readonly StackPart[]): StackPart {
  const sum = () => others.reduce((left, part) => left.sub(part.sum()), total);
  return {
    labels: ["remainder"],
    vectors: () => sum().unsqueeze(0, "component"),
    sum,
    dot(direction) {
      const whole = dotEach(total.unsqueeze(0, "component"), direction);
      return others.reduce((left, part) => left.sub(part.dot(direction).sum(0, true)), whole);
    },
  };
}

/** Values one after the other along a first axis `component`, each repeated along the axes that others have and it lacks. */
export function stackOf(each: readonly Tensor[]): Tensor {
  return joined(each.map((x) => x.unsqueeze(0, "component")));
}

/** Tensors [component ...] one after the other. */
export function joined(parts: readonly Tensor[]): Tensor {
  if (parts.length === 1) return parts[0];
  const size = (t: Tensor) => t.shape.slice(1).reduce((n, m) => n * m, 1);
  const whole = parts.reduce((a, b) => (size(b) > size(a) ? b : a));
  const like = whole.slice(0, 0, 1);
  const fitted = parts
    .map((part) => aligned(part, whole.axes, 1))
    .map((part) => {
      const same = part.shape.every((n, i) => i === 0 || n === whole.shape[i]);
      return same ? part : part.expandLike(like);
    });
  return Tensor.apply("concat", fitted, { axis: -whole.shape.length });
}

/** [component ... d_model] with a direction [... d_model]: [component ...]. */
function dotEach(vectors: Tensor, direction: Tensor): Tensor {
  return vectors.mul(aligned(direction, vectors.axes.slice(1))).sum(-1);
}

/** Each of the last axis' coefficients [... n] times its row's [n d_model] product with a direction: [n ...]. */
function weighed(coefficients: Tensor, rows: Tensor, direction: Tensor): Tensor {
  const first = lastFirst(coefficients);
  return first.mul(aligned(rowsTimes(rows, direction), first.axes, 1));
}

/** [n d_model] with a direction [... d_model]: [n ...]. The rows are weights: they stay as they lie in memory. */
function rowsTimes(rows: Tensor, direction: Tensor): Tensor {
  const rank = direction.shape.length;
  if (rank === 1) return rows.matmul(direction.unsqueeze(-1)).squeeze(-1);
  const products = rows.matmul(direction.transpose(-1, -2)); // [... n last]
  return products.permute([rank - 2, ...lead(products, 2), rank - 1]);
}

function lastFirst(x: Tensor): Tensor {
  const moved = x.permute([-1, ...lead(x, 1)]);
  return moved.rename(["component", ...moved.axes.slice(1)]);
}

/** The axes before the last `count`, by number. */
function lead(x: Tensor, count: number): number[] {
  return Array.from({ length: x.shape.length - count }, (_, i) => i);
}

/** A value with an axis of size 1 wherever it lacks one of those named, so that it broadcasts against them. */
function aligned(x: Tensor, axes: readonly string[], from = 0): Tensor {
  let out = x;
  for (let i = from; i < axes.length && out.shape.length < axes.length; i++) {
    if (out.axes[i] !== axes[i]) out = out.unsqueeze(i, axes[i]);
  }
  return out;
}
