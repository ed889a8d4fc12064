/** dictionary_learning's folders: ae.pt and config.json. */
import type { NDArray } from "../../tensor/array.ts";
import { ConfigError } from "../../tensor/errors.ts";
import { shown } from "../../tensor/show.ts";
import type { GivenDictionaryConfig } from "../config.ts";
import {
  below,
  type DictionaryFormat,
  foldersWith,
  type RawDictionary,
  readJson,
  readTorch,
  repeated,
} from "./format.ts";
import { Settings } from "./settings.ts";

const WEIGHTS = "ae.pt";
const CONFIG = "config.json";

/** How a class of theirs is read: its architecture and its weights by SAELens' names. */
interface DictionaryClass {
  readonly architecture: string;
  /** Whether the bias that is added to the output is taken off the input. */
  readonly applyBDecToInput: boolean;
  weights(raw: RawDictionary, dSae: number): Record<string, NDArray>;
}

const encoder = (raw: RawDictionary) => ({
  W_enc: raw.turned("encoder.weight"),
  b_enc: raw.get("encoder.bias", 1),
  W_dec: raw.turned("decoder.weight"),
});

/**
 * Their classes. JumpRelu has SAELens' names and layout. A BatchTopKSAE that has been trained keeps what is over one threshold, so it is
 * read as jumprelu. GatedAutoEncoder and JumpReluAutoEncoder multiply features by the decoder's norms on some paths; SAELens does not, and
 * neither do we: the reconstruction is the same.
 */
const CLASSES: Readonly<Record<string, DictionaryClass>> = {
  AutoEncoder: {
    architecture: "standard",
    applyBDecToInput: true,
    weights: (raw) => ({ ...encoder(raw), b_dec: raw.get("bias", 1) }),
  },
  AutoEncoderNew: {
    architecture: "standard",
    applyBDecToInput: false,
    weights: (raw) => ({ ...encoder(raw), b_dec: raw.get("decoder.bias", 1) }),
  },
  AutoEncoderTopK: {
    architecture: "topk",
    applyBDecToInput: true,
    weights: (raw) => ({ ...encoder(raw), b_dec: raw.get("b_dec", 1) }),
  },
  BatchTopKSAE: {
    architecture: "jumprelu",
    applyBDecToInput: true,
    weights: (raw, dSae) => ({
      ...encoder(raw),
      b_dec: raw.get("b_dec", 1),
      threshold: repeated(raw.get("threshold").data[0], dSae),
    }),
  },
  GatedAutoEncoder: {
    architecture: "gated",
    applyBDecToInput: true,
    weights: (raw) => ({
      ...{ W_enc: raw.turned("encoder.weight"), W_dec: raw.turned("decoder.weight") },
      ...{ b_gate: raw.get("gate_bias", 1), b_mag: raw.get("mag_bias", 1), r_mag: raw.get("r_mag", 1) },
      b_dec: raw.get("decoder_bias", 1),
    }),
  },
  JumpReluAutoEncoder: {
    architecture: "jumprelu",
    applyBDecToInput: false,
    weights: (raw) =>
      Object.fromEntries(["W_enc", "b_enc", "W_dec", "b_dec", "threshold"].map((name) => [name, raw.get(name)])),
  },
};

/** dictionary_learning's format, read by its `dict_class`; at the residual stream after the layer that the configuration names. */
export const dictionaryLearning: DictionaryFormat = {
  name: "dictionary_learning",
  ids: (paths) => foldersWith(paths, WEIGHTS, CONFIG),
  async read(at) {
    const path = below(at, CONFIG);
    const trainer = new Settings(await readJson(at, path), `${at.files.name}/${path}`).within("trainer");
    const name = trainer.text("dict_class");
    const found = Object.hasOwn(CLASSES, name) ? CLASSES[name] : undefined;
    if (!found) {
      throw new ConfigError(
        `${trainer.what} says dict_class: ${shown(name)}, which is not one that glassformer reads: ${Object.keys(CLASSES).join(", ")}.`,
        { asked: name },
      );
    }
    const raw = await readTorch(at, below(at, WEIGHTS));
    const { architecture, applyBDecToInput } = found;
    const [dIn, dSae] = [trainer.count("activation_dim"), trainer.count("dict_size")];
    const cfg: GivenDictionaryConfig = {
      ...{ architecture, applyBDecToInput, dIn, dSae },
      ...(architecture === "topk" && { k: trainer.count("k") }),
      hookName: trainer.has("layer") ? `blocks.${trainer.json.layer}.hook_resid_post` : null,
      modelName: trainer.has("lm_name") ? trainer.text("lm_name") : null,
    };
    return { cfg, weights: new Map(Object.entries(found.weights(raw, dSae))) };
  },
};
