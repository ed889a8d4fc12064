/** An encoder-decoder as its users meet it. */

import type { Tensor } from "../graph/tensor.ts";
import type { HookedTransformerConfig } from "../models/config/config.ts";
import { ArgumentError, ConfigError } from "../tensor/errors.ts";
import { type FromPretrainedOptions, loadPretrained, type ModelName, noProcessing } from "./from-pretrained.ts";
import type { GeneratedStep, GenerateOptions } from "./generate.ts";
import { generateDecoderSteps } from "./generate-decoder.ts";
import { HookedRoot } from "./hooked-root.ts";
import type { ModelInput } from "./tokens.ts";

/**
 * An encoder-decoder such as T5, in whose forward pass every value can be read and changed: the encoder reads the input, and
 * the decoder's logits, [batch pos d_vocab], are those after each token of `decoderInput`. Points are named
 * `encoder.0.attn.hook_q`, `decoder.0.cross_attn.hook_pattern`, as in TransformerLens' `HookedEncoderDecoder`, which this follows;
 * its decoder sees later tokens, and its numbers are not T5's, while these are transformers'.
 */
export class HookedEncoderDecoder extends HookedRoot {
  /** @throws ConfigError for a model with one stack of blocks, and as the class that this extends */
  constructor(...args: ConstructorParameters<typeof HookedRoot>) {
    super(...args);
    needTwoStacks(this.cfg);
  }

  /**
   * Loads a model, with its weights as they are: processing is left out unless its flags ask for it.
   * @param name a local folder, an alias (`t5-small`), or a Hugging Face id
   * @throws ConfigError for a model with one stack of blocks; ArgumentError for `firstNLayers`
   */
  static async fromPretrained(
    name: ModelName,
    options: Omit<FromPretrainedOptions, "firstNLayers"> = {},
  ): Promise<HookedEncoderDecoder> {
    if ((options as FromPretrainedOptions).firstNLayers !== undefined) {
      throw new ArgumentError(
        "firstNLayers is for models with one stack of blocks: an encoder-decoder is read whole.",
        {
          asked: "firstNLayers",
        },
      );
    }
    return new HookedEncoderDecoder(...(await loadPretrained(name, { ...noProcessing, ...options }, needTwoStacks)));
  }

  /** Writes what follows an input, or several, yielding each token as it is made. */
  generateStream(input: ModelInput, options: GenerateOptions = {}): AsyncGenerator<GeneratedStep, Tensor> {
    return generateDecoderSteps(this, input, options);
  }
}

/** @throws ConfigError for a model with one stack of blocks */
function needTwoStacks({ nDecoderLayers, modelName }: HookedTransformerConfig): void {
  if (nDecoderLayers !== null) return;
  throw new ConfigError(`${modelName} is not an encoder-decoder: open it with HookedTransformer.fromPretrained.`, {
    asked: "HookedEncoderDecoder",
    nearest: "HookedTransformer",
  });
}
