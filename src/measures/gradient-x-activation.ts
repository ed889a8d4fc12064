/** Gradient times activation: attribution to an input, or to any activation, along the gradient there. */

import type { Tensor } from "../graph/tensor.ts";
import type { HookNameLike } from "../lens/hook-names.ts";
import type { Model } from "../lens/model.ts";
import { tokenEmbedding } from "../lens/model-has.ts";
import { TEXT } from "../tensor/kinds.ts";
import type { OptionKinds } from "../tensor/options.ts";
import { answerTokens, QUESTION, type QuestionOptions, readQuestion } from "./answer.ts";
import { Measured } from "./measured.ts";
import { metricGradients } from "./metric-gradients.ts";
import { type GivenOptions, settled } from "./options.ts";
import { type PlaceRow, placeSums } from "./place-sums.ts";

/** Where saliency is taken. */
export interface SaliencyOptions extends QuestionOptions {
  /** A hook point; default `hook_embed`, the tokens themselves. */
  readonly site?: HookNameLike | undefined;
}

/** The kinds of `SaliencyOptions`. */
export const SALIENCY: OptionKinds<SaliencyOptions> = { ...QUESTION, site: TEXT };

/** The options of `measureGradientXActivation`. */
export type MeasureGradientXActivationOptions = GivenOptions<typeof answerTokens> & SaliencyOptions;

/** A place, its saliency, and the length of the gradient there. */
export interface SaliencyRow extends PlaceRow {
  /** `√(Σ gradient²)` along the last axis: the most that a step of length 1 can change, in any direction. */
  readonly gradient_norm: number;
}

/** The result of `measureGradientXActivation`: a row for each place. The tensors have the site's shape, `[batch pos d_model]` for `hook_embed`. */
export interface GradientXActivationMeasurement extends Measured<SaliencyRow> {
  readonly attributions: Tensor;
  readonly gradients: Tensor;
  readonly values: Tensor;
  readonly metric: number;
}

/**
 * `x · d metric / dx` for every number x of an activation: to first order, how much setting it to zero would reduce the metric.
 * The sum over `d_model` is a token's saliency, in units of the metric.
 *
 * Source: Denil, Demiraj and de Freitas 2014, "Extraction of salient sentences from labelled documents".
 * @throws InputError for a prompt that is empty or too long, or answers that are not single tokens; ShapeError for a metric
 * that is not one number; ArgumentError if it does not depend on the site.
 */
export async function measureGradientXActivation(
  model: Model,
  options: MeasureGradientXActivationOptions = {},
): Promise<GradientXActivationMeasurement> {
  const asked = settled("measureGradientXActivation", model, options, answerTokens, SALIENCY);
  const { input, metric, read } = readQuestion("measureGradientXActivation", model, asked);
  const site = asked.site ?? tokenEmbedding(model).point;
  const graph = model.graph(input, read).readyFor([site]);
  const withGradients = metricGradients(graph, metric, [site]);
  const [value, gradient] = [withGradients.values[0], withGradients.gradients[0]];
  const [attributions, gradients, values, number] = await model.compute(
    [value.mul(gradient).where(masked(value).not(), 0), gradient, value, withGradients.metric],
    { signal: asked.signal },
  );
  const squares = placeSums(gradients, (x) => x * x);
  const rows = placeSums(attributions).map((row, i) => ({ ...row, gradient_norm: Math.sqrt(squares[i].attribution) }));
  return Measured.of(rows, { attributions, gradients, values, metric: number.item() });
}

/** Where a value is -∞: attention scores of keys that a query may not see. */
export function masked(value: Tensor): Tensor {
  return value.equal(value.constant(Number.NEGATIVE_INFINITY));
}
