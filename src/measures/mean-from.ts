/** Means that were measured elsewhere, in place of values: mean ablation with a corpus' means. */
import { showShape } from "../graph/axes.ts";
import { Tensor } from "../graph/tensor.ts";
import type { Change } from "../lens/changes.ts";
import { type NDArray, ndarray } from "../tensor/array.ts";
import { ArgumentError, ShapeError, UnknownNameError } from "../tensor/errors.ts";
import { OBJECT } from "../tensor/kinds.ts";
import { shown } from "../tensor/show.ts";

/**
 * The mean of a hook point by its name, as `readSafetensors` reads them from what `glassformer scan means` writes: [d_model], [head d_head]
 * for all positions, or [pos …] with one for each. Works as a hook and as the edit of a sweep:
 * `runWithHooks(prompt, { fwdHooks: [["z0", sweeps.meanFrom(means)]] })`.
 * @throws UnknownNameError for a hook point without a mean, ShapeError for a mean of another shape or of fewer positions
 */
export const meanFrom =
  (means: ReadonlyMap<string, NDArray>): Change =>
  (x, { name }) => {
    if (!(means instanceof Map) || [...means].some(([key, mean]) => typeof key !== "string" || !isArray(mean))) {
      throw new ArgumentError(`The means must be a Map of arrays by hook name, not ${shown(means)}.`, { asked: means });
    }
    const mean: NDArray | undefined = means.get(name);
    if (!mean) throw new UnknownNameError("hook point with a mean", name, [...means.keys()]);
    const [, count, ...rest] = x.shape;
    const perPosition = mean.shape.length === rest.length + 1;
    const own = perPosition ? mean.shape.slice(1) : mean.shape;
    if (mean.dtype !== "float32" || own.join() !== rest.join()) {
      throw new ShapeError(
        `The mean of "${name}" is [${mean.shape}], which does not fit ${showShape(x)}: the mean of another model, or of another hook point.`,
        { asked: mean.shape, found: x.shape },
      );
    }
    if (perPosition && mean.shape[0] < count) {
      throw new ShapeError(
        `There are means of "${name}" for ${mean.shape[0]} positions, but the prompt has ${count}: scan for the means of more positions, or use those of all positions together.`,
        { asked: count, found: mean.shape[0] },
      );
    }
    const positions = perPosition ? count : 1;
    const numbers = mean.data.subarray(0, positions * rest.reduce((a, b) => a * b, 1)) as Float32Array;
    return Tensor.leaf(ndarray("float32", [1, positions, ...rest], numbers), x.axes);
  };

const isArray = (value: unknown): boolean =>
  OBJECT.accepts(value) && "shape" in (value as object) && "data" in (value as object);
