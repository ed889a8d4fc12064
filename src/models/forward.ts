/** The forward pass as a graph: building it computes nothing. */
import { Tensor } from "../graph/tensor.ts";
import { ndarray, zeros } from "../tensor/array.ts";
import { needMemory } from "../tensor/free-memory.ts";
import { type Composition, compose } from "./compose.ts";
import type { HookedTransformerConfig } from "./config/config.ts";
import type { Mask, PastKeysValues } from "./parts/attention.ts";
import { block } from "./parts/block.ts";
import { embedding, unembedding } from "./parts/embedding.ts";
import { mlmHead } from "./parts/mlm-head.ts";
import { norm } from "./parts/norm.ts";
import type { Places } from "./parts/places.ts";
import { tokenTypes } from "./parts/token-types.ts";
import { Scope, type Wanted, type WeightSource } from "./scope.ts";
import type { Structure } from "./structure.ts";

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
  /** int32 [batch key]: the same of the earlier tokens and these. */
  readonly keyPositionIds?: Tensor | undefined;
  /** Keys and values of earlier positions, one pair per layer. */
  readonly past?: readonly PastKeysValues[] | undefined;
}

export interface Forward {
  /** Logits [batch pos d_vocab], or the residual stream [batch pos d_model] if stopped before the end. */
  readonly output: Tensor;
  /** Every hook point made, in firing order. */
  readonly points: ReadonlyMap<string, Tensor>;
  /** Those of them that nothing else is computed from: they stand next to the usual computation, to be read. */
  readonly asides: ReadonlySet<string>;
}

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
  const start = inputs.startAtLayer ?? 0;
  const stop = inputs.stopAtLayer ?? model.blocks.length;
  const [batch, pos] = (inputs.residual ?? inputs.tokens)!.shape.slice(inputs.residual ? -3 : -2);
  const earlier = inputs.past?.[0].keys.shape.at(-3) ?? 0;

  if (start < stop) needScores(model.blocks[start].attention.heads, batch, pos, earlier + pos);
  const places = placesOf(inputs, batch, pos, earlier);
  let resid = inputs.residual ?? embeddings(model, inputs, places, scope);
  const posEmbed = inputs.shortformerPosEmbed;
  const beside = posEmbed === undefined ? positions.besideStream?.(places, scope) : (posEmbed ?? undefined);
  const mask = masks(model.causal, inputs, batch, pos, earlier);
  for (let layer = start; layer < stop; layer++) {
    const run = { mask, past: inputs.past?.[layer], besideStream: beside, places };
    resid = block(model.blocks[layer], resid, run, scope.part(`blocks.${layer}`));
  }
  const { points, asides } = trace;
  if (inputs.stopAtLayer !== undefined) return { output: resid, points, asides };
  const normalized = norm(resid, model.finalNorm, scope.part("ln_final"));
  const read = model.mlmHead ? mlmHead(model.mlmHead, normalized, scope.part("mlm_head")) : normalized;
  return { output: unembedding(model.d_vocab_out, model.logitsCap, read, scope.part("unembed")), points, asides };
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

/** Where a run's tokens are, as the caller says or as counted. */
function placesOf(inputs: ForwardInputs, batch: number, pos: number, earlier: number): Places {
  const { positionIds, keyPositionIds, attentionMask } = inputs;
  const counted = () => positionLeaves(batch, pos, earlier, attentionMask);
  return {
    queries: () => positionIds ?? counted().queries,
    keys: () => keyPositionIds ?? counted().keys,
    kept: () => (positionIds ? undefined : counted().kept),
  };
}

/**
 * Position ids int32 [batch pos], of this run's tokens and of all keys, and which tokens are kept, bool [batch pos 1].
 * Positions are counted from the earlier ones on; with a mask only unmasked positions are counted.
 */
