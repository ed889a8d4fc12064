/** One file of PyTorch's a dictionary: OpenAI's for GPT-2, and those of others that are two linear layers. */
import { readPthSettings } from "../../load/pth-settings.ts";
import type { NDArray } from "../../tensor/array.ts";
import { ConfigError } from "../../tensor/errors.ts";
import { shown } from "../../tensor/show.ts";
import type { GivenDictionaryConfig } from "../config.ts";
import {
  type DictionaryFormat,
  type DictionaryPlace,
  placeName,
  type RawDictionary,
  readTorch,
  type StoredDictionary,
} from "./format.ts";
import { linear } from "./llama-scope.ts";
import { Settings } from "./settings.ts";

/** OpenAI's names of places, in a path, as hook points within a block. */
const LOCATIONS: Readonly<Record<string, string>> = {
  resid_post_attn: "hook_resid_mid",
  resid_post_mlp: "hook_resid_post",
  resid_delta_attn: "hook_attn_out",
  resid_delta_mlp: "hook_mlp_out",
  mlp_post_act: "mlp.hook_post",
};

/** Files that are a dictionary of another format, or no dictionary. */
const OTHERS = /(^|\/)(ae|trainer_state|optimizer|training_args|scheduler)\.pth?$/;

/**
 * Single files: OpenAI's, `(x − pre_bias) W_enc + latent_bias` and relu, or with TopK of the layer-normed input, plus `pre_bias` (Gao et
 * al. 2024, arXiv 2406.04093); and files with `encoder` or `encoder_linear`, `decoder` or `decoder_linear`: relu, nothing off the input.
 */
export const torchFile: DictionaryFormat = {
  name: "OpenAI's files, and others of PyTorch's",
  ids(paths) {
    const known = new Set(paths);
    return paths
      .filter((path) => /\.pth?$/.test(path) && !OTHERS.test(path))
      .map((path) => path.replace(/\.pth?$/, ""))
      .filter((id) => !known.has(`${id}_cfg.json`));
  },
  async read(at) {
    const path = at.paths.find((one) => [`${at.id}.pt`, `${at.id}.pth`].includes(one))!;
    const raw = await readTorch(at, path);
    if (raw.has("pre_bias")) return openai(at, path, raw);
    const [encoder, decoder] = raw.has("encoder_linear.weight")
      ? ["encoder_linear", "decoder_linear"]
      : ["encoder", "decoder"];
    const weights = linear(raw, encoder, decoder);
    const [dIn, dSae] = weights.get("W_enc")!.shape;
    return { cfg: { architecture: "standard", dIn, dSae, applyBDecToInput: false }, weights, notes: [UNPLACED] };
  },
};

const UNPLACED = "The file does not say which hook point the dictionary reads: pass hookName.";

async function openai(at: DictionaryPlace, path: string, raw: RawDictionary): Promise<StoredDictionary> {
  const { files, options } = at;
  const what = `${files.name}/${path}`;
  const settings = new Settings(await readPthSettings(await files.open(path, options), options), what);
  const activation = settings.has("activation") ? settings.text("activation") : "ReLU";
  const isTopK = activation === "TopK";
  if (!isTopK && activation !== "ReLU") {
    throw new ConfigError(`${what} has the activation ${shown(activation)}; glassformer reads "ReLU" and "TopK".`, {
      asked: activation,
    });
  }
  const weights = new Map<string, NDArray>([
    ["W_enc", raw.turned("encoder.weight")],
    ["b_enc", raw.get("latent_bias", 1)],
    ["W_dec", raw.turned("decoder.weight")],
    ["b_dec", raw.get("pre_bias", 1)],
  ]);
  const [dIn, dSae] = weights.get("W_enc")!.shape;
  const [, location] = new RegExp(`(${Object.keys(LOCATIONS).join("|")})`).exec(placeName(at)) ?? [];
  const layer = /(\d+)$/.exec(at.id)?.[1];
  const hookName = location !== undefined && layer !== undefined ? `blocks.${layer}.${LOCATIONS[location]}` : null;
  const state = isTopK ? settings.within("activation_state_dict") : undefined;
  const signed = state?.json.postact_fn === "Identity";
  const k = state ? state.count("k") : null;
  const cfg: GivenDictionaryConfig = {
    ...{ architecture: isTopK ? (signed ? "signed_topk" : "topk") : "standard", dIn, dSae, k, hookName },
    normalizeActivations: isTopK ? "layer_norm" : "none",
  };
  return { cfg, weights, notes: hookName === null ? [UNPLACED] : [] };
}
