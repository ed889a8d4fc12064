/** Gemma Scope 2's cross-layer transcoders: a safetensors file a layer. */
import { openSafetensors } from "../../load/safetensors.ts";
import { needEveryLayer } from "../set-layers.ts";
import type { SetParts } from "../set-parts.ts";
import { below, type DictionaryPlace, placeName } from "./format.ts";
import { Settings } from "./settings.ts";
import { storedLayer } from "./stored-layer.ts";

/** A layer's file. */
const LAYER = /layer_(\d+)[^/]*\.safetensors$/;

const NAMES = { W_enc: "w_enc", W_dec: "w_dec", W_skip: "affine_skip_connection", threshold: "threshold" };

/** The folders that have such files and no config.yaml, which says what a set is. */
export function gemmaScope2Sets(paths: readonly string[]): string[] {
  const known = new Set(paths);
  const folders = paths.filter((path) => LAYER.test(path)).map((path) => path.replace(/\/?[^/]*$/, ""));
  return [...new Set(folders)].filter((folder) => !known.has(below({ id: folder }, "config.yaml")));
}

/**
 * A set: `w_enc` [d_model d_sae], `w_dec` [d_sae target d_model] with rows for every layer, of which those before the own are not used,
 * thresholds, and `affine_skip_connection` [d_model d_model], which is used as it is. It reads the whole norm's output, `mlp.hook_in`.
 * @throws ConfigError, WeightsError, FileFormatError for one that cannot be read, or lacks a layer
 */
export async function gemmaScope2Clt(at: DictionaryPlace): Promise<SetParts> {
  const folder = below(at, "");
  const found = at.paths
    .filter((path) => path.startsWith(folder) && !path.slice(folder.length).includes("/") && LAYER.test(path))
    .map((path) => ({ path, layer: Number(LAYER.exec(path)![1]) }))
    .sort((a, b) => a.layer - b.layer);
  const name = placeName(at);
  needEveryLayer(
    name,
    found.map(({ layer }) => layer),
  );
  const { files, options } = at;
  const open = async (layer: number, signal: AbortSignal | undefined) => {
    const source = await files.open(found[layer].path, { ...options, signal });
    const stored = await openSafetensors(source, { signal, onProgress: options.onProgress });
    return storedLayer({
      ...{ encoder: stored, decoder: stored, names: NAMES, asRead: true, settings: new Settings({}, name) },
      ...{ targets: found.length - layer, unused: layer, what: `layer ${layer} of ${name}` },
    });
  };
  const { dSae, dIn } = (await open(0, options.signal)).cfg;
  return {
    ...{ name, kind: "cross-layer", nLayers: found.length, dSae, dModel: dIn },
    ...{ featureInputHook: "mlp.hook_in", featureOutputHook: "hook_mlp_out", modelName: null, scan: null, open },
  };
}
