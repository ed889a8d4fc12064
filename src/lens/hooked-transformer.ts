/** The model as its users meet it. */

import type { Tensor } from "../graph/tensor.ts";
import type { HookedTransformerConfig } from "../models/config/config.ts";
import { type ProcessingFlags, processWeights } from "../models/processing/process-weights.ts";
import { recordingOf } from "../models/recording.ts";
import { keepWeight } from "../models/weights/keep.ts";
import type { NDArray } from "../tensor/array.ts";
import { ConfigError } from "../tensor/errors.ts";
import { keptOf } from "../tensor/kept.ts";
import type { FactoredMatrix } from "./factored-matrix.ts";
import { type FromPretrainedOptions, loadPretrained, type ModelName, noProcessing } from "./from-pretrained.ts";
import type { GeneratedStep, GenerateOptions } from "./generate.ts";
import { HookedRoot } from "./hooked-root.ts";
import { type LmLossOptions, lmCrossEntropyLoss } from "./losses.ts";
import type { ModelInput } from "./tokens.ts";
import {
  type AccumulatedBiasOptions,
  accumulatedBias,
  type CompositionMode,
  compositionScores,
  headLabels,
  ov,
  qk,
  residualDirections,
  type TokenChoice,
} from "./weight-views.ts";

/** Weights kept in the bits that those of the same names are kept in. */
function keptAlike(
  cfg: HookedTransformerConfig,
  weights: ReadonlyMap<string, NDArray<"float32">>,
  like: ReadonlyMap<string, NDArray>,
) {
  const specs = recordingOf(cfg).weights;
  return new Map(
    [...weights].map(([name, array]) => {
      const kept = keptOf(array) ? undefined : keptOf(like.get(name));
      return [name, kept ? keepWeight(specs.get(name)!, array, kept.dtype) : array];
    }),
  );
}

/**
 * A transformer language model in whose forward pass every value can be read and changed. Source: TransformerLens'
 * `HookedTransformer`; methods have its names in camelCase, hook points have exactly its names.
 */
export class HookedTransformer extends HookedRoot {
  /** @throws ConfigError for an encoder-decoder, and as the class that this extends */
  constructor(...args: ConstructorParameters<typeof HookedRoot>) {
    super(...args);
    needOneStack(this.cfg);
  }

  /**
   * Loads a model and processes its weights as TransformerLens does by default: `foldLn`, `centerWritingWeights`,
   * `centerUnembed`, `foldValueBiases`; `refactorFactoredAttnMatrices` only if set.
   * @param name the bundled `solu-1l-novels` or `gelu-3l-novels`, a local folder, an alias (`solu-1l`, `gpt2`), or a Hugging Face id
   */
  static async fromPretrained(name: ModelName, options: FromPretrainedOptions = {}): Promise<HookedTransformer> {
    return new HookedTransformer(...(await loadPretrained(name, options, needOneStack)));
  }

  /** Loads a model with its weights as they are. */
  static fromPretrainedNoProcessing(name: ModelName, options: FromPretrainedOptions = {}): Promise<HookedTransformer> {
    return HookedTransformer.fromPretrained(name, { ...noProcessing, ...options });
  }

  /**
   * This model with its weights processed, as another model without its hooks and spliced parts; this one stays as it is.
   * @param flags as in `fromPretrained`, with the same defaults
   * @throws WeightsError, ConfigError as `fromPretrained`
   */
  processWeights(flags: Partial<ProcessingFlags> = {}): HookedTransformer {
    const arrays = new Map([...this.weights.entries()].map(([name, { array }]) => [name, array as NDArray<"float32">]));
    const { config, weights, notes } = processWeights(this.cfg, arrays, flags);
    return new HookedTransformer(config, keptAlike(config, weights, arrays), {
      tokenizer: this.text?.tokenizer,
      defaultPrependBos: this.text?.defaultPrependBos,
      defaultPaddingSide: this.text?.defaultPaddingSide,
      engine: this.givenEngine,
      notes: [...this.notes, ...notes],
    });
  }

  /** The loss of logits [batch pos d_vocab] on their tokens [batch pos], in nats. @see lmCrossEntropyLoss */
  lossFn(logits: Tensor, tokens: Tensor, options: LmLossOptions = {}): Tensor {
    return lmCrossEntropyLoss(logits, tokens, options);
  }

  /** Continues a prompt, or several, yielding each token as it is made. */
  async *generateStream(input: ModelInput, options: GenerateOptions = {}): AsyncGenerator<GeneratedStep, Tensor> {
    const { generateSteps } = await import("./generate.ts");
    return yield* generateSteps(this, input, options);
  }

  // Views of weights. Each weight is a property by its name, such as `W_U` or, stacked over layers, `W_Q`: @see NamedWeights

  /** The embeddings of tokens, followed by those of positions, [d_vocab+pos d_model]. */
  get W_E_pos(): Tensor {
    return this.W_E.rename(["", "d_model"]).concat(this.W_pos.rename(["", "d_model"]), 0);
  }
  /** The circuit that makes each head's scores, `W_Q W_Kᵀ` [layer head d_model d_model], query to key. */
  get QK(): FactoredMatrix {
    return qk(this);
  }
  /** The circuit that moves information, `W_V W_O` [layer head d_model d_model], from what a head reads to what it writes. */
  get OV(): FactoredMatrix {
    return ov(this);
  }
  /** `L0H0`, `L0H1`, ...: every head. */
  allHeadLabels(): string[] {
    return headLabels(this);
  }
  /** How much of what each head writes each later head reads, [layer head to_layer to_head]. @see compositionScores */
  allCompositionScores(mode: CompositionMode): Tensor {
    return compositionScores(this, mode);
  }
  /** All that biases have added to the residual stream before a layer, [d_model]. @see AccumulatedBiasOptions */
  accumulatedBias(layer: number, options: AccumulatedBiasOptions = {}): Tensor {
    return accumulatedBias(this, layer, options);
  }
  /** The directions that make tokens more probable, their columns of W_U: [... d_model] for tokens [...]. */
  tokensToResidualDirections(tokens: TokenChoice): Tensor {
    return residualDirections(this, tokens, this.text);
  }
}

/** @throws ConfigError for an encoder-decoder */
function needOneStack({ nDecoderLayers, modelName }: HookedTransformerConfig): void {
  if (nDecoderLayers === null) return;
  throw new ConfigError(
    `${modelName} is an encoder-decoder: open it with HookedEncoderDecoder.fromPretrained, which has the methods that mean something for it.`,
    { asked: "HookedTransformer", nearest: "HookedEncoderDecoder" },
  );
}
