/** What happens to the loss, or to a logit difference, when each component is ablated. */

import { Tensor } from "../graph/tensor.ts";
import { componentName } from "../lens/components.ts";
import { maskedPlaces } from "../lens/fill-mask.ts";
import type { Metric } from "../lens/metric.ts";
import type { Model } from "../lens/model.ts";
import { fillsMasks, hasMlps, needNeurons } from "../lens/model-has.ts";
import { type PreparedInput, prepareInput } from "../lens/model-input.ts";
import { batchOf } from "../lens/tokens.ts";
import { getActName } from "../models/act-name.ts";
import { ndarray } from "../tensor/array.ts";
import { ArgumentError } from "../tensor/errors.ts";
import {
  ABLATION_KINDS,
  ABLATION_OPTIONS,
  type AblationKind,
  type MeasureAblationOptions,
} from "./ablation/options.ts";
import { type AblationMethod, ablatedBy, realTokens } from "./ablation/replacements.ts";
import { groupsOf } from "./in-parts.ts";
import { Measured } from "./measured.ts";
import { settled } from "./options.ts";
import { answerToken, checkPrompts, readPrompt } from "./prompt.ts";
import { stages } from "./stages.ts";
import { sweep } from "./sweep.ts";

/** A component and the effect of ablating it, with the axes that were swept over. */
export interface AblationRow {
  /** For positions. */
  readonly prompt?: number;
  readonly pos?: number;
  readonly token?: string;
  readonly layer: number;
  readonly head?: number;
  readonly d_mlp?: number;
  /** Of layers and positions: whether it is the layer's attention or its MLP. */
  readonly part?: "attention" | "MLP";
  /** `L0H3`, `L0N17`, `L0 MLP`; for positions, which of their outputs: `L0 attention`. */
  readonly component: string;
  /** The measure with it ablated, minus the measure without. */
  readonly effect: number;
}

/** The result of `measureAblation`: a row for each component. */
export interface AblationMeasurement extends Measured<AblationRow> {
  readonly over: AblationKind;
  readonly by: AblationMethod;
  /** Of neurons and positions; the others are ablated in all layers. */
  readonly layer: number | undefined;
  /** Of resampling. */
  readonly seed: number | undefined;
  /** `"nats"` of mean loss, or `"logits"` of the difference of the answers. */
  readonly unit: "nats" | "logits";
  /** The answers' ids. */
  readonly answers?: readonly [answer: number, wrong: number];
  /** The measure with nothing ablated, the mean over prompts. */
  readonly clean: number;
  /** Each prompt's tokens. */
  readonly prompts: readonly (readonly string[])[];
}

/** The most bytes of the largest value in a batch, so that memory does not grow with the prompts. */
const MOST_NUMBERS = 2 ** 24;

/** One kind of thing to sweep over. */
interface Site {
  readonly site: string;
  readonly axis?: string;
  readonly layers: readonly number[];
  readonly part?: "attention" | "MLP";
}

/**
 * Ablates each head, layer, neuron or position on its own, and measures.
 * @throws InputError for prompts without a token to predict; ArgumentError for a layer that does not exist, an answer
 * without the other one, or neurons of a model that has none.
 */
export async function measureAblation(
  model: Model,
  options: MeasureAblationOptions = {},
): Promise<AblationMeasurement> {
  const asked = settled("measureAblation", model, options, ABLATION_OPTIONS);
  const { prompts, over, by, seed, memory, layer, signal, onProgress } = asked;
  checkPrompts(prompts);
  const answers = answersOf(model, options);
  const read = prompts.map((prompt) => readPrompt(model, prompt, { least: answers ? 1 : 2 }));
  const sites = sitesOf(over, layer, model);
  // Positions belong to one text; everything else is ablated in as many texts together as fit.
  const rows = read.map(({ ids }) => ids);
  const { dVocabOut, dMlp, nHeads } = model.cfg;
  const numbers = (count: number, pos: number) =>
    count * pos * Math.max(answers ? 0 : dVocabOut, dMlp ?? 0, nHeads * pos);
  const batches = over === "positions" ? rows.map((ids) => [ids]) : groupsOf(rows, numbers, MOST_NUMBERS);
  const inputs = batches.map((some) => prepareInput(batchOf(some, model), {}, model.cfg, model.text));
  const names = sites.flatMap(({ site, layers }) => layers.map((l) => getActName(site, l)));
  const means =
    by === "mean" && over !== "positions" && inputs.length > 1
      ? await meansOf(model, names, inputs, signal)
      : undefined;
  const progress = stages(
    onProgress,
    inputs.flatMap(({ tokens }) =>
      sites.map((site) => site.layers.length * (site.axis === "pos" ? tokens.shape[1] : 1)),
    ),
    over === "positions" ? "positions" : "layers",
  );

  // The weight of a batch: the tokens that it predicts, or its prompts.
  const weights = batches.map((some) => (answers ? some.length : some.reduce((n, ids) => n + ids.length - 1, 0)));
  const whole = weights.reduce((a, b) => a + b, 0);
  const components: { -readonly [K in keyof AblationRow]: AblationRow[K] }[] = [];
  let clean = 0;
  for (const [batch, input] of inputs.entries()) {
    const { tokens, attentionMask } = input;
    const share = over === "positions" ? 1 : weights[batch] / whole;
    const metric: Metric = answers ? atAnswers(answers, input, model) : (_logits, graph) => graph.loss();
    let seen = 0;
    for (const [i, { site, axis, layers, part }] of sites.entries()) {
      const { values, baseline } = await sweep(model, tokens, {
        site,
        over: axis ? ["layer", axis] : ["layer"],
        layers,
        edit: means ? (_x, at) => means.get(at.name)! : ablatedBy(by, input, seed ?? ABLATION_OPTIONS.seed.default),
        metric,
        memory,
        signal,
        onProgress: progress[batch * sites.length + i],
        attentionMask,
      });
      if (i === 0) clean += over === "positions" ? baseline / inputs.length : share * baseline;
      const width = values.data.length / layers.length;
      values.data.forEach((value: number, k: number) => {
        const [at, index] = [layers[Math.floor(k / width)], k % width];
        const effect = share * (value - baseline);
        const known = over === "positions" ? undefined : components[seen++];
        if (known) {
          known.effect += effect;
          return;
        }
        const pos = axis === "pos" ? { prompt: batch, pos: index, token: read[batch].tokens[index] } : {};
        const which = axis === "head" || axis === "d_mlp" ? { [axis]: index } : {};
        const where = { ...pos, layer: at, ...which, ...(part ? { part } : {}) };
        components.push({ ...where, component: part ? `L${at} ${part}` : componentName(where), effect });
      });
    }
  }
  const found = { over, by, layer, seed, clean, prompts: read.map(({ tokens }) => tokens) };
  const about = answers ? ({ ...found, unit: "logits", answers } as const) : ({ ...found, unit: "nats" } as const);
  return Measured.of<AblationRow, typeof about>(components, about);
}

