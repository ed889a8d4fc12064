/**
 * Sweeps as one idea: the same change at many places, a metric at each. The cells of some layers go through the rest of the
 * model together, as further rows along an axis in front; what is before these layers is computed once for the whole sweep.
 */
import { showShape } from "../graph/axes.ts";
import { Tensor } from "../graph/tensor.ts";
import { ActivationCache } from "../lens/activation-cache.ts";
import { type Change, needChanged, type Place, valueAt } from "../lens/changes.ts";
import { checkModel } from "../lens/check.ts";
import { checkTensor } from "../lens/check-tensor.ts";
import { type Metric, measured, oneForEach, oneNumber } from "../lens/metric.ts";
import type { Model } from "../lens/model.ts";
import type { Edit, ModelGraph } from "../lens/model-graph.ts";
import { startsAtLayers } from "../lens/model-has.ts";
import { type InputOptions, inputOptions, layerIndex } from "../lens/model-input.ts";
import { INPUT, LONG } from "../lens/option-kinds.ts";
import type { ModelInput } from "../lens/tokens.ts";
import { getActName } from "../models/act-name.ts";
import { ndarray, sizeOf, zeros } from "../tensor/array.ts";
import { ArgumentError, ShapeError } from "../tensor/errors.ts";
import { FUNCTION, listOf, NUMBER, TEXT, WHOLE } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import type { OnProgress } from "../tensor/progress.ts";
import { shown } from "../tensor/show.ts";
import { KeptSessions, keptOnce, passBytes, type RowValues, rowsThatFit } from "./in-parts.ts";
import { meanOverText } from "./mean-over-text.ts";
import { needNoHooks } from "./options.ts";

export { meanFrom } from "./mean-from.ts";
export type { Metric };

/** Where a replacement is asked for. */
export interface SweepPlace extends Place {
  readonly layer: number;
  /** bool [batch pos], false where a position is padding; `undefined` where none is. */
  readonly attentionMask?: Tensor | undefined;
}

/** What takes the place of a value, from the value. Only the cell's own part of it is used. */
export type Replacement = Change<SweepPlace>;

/** What to change where, and what to measure. */
export interface SweepOptions extends InputOptions {
  /**
   * The kind of hook point, in short: `"resid_pre"`, `"z"`, `"pattern"`, `"mlp_out"`, `"post"`; or `"ln1.hook_scale"`; in an
   * encoder-decoder its name without the layer, `"decoder.cross_attn.hook_pattern"`.
   */
  readonly site: string;
  /** The axes to sweep over: `layer`, and axes of the site (`pos`, `head`, `d_mlp`, `query`, `key`). */
  readonly over: readonly string[];
  readonly edit: Replacement;
  readonly metric: Metric;
  /** Which layers; default: all. */
  readonly layers?: readonly number[] | undefined;
  /** Most bytes to use for values at one time; default: 128 MB, or half of the available memory if that is less. With more, more cells run together. */
  readonly memory?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after each run with the number of cells done. */
  readonly onProgress?: OnProgress | undefined;
}

/** Cells of several layers go together up to this many rows: products take as long for each row of more. */
const ROWS = 1500;

const KINDS: OptionKinds<SweepOptions> = {
  ...INPUT,
  ...LONG,
  site: TEXT,
  over: listOf(TEXT, "axes"),
  edit: FUNCTION,
  metric: FUNCTION,
  layers: listOf(WHOLE, "layers"),
};

/** What a sweep measured. */
export interface SweepResult {
  /** The metric with each cell changed, along the axes of `over`. */
  readonly values: Tensor;
  /** The metric without any change. */
  readonly baseline: number;
  /** Most bytes that values were planned to take at one time, those that sessions keep for their next run included. */
  readonly plannedBytes: number;
}

/**
 * Changes a site at each place of the given axes and measures.
 * @throws ArgumentError for an axis that the site lacks; ShapeError for a metric that is not one number per run.
 */
