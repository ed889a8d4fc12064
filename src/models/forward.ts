/** The forward pass as a graph: building it computes nothing. */
import { Tensor } from "../graph/tensor.ts";
import { ndarray, sizeOf } from "../tensor/array.ts";
import { needMemory } from "../tensor/free-memory.ts";
import type { Mask, PastKeysValues } from "./blocks/attention.ts";
import { block } from "./blocks/block.ts";
import { norm } from "./blocks/norm.ts";
import { Scope, type Wanted } from "./blocks/scope.ts";
import type { HookedTransformerConfig, NormalizationType } from "./config.ts";
import type { Weights } from "./weights.ts";

export interface ForwardInputs {
  /** int32 [batch pos]. Needed unless a residual is given. */
  readonly tokens?: Tensor | undefined;
  /** [batch pos d_model]: where the pass starts instead, as `hook_resid_pre` of `startAtLayer`. */
  readonly residual?: Tensor | undefined;
  /** First block to run. */
  readonly startAtLayer?: number;
  /** First block not to run: the result is then the residual stream before it, not logits. */
  readonly stopAtLayer?: number | undefined;
  /** bool [batch key]: false where a position is padding. It covers past positions too. */
  readonly attentionMask?: Tensor | undefined;
  /** Shortformer: what queries and keys see, [batch pos d_model], in place of the model's own; null for nothing. */
  readonly shortformerPosEmbed?: Tensor | null | undefined;
  /** int32 [batch pos]: which position each token is at; counted unless given. */
  readonly positionIds?: Tensor | undefined;
  /** Keys and values of earlier positions, a pair a layer. */
  readonly past?: readonly PastKeysValues[] | undefined;
}

export interface Forward {
  /** Logits [batch pos d_vocab], or the residual stream [batch pos d_model] if stopped before the end. */
  readonly output: Tensor;
  /** Every hook point made, in firing order. */
  readonly points: ReadonlyMap<string, Tensor>;
}

/**
 * Builds the pass: embeddings, blocks, final norm, unembedding. `wanted` says which of the costly points to make.
 * Source: TransformerLens' `HookedTransformer.forward`.
 */
export function forward(
  cfg: HookedTransformerConfig,
  weights: Weights,
  inputs: ForwardInputs,
  wanted: Wanted = { reads: () => false, hooks: () => false },
): Forward {
  const scope = new Scope(weights, wanted);
  const start = inputs.startAtLayer ?? 0;
  const stop = inputs.stopAtLayer ?? cfg.nLayers;
  const [batch, pos] = (inputs.residual ?? inputs.tokens)!.shape.slice(inputs.residual ? -3 : -2);
  const earlier = inputs.past?.[0].keys.shape.at(-3) ?? 0;

  if (start < stop) needScores(cfg, batch, pos, earlier + pos);
  const shortformer = cfg.positionalEmbeddingType === "shortformer";
  const embed =
    inputs.residual ?? scope.point("hook_embed", scope.part("embed").weight("W_E").gather(-2, inputs.tokens!));
  const counted = () => positionLeaves(batch, pos, earlier, inputs.attentionMask);
  const own = () => positions(scope, inputs.positionIds ? { ids: inputs.positionIds, kept: undefined } : counted());
  const given = inputs.shortformerPosEmbed;
  const shortformerPos = shortformer ? (given === undefined ? own() : (given ?? undefined)) : undefined;
  let resid = inputs.residual || shortformer ? embed : embed.add(own());
  const mask = visible(cfg, batch, pos, earlier, inputs.attentionMask);
  for (let layer = start; layer < stop; layer++) {
    const past = inputs.past?.[layer];
    resid = block(resid, { mask, past, shortformerPos }, layer, cfg, scope.part(`blocks.${layer}`));
  }
  if (inputs.stopAtLayer !== undefined) return { output: resid, points: scope.points };
  const last = finalNorm(cfg);
  const normalized = last ? norm(resid, last, cfg.eps, scope.part("ln_final")) : resid;
  return { output: unembed(normalized, scope.part("unembed")), points: scope.points };
}

/** Rows from which on the product with a transposed W_U is the faster one. Measured: `npm run bench -- forward`. */
const TRANSPOSED_FROM = 4;

/** `x W_U + b_U`, [batch pos d_vocab]. */
function unembed(x: Tensor, scope: Scope): Tensor {
  const [weight, bias] = [scope.weight("W_U"), scope.weight("b_U")];
  if (sizeOf(x.shape.slice(0, -1)) < TRANSPOSED_FROM) return x.matmul(weight).add(bias);
  const transposed = transposedOnce.get(weight) ?? weight.transpose();
  transposedOnce.set(weight, transposed);
  return x.linear(transposed, bias);
}
const transposedOnce = new WeakMap<Tensor, Tensor>();

