/** The forward pass of an encoder-decoder: a stream through the encoder, and one through the decoder, which reads it. */
import type { Tensor } from "../graph/tensor.ts";
import type { Composition, DecoderKind } from "./compose.ts";
import { placesOf } from "./counted-places.ts";
import type { ForwardInputs } from "./forward-inputs.ts";
import { masks, needScores } from "./masks.ts";
import { block, type CrossInputs } from "./parts/block.ts";
import { embedding, unembedding } from "./parts/embedding.ts";
import { norm } from "./parts/norm.ts";
import { relativeBias } from "./parts/relative-positions.ts";
import type { Scope } from "./scope.ts";

/**
 * Logits [batch pos d_vocab] at the decoder's positions. The blocks are `encoder.0` …, `decoder.0` …, the norms after them
 * `encoder_final_ln` and `decoder_final_ln`; tokens of both are embedded by one matrix, and `hook_embed` is the encoder's.
 * Source: Raffel et al. 2019, arXiv 1910.10683; TransformerLens' `HookedEncoderDecoder`, whose decoder sees later tokens
 * and has the encoder's buckets, which is not as T5 was trained: here it is causal, with buckets for earlier tokens only.
 */
export function encoderDecoder(model: Composition, decoder: DecoderKind, inputs: ForwardInputs, scope: Scope): Tensor {
  const tokens = inputs.decoderTokens!;
  const [batch, pos] = tokens.shape;
  const earlier = inputs.past?.[0].keys.shape.at(-3) ?? 0;
  const crossed = crossInputs(model, decoder, inputs, batch, pos, scope);
  needScores(decoder.blocks[0].attention.heads, batch, pos, earlier + pos);
  const run = {
    mask: masks(true, {}, batch, pos, earlier),
    places: placesOf({}, batch, pos, earlier),
    besideStream: undefined,
    bias: once((own) => relativeBias(decoder.positions, pos, earlier, earlier + pos, own)),
  };
  // The point of the embeddings is the encoder's; the decoder's are `decoder.0.hook_resid_pre`.
  let resid = embedding(model.embedding, tokens, scope.unlisted());
  for (const [layer, kind] of decoder.blocks.entries()) {
    const own = { ...run, past: inputs.past?.[layer], cross: crossed(layer) };
    resid = block(kind, resid, own, scope.part(`decoder.${layer}`));
  }
  const normalized = norm(resid, model.finalNorm, scope.part("decoder_final_ln"));
  return unembedding(model.d_vocab_out, model.logitsCap, normalized, scope.part("unembed"));
}

/** What each of the decoder's layers reads of the encoder: its last stream, or keys and values made of it before. */
function crossInputs(
  model: Composition,
  decoder: DecoderKind,
  { tokens, attentionMask, encoded }: ForwardInputs,
  batch: number,
  queries: number,
  scope: Scope,
): (layer: number) => CrossInputs {
  const [keys] = encoded ? [encoded[0].keys.shape.at(-3)!] : tokens!.shape.slice(-1);
  const mask = masks(false, { attentionMask }, batch, keys, 0)(null);
  const { heads } = model.blocks[0].attention;
  needScores(heads, batch, queries, keys);
  if (encoded) return (layer) => ({ key: encoded[layer].keys, value: encoded[layer].values, made: true, mask });
  needScores(heads, batch, keys, keys);
  const run = {
    mask: () => mask,
    past: undefined,
    places: placesOf({}, batch, keys, 0),
    besideStream: undefined,
    bias: once((own) => relativeBias(decoder.encoderPositions, keys, 0, keys, own)),
  };
  let resid = embedding(model.embedding, tokens!, scope);
  for (const [layer, kind] of model.blocks.entries()) resid = block(kind, resid, run, scope.part(`encoder.${layer}`));
  const last = norm(resid, model.finalNorm, scope.part("encoder_final_ln"));
  return () => ({ key: last, value: last, made: false, mask });
}

/** What is made in the first layer's scope, for all layers. */
function once(make: (scope: Scope) => Tensor): (scope: Scope) => Tensor {
  let made: Tensor | undefined;
  return (scope) => (made ??= make(scope));
}