export async function sweep(model: Model, input: ModelInput, options: SweepOptions): Promise<SweepResult> {
  checkModel("A sweep", model);
  needNoHooks("A sweep", model);
  checkOptions("a sweep", options, KINDS);
  checkSweep(options);
  const { signal, memory = passBytes(model) } = options;
  const chosen = layersOf(options, model);
  const start = model.graph(input, inputOptions(options));
  const { attentionMask } = start;
  const isWhole = !startsAtLayers(model);
  const streams = isWhole ? [] : chosen.map((layer) => start.at(`blocks.${layer}.hook_resid_pre`));
  const clean = oneNumber(measured(options.metric, start), start.output);

  const parts = options.over.filter((axis) => axis !== "layer");
  const sites = chosen.map((layer) => siteName(options.site, layer));
  const axesOf = (value: Tensor) => parts.map((axis) => axisOf(value, axis, options));
  const sample = start.readyFor([sites[0]]).at(sites[0]);
  const shape = axesOf(sample).map((axis) => sample.shape[axis]);
  const each = sizeOf(shape);
  /** The cells of some layers, from the first one's cell `first` on: the metric in those `from` to `to`, and what else is asked for. */
  const cellsOf = (group: readonly number[], pass: ModelGraph, first: number, asked: readonly Tensor[]): RowValues => {
    const graph = pass.readyFor(group.map((i) => sites[i]));
    const metric = measured(options.metric, graph);
    const changes = group.map((i) => {
      const value = graph.at(sites[i]);
      const made: unknown = options.edit(value, { name: sites[i], layer: chosen[i], attentionMask });
      needChanged(made, valueAt(sites[i]));
      return { name: sites[i], value, made };
    });
    return keptOnce((from, to) => {
      const edits = changes.flatMap(({ name, value, made }, k): Edit[] => {
        const before = first - k * each;
        const mask = cellMask(value, axesOf(value), before + from, before + to);
        return mask ? [[name, (x) => made.where(mask, x)]] : [];
      });
      const edited = graph.with(edits);
      return [oneForEach(edited.follow(metric), edited.output, "cell", to - from), ...asked];
    });
  };

  let unchanged: { readonly baseline: Tensor; readonly residuals: readonly Tensor[] } | undefined;
  /** The pass that cells of some layers are in: it starts at the lowest of them, once the streams are known. */
  const passOf = (group: readonly number[]): ModelGraph => {
    if (isWhole || !unchanged) return start;
    const lowest = group.reduce((a, b) => (chosen[b] < chosen[a] ? b : a));
    const tokens = start.tokens!;
    return model.graph(unchanged.residuals[lowest], { attentionMask, startAtLayer: chosen[lowest], tokens });
  };
  if (!isWhole && streams.length > 0) {
    // What the metric reads must be in the pass of every layer: that does not depend on which run together.
    const layer = Math.max(...chosen);
    const { dtype, shape, axes } = streams[chosen.indexOf(layer)];
    const stream = Tensor.leaf(zeros(dtype, shape), axes);
    measured(options.metric, model.graph(stream, { attentionMask, startAtLayer: layer, tokens: start.tokens! }));
  }
  const results = new Float32Array(each * chosen.length);
  const sessions = new KeptSessions(model.engine, memory);
  let plannedBytes = 0;
  const tokens = [start.tokens, start.decoderTokens].reduce((sum, ids) => sum + (ids ? sizeOf(ids.shape) : 0), 0);
  let most = evenly(chosen.length, ROWS / (each * tokens));
  for (let done = 0; done < results.length; ) {
    const layer = Math.floor(done / each);
    const group = Array.from({ length: Math.min(most, chosen.length - layer) }, (_, k) => layer + k);
    const first = done - layer * each;
    const rows = group.length * each - first;
    const run = cellsOf(group, passOf(group), first, unchanged ? [] : [clean, ...streams]);
    const { together, planned } = rowsThatFit(run, rows, memory);
    if (together < rows && group.length > 1) {
      most = Math.ceil(group.length / 2);
      continue;
    }
    await sessions.room(planned, run(0, together));
    plannedBytes = Math.max(plannedBytes, sessions.bytes);
    for (let from = 0; from < rows; from += together) {
      const [measured, ...asked] = await model.compute(run(from, Math.min(rows, from + together)), { signal });
      results.set(measured.data as Float32Array, done);
      done += measured.data.length;
      options.onProgress?.({ done, total: results.length, unit: "cells" });
      if (unchanged) continue;
      unchanged = { baseline: asked[0], residuals: asked.slice(1) };
      break; // the other cells of these layers start from the streams
    }
  }
  const whole = Tensor.leaf(ndarray("float32", [chosen.length, ...shape], results), ["layer", ...parts]);
  return { values: ordered(whole, options.over), baseline: unchanged!.baseline.item(), plannedBytes };
}

