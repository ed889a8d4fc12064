import type { ActivationsSpec, ColorScale, IndexAxis } from "../finding/picture.ts";
import { ArgumentError, ShapeError } from "../tensor/errors.ts";
import { OBJECT } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { shown } from "../tensor/show.ts";
import { pictureOf } from "./deferred.ts";
import { matricesOf, type Numbers, toShaped, withoutUnitAxes } from "./numbers.ts";
import { COLOR, checkTokens, INDEX_AXIS, PICTURE, TEXTS } from "./option-kinds.ts";
import { baseOf, defined, type Picture, type PictureOptions } from "./picture.ts";

/** What the axes of the activations are called, and which neuron is shown first. */
export interface TextNeuronActivationsOptions extends PictureOptions {
  /** The second axis: its name, or its name and a label for each index. Default: "layer". */
  readonly layer?: string | IndexAxis | undefined;
  /** The third axis. Default: "neuron". */
  readonly neuron?: string | IndexAxis | undefined;
  /** The indices shown first, and in the SVG. Default: those of the largest |activation|. */
  readonly chosen?: { readonly layer: number; readonly neuron: number } | undefined;
  /** Default: RdBu centred on 0, for each neuron up to its largest |activation|. */
  readonly color?: ColorScale | undefined;
  /** A name for each text. */
  readonly labels?: readonly string[] | undefined;
}

const KINDS: OptionKinds<TextNeuronActivationsOptions> = {
  ...PICTURE,
  layer: INDEX_AXIS,
  neuron: INDEX_AXIS,
  chosen: OBJECT,
  color: COLOR,
  labels: TEXTS,
};

/**
 * Tokens coloured by the activation of one neuron, which the page lets you choose, like CircuitsVis' text neuron
 * activations. `strTokens` and `activations` `[token, layer, neuron]` for one text, or a list of each for several.
 * Tensors that have not been computed are computed when the picture is drawn.
 *
 * @throws ShapeError if activations are not `[token, layer, neuron]` of their text, or texts differ in layers or neurons.
 * @throws ArgumentError if the selected layer or neuron does not exist.
 */
export function textNeuronActivations(
  strTokens: readonly string[] | readonly (readonly string[])[],
  activations: Numbers | readonly Numbers[],
  options: TextNeuronActivationsOptions = {},
): Picture {
  checkOptions("textNeuronActivations", options, KINDS);
  if (!Array.isArray(strTokens) || strTokens.length === 0) checkTokens(undefined);
  const single = strTokens.every((token) => typeof token === "string");
  const texts = single ? [strTokens as readonly string[]] : (strTokens as readonly (readonly string[])[]);
  const given = single ? [activations as Numbers] : (activations as readonly Numbers[]);
  for (const tokens of texts) checkTokens(tokens);
  if (!Array.isArray(given)) {
    throw new ArgumentError(
      `For several texts the activations must be a list with one entry for each, not ${shown(given)}.`,
      {
        asked: given,
      },
    );
  }
  if (given.length !== texts.length) {
    throw new ShapeError(`There are ${texts.length} texts, but activations for ${given.length}.`, {
      asked: texts.length,
      found: given.length,
    });
  }
  return pictureOf(given, (numbers) => specOf(texts, numbers, options));
}

function specOf(
  texts: readonly (readonly string[])[],
  given: readonly Numbers[],
  options: TextNeuronActivationsOptions,
): ActivationsSpec {
  const all = given.map((values, t) => {
    const shaped = withoutUnitAxes(toShaped(values), 3);
    if (shaped.shape.length !== 3 || shaped.shape[0] !== texts[t].length) {
      throw new ShapeError(
        `Expected activations [token, layer, neuron] for ${texts[t].length} tokens, but those of text ${t} have shape [${shaped.shape}].`,
        { asked: [texts[t].length, "layer", "neuron"], found: shaped.shape },
      );
    }
    return shaped;
  });
  const [, layers, neurons] = all[0]?.shape ?? [0, 0, 0];
  const odd = all.findIndex(({ shape }) => shape[1] !== layers || shape[2] !== neurons);
  if (odd >= 0) {
    throw new ShapeError(
      `Text 0 has ${layers} layers of ${neurons} neurons, but text ${odd} has ${all[odd].shape[1]} of ${all[odd].shape[2]}.`,
      { asked: all[0].shape, found: all[odd].shape },
    );
  }
  const chosen =
    options.chosen ??
    strongest(
      all.map(({ data }) => data),
      layers,
      neurons,
    );
  if (!isIndex(chosen.layer, layers) || !isIndex(chosen.neuron, neurons)) {
    throw new ArgumentError(
      `There is no layer ${chosen.layer}, neuron ${chosen.neuron}: there are ${layers} layers of ${neurons} neurons, counted from 0.`,
      { asked: chosen, found: [layers, neurons] },
    );
  }
  return {
    kind: "activations",
    ...baseOf("activations", options),
    texts: texts.map((tokens, t) => ({
      tokens,
      values: matricesOf(all[t]),
      ...defined({ label: options.labels?.[t] }),
    })),
    layer: axisOf(options.layer, "layer"),
    neuron: axisOf(options.neuron, "neuron"),
    chosen,
    ...defined({ color: options.color }),
  };
}

/** The indices of the largest |activation|. */
function strongest(all: readonly (readonly (number | null)[])[], layers: number, neurons: number) {
  let most = -1;
  let at = 0;
  for (const data of all) {
    data.forEach((value, i) => {
      if (value === null || Math.abs(value) <= most) return;
      most = Math.abs(value);
      at = i % (layers * neurons);
    });
  }
  return { layer: Math.floor(at / Math.max(1, neurons)), neuron: at % Math.max(1, neurons) };
}

function isIndex(index: number, count: number): boolean {
  return Number.isInteger(index) && index >= 0 && index < count;
}

function axisOf(axis: string | IndexAxis | undefined, name: string): IndexAxis {
  return typeof axis === "string" ? { label: axis } : { label: name, ...axis };
}
