/** How a model knows where its tokens are. */
import type { Tensor } from "../../graph/tensor.ts";
import type { Scope } from "../scope.ts";
import { lookup, write } from "./affine.ts";
import type { Turn } from "./rotary.ts";
import { type RotaryKind, rotate, type Stretch } from "./rotary.ts";

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

/** Where the tokens of a run are. */
export interface Places {
  /** int32 [batch pos] of this run's tokens. */
  queries(): Tensor;
  /** int32 [batch pos] of those and of the earlier ones, whose keys are kept. */
  keys(): Tensor;
  /** bool [batch pos 1], false where a token is padding; `undefined` if none is. */
  kept(): Tensor | undefined;
}

/** A kind of positions: what it adds or turns, and where. */
export interface PositionsKind {
  /** The residual stream with positions in it. */
  intoStream?(resid: Tensor, places: Places, scope: Scope<PositionNames>): Tensor;
  /** What queries and keys see in addition to the stream, [batch pos d_model]. */
  besideStream?(places: Places, scope: Scope<PositionNames>): Tensor;
  /** What turns queries and keys. */
  turn?(places: Places): Turn;
  /** Why such models' weights are used as they are. */
  readonly unprocessed?: string;
}

/** What is read of a configuration to make a kind of positions, in its words. */
interface PositionSettings {
  readonly nCtx: number;
  readonly dModel: number;
  readonly dHead: number;
  readonly rotaryDim: number | null;
  readonly rotaryBase: number;
  readonly rotaryAdjacentPairs: boolean;
  readonly useNtkByPartsRope: boolean;
  readonly ntkByPartsFactor: number;
  readonly ntkByPartsLowFreqFactor: number;
  readonly ntkByPartsHighFreqFactor: number;
  readonly ntkOriginalCtxLen: number;
}

/** TransformerLens' names of kinds of positions, and how each is made; null for those that are not computed. */
export const POSITIONS = {
  standard: ({ nCtx, dModel }) => learnedPositions(nCtx, dModel),
  shortformer: ({ nCtx, dModel }) => shortformerPositions(nCtx, dModel),
  rotary: (settings) =>
    rotaryPositions({
      dim: settings.rotaryDim ?? settings.dHead,
      base: settings.rotaryBase,
      pairs: settings.rotaryAdjacentPairs ? "neighbours" : "halves",
      stretch: settings.useNtkByPartsRope ? stretchOf(settings) : null,
    }),
  alibi: null,
  relative_positional_bias: null,
} as const satisfies Record<string, ((settings: PositionSettings) => PositionsKind) | null>;

function stretchOf(settings: PositionSettings): Stretch {
  return {
    factor: settings.ntkByPartsFactor,
    lowFreqFactor: settings.ntkByPartsLowFreqFactor,
    highFreqFactor: settings.ntkByPartsHighFreqFactor,
    trainedLength: settings.ntkOriginalCtxLen,
  };
}

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

/** Rotary positions: queries and keys are turned by an angle that grows with their position. @see rotate */
function rotaryPositions(kind: RotaryKind): PositionsKind {
  return {
    turn: (places) => ({
      queries: (q) => rotate(q, places.queries(), kind),
      keys: (k) => rotate(k, places.keys(), kind),
    }),
  };
}

/** `W_pos[pos]`, [batch pos d_model]; 0 at padding. */
function positionEmbeddings(pos: number, d_model: number, places: Places, scope: Scope<PositionNames>): Tensor {
  const W_pos = scope.part("pos_embed").weight("W_pos", { pos, d_model }, "drawn");
  const rows = lookup(W_pos, places.queries(), scope);
  const kept = places.kept();
  return scope.point("hook_pos_embed", kept ? rows.where(kept, rows.constant(0)) : rows);
}
