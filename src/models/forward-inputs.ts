/** What a forward pass starts from, and what it gives. */
import type { Tensor } from "../graph/tensor.ts";
import type { PastKeysValues } from "./parts/attention.ts";

export interface ForwardInputs {
  /** int32 [batch pos]. Required unless there is a residual. */
  readonly tokens?: Tensor | undefined;
  /** [batch pos d_model]: where the pass starts instead, as `hook_resid_pre` of `startAtLayer`. */
  readonly residual?: Tensor | undefined;
  /** int32 [batch pos]: the type of each token, in models that embed them; by default 0. */
  readonly tokenTypes?: Tensor | undefined;
  /** First block to run. */
  readonly startAtLayer?: number;
  /** First block not to run: the result is then the residual stream before it, not logits. */
  readonly stopAtLayer?: number | undefined;
  /** bool [batch key]: false where a position is padding. It covers past positions too. */
  readonly attentionMask?: Tensor | undefined;
  /** Shortformer: what queries and keys see, [batch pos d_model], instead of the model's own; null for nothing. */
  readonly shortformerPosEmbed?: Tensor | null | undefined;
  /** int32 [batch pos]: the position of each token; by default they are counted. */
  readonly positionIds?: Tensor | undefined;
  /** int32 [batch key]: the same of the earlier tokens and these, by the window of the layers that keep those keys; null: all. */
  readonly keyPositionIds?: ReadonlyMap<number | null, Tensor> | undefined;
  /**
   * Keys and values of earlier positions, one pair per layer: all of them, or in layers with a window the last ones; in an
   * encoder-decoder the decoder's.
   */
  readonly past?: readonly PastKeysValues[] | undefined;
  /** How many earlier positions there are. */
  readonly earlier?: number | undefined;
  /** In an encoder-decoder: the decoder's tokens, int32 [batch pos]. */
  readonly decoderTokens?: Tensor | undefined;
  /** The keys and values that the decoder's layers read of the encoder, from an earlier run: the encoder does not run. */
  readonly encoded?: readonly PastKeysValues[] | undefined;
}

export interface Forward {
  /** Each layer's own keys, as queries meet them, and values, for later runs; none in a run with a past that is not placed. */
  readonly placed: readonly PastKeysValues[];
  /** Logits [batch pos d_vocab], or the residual stream [batch pos d_model] if stopped before the end. */
  readonly output: Tensor;
  /** Every hook point made, in firing order. */
  readonly points: ReadonlyMap<string, Tensor>;
  /** Those of them that nothing else is computed from: they stand next to the usual computation, to be read. */
  readonly asides: ReadonlySet<string>;
}
