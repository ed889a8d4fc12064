/** How much of what some matrices write is read by others. */
import type { Tensor } from "../graph/tensor.ts";
import { FactoredMatrix } from "../lens/factored-matrix.ts";
import { ArgumentError, ShapeError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";

/**
 * `‖L R‖ / (‖L‖ ‖R‖)` in Frobenius norms, of every left matrix with every right one: [left's axes ... right's axes ...].
 * The products are never formed. Source: Elhage et al. 2021; TransformerLens' `utils.composition_scores`.
 * @throws ShapeError if the left matrices do not write the width that the right ones read
 */
export async function compositionScores(left: FactoredMatrix, right: FactoredMatrix): Promise<Tensor> {
  for (const matrix of [left, right]) {
    if (matrix instanceof FactoredMatrix) continue;
    throw new ArgumentError(`Composition needs a FactoredMatrix, such as model.OV, not ${shown(matrix)}.`, {
      asked: matrix,
    });
  }
  if (left.rdim !== right.ldim) {
    throw new ShapeError(
      `Composition needs left matrices as wide as the right ones are high, but got widths ${left.rdim} and ${right.ldim}.`,
      { asked: left.rdim, found: right.ldim },
    );
  }
  let [every, each] = await Promise.all([left.compute(), right.compute()]);
  for (let i = right.ndim - 2; i > 0; i--) every = every.unsqueeze(every.ndim - 2);
  for (let i = left.ndim - 2; i > 0; i--) each = each.unsqueeze(0);
  // What is computed is as wide as the factors' inner axes: d_head for heads, whatever the widths outside.
  const product = await every.matmul(each).compute();
  return product.norm().div(every.norm().mul(each.norm())).compute();
}
