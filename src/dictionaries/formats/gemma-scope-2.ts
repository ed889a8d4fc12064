/** Gemma Scope 2: a params.safetensors a dictionary, with its site and layer in the names of folders. */
import { transposed } from "../../models/families/layout.ts";
import type { NDArray } from "../../tensor/array.ts";
import type { GivenDictionaryConfig } from "../config.ts";
import { below, type DictionaryFormat, foldersWith, placeName, readTensors } from "./format.ts";

const PARAMS = "params.safetensors";

/** The sites as hook points within a block; transcoders read another one than they stand at. */
const SITES: Readonly<Record<string, { readonly reads: string; readonly writes?: string }>> = {
  resid_post: { reads: "hook_resid_post" },
  attn_out: { reads: "attn.hook_z" },
  mlp_out: { reads: "hook_mlp_out" },
  transcoder: { reads: "mlp.hook_in", writes: "hook_mlp_out" },
};

/**
 * Gemma Scope 2's dictionaries: `w_enc` [d_in d_sae], `w_dec` [d_sae d_out], biases, thresholds, and for transcoders
 * `affine_skip_connection` [d_in d_out], which is used as it is: `x A`, so `W_skip` is its transpose. Transcoders read the whole norm's
 * output, `mlp.hook_in`.
 */
export const gemmaScope2: DictionaryFormat = {
  name: "Gemma Scope 2",
  ids: (paths) => foldersWith(paths, PARAMS),
  async read(at) {
    const raw = await readTensors(at, below(at, PARAMS));
    const W_enc = raw.firstOf(["w_enc", "W_enc"], 2);
    const W_dec = raw.firstOf(["w_dec", "W_dec"], 2);
    const [dIn, dSae] = W_enc.shape;
    const name = placeName(at);
    const [, found, layer] = /(?:^|\/)(\w+?)(?:_all)?\/layer_(\d+)_width/.exec(name) ?? [];
    const site = Object.hasOwn(SITES, found ?? "") ? SITES[found] : undefined;
    const skips = raw.has("affine_skip_connection");
    const isTranscoder = site?.writes !== undefined || skips || W_dec.shape[1] !== dIn;
    const weights = new Map<string, NDArray>([
      ["W_enc", W_enc],
      ["W_dec", W_dec],
      ...["b_enc", "b_dec", "threshold"].map((one): [string, NDArray] => [one, raw.get(one, 1)]),
    ]);
    if (skips) weights.set("W_skip", transposed(raw.get("affine_skip_connection", 2) as NDArray<"float32">));
    const kind = skips ? "jumprelu_skip_transcoder" : isTranscoder ? "jumprelu_transcoder" : "jumprelu";
    const hook = (point: string | undefined) => (point === undefined ? null : `blocks.${layer}.${point}`);
    const cfg: GivenDictionaryConfig = {
      ...{ architecture: kind, dIn, dSae, dOut: W_dec.shape[1], applyBDecToInput: false },
      ...{ hookName: hook(site?.reads), hookNameOut: isTranscoder ? hook(site?.writes) : null },
      reshapeActivations: site?.reads === "attn.hook_z" ? "hook_z" : "none",
      modelName: /gemma-scope-2-([\w.]+-(?:pt|it))/.exec(name)?.[1].replace(/^/, "gemma-3-") ?? null,
    };
    const unknown = `The name ${name} does not say which hook point the dictionary reads, as resid_post/layer_12_width_16k_l0_medium does: pass hookName.`;
    return { cfg, weights, notes: site === undefined ? [unknown] : [] };
  },
};