/** The mean of values over the tokens of all batches, by hook name. */
async function meansOf(
  model: Model,
  names: readonly string[],
  inputs: readonly PreparedInput[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, Tensor>> {
  const tokens = inputs.map(realTokens);
  const all = tokens.reduce((sum, real) => sum + real.length, 0);
  const means = new Map<string, Tensor>();
  for (const [i, input] of inputs.entries()) {
    const { attentionMask } = input;
    const graph = model.graph(input.tokens, { attentionMask });
    const mean = ablatedBy("mean", input, 0);
    const found = await model.compute(
      names.map((name) => mean(graph.at(name), { name, layer: 0 })),
      { signal },
    );
    for (const [k, name] of names.entries()) {
      const data = found[k].data as Float32Array;
      const sum =
        means.get(name) ??
        Tensor.leaf(ndarray("float32", found[k].shape, new Float32Array(data.length)), found[k].axes);
      for (let at = 0; at < data.length; at++) sum.data[at] += (data[at] * tokens[i].length) / all;
      means.set(name, sum);
    }
  }
  return means;
}

/** @throws ArgumentError for one answer without the other. */
function answersOf(model: Model, { answer, wrong }: MeasureAblationOptions): readonly [number, number] | undefined {
  if (answer === undefined && wrong === undefined) return undefined;
  if (answer === undefined || wrong === undefined) {
    throw new ArgumentError("A logit difference needs two answers: give both answer and wrong, or neither.", {
      asked: answer ?? wrong,
    });
  }
  return [answerToken(model, answer), answerToken(model, wrong)];
}

function sitesOf(over: AblationKind, layer: number | undefined, model: Model): Site[] {
  const all = Array.from({ length: model.cfg.nLayers }, (_, l) => l);
  const attention = { site: "attn_out", part: "attention" } as const;
  const mlp = hasMlps(model) ? [{ site: "mlp_out", part: "MLP" } as const] : [];
  switch (over) {
    case "heads":
      return [{ site: "z", axis: "head", layers: all }];
    case "layers":
      return [attention, ...mlp].map((site) => ({ ...site, layers: all }));
    case "positions":
      return [attention, ...mlp].map((site) => ({ ...site, axis: "pos", layers: [layer!] }));
    case "neurons":
      if (hasMlps(model)) needNeurons(model, layer!);
      if (hasMlps(model)) return [{ site: "post", axis: "d_mlp", layers: [layer!] }];
      throw new ArgumentError("Neurons cannot be ablated in this model: it is attention-only.", { asked: over });
    default:
      throw new ArgumentError(`over must be one of ${ABLATION_KINDS.join(", ")}, not "${over}".`, {
        asked: over,
        found: ABLATION_KINDS,
      });
  }
}

/** The mean difference of two tokens' logits at each prompt's last token, or at its masks. */
function atAnswers([answer, wrong]: readonly [number, number], input: PreparedInput, model: Model): Metric {
  const { tokens, attentionMask } = input;
  const [batch, pos] = tokens.shape;
  const lastOf = (row: number) => {
    let last = pos - 1;
    while (attentionMask && attentionMask.data[row * pos + last] === 0) last--;
    return { row, pos: last };
  };
  const places = fillsMasks(model) ? maskedPlaces(tokens, model) : Array.from({ length: batch }, (_, b) => lastOf(b));
  const data = new Float32Array(batch * pos);
  for (const place of places) data[place.row * pos + place.pos] = 1 / places.length;
  const share = Tensor.leaf(ndarray("float32", [batch, pos], data), ["batch", "pos"]);
  return (logits) => {
    const difference = logits.at({ d_vocab: answer }).sub(logits.at({ d_vocab: wrong }));
    return difference.mul(share).sum(["batch", "pos"]);
  };
}
