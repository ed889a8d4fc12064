/** Llama Scope: hyperparams.json and checkpoints/final.safetensors; its later R1 version: config.json and sae_weights.safetensors. */
import { type NDArray, ndarray } from "../../tensor/array.ts";
import { OBJECT } from "../../tensor/kinds.ts";
import type { GivenDictionaryConfig } from "../config.ts";
import {
  below,
  type DictionaryFormat,
  foldersWith,
  type RawDictionary,
  readJson,
  readTensors,
  repeated,
} from "./format.ts";
import { Settings } from "./settings.ts";

const HYPERPARAMS = "hyperparams.json";
const FINAL = "checkpoints/final.safetensors";

/**
 * Llama Scope's dictionaries: jumprelu with one threshold for all features, trained on inputs of mean norm sqrt(d_model). With
 * `f = sqrt(d_model) / mean norm` the threshold is `f` times as large, and `f` is folded. Source: He et al. 2024, arXiv 2410.20526;
 * SAELens' `llama_scope` loader.
 */
export const llamaScope: DictionaryFormat = {
  name: "Llama Scope",
  ids: (paths) => foldersWith(paths, HYPERPARAMS, FINAL),
  async read(at) {
    const path = below(at, HYPERPARAMS);
    const settings = new Settings(await readJson(at, path), `${at.files.name}/${path}`);
    const raw = await readTensors(at, below(at, FINAL));
    const dModel = settings.count("d_model");
    const norms = new Settings(settings.take("dataset_average_activation_norm", OBJECT) as never, settings.what);
    const f = Math.sqrt(dModel) / norms.positive("in");
    const threshold = settings.positive("jump_relu_threshold") * f;
    const dSae = settings.count("d_sae");
    const [hookName, out] = [
      settings.text("hook_point_in"),
      settings.has("hook_point_out") ? settings.text("hook_point_out") : null,
    ];
    const isTranscoder = out !== null && out !== hookName;
    const cfg: GivenDictionaryConfig = {
      ...{
        architecture: isTranscoder ? "jumprelu_transcoder" : "jumprelu",
        dIn: dModel,
        dSae,
        applyBDecToInput: false,
      },
      ...{ hookName, hookNameOut: isTranscoder ? out : null },
    };
    return { cfg, weights: new Map([...linear(raw), ["threshold", repeated(threshold, dSae)]]), inputScale: f };
  },
};

const R1_CONFIG = "config.json";
const R1_WEIGHTS = "sae_weights.safetensors";

/**
 * Llama Scope R1's dictionaries: jumprelu with `log_jumprelu_threshold`, one number or one a feature, and a factor of the input that the files
 * do not contain. Source: SAELens' `llama_scope_r1_distill` loader.
 */
export const llamaScopeR1: DictionaryFormat = {
  name: "Llama Scope R1",
  ids: (paths) => foldersWith(paths, R1_WEIGHTS, R1_CONFIG).filter((id) => !paths.includes(below({ id }, "cfg.json"))),
  async read(at) {
    const path = below(at, R1_CONFIG);
    const settings = new Settings(await readJson(at, path), `${at.files.name}/${path}`);
    const raw = await readTensors(at, below(at, R1_WEIGHTS));
    const weights = linear(raw);
    const [dIn, dSae] = weights.get("W_enc")!.shape;
    const thresholds = Float32Array.from(raw.get("log_jumprelu_threshold").data, Math.exp);
    const threshold = thresholds.length === 1 ? repeated(thresholds[0], dSae) : ndarray("float32", [dSae], thresholds);
    const cfg: GivenDictionaryConfig = {
      ...{ architecture: "jumprelu", dIn, dSae, applyBDecToInput: false, hookName: settings.text("hook_point_in") },
      normalizeActivations: "expected_average_only_in",
    };
    return { cfg, weights: new Map([...weights, ["threshold", threshold]]) };
  },
};

/** The weights of two linear layers of PyTorch's, encoder and decoder. */
export function linear(raw: RawDictionary, encoder = "encoder", decoder = "decoder"): Map<string, NDArray> {
  return new Map<string, NDArray>([
    ["W_enc", raw.turned(`${encoder}.weight`)],
    ["b_enc", raw.get(`${encoder}.bias`, 1)],
    ["W_dec", raw.turned(`${decoder}.weight`)],
    ["b_dec", raw.get(`${decoder}.bias`, 1)],
  ]);
}
