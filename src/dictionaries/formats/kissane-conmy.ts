/** Kissane and Conmy's dictionaries of attention: NAME.pt with NAME_cfg.json. */
import { type DictionaryFormat, readJson, readTorch } from "./format.ts";
import { Settings } from "./settings.ts";

/**
 * Weights under SAELens' names; `standard`, of hook_z with its heads as one axis. Source: Kissane et al. 2024, arXiv 2406.17759;
 * SAELens' `connor_rob` loader.
 */
export const kissaneConmy: DictionaryFormat = {
  name: "Kissane and Conmy",
  ids(paths) {
    const known = new Set(paths);
    return paths
      .filter((path) => path.endsWith("_cfg.json"))
      .map((path) => path.slice(0, -"_cfg.json".length))
      .filter((id) => known.has(`${id}.pt`));
  },
  async read(at) {
    const path = `${at.id}_cfg.json`;
    const settings = new Settings(await readJson(at, path), `${at.files.name}/${path}`);
    const raw = await readTorch(at, `${at.id}.pt`);
    const hookName = settings.text("act_name");
    const weights = new Map(["W_enc", "b_enc", "W_dec", "b_dec"].map((name) => [name, raw.get(name)]));
    return {
      cfg: {
        ...{ architecture: "standard", dIn: settings.count("act_size"), dSae: settings.count("dict_size"), hookName },
        reshapeActivations: hookName.includes("hook_z") ? "hook_z" : "none",
        modelName: settings.has("model_name") ? settings.text("model_name") : null,
      },
      weights,
    };
  },
};