/** @throws ArgumentError for a sweep without its parts */
function checkSweep({ site, over, edit, metric }: Partial<SweepOptions>): void {
  const missing = Object.entries({ site, over, edit, metric }).find(([, value]) => value === undefined);
  if (missing)
    throw new ArgumentError(`A sweep needs ${missing[0]}: { site, over, edit, metric }.`, { asked: missing[0] });
  if (over!.length > 0 && new Set(over).size === over!.length) return;
  throw new ArgumentError(`A sweep goes over one or more axes, each named once, not over ${shown(over)}.`, {
    asked: over,
  });
}

/** The layers to sweep, from 0. @throws ArgumentError for one that does not exist or is named twice */
function layersOf({ layers, site }: Pick<SweepOptions, "layers" | "site">, { cfg }: Model): number[] {
  const nLayers = /^decoder\./.test(site) && cfg.nDecoderLayers !== null ? cfg.nDecoderLayers : cfg.nLayers;
  const all = Array.from({ length: nLayers }, (_, i) => i);
  if (layers === undefined) return all;
  const indices = layers.map((layer) => layerIndex("layer", layer, { nLayers }));
  if (indices.length > 0 && new Set(indices).size === indices.length && !indices.includes(nLayers)) return indices;
  throw new ArgumentError(`layers must be some of 0 to ${nLayers - 1}, each once, not ${shown(layers)}.`, {
    asked: layers,
    found: nLayers,
  });
}

/** The hook point of a site in a layer: `("z", 3)` is `blocks.3.attn.hook_z`, `("decoder.attn.hook_z", 3)` `decoder.3.attn.hook_z`. */
function siteName(site: string, layer: number): string {
  const [, stack, rest] = /^(encoder|decoder)\.(?:\d+\.)?(.*)$/.exec(site) ?? [];
  if (stack !== undefined) return `${stack}.${layer}.${rest}`;
  return site.includes("hook_") ? `blocks.${layer}.${site.replace(/^blocks\.\d+\./, "")}` : getActName(site, layer);
}

function axisOf(value: Tensor, axis: string, { site }: SweepOptions): number {
  const i = value.axes.indexOf(axis);
  if (i > 0) return i;
  throw new ArgumentError(
    `"${site}" cannot be swept over ${axis || "no axis"}: it is ${showShape(value)}, so it can be swept over layer, ${value.axes.slice(1).join(", ")}.`,
    { asked: axis, found: value.axes },
  );
}

/** How many of `count` go together if at least one does, and at most `most`, in parts of nearly the same size. */
function evenly(count: number, most: number): number {
  return Math.ceil(count / Math.ceil(count / Math.max(1, Math.floor(most))));
}

/**
 * bool [cell 1 ...]: for cells `from` to `to` of the product of the axes, where in the value each one is; nowhere, for those
 * before its first and after its last. `undefined` if it has none of them.
 */
