/** The forward pass as a graph: building it computes nothing. */
import { Tensor } from "../graph/tensor.ts";
import { zeros } from "../tensor/array.ts";
import { type Composition, compose } from "./compose.ts";
import type { HookedTransformerConfig } from "./config/config.ts";
import { placesOf } from "./counted-places.ts";
import { encoderDecoder } from "./encoder-decoder.ts";
import type { Forward, ForwardInputs } from "./forward-inputs.ts";
import { masks, needScores } from "./masks.ts";
import type { PastKeysValues } from "./parts/attention.ts";
import { block } from "./parts/block.ts";
import { embedding, unembedding } from "./parts/embedding.ts";
import { mlmHead } from "./parts/mlm-head.ts";
import { norm } from "./parts/norm.ts";
import type { Places } from "./parts/places.ts";
import { tokenTypes } from "./parts/token-types.ts";
import { remembered } from "./remembered.ts";
import { Scope, type Wanted, type WeightSource } from "./scope.ts";
import type { Structure } from "./structure.ts";

export type { Forward, ForwardInputs } from "./forward-inputs.ts";

/**
 * Builds the pass: embeddings, blocks, final norm, unembedding. `wanted` says which of the costly points to make.
 * Source: TransformerLens' `HookedTransformer.forward`.
 */
export function forward(
  cfg: HookedTransformerConfig,
  weights: WeightSource,
  inputs: ForwardInputs,
  wanted: Wanted = { reads: () => false, hooks: () => false },
  structure?: Structure,
): Forward {
  const trace = { weights, wanted, points: new Map<string, Tensor>(), asides: new Set<string>(), structure };
  const scope = new Scope(trace);
  const model = compose(cfg);
  const { positions } = model;
  if (model.decoder) {
    const output = encoderDecoder(model, model.decoder, inputs, scope);
    return { output, points: trace.points, asides: trace.asides, placed: [] };
  }
  const start = inputs.startAtLayer ?? 0;
  const stop = inputs.stopAtLayer ?? model.blocks.length;
  const [batch, pos] = (inputs.residual ?? inputs.tokens)!.shape.slice(inputs.residual ? -3 : -2);
  const earlier = inputs.earlier ?? 0;

  if (start < stop) needScores(model.blocks[start].attention.heads, batch, pos, earlier + pos);
  const places = placesOf(inputs, batch, pos, earlier);
  let resid = inputs.residual ?? embeddings(model, inputs, places, scope);
  const posEmbed = inputs.shortformerPosEmbed;
  const beside = posEmbed === undefined ? positions.besideStream?.(places, scope) : (posEmbed ?? undefined);
  const mask = masks(model.causal, inputs, batch, pos, earlier);
  const placed: PastKeysValues[] = [];
  const keep = (own: PastKeysValues) => placed.push(own);
  for (let layer = start; layer < stop; layer++) {
    const run = { mask, past: inputs.past?.[layer], besideStream: beside, places, keep };
    resid = block(model.blocks[layer], resid, run, scope.part(`blocks.${layer}`));
  }
  const { points, asides } = trace;
  if (inputs.stopAtLayer !== undefined) return { output: resid, points, asides, placed };
  const normalized = norm(resid, model.finalNorm, scope.part("ln_final"));
  const read = model.mlmHead ? mlmHead(model.mlmHead, normalized, scope.part("mlm_head")) : normalized;
  const output = unembedding(model.d_vocab_out, model.logitsCap, read, scope.part("unembed"));
  return { output, points, asides, placed };
}

/**
 * The residual stream before the first block: embeddings of tokens, of positions that stand in it and of token types, and
 * their norm if they have one. The names are then within `embed`, and the norm is at `hook_full_embed`, as in
 * TransformerLens' `BertEmbed`.
 */
function embeddings(model: Composition, inputs: ForwardInputs, places: Places, scope: Scope): Tensor {
  const { embeddingsNorm, positions } = model;
  const own = embeddingsNorm ? scope.part("embed") : scope;
  const tokens = inputs.tokens!;
  const embedded = embedding(model.embedding, tokens, own);
  const positioned = positions.intoStream ? positions.intoStream(embedded, places, own) : embedded;
  const types = () => inputs.tokenTypes ?? firstType(tokens.shape[0], tokens.shape[1], 0, undefined);
  const sum = model.tokenTypes > 0 ? tokenTypes(positioned, model.tokenTypes, types(), own) : positioned;
  return embeddingsNorm ? scope.point("hook_full_embed", norm(sum, embeddingsNorm, own.part("ln"))) : sum;
}

/** The first token type everywhere, int32 [batch pos]. */
const firstType = remembered((batch, pos) => Tensor.leaf(zeros("int32", [batch, pos]), ["batch", "pos"]));
