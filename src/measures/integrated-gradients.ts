/** Integrated gradients: attribution to an input, or to any activation, along a path from a baseline to it. */

import { showShape } from "../graph/axes.ts";
import { tensor } from "../graph/from-numbers.ts";
import type { Tensor } from "../graph/tensor.ts";
import { TENSOR } from "../graph/tensor-kind.ts";
import type { Model } from "../lens/model.ts";
import type { ModelGraph } from "../lens/model-graph.ts";
import { tokenEmbedding } from "../lens/model-has.ts";
import { ArgumentError, ShapeError, UnknownNameError } from "../tensor/errors.ts";
import { either, TEXT } from "../tensor/kinds.ts";
import type { OptionKinds } from "../tensor/options.ts";
import { answerTokens, readQuestion } from "./answer.ts";
import { masked, SALIENCY, type SaliencyOptions } from "./gradient-x-activation.ts";
import { passBytes, rowsThatFit } from "./in-parts.ts";
import { gaussLegendre } from "./integrated-gradients/gauss-legendre.ts";
import { meanEmbedding } from "./mean-embedding.ts";
import { meanOverText } from "./mean-over-text.ts";
import { Measured } from "./measured.ts";
import { gradientsAt, metricNumber } from "./metric-gradients.ts";
import { type AnalysisOptions, type GivenOptions, settled } from "./options.ts";
import { type PlaceRow, placeSums } from "./place-sums.ts";

export const PATH_STEPS = {
  type: "integer",
  placeholder: "N",
  description: "points on the path to take gradients at",
  default: 64,
  least: 1,
} as const;

const OPTIONS = {
  ...answerTokens,
  steps: PATH_STEPS,
} as const satisfies AnalysisOptions;

/** How the path of `measureIntegratedGradients` goes. */
interface PathOptions extends SaliencyOptions {
  /**
   * Where the path starts: `zero` (the default), `mean` (the mean over the site's positions and prompts, at each of them;
   * for `hook_embed` that of the whole vocabulary), or a value that broadcasts against the site's.
   */
  readonly baseline?: "zero" | "mean" | Tensor | undefined;
}

const PATH: OptionKinds<PathOptions> = { ...SALIENCY, baseline: either(TENSOR, TEXT) };

/** The options of `measureIntegratedGradients`. */
export type MeasureIntegratedGradientsOptions = GivenOptions<typeof OPTIONS> & PathOptions;

/** The result of `measureIntegratedGradients`: a row for each place. */
export interface IntegratedGradientsMeasurement extends Measured<PlaceRow> {
  /** Of the site's shape: [batch pos d_model] for `hook_embed`. */
  readonly attributions: Tensor;
  /** The metric of the input. */
  readonly metric: number;
  /** The metric with the baseline instead of the site's value. */
  readonly baseline: number;
  /** `sum of attributions - (metric - baseline)`: 0 except for the limited number of steps and rounding. */
  readonly completenessError: number;
}

/**
 * The gradient averaged along the straight path from a baseline to the activation, times the difference of its ends:
 * `(x - x') · ∫₀¹ d metric / dx at x' + a (x - x') da`. Attributions sum to the metric's difference between the ends.
 * The integral is a Gauss-Legendre sum; its steps go through the model along an axis in front, as many per run as fit.
 *
 * Source: Sundararajan, Taly and Yan 2017, "Axiomatic attribution for deep networks".
 * @throws ShapeError for a metric that is not one number or a baseline that does not fit; ArgumentError for fewer than one
 * step, if the metric does not depend on the site, or if it is not a number somewhere on the path.
 */
