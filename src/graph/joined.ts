/** Functions of several tensors, none of which comes first. */
import { ArgumentError, ShapeError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import { type AxisRef, axisIndex, showShape } from "./axes.ts";
import { needTensors, type Operand } from "./methods/expression.ts";
import { Tensor } from "./tensor.ts";

/** Tensors of one shape along a new axis: `stack([a, b], 0, "layer")`. @throws ArgumentError for no tensors, ShapeError for others */
export function stack(tensors: readonly Tensor[], axis = 0, name = ""): Tensor {
  const list = several("stack", tensors);
  const [first] = list;
  for (const x of list) {
    if (x.shape.join() !== first.shape.join()) {
      throw new ShapeError(`stack needs tensors of one shape, not ${showShape(first)} and ${showShape(x)}.`, {
        asked: x.shape,
        found: first.shape,
      });
    }
  }
  return concat(
    list.map((x) => x.unsqueeze(axis, name)),
    axis,
  );
}

/** Tensors one after the other along an axis that they have. @throws ArgumentError for no tensors, ShapeError for others */
export function concat(tensors: readonly Tensor[], axis: AxisRef = 0): Tensor {
  const list = several("concat", tensors);
  return list.length === 1
    ? list[0]
    : Tensor.apply("concat", list, { axis: axisIndex(list[0], axis) - list[0].shape.length });
}

/** Elements of `x` where the condition holds, of `other` elsewhere. @throws ArgumentError, ShapeError */
export function where(condition: Tensor, x: Operand<Tensor>, other: Operand<Tensor>): Tensor {
  needTensors("where", [condition]);
  if (x instanceof Tensor) return x.where(condition, other);
  if (other instanceof Tensor) return other.where(condition.not(), x);
  throw new ArgumentError(`where needs a tensor among what it chooses from, not ${shown(x)} and ${shown(other)}.`, {
    asked: [x, other],
  });
}

/** Sums of products: `einsum("batch pos d_model, d_model d_mlp -> batch pos d_mlp", x, w)`, as the method says. @throws ArgumentError, ShapeError */
export function einsum(equation: string, ...tensors: readonly Tensor[]): Tensor {
  const [first, ...others] = several("einsum", tensors);
  return first.einsum(equation, ...others);
}

function several(what: string, tensors: readonly Tensor[]): readonly Tensor[] {
  needTensors(what, tensors);
  if (tensors.length > 0) return tensors;
  throw new ArgumentError(`${what} needs at least one tensor.`, { asked: tensors });
}
