/** Gemma Scope: a params.npz a dictionary, with its place in the names of folders. */
import { readNpz } from "../../load/npz.ts";
import type { NDArray } from "../../tensor/array.ts";
import type { GivenDictionaryConfig } from "../config.ts";
import { below, type DictionaryFormat, foldersWith, needDictionaryMemory, placeName, RawDictionary } from "./format.ts";

const PARAMS = "params.npz";

/** The sites by the ends of their repositories' names, or of the folders' above a layer, as hook points within a block. */
const SITES: readonly (readonly [name: RegExp, hook: string])[] = [
  [/(^|[-_/])(res|resid_post)(\/|$)/, "hook_resid_post"],
  [/(^|[-_/])(mlp|mlp_out)(\/|$)/, "hook_mlp_out"],
  [/(^|[-_/])(att|attn_out)(\/|$)/, "attn.hook_z"],
];

/**
 * Gemma Scope's dictionaries: `W_enc` [d_in d_sae], `W_dec` [d_sae d_out], biases, thresholds, all float32. jumprelu, without b_dec on the
 * input. The hook point is that of the site in the repository's name (`res`, `mlp`, `att`) and the layer in the folder's; transcoders
 * read the bare norm's output `ln2.hook_normalized` and stand at `hook_mlp_out`. Embeddings' dictionaries read `x / sqrt(d_in)`.
 * Source: Lieberum et al. 2024, arXiv 2408.05147; SAELens' `gemma_2` loaders.
 */
export const gemmaScope: DictionaryFormat = {
  name: "Gemma Scope",
  ids: (paths) => foldersWith(paths, PARAMS),
  async read(at) {
    const path = below(at, PARAMS);
    const { signal, onProgress } = at.options;
    const source = await at.files.open(path, at.options);
    needDictionaryMemory(`${at.files.name}/${path}`, source.size);
    const raw = new RawDictionary(await readNpz(source, { signal, onProgress }), `${at.files.name}/${path}`);
    const W_enc = raw.firstOf(["W_enc", "w_enc"], 2);
    const W_dec = raw.firstOf(["W_dec", "w_dec"], 2);
    const [dIn, dSae] = W_enc.shape;
    const name = placeName(at);
    const place = gemmaPlace(name);
    const weights = new Map<string, NDArray>([
      ["W_enc", place.embedding ? scaled(W_enc, 1 / Math.sqrt(dIn)) : W_enc],
      ["W_dec", place.embedding ? scaled(W_dec, Math.sqrt(dIn)) : W_dec],
      ...["b_enc", "b_dec", "threshold"].map((one): [string, NDArray] => [one, raw.get(one, 1)]),
    ]);
    const cfg: GivenDictionaryConfig = {
      ...{ architecture: place.transcoder ? "jumprelu_transcoder" : "jumprelu", dIn, dSae, dOut: W_dec.shape[1] },
      ...{ applyBDecToInput: false, modelName: place.model, ...place.hooks },
      reshapeActivations: place.hooks.hookName?.endsWith("attn.hook_z") ? "hook_z" : "none",
    };
    return { cfg, weights, notes: place.notes };
  },
};

/** What the name of a repository and a folder in it says. */
interface GemmaPlace {
  readonly transcoder: boolean;
  readonly embedding: boolean;
  readonly hooks: { readonly hookName: string | null; readonly hookNameOut?: string };
  readonly model: string | null;
  readonly notes: readonly string[];
}

function gemmaPlace(name: string): GemmaPlace {
  const layer = /(?:^|\/)layer_(\d+)(?:\/|$)/.exec(name)?.[1];
  const transcoder = /transcoder/.test(name);
  const embedding = /(?:^|\/)embedding(?:\/|$)/.test(name);
  const [, size, kind] = /gemma-scope-(\d+b)-(pt|it)/.exec(name) ?? [];
  const model = size === undefined ? null : `gemma-2-${size}${kind === "it" ? "-it" : ""}`;
  if (embedding) return { transcoder, embedding, hooks: { hookName: "hook_embed" }, model, notes: [] };
  if (transcoder && layer !== undefined) {
    const hooks = { hookName: `blocks.${layer}.ln2.hook_normalized`, hookNameOut: `blocks.${layer}.hook_mlp_out` };
    return { transcoder, embedding, hooks, model, notes: [] };
  }
  const site = SITES.find(([pattern]) => pattern.test(name.replace(/\/layer_.*$/, "")))?.[1];
  const hookName = site !== undefined && layer !== undefined ? `blocks.${layer}.${site}` : null;
  const unknown = `The name ${name} does not say which hook point the dictionary reads, as "res" and "layer_12" in gemma-scope-2b-pt-res/layer_12 do: pass hookName.`;
  return { transcoder, embedding, hooks: { hookName }, model, notes: hookName === null ? [unknown] : [] };
}

function scaled(array: NDArray, s: number): NDArray {
  return { dtype: "float32", shape: array.shape, data: Float32Array.from(array.data, (x) => x * s) };
}
