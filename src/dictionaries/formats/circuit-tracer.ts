import { openDefault } from "../../load/open.ts";
import { openSafetensors } from "../../load/safetensors.ts";
import type { StoredTensors } from "../../load/stored.ts";
import { parseYamlObject } from "../../load/yaml.ts";
import { ConfigError, FileFormatError, WeightsError } from "../../tensor/errors.ts";
import { listOf, oneOf, TEXT } from "../../tensor/kinds.ts";
import { Dictionary } from "../dictionary.ts";
import { needEveryLayer } from "../set-layers.ts";
import { layerOf } from "../set-of.ts";
import type { LayerSource, SetParts, TranscoderSetKind } from "../set-parts.ts";
import { below, type DictionaryPlace, placeName } from "./format.ts";
import { Settings } from "./settings.ts";
import { storedLayer } from "./stored-layer.ts";

const CONFIG = "config.yaml";
/** Most characters of a configuration. */
const LONGEST = 1_000_000;

/** The kinds of sets by their name in config.yaml. */
const KINDS: Readonly<Record<string, TranscoderSetKind>> = {
  transcoder_set: "per-layer",
  cross_layer_transcoder: "cross-layer",
};

/** Reads a layer. */
type OpenLayer = (signal: AbortSignal | undefined) => Promise<LayerSource>;

/**
 * A set as circuit-tracer writes it. Its encoders are [d_sae d_model] on disk, its features of `x W_encᵀ + b_enc`: relu; with
 * thresholds `pre · (pre > θ)`; of `topk` the k largest as they are.
 * @throws ConfigError, WeightsError, FileFormatError for one that cannot be read, or lacks a layer
 */
export async function circuitTracer(at: DictionaryPlace): Promise<SetParts> {
  const { files, options } = at;
  const path = below(at, CONFIG);
  const what = `${files.name}/${path}`;
  const source = await files.open(path, options);
  if (source.size > LONGEST) {
    throw new FileFormatError(`${what} has ${source.size} bytes: that is not a set's configuration.`, { asked: what });
  }
  const settings = new Settings(await parseYamlObject(await files.readText(path, options), what), what);
  const kind = KINDS[settings.take("model_kind", oneOf(Object.keys(KINDS))) as string];
  const layers = kind === "per-layer" ? perLayer(at, settings) : crossLayer(at, settings);
  let first: LayerSource | undefined = await layers[0](options.signal);
  const { dSae, dIn: dModel } = first.cfg;
  return {
    ...{ name: placeName(at), kind, nLayers: layers.length, dSae, dModel },
    featureInputHook: settings.text("feature_input_hook"),
    featureOutputHook: settings.text("feature_output_hook"),
    modelName: settings.has("model_name") ? settings.text("model_name") : null,
    scan: settings.has("scan") ? settings.text("scan") : null,
    async open(layer, signal) {
      const read = layer === 0 && first ? first : await layers[layer](signal);
      if (layer === 0) first = undefined;
      const { cfg } = read;
      if (cfg.dSae === dSae && cfg.dIn === dModel) return read;
      throw new WeightsError(
        `Layer ${layer} of ${placeName(at)} has ${cfg.dSae} features of width ${cfg.dIn}, but layer 0 ${dSae} of ${dModel}: the layers of a set are alike.`,
        { asked: layer },
      );
    },
  };
}

/** A file a layer, as config.yaml lists them, or by their names. */
function perLayer(at: DictionaryPlace, settings: Settings): OpenLayer[] {
  const paths = settings.has("transcoders")
    ? (settings.take("transcoders", listOf(TEXT, "files, one a layer")) as string[])
    : numbered(at, "layer");
  return paths.map((path, layer) => async (signal) => {
    const place = await elsewhere({ ...at, options: { ...at.options, signal } }, path);
    if (path.endsWith(".npz")) return layerOf(await dictionaryAt(place));
    const stored = await opened(place);
    const what = `layer ${layer} of ${placeName(at)}`;
    const names = { threshold: "activation_function.threshold" };
    return storedLayer({ encoder: stored, decoder: stored, names, targets: undefined, settings, what });
  });
}

/** An encoder and a decoder a layer, each tensor with the layer's number in its name. */
function crossLayer(at: DictionaryPlace, settings: Settings): OpenLayer[] {
  const encoders = numbered(at, "W_enc");
  const decoders = numbered(at, "W_dec");
  if (encoders.length !== decoders.length) {
    throw new ConfigError(
      `${placeName(at)} has the encoders of ${encoders.length} layers, but the decoders of ${decoders.length}.`,
      { found: [...encoders, ...decoders] },
    );
  }
  return encoders.map((path, layer) => async (signal) => {
    const place = { ...at, options: { ...at.options, signal } };
    const encoder = await opened({ ...place, path: below(at, path) });
    const decoder = await opened({ ...place, path: below(at, decoders[layer]) });
    const names = Object.fromEntries(
      ["W_enc", "b_enc", "b_dec", "W_dec", "threshold"].map((name) => [name, `${name}_${layer}`]),
    );
    const what = `layer ${layer} of ${placeName(at)}`;
    return storedLayer({ encoder, decoder, names, targets: encoders.length - layer, settings, what });
  });
}

/** The names of the files of each layer in the set's folder, in order. @throws ConfigError where a layer is missing */
function numbered(at: DictionaryPlace, prefix: string): string[] {
  const folder = below(at, "");
  const name = new RegExp(`^${prefix}_(\\d+)\\.safetensors$`);
  const found = at.paths
    .filter((path) => path.startsWith(folder))
    .map((path) => name.exec(path.slice(folder.length)))
    .filter((match) => match !== null)
    .map(([file, layer]) => ({ file, layer: Number(layer) }))
    .sort((a, b) => a.layer - b.layer);
  needEveryLayer(
    `${placeName(at)} (${prefix}_N.safetensors)`,
    found.map(({ layer }) => layer),
  );
  return found.map(({ file }) => file);
}

type FilePlace = DictionaryPlace & { readonly path: string };

/** Where a path of config.yaml is: among the set's files, or in a repository of its own, `hf://org/repo/file?revision=…`. */
async function elsewhere(at: DictionaryPlace, path: string): Promise<FilePlace> {
  const [, name, inside, revision] = /^hf:\/\/([^/]+\/[^/]+)\/([^?]+)(?:\?revision=(.+))?$/.exec(path) ?? [];
  if (name === undefined) return { ...at, path: below(at, path) };
  const files = await openDefault(name, (unchanged) => unchanged, { ...at.options, revision });
  return { ...at, files, path: inside };
}

/** A layer that is a dictionary in a format of its own, such as Gemma Scope's. */
async function dictionaryAt({ files, path, options }: FilePlace): Promise<Dictionary> {
  const folder = path.slice(0, path.lastIndexOf("/"));
  // Its place is said by the set, not by its name.
  const hooks = { hookName: "blocks.0.hook_resid_mid", hookNameOut: "blocks.0.hook_mlp_out" };
  const read = await Dictionary.fromPretrained(files.name, { files, id: folder, ...options });
  return new Dictionary({ ...read.cfg, architecture: "jumprelu_transcoder", ...hooks }, read.weights, {
    name: read.name,
  });
}

async function opened({ files, options, path }: FilePlace): Promise<StoredTensors> {
  const { signal, onProgress } = options;
  return openSafetensors(await files.open(path, options), { signal, onProgress });
}