export async function measureIntegratedGradients(
  model: Model,
  options: MeasureIntegratedGradientsOptions = {},
): Promise<IntegratedGradientsMeasurement> {
  const asked = settled("measureIntegratedGradients", model, options, OPTIONS, PATH);
  const { steps, signal } = asked;
  const { input, metric, read } = readQuestion("measureIntegratedGradients", model, asked);
  const site = asked.site ?? tokenEmbedding(model).point;
  const graph = model.graph(input, read).readyFor([site]);
  const { nodes, weights } = gaussLegendre(steps);
  const whole = metricNumber(graph, metric);
  const value = graph.at(site);
  const from = baselineOf(model, graph, value, asked.baseline ?? "zero");
  const way = value.sub(from).where(masked(value).not(), 0);
  // Two further rows are the path's ends: the metric there is what the attributions must sum to.
  const column = (numbers: readonly number[]) =>
    tensor(Float32Array.from(numbers), { shape: [numbers.length, ...value.shape.map(() => 1)] });
  // What is masked stays masked along the path, and nothing is attributed to it.
  const start = value.where(masked(value), from);
  const [places, shares] = [
    [...nodes, 0, 1],
    [...weights, 0, 0],
  ];
  /** What places `from` to `to` of the path add to the attributions, and the metric at each. */
  const along = (begin: number, end: number): [Tensor, Tensor] => {
    const path = graph.with([[site, () => start.add(way.mul(column(places.slice(begin, end)).rename(["step"])))]]);
    const metrics = path.follow(whole);
    if (metrics === whole || metrics.shape.length === 0) {
      throw new ArgumentError(`The metric does not depend on "${value.label}", so nothing can be attributed to it.`, {
        asked: value.label,
      });
    }
    const { gradients } = gradientsAt(metrics.sum(), [path.at(site)]);
    const averaged = gradients[0].mul(column(shares.slice(begin, end))).sum(0);
    return [averaged.mul(way), metrics];
  };
  const { attributions, metrics } = await summed(model, along, places.length, signal);
  const [first, last] = metrics.slice(-2);
  let total = 0;
  for (const x of attributions.data) total += x;
  if (!Number.isFinite(total) || !Number.isFinite(first)) {
    throw new ArgumentError(
      `The metric is not a number somewhere on the way to "${value.label}" from this baseline, for example because something is divided by 0: choose another baseline, or another site.`,
      { asked: value.label, found: first },
    );
  }
  const about = { attributions, metric: last, baseline: first, completenessError: total - (last - first) };
  return Measured.of(placeSums(attributions), about);
}

/** The parts of a path, as many places at a time as fit: what they add together, and the metric at each place. */
async function summed(
  model: Model,
  along: (from: number, to: number) => [Tensor, Tensor],
  count: number,
  signal: AbortSignal | undefined,
): Promise<{ readonly attributions: Tensor; readonly metrics: readonly number[] }> {
  const { together } = rowsThatFit(along, count, passBytes(model));
  const metrics: number[] = [];
  let attributions: Tensor | undefined;
  for (let from = 0; from < count; from += together) {
    const part = along(from, Math.min(count, from + together));
    const [added, measured] = await model.compute(part, { signal });
    metrics.push(...(measured.data as Float32Array));
    if (attributions)
      added.data.forEach((x: number, i: number) => {
        attributions!.data[i] += x;
      });
    else attributions = added;
    if (together < count && from + together >= count) await model.engine.forget(part);
  }
  return { attributions: attributions!, metrics };
}

/** The start of the path, which broadcasts against the site's value. */
function baselineOf(model: Model, graph: ModelGraph, value: Tensor, baseline: "zero" | "mean" | Tensor): Tensor {
  if (baseline === "zero") return value.constant(0).expandLike(value);
  if (baseline === "mean") {
    if (value.label === tokenEmbedding(model).point) return meanEmbedding(model);
    if (graph.attentionMask && !value.axes.includes("query")) return meanOverText(value, graph.attentionMask);
    const over = ["batch", value.axes.includes("query") ? "query" : "pos"];
    const counted = value.constant(1).where(masked(value).not(), value.constant(0));
    const most = counted.sum(over, true).maximum(value.constant(1));
    return value.where(masked(value).not(), 0).sum(over, true).div(most);
  }
  if (typeof baseline === "string") throw new UnknownNameError("baseline", baseline, ["zero", "mean"]);
  const lead = value.shape.length - baseline.shape.length;
  const fits = lead >= 0 && baseline.shape.every((n, i) => n === 1 || n === value.shape[lead + i]);
  if (fits && baseline.dtype === value.dtype) return baseline;
  throw new ShapeError(
    `The baseline is ${baseline.dtype} ${showShape(baseline)}, but "${value.label}" is ${value.dtype} ${showShape(value)}: use one that broadcasts against it.`,
    { asked: value.shape, found: baseline.shape },
  );
}
