import type { ColorScale, IndexAxis } from "../analyses/picture.ts";
import { ArgumentError, ShapeError } from "../tensor/errors.ts";
import { OBJECT } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { shown } from "../tensor/show.ts";
import { matricesOf, type Numbers, toShaped, withoutUnitAxes } from "./numbers.ts";
import { COLOR, checkTokens, INDEX_AXIS, PICTURE, TEXTS } from "./option-kinds.ts";
import { baseOf, defined, type Picture, type PictureOptions, picture } from "./picture.ts";

/** How the axes of the activations are called, and which neuron is shown first. */
export interface TextNeuronActivationsOptions extends PictureOptions {
  /** The second axis: its name, or name and a label per index. Default: "layer". */
  readonly layer?: string | IndexAxis | undefined;
  /** The third axis. Default: "neuron". */
  readonly neuron?: string | IndexAxis | undefined;
  /** The indices shown first, and in the SVG. Default: those of the largest |activation|. */
  readonly chosen?: { readonly layer: number; readonly neuron: number } | undefined;
  /** Default: RdBu centred on 0, for each neuron as far as its largest |activation|. */
  readonly color?: ColorScale | undefined;
  /** A name per text. */
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
 * Tokens coloured by one neuron's activation, the neuron to be chosen on the page, as CircuitsVis' text neuron
 * activations. `strTokens` and `activations` `[token, layer, neuron]` of one text, or a list of each for several.
 *
 * @throws ShapeError if activations are not `[token, layer, neuron]` of their text, or texts differ in layers or neurons.
 * @throws ArgumentError if the chosen layer or neuron is not there.
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
    throw new ArgumentError(`Of several texts the activations are a list, one entry for each, not ${shown(given)}.`, {
      asked: given,
    });
  }
  if (given.length !== texts.length) {
    throw new ShapeError(`There are ${texts.length} texts, but activations of ${given.length}.`, {
      asked: texts.length,
      found: given.length,
    });
  }
  const all = given.map((values, t) => {
    const shaped = withoutUnitAxes(toShaped(values), 3);
    if (shaped.shape.length !== 3 || shaped.shape[0] !== texts[t].length) {
      throw new ShapeError(
        `Activations [token, layer, neuron] of ${texts[t].length} tokens were asked for, but text ${t} has shape [${shaped.shape}].`,
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
      `Layer ${chosen.layer}, neuron ${chosen.neuron} was chosen, but there are ${layers} layers of ${neurons} neurons; count from 0.`,
      { asked: chosen, found: [layers, neurons] },
    );
  }
  return picture({
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
  });
}

/** Where the largest |activation| of all is. */
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
