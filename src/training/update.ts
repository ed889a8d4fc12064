/** What every training step ends with: gradients, the clipping of all of them together, and what an optimizer makes of them. */
import { grad } from "../graph/rewrite/grad.ts";
import { Tensor } from "../graph/tensor.ts";
import { emptyData, type NDArray, ndarray } from "../tensor/array.ts";
import type { After, Optimizer } from "./optimizer.ts";

/** What a graph needs to know about an array. */
export type Sizes = Pick<NDArray, "dtype" | "shape">;

/** A placeholder for an array that each step is fed: its dtype and shape. Leaves are distinguished by their data. */
export function placeholder({ dtype, shape }: Sizes): NDArray {
  return { dtype, shape, data: emptyData(dtype, 0) } as NDArray;
}

/** A single number, as it is fed. */
export function scalar(value: number): NDArray<"float32"> {
  return ndarray("float32", [], Float32Array.of(value));
}

/** The end of a step as a graph. */
export interface Update {
  /** The norm of the whole gradient, before clipping. */
  readonly gradNorm: Tensor;
  /** What `Optimizer.fed` gives for a step. */
  readonly fed: readonly Tensor[];
  /** The optimizer's state of each weight before the step. */
  readonly memories: readonly (readonly Tensor[])[];
  /** Each weight and its state after the step. */
  readonly after: readonly After[];
}

/** The step that lessens a loss by changing weights. @param maxGradNorm a longer gradient is scaled down to it, as PyTorch's `clip_grad_norm_` does */
export function updateOf(
  loss: Tensor,
  trained: readonly Tensor[],
  optimizer: Optimizer,
  maxGradNorm: number | undefined,
): Update {
  const gradients = grad(loss, trained);
  const gradNorm = gradients
    .map((g) => g.mul(g).sum())
    .reduce((a, b) => a.add(b))
    .sqrt();
  const clip =
    maxGradNorm === undefined
      ? undefined
      : gradNorm
          .constant(maxGradNorm)
          .div(gradNorm.add(gradNorm.constant(1e-6)))
          .minimum(gradNorm.constant(1));
  const fed = optimizer.fed(1, 1).map(() => Tensor.leaf(placeholder(scalar(0))));
  const memories = trained.map((leaf) => optimizer.memory.map(() => Tensor.leaf(placeholder(leaf.array!), leaf.axes)));
  const after = trained.map((weight, i) =>
    optimizer.update({ weight, gradient: gradients[i], memory: memories[i], clip }, fed),
  );
  return { gradNorm, fed, memories, after };
}