/** The kind of `ln_final`: with `finalRms` an RMSNorm, with weights where the other norms have them. */
export function finalNorm(cfg: HookedTransformerConfig): NormalizationType | null {
  if (!cfg.finalRms || cfg.normalizationType === null) return cfg.normalizationType;
  return cfg.normalizationType === "LN" ? "RMS" : cfg.normalizationType === "LNPre" ? "RMSPre" : cfg.normalizationType;
}

/**
 * Position embeddings [batch pos d_model]. Positions count from the earlier ones on; with a mask they count unmasked
 * positions only, and masked ones get zeros.
 */
function positions(scope: Scope, { ids, kept }: { ids: Tensor; kept: Tensor | undefined }): Tensor {
  const rows = scope.part("pos_embed").weight("W_pos").gather(-2, ids);
  return scope.point("hook_pos_embed", kept ? rows.where(kept, rows.constant(0)) : rows);
}

/** Position ids int32 [batch pos], and with a mask which of them are kept, bool [batch pos 1]. */
const positionLeaves = remembered((batch, pos, earlier, mask): { ids: Tensor; kept: Tensor | undefined } => {
  const ids = new Int32Array(batch * pos);
  const kept = new Uint8Array(batch * pos).fill(1);
  for (let b = 0; b < batch; b++) {
    let seen = 0;
    for (let p = 0; p < earlier + pos; p++) {
      const real = mask ? mask.data[b * (earlier + pos) + p] : 1;
      seen += real;
      if (p < earlier) continue;
      ids[b * pos + p - earlier] = Math.max(seen - 1, 0);
      kept[b * pos + p - earlier] = real;
    }
  }
  return {
    ids: Tensor.leaf(ndarray("int32", [batch, pos], ids), ["batch", "pos"]),
    kept: mask && Tensor.leaf(ndarray("bool", [batch, pos, 1], kept), ["batch", "pos", "d_model"]),
  };
});

/** The mask is made before the run is planned, so what is sure to be refused then is refused now. @throws MemoryError */
function needScores({ nHeads }: HookedTransformerConfig, batch: number, queries: number, keys: number): void {
  needMemory({
    what: `Attention from ${queries} positions to ${keys} (in ${nHeads} heads of ${batch} rows)`,
    bytes: 4 * batch * nHeads * queries * keys,
    advice: "give shorter texts, or fewer at a time",
  });
}

/** Which keys each query sees: those not later than itself if causal, and never padding. */
function visible(
  cfg: HookedTransformerConfig,
  batch: number,
  pos: number,
  earlier: number,
  padding: Tensor | undefined,
): Mask {
  if (cfg.attentionDir === "causal" && pos === 1 && !padding) return undefined; // the last query sees every key
  if (cfg.attentionDir === "causal") return causalMask(padding ? batch : 1, pos, earlier, padding);
  return padding?.unsqueeze(1).unsqueeze(1).rename(["batch", "head", "query", "key"]);
}

const causalMask = remembered((rows, pos, earlier, padding): Tensor => {
  const keys = earlier + pos;
  const data = new Uint8Array(rows * pos * keys);
  for (let b = 0, at = 0; b < rows; b++) {
    for (let q = 0; q < pos; q++) {
      for (let k = 0; k < keys; k++) data[at++] = +(k <= earlier + q && (!padding || padding.data[b * keys + k] === 1));
    }
  }
  if (!padding) return Tensor.leaf(ndarray("bool", [pos, keys], data), ["query", "key"]);
  return Tensor.leaf(ndarray("bool", [rows, 1, pos, keys], data), ["batch", "head", "query", "key"]);
});

/** The same leaves for the same sizes and mask, so that two graphs of one input share what they have in common. */
function remembered<T>(
  make: (batch: number, pos: number, earlier: number, mask: Tensor | undefined) => T,
): (batch: number, pos: number, earlier: number, mask: Tensor | undefined) => T {
  const unmasked = new Map<string, T>();
  const masked = new WeakMap<Tensor, Map<string, T>>();
  return (batch, pos, earlier, mask) => {
    const known = mask ? (masked.get(mask) ?? new Map<string, T>()) : unmasked;
    if (mask) masked.set(mask, known);
    const key = `${batch} ${pos} ${earlier}`;
    const found = known.get(key) ?? make(batch, pos, earlier, mask);
    if (known.size >= 16) known.delete(known.keys().next().value!);
    known.set(key, found);
    return found;
  };
}
