/** Sets of transcoders that are dictionaries in memory. */
import type { NDArray } from "../tensor/array.ts";
import { ConfigError } from "../tensor/errors.ts";
import { instanceOf, listOf, TEXT } from "../tensor/kinds.ts";
import { checkArgument } from "../tensor/options.ts";
import { Dictionary } from "./dictionary.ts";
import { needEveryLayer, rowsOfMatrix } from "./set-layers.ts";
import type { LayerSource, SetParts } from "./set-parts.ts";

/** A hook point within a block. */
const IN_BLOCK = /^blocks\.(\d+)\.(.+)$/;

/** A transcoder with the layer and the points that its hook points name. */
interface Placed {
  readonly dictionary: Dictionary;
  readonly layer: number;
  readonly input: string;
  readonly output: string;
}

/**
 * The parts of a set of transcoders, one a layer.
 * @throws ConfigError for one that is not a transcoder, a layer that is missing or there twice, or ones that do not fit together
 */
export function partsOf(dictionaries: readonly Dictionary[], name = "a set of your own"): SetParts {
  checkArgument(
    "What TranscoderSet.of takes",
    dictionaries,
    listOf(instanceOf(Dictionary, "a Dictionary"), "dictionaries"),
  );
  checkArgument("The name of a set", name, TEXT);
  const placed = dictionaries.map(placeOf).sort((a, b) => a.layer - b.layer);
  needEveryLayer(
    name,
    placed.map(({ layer }) => layer),
  );
  const [first] = placed;
  const { dSae, dIn } = first.dictionary.cfg;
  for (const { dictionary, layer, input, output } of placed) {
    const { cfg } = dictionary;
    if (cfg.dSae === dSae && cfg.dIn === dIn && cfg.dOut === dIn && input === first.input && output === first.output)
      continue;
    throw new ConfigError(
      `The transcoder ${dictionary.name} of layer ${layer} goes from ${cfg.dIn} at ${input} over ${cfg.dSae} features to ${cfg.dOut} at ${output}, but that of layer 0 from ${dIn} at ${first.input} over ${dSae} to ${dIn} at ${first.output}: the layers of a set are alike.`,
      { asked: dictionary.name },
    );
  }
  return {
    ...{ name, kind: "per-layer", nLayers: placed.length, dSae, dModel: dIn },
    ...{ featureInputHook: first.input, featureOutputHook: first.output },
    ...{ modelName: first.dictionary.cfg.modelName, scan: null },
    open: async (layer) => layerOf(placed[layer].dictionary),
  };
}

function placeOf(dictionary: Dictionary): Placed {
  const { hookName, hookNameOut } = dictionary.cfg;
  const [, layer, input] = IN_BLOCK.exec(hookName ?? "") ?? [];
  const [, layerOut, output] = IN_BLOCK.exec(hookNameOut ?? "") ?? [];
  if (dictionary.isTranscoder && layer !== undefined && layer === layerOut) {
    return { dictionary, layer: Number(layer), input, output };
  }
  throw new ConfigError(
    dictionary.isTranscoder
      ? `The transcoder ${dictionary.name} reads ${hookName ?? "no hook point"} and writes ${hookNameOut ?? "none"}: in a set both are of one block, as in blocks.0.hook_resid_mid and blocks.0.hook_mlp_out.`
      : `The dictionary ${dictionary.name} is not a transcoder: it makes again what it reads.`,
    { asked: dictionary.name, found: dictionary.cfg.architecture },
  );
}

/** A layer whose numbers are a dictionary's. */
export function layerOf(dictionary: Dictionary): LayerSource {
  const { cfg, weights } = dictionary;
  const array = (name: string) => weights.get(name)?.array as NDArray<"float32">;
  const { weight } = dictionary.passOf;
  return {
    cfg,
    weight,
    bDec: array("b_dec"),
    skip: array("W_skip"),
    encoderRows(features) {
      const { data } = array("W_enc");
      const rows = new Float32Array(features.length * cfg.dIn);
      features.forEach((feature, row) => {
        for (let i = 0; i < cfg.dIn; i++) rows[row * cfg.dIn + i] = data[i * cfg.dSae + feature];
      });
      return { dtype: "float32", shape: [features.length, cfg.dIn], data: rows };
    },
    decoderRows: async (features) => [rowsOfMatrix(array("W_dec"), features)],
  };
}
