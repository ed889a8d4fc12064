/** EleutherAI's sparsify: folders named after their hook point, with cfg.json and sae.safetensors. */
import type { NDArray } from "../../tensor/array.ts";
import { ConfigError } from "../../tensor/errors.ts";
import { oneOf } from "../../tensor/kinds.ts";
import { architectureName } from "../architectures.ts";
import type { GivenDictionaryConfig } from "../config.ts";
import { below, type DictionaryFormat, foldersWith, readJson, readTensors } from "./format.ts";
import { Settings } from "./settings.ts";

const CONFIG = "cfg.json";
const WEIGHTS = "sae.safetensors";

/** sparsify's format: `encoder.weight` [d_sae d_in], `W_dec` [d_sae d_out] as it is here, `W_skip` [d_out d_in]. b_dec is taken off the input unless it transcodes. */
export const sparsify: DictionaryFormat = {
  name: "sparsify",
  ids: (paths) => foldersWith(paths, WEIGHTS, CONFIG),
  async read(at) {
    const path = below(at, CONFIG);
    const settings = new Settings(await readJson(at, path), `${at.files.name}/${path}`);
    const raw = await readTensors(at, below(at, WEIGHTS));
    const transcoder = settings.flag("transcode", false);
    const skip = settings.flag("skip_connection", false);
    if (skip && !transcoder) {
      throw new ConfigError(
        `${settings.what} says skip_connection: true, but transcode: false: only transcoders have one.`,
        {
          asked: "skip_connection",
        },
      );
    }
    const named = settings.has("activation") ? settings.take("activation", oneOf(["topk", "groupmax"])) : "topk";
    const activation =
      named === "topk" && settings.flag("signed", false) ? "signed_topk" : (named as "topk" | "groupmax");
    const dIn = settings.count("d_in");
    const latents = settings.has("num_latents") && settings.json.num_latents !== 0;
    const dSae = latents ? settings.count("num_latents") : dIn * settings.count("expansion_factor");
    const weights = new Map<string, NDArray>([
      ["W_enc", raw.turned("encoder.weight")],
      ["b_enc", raw.get("encoder.bias", 1)],
      ["W_dec", raw.get("W_dec", 2)],
      ["b_dec", raw.get("b_dec", 1)],
      ...(skip ? [["W_skip", raw.get("W_skip", 2)] as [string, NDArray]] : []),
    ]);
    const cfg: GivenDictionaryConfig = {
      ...{ architecture: architectureName({ activation, transcoder, skip }), dIn, dSae, k: settings.count("k") },
      ...{ applyBDecToInput: !transcoder, ...hooksOf(at.id || at.files.name, transcoder) },
    };
    return { cfg, weights };
  },
};

/** `layers.5` is the residual stream after block 5, `layers.5.mlp` its MLP, `embed_tokens` the embeddings. */
function hooksOf(id: string, transcoder: boolean): Pick<GivenDictionaryConfig, "hookName" | "hookNameOut"> {
  const name = id.split("/").at(-1)!;
  if (name === "embed_tokens") return { hookName: "hook_embed" };
  const [, layer, part] = /^(?:.*\.)?layers\.(\d+)(?:\.(\w+))?$/.exec(name) ?? [];
  if (layer === undefined || (part !== undefined && part !== "mlp")) return { hookName: null };
  if (part === undefined && !transcoder) return { hookName: `blocks.${layer}.hook_resid_post` };
  if (transcoder) return { hookName: `blocks.${layer}.mlp.hook_in`, hookNameOut: `blocks.${layer}.mlp.hook_out` };
  return { hookName: `blocks.${layer}.mlp.hook_out` };
}
