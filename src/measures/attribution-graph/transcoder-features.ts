/** The features of transcoders, as what is traced. */
import { Tensor } from "../../graph/tensor.ts";
import type { FeatureChange, Features } from "./features.ts";
import type { At, Reading } from "./linear-pass.ts";
import type { TranscodedLayer } from "./transcoded-layer.ts";

/**
 * Features of transcoders: what one writes is its activation times its decoder's rows, and it reads what the transcoder does in the direction of
 * its encoder's. A skip connection stays linear. What features, `b_dec` and the skip connection do not account for is the error.
 */
export function transcoderFeatures(layers: readonly TranscodedLayer[], signal?: AbortSignal): Features {
  const [, length, width] = layers[0].output.shape;
  const starts = [0];
  for (const { active } of layers) starts.push(starts.at(-1)! + active.length);
  const layerOf = (i: number) => starts.findIndex((start, layer) => i < (starts[layer + 1] ?? Infinity) && i >= start);
  const at = (i: number) => {
    const layer = layerOf(i);
    return { layer, ...layers[layer].active[i - starts[layer]] };
  };
  const skips = layers.map(({ coder, read }) => skipOf(coder.skip, read));
  const rest = layers.map(({ output, skipped }) => leafLike(output, less(output, skipped)));
  const parts = divided(layers, rest);
  const padded = layers.map((layer) => paddedRows(layer, length, width));
  const readings = layers.map(
    ({ read }): Reading =>
      (passAt) =>
        passAt(read),
  );
  const leaf = (data: Float32Array, shape: readonly number[], axes: readonly string[]) =>
    Tensor.leaf({ dtype: "float32", shape, data }, axes);
  return {
    active: { count: starts.at(-1)!, starts, node: (i) => ({ kind: "feature", ...at(i) }) },
    perLayer: layers[0].coder.cfg.dSae,
    writings: layers.map(({ written }, layer) => ({ point: written, beside: skips[layer] })),
    constants: parts.constants,
    errors: parts.errors,
    readings,
    directions: (layer, features) => {
      const { data, shape } = layers[layer].coder.encoderRows(features.map((i) => at(i).feature));
      return leaf(data, shape, ["row", "d_model"]);
    },
    bias: (i) => layers[layerOf(i)].bias[at(i).feature],
    sent: (layer, gradients) =>
      padded[layer].matrices
        .slice(0, gradients.length)
        .map((matrix, target) => gradients[target].permute([1, 0, 2]).matmul(matrix))
        .reduce((sum, x) => sum.add(x))
        .permute([1, 0, 2]),
    sentPlaces: (layer) => padded[layer].places,
    writtenBy: (i) => {
      const { layer, feature, activation } = at(i);
      const rows = layers[layer].rows.of(feature);
      return rows.map((row, target) => ({ layer: layer + target, values: row.map((x) => x * activation) }));
    },
    writtenByOthers: () => new Float32Array(width),
    prepare: async (changes) => {
      for (const [layer, { rows }] of layers.entries()) {
        await rows.read(
          changes.filter((change) => change.layer === layer).map(({ feature }) => feature),
          signal,
        );
      }
    },
    heldAt: (layer, passAt) => (skips[layer] ? rest[layer].add(skips[layer](passAt)) : rest[layer]),
    changed: (layer, value, changes, passAt) =>
      changes.reduce((x, change) => {
        const row = layers[change.layer].rows.of(change.feature)[layer - change.layer];
        if (change.layer > layer || !row) return x;
        const { difference, here } = changeOf(layers[change.layer], change, passAt, length);
        return x.add(
          leaf(here, [1, length, 1], ["batch", "pos", ""])
            .mul(leaf(row, [width], ["d_model"]))
            .mul(difference),
        );
      }, value),
    preActivations: (layer, passAt) => layers[layer].coder.encode(readings[layer](passAt)).pre,
  };
}

/** How much a change moves its feature's activation, and where: 1 at its position. */
function changeOf(
  { coder, read, active, silent }: TranscodedLayer,
  change: FeatureChange,
  passAt: At | undefined,
  length: number,
) {
  const { pos, feature, value } = change;
  const here = new Float32Array(length);
  here[pos] = 1;
  const target = Tensor.leaf({ dtype: "float32", shape: [], data: Float32Array.of(value) }, []);
  if (passAt) {
    const own = coder
      .encode(passAt(read))
      .acts.slice(1, pos, pos + 1)
      .slice(2, feature, feature + 1);
    return { difference: target.sub(pos < silent ? own.mul(0).sum() : own.sum()), here };
  }
  const now = active.find((one) => one.pos === pos && one.feature === feature)?.activation ?? 0;
  return { difference: target.sub(now), here };
}

function skipOf(skip: TranscodedLayer["coder"]["skip"], read: Tensor): Reading | undefined {
  if (!skip) return undefined;
  const weight = Tensor.leaf(skip, ["d_model", "d_model"]).transpose(0, 1);
  return (passAt) => passAt(read).matmul(weight);
}

/** What the MLPs write but for what skip connections carry, as a constant and an error; at the silent positions all of it is a constant. */
function divided(layers: readonly TranscodedLayer[], rest: readonly Tensor[]) {
  const [, , width] = layers[0].output.shape;
  const errors = rest.map(({ data }) => Float32Array.from(data as Float32Array));
  const constants = rest.map(({ data }) => Float32Array.from(data as Float32Array));
  layers.forEach(({ coder, active, rows, silent }, layer) => {
    errors[layer].fill(0, 0, silent * width);
    for (let i = silent * width; i < errors[layer].length; i++) {
      constants[layer][i] = coder.bDec.data[i % width];
      errors[layer][i] -= constants[layer][i];
    }
    for (const { pos, feature, activation } of active) {
      for (const [target, row] of rows.of(feature).entries()) {
        const error = errors[layer + target];
        for (let d = 0; d < width; d++) error[pos * width + d] -= activation * row[d];
      }
    }
  });
  const leaves = (all: readonly Float32Array[]) => all.map((data, layer) => leafLike(rest[layer], data));
  return { errors: leaves(errors), constants: leaves(constants) };
}

/** What active features write, by position: [pos d_model feature] for each target layer, with zeros where a position has fewer features than others. */
function paddedRows({ active, rows }: TranscodedLayer, length: number, width: number) {
  const counts = new Array<number>(length).fill(0);
  const ranks = active.map(({ pos }) => counts[pos]++);
  const most = Math.max(1, ...counts);
  const data = Array.from({ length: Math.max(1, rows.targets) }, () => new Float32Array(length * width * most));
  active.forEach(({ pos, feature, activation }, i) => {
    rows.of(feature).forEach((row, target) => {
      for (let d = 0; d < width; d++) data[target][(pos * width + d) * most + ranks[i]] = activation * row[d];
    });
  });
  const axes = ["pos", "d_model", "feature"];
  return {
    matrices: data.map((numbers) =>
      Tensor.leaf({ dtype: "float32", shape: [length, width, most], data: numbers }, axes),
    ),
    places: Uint32Array.from(active, ({ pos }, i) => pos * most + ranks[i]),
  };
}

function less({ data }: Tensor, other: Tensor | undefined): Float32Array {
  return Float32Array.from(data as Float32Array, (x, i) => x - (other ? (other.data[i] as number) : 0));
}

function leafLike({ shape, axes }: Tensor, data: Float32Array): Tensor {
  return Tensor.leaf({ dtype: "float32", shape, data }, axes);
}
