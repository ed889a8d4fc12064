/** How a model knows where its tokens are. */
import type { Tensor } from "../../graph/tensor.ts";
import type { Scope } from "../scope.ts";
import { lookup, write } from "./affine.ts";
import type { Places } from "./places.ts";

/** Weights that have to do with positions. */
export interface PositionWeights {
  /** Position embedding, [pos d_model]. */
  readonly W_pos: Tensor;
}

/** Names outside the blocks that have to do with positions. */
export interface PositionNames {
  readonly weight: keyof PositionWeights;
  readonly point: "hook_pos_embed";
}

/** A kind of positions: what it adds, and where. What attention makes of positions is in the kind of attention. */
export interface PositionsKind {
  /** The residual stream with positions in it. */
  intoStream?(resid: Tensor, places: Places, scope: Scope<PositionNames>): Tensor;
  /** What queries and keys see in addition to the stream, [batch pos d_model]. */
  besideStream?(places: Places, scope: Scope<PositionNames>): Tensor;
  /** Why such models' weights are used as they are. */
  readonly unprocessed?: string;
}

/** What is read of a configuration to make a kind of positions, in its words. */
interface PositionSettings {
  readonly nCtx: number;
  readonly dModel: number;
}

/** TransformerLens' names of kinds of positions, and how each is made. */
export const POSITIONS = {
  standard: ({ nCtx, dModel }) => learnedPositions(nCtx, dModel),
  shortformer: ({ nCtx, dModel }) => shortformerPositions(nCtx, dModel),
  rotary: () => ({}),
  alibi: () => ({}),
  relative_positional_bias: () => ({}),
} as const satisfies Record<string, (settings: PositionSettings) => PositionsKind>;

/** The name of a kind of positions. */
export type PositionalEmbeddingType = keyof typeof POSITIONS;

/** Learned positions: `resid + W_pos[pos]`; 0 at padding. Source: Radford et al. 2019; TransformerLens' `PosEmbed`. */
function learnedPositions(nCtx: number, dModel: number): PositionsKind {
  return {
    intoStream: (resid, places, scope) => write(resid, positionEmbeddings(nCtx, dModel, places, scope), scope),
  };
}

/**
 * Shortformer: queries and keys are made of `ln1(resid) + W_pos[pos]`, values of `ln1(resid)`; positions are never in the
 * stream. Source: Press et al. 2020, arXiv 2012.15832; TransformerLens' `shortformer` models.
 */
function shortformerPositions(nCtx: number, dModel: number): PositionsKind {
  return {
    besideStream: (places, scope) => positionEmbeddings(nCtx, dModel, places, scope),
    unprocessed: "shortformer positions are added after the norm",
  };
}

/** `W_pos[pos]`, [batch pos d_model]; 0 at padding. */
function positionEmbeddings(pos: number, d_model: number, places: Places, scope: Scope<PositionNames>): Tensor {
  const W_pos = scope.part("pos_embed").weight("W_pos", { pos, d_model }, "drawn");
  const rows = lookup(W_pos, places.queries(), scope);
  const kept = places.kept();
  return scope.point("hook_pos_embed", kept ? rows.where(kept, rows.constant(0)) : rows);
}