function cellMask(value: Tensor, axes: readonly number[], from: number, to: number): Tensor | undefined {
  const sizes = value.shape.map((n, i) => (axes.includes(i) ? n : 1));
  const each = sizeOf(sizes);
  const swept = axes.map((axis) => value.shape[axis]);
  const [first, last] = [Math.max(from, 0), Math.min(to, sizeOf(swept))];
  if (first >= last) return undefined;
  const data = new Uint8Array((to - from) * each);
  for (let cell = first; cell < last; cell++) {
    let rest = cell;
    const place = new Array<number>(value.shape.length).fill(0);
    for (let k = axes.length - 1; k >= 0; k--) {
      place[axes[k]] = rest % swept[k];
      rest = Math.floor(rest / swept[k]);
    }
    const at = place.reduce((n, p, i) => n * sizes[i] + p, 0);
    data[(cell - from) * each + at] = 1;
  }
  return Tensor.leaf(ndarray("bool", [to - from, ...sizes], data), ["cell", ...value.axes]);
}

/** The axes in the order that was asked for. */
function ordered(values: Tensor, over: readonly string[]): Tensor {
  if (!over.includes("layer")) {
    if (values.shape[0] === 1)
      return Tensor.leaf({ ...values.array!, shape: values.shape.slice(1) } as never, values.axes.slice(1));
    throw new ArgumentError(
      'A sweep over several layers needs "layer" among its axes, or a single layer in `layers`.',
      {
        asked: over,
      },
    );
  }
  const perm = over.map((axis) => values.axes.indexOf(axis));
  const strides = values.shape.map((_, i) => sizeOf(values.shape.slice(i + 1)));
  const shape = perm.map((i) => values.shape[i]);
  const data = new Float32Array(values.data.length);
  for (let n = 0; n < data.length; n++) {
    let rest = n;
    let from = 0;
    for (let k = perm.length - 1; k >= 0; k--) {
      from += (rest % shape[k]) * strides[perm[k]];
      rest = Math.floor(rest / shape[k]);
    }
    data[n] = values.data[from];
  }
  return Tensor.leaf(ndarray("float32", shape, data), over);
}

// Replacements for a value: in a sweep, as an edit of a pass, or as a hook.

/** Nothing: zero ablation. */
export const zero: Change = (x) => x.constant(0);

/** Its mean over the batch's prompts and positions, padding left out: mean ablation. */
export const mean: Replacement = (x, { attentionMask }) => meanOverText(x, attentionMask);

/** The same place of another run: activation patching. */
export const patchFrom =
  (cache: ActivationCache): Change =>
  (x, { name }) => {
    if (!(cache instanceof ActivationCache)) {
      throw new ArgumentError(`The values to patch from must be an ActivationCache, not ${shown(cache)}.`, {
        asked: cache,
      });
    }
    const value = cache.get(name);
    if (value.shape.join() !== x.shape.join()) {
      throw new ShapeError(
        `"${name}" is ${showShape(value)} in the cache to patch from, but ${showShape(x)} here: clean and corrupted prompts must have the same number of tokens.`,
        { asked: x.shape, found: value.shape },
      );
    }
    return value;
  };

/** The value of another prompt of the same batch, the next one: resample ablation, its order by `order`. */
export const resample =
  (order: readonly number[]): Change =>
  (x) => {
    const isOrder = Array.isArray(order) && [...order].sort((a, b) => a - b).every((row, i) => row === i);
    if (!isOrder || order.length !== x.shape[0]) {
      throw new ArgumentError(
        `resample needs an order of the batch's ${x.shape[0]} prompts, but got ${shown(order)}.`,
        {
          asked: order,
          found: x.shape[0],
        },
      );
    }
    return x.at({ batch: order });
  };

/** The value plus a vector: steering. */
export const add =
  (vector: Tensor): Change =>
  (x) => {
    checkTensor("What a sweep adds", vector);
    return x.add(vector);
  };

/** The value times a factor. */
export const scale =
  (factor: number): Change =>
  (x) => {
    if (!NUMBER.accepts(factor))
      throw new ArgumentError(`The factor that a sweep scales by must be a number, not ${shown(factor)}.`);
    return x.mul(factor);
  };