const positionLeaves = remembered((batch, pos, earlier, mask) => {
  const all = earlier + pos;
  const keys = new Int32Array(batch * all);
  const queries = new Int32Array(batch * pos);
  const kept = new Uint8Array(batch * pos).fill(1);
  for (let b = 0; b < batch; b++) {
    let seen = 0;
    for (let p = 0; p < all; p++) {
      const real = mask ? mask.data[b * all + p] : 1;
      seen += real;
      keys[b * all + p] = Math.max(seen - 1, 0);
      if (p < earlier) continue;
      queries[b * pos + p - earlier] = keys[b * all + p];
      kept[b * pos + p - earlier] = real;
    }
  }
  return {
    queries: Tensor.leaf(ndarray("int32", [batch, pos], queries), ["batch", "pos"]),
    keys: Tensor.leaf(ndarray("int32", [batch, all], keys), ["batch", "pos"]),
    kept: mask && Tensor.leaf(ndarray("bool", [batch, pos, 1], kept), ["batch", "pos", "d_model"]),
  };
});

/** The mask is made before the run is planned, so what would surely be refused then is refused now. @throws MemoryError */
function needScores(heads: number, batch: number, queries: number, keys: number): void {
  needMemory({
    what: `Attention from ${queries} positions to ${keys} (in ${heads} heads of ${batch} rows)`,
    bytes: 4 * batch * heads * queries * keys,
    advice: "pass shorter texts, or fewer at a time",
  });
}

/**
 * Which keys each query sees: those not later than itself if causal, none further back than its window, and never padding.
 */
function masks(
  causal: boolean,
  { attentionMask: padding, positionIds, keyPositionIds }: ForwardInputs,
  batch: number,
  pos: number,
  earlier: number,
): (window: number | null) => Mask {
  return (window) => {
    if (window !== null && positionIds && keyPositionIds) return withinWindow(positionIds, keyPositionIds, window);
    const near = window !== null && window < earlier + pos ? window : null;
    if (!causal) return padding?.unsqueeze(1).unsqueeze(1).rename(["batch", "head", "query", "key"]);
    if (pos === 1 && !padding && near === null) return undefined; // the last query sees every key
    return causalMask(padding ? batch : 1, pos, earlier, padding, near);
  };
}

/** The same from positions that vary from run to run: bool [batch 1 query key], true for the `window` keys up to the query. */
function withinWindow(queries: Tensor, keys: Tensor, window: number): Tensor {
  const query = queries.unsqueeze(1).unsqueeze(-1).rename(["batch", "head", "query", "key"]);
  const key = keys.unsqueeze(1).unsqueeze(1).rename(["batch", "head", "query", "key"]);
  return key.lessThan(query.add(1)).and(query.sub(window).lessThan(key));
}

const causalMask = remembered((rows, pos, earlier, padding, window): Tensor => {
  const keys = earlier + pos;
  const data = new Uint8Array(rows * pos * keys);
  for (let b = 0, at = 0; b < rows; b++) {
    for (let q = earlier; q < keys; q++) {
      for (let k = 0; k < keys; k++) {
        const seen = k <= q && (window === null || k > q - window);
        data[at++] = +(seen && (!padding || padding.data[b * keys + k] === 1));
      }
    }
  }
  if (!padding) return Tensor.leaf(ndarray("bool", [pos, keys], data), ["query", "key"]);
  return Tensor.leaf(ndarray("bool", [rows, 1, pos, keys], data), ["batch", "head", "query", "key"]);
});

/** The same leaves for the same sizes and mask, so that two graphs of one input share what they have in common. */
function remembered<T>(
  make: (batch: number, pos: number, earlier: number, mask: Tensor | undefined, window: number | null) => T,
): (batch: number, pos: number, earlier: number, mask: Tensor | undefined, window?: number | null) => T {
  const unmasked = new Map<string, T>();
  const masked = new WeakMap<Tensor, Map<string, T>>();
  return (batch, pos, earlier, mask, window = null) => {
    const known = mask ? (masked.get(mask) ?? new Map<string, T>()) : unmasked;
    if (mask) masked.set(mask, known);
    const key = `${batch} ${pos} ${earlier} ${window}`;
    const leaves = known.get(key) ?? make(batch, pos, earlier, mask, window);
    if (known.size >= 16) known.delete(known.keys().next().value!);
    known.set(key, leaves);
    return leaves;
  };
}
