/** Multi-head attention with every intermediate a hook point. */
import type { Tensor } from "../../graph/tensor.ts";
import type { Scope } from "../scope.ts";
import type { AttentionWeights } from "../structure.ts";
import { type AlibiKind, alibi } from "./alibi.ts";
import { type NormKind, type NormNames, norm } from "./norm.ts";
import type { Places } from "./places.ts";
import { type RotaryKind, rotate } from "./rotary.ts";
import { softCap } from "./soft-cap.ts";

/** An attention layer's names. Weights whose heads are shared have an underscore in front, as in TransformerLens. */
export interface AttentionNames {
  readonly weight: keyof AttentionWeights | "_W_K" | "_b_K" | "_W_V" | "_b_V" | "sinks";
  readonly point:
    | "hook_q"
    | "hook_k"
    | "hook_v"
    | `q_norm.${NormNames["point"]}`
    | `k_norm.${NormNames["point"]}`
    | "hook_rot_q"
    | "hook_rot_k"
    | "hook_attn_scores"
    | "hook_pattern"
    | "hook_z"
    | "hook_result";
}

/** Whether a layer's queries see all earlier keys or the nearest ones. */
export const ATTENTION_TYPES = ["global", "local"] as const;
export type AttentionType = (typeof ATTENTION_TYPES)[number];

/**
 * Norms of queries and keys, by what they are called in a configuration: RMSNorms of each head, with one weight [d_head] for
 * all heads (TransformerLens', of Qwen 3 and Gemma 3); of all heads together, with a weight [head d_head] (OLMo 2);
 * LayerNorms of each head, with one weight and bias [d_head] for all (Phi), or with a weight [head d_head] and without
 * biases (Cohere, StableLM).
 */
export const QK_NORMS = {
  RMS: { subtractsMean: false, weights: true },
  RMSOfAllHeads: { subtractsMean: false, weights: true, over: 2, weightAxes: 2 },
  LN: { subtractsMean: true, weights: true },
  LNWithoutBias: { subtractsMean: true, weights: true, weightAxes: 2, bias: false },
} as const satisfies Record<string, Omit<NormKind, "eps">>;

/** The name of a kind of norms of queries and keys. */
export type QkNormType = keyof typeof QK_NORMS;

/** A kind of attention layer. */
export interface AttentionKind {
  readonly d_model: number;
  readonly d_head: number;
  readonly heads: number;
  /** Heads of keys and values: as many as `heads`, or fewer, each of which serves several neighbouring heads. */
  readonly keyValueHeads: number;
  /** What scores are divided by. */
  readonly divisor: number;
  /** What scores are softly held below; null: nothing. */
  readonly scoresCap: number | null;
  /** How far back a query sees, itself included; null: to the beginning. */
  readonly window: number | null;
  /** How queries and keys are turned by their positions; null: not at all. */
  readonly rotary: RotaryKind | null;
  /** Whether heads attend to a sink, in addition to keys: it takes a share of each query's attention, and has no value. */
  readonly sinks: boolean;
  /** Queries, keys and values are held between this and its negative, queries and keys after their norms; null: they are not. */
  readonly clip: number | null;
  /** The norms of queries and keys; null: none. */
  readonly qkNorm: NormKind | null;
  /** How scores fall with the distance of query and key; null: not at all. */
  readonly alibi: AlibiKind | null;
}

/** What the queries, keys and values are computed from: [batch pos d_model], or a head's own [batch pos head d_model]. */
export interface AttentionInputs {
  readonly query: Tensor;
  readonly key: Tensor;
  readonly value: Tensor;
}

/** Keys and values of earlier positions, [batch pos head d_head], to go before this run's. */
export interface PastKeysValues {
  readonly keys: Tensor;
  readonly values: Tensor;
  /** Whether the keys are as queries meet them, after norms and turns; otherwise both are done in each run. */
  readonly placed?: boolean | undefined;
}

/** Which keys a query may see: bool [query key] or [batch 1 query key]. `undefined`: all. */
export type Mask = Tensor | undefined;

/** What attention needs of a run besides its inputs. */
export interface AttentionRun {
  /** Which keys a query with this window may see. */
  mask(window: number | null): Mask;
  readonly past: PastKeysValues | undefined;
  readonly places: Places;
  /** What is added to the scores, [1 head query key], made in the scope of the first layer that adds it. */
  readonly bias?: ((scope: Scope) => Tensor) | undefined;
  /** Whether the inputs of keys and values are keys and values themselves, from an earlier run. */
  readonly made?: boolean | undefined;
  /** Is handed this run's own keys, as queries meet them, and values, for later runs; not in a run with a past that is not placed. */
  readonly keep?: ((own: PastKeysValues) => void) | undefined;
}

/**
 * ```
 * q = x W_Q + b_Q    k = x W_K + b_K    v = x W_V + b_V          [batch pos head d_head]
 * q = norm(q)        k = norm(k)                                  with norms of queries and keys
 * q = clip(q)        k = clip(k)        v = clip(v)               if there is a clip
 * q = rotate(q)      k = rotate(k)                                with rotary positions
 * scores = q·k / divisor, softly capped, -inf where masked        [batch head query key]
 * scores = scores + alibi                                         with ALiBi positions
 * scores = scores + bias                                          with relative positions
 * pattern = softmax(scores)                                       [batch head query key]
 * z = pattern v                                                   [batch pos head d_head]
 * out = Σ_head z W_O + b_O                                        [batch pos d_model]
 * ```
 * With fewer heads of keys and values than of queries, k and v are [batch pos kv_head d_head], and each serves
 * `heads / keyValueHeads` neighbouring heads (grouped-query attention). With sinks the softmax is over the scores and one number
 * of the head's, `sinks` [head], whose share is in no pattern: `pattern = softmax(scores) · sigmoid(logsumexp(scores) - sinks)`.
 *
 * Hook points: `hook_q`, `hook_k`, `hook_v`, with norms `q_norm.hook_scale`, `q_norm.hook_normalized` and those of `k_norm`,
 * with rotary positions `hook_rot_q`, `hook_rot_k`, `hook_attn_scores`, `hook_pattern`, `hook_z`, and on request
 * `hook_result`, each head's own z W_O. `hook_v`, and without norms `hook_q` and `hook_k`, are clipped. Source: Vaswani et al. 2017; Ainslie et al. 2023; gpt-oss' code (sinks); Henry et al. 2020 (norms of queries
 * and keys); TransformerLens' `AbstractAttention` and `GroupedQueryAttention`.
 */
export function attention(
  kind: AttentionKind,
  inputs: AttentionInputs,
  run: AttentionRun,
  scope: Scope<AttentionNames>,
): Tensor {
  const { d_model, d_head, heads: head } = kind;
  const grouped = kind.keyValueHeads !== head;
  const keyHeads = grouped ? { kv_head: kind.keyValueHeads } : { head };
  const W_Q = scope.weight("W_Q", { head, d_model, d_head }, "drawn");
  const b_Q = scope.weight("b_Q", { head, d_head }, "zeros");
  const W_K = scope.weight(grouped ? "_W_K" : "W_K", { ...keyHeads, d_model, d_head }, "drawn");
  const b_K = scope.weight(grouped ? "_b_K" : "b_K", { ...keyHeads, d_head }, "zeros");
  const W_V = scope.weight(grouped ? "_W_V" : "W_V", { ...keyHeads, d_model, d_head }, "drawn");
  const b_V = scope.weight(grouped ? "_b_V" : "b_V", { ...keyHeads, d_head }, "zeros");
  const W_O = scope.weight("W_O", { head, d_head, d_model }, "drawn");
  const b_O = scope.weight("b_O", { d_model }, "zeros");
  const sinks = kind.sinks ? scope.weight("sinks", { head }, "drawn") : undefined;
  const { past, places } = run;
  const { rotary } = kind;
  const weights = { W_Q, b_Q, W_K, b_K, W_V, b_V, W_O, b_O };
  const { clipped, projected, normed } = clipsAndNorms(kind, scope);
  scope.says(({ attentions }) => {
    attentions.push({ weights, between: betweenOf(kind), sumsToOne: !sinks, clipsValues: kind.clip !== null });
  });

  const newQ = scope.point("hook_q", projected(project(inputs.query, W_Q, b_Q, scope)));
  const newK = run.made ? inputs.key : scope.point("hook_k", projected(project(inputs.key, W_K, b_K, scope)));
  const newV = run.made ? inputs.value : scope.point("hook_v", clipped(project(inputs.value, W_V, b_V, scope)));
  const withPast = (x: Tensor, earlier: Tensor | undefined) => (earlier ? earlier.concat(x, -3) : x);
  const v = withPast(newV, past?.values);
  const normedQ = normed(newQ, "q_norm");
  const turned = (x: Tensor, at: Tensor) => (rotary ? rotate(x, at, rotary, places.keys(null)) : x);
  const q = rotary ? scope.point("hook_rot_q", turned(normedQ, places.queries())) : normedQ;
  const normedK = normed(past?.placed ? newK : withPast(newK, past?.keys), "k_norm");
  const turnedK = turned(normedK, past?.placed ? places.queries() : places.keys(kind.window));
  const placedK = past?.placed ? withPast(turnedK, past.keys) : turnedK;
  const k = rotary ? scope.point("hook_rot_k", placedK) : placedK;
  if (!past || past.placed) run.keep?.({ keys: turnedK, values: newV, placed: true });

  const products = scoresOf(q.rename({ pos: "query" }), k.rename({ pos: "key" }));
  const divided = kind.divisor === 1 ? products : products.div(q.constant(kind.divisor));
  const scaled = softCap(divided, kind.scoresCap);
  const placed = kind.alibi ? scaled.add(alibi(kind.alibi, places, kind.window)) : scaled;
  const mask = run.mask(kind.window);
  const biased = run.bias ? placed.add(run.bias(scope)) : placed;
  const scores = scope.point("hook_attn_scores", mask ? biased.where(mask, q.constant(-Infinity)) : biased);
  const softmax = sinks ? besideSinks(scores, sinks) : scores.softmax();
  // A query that may see no key has no softmax; as in TransformerLens it attends to nothing.
  const blind = (mask !== undefined && mask.shape.length > 2) || scope.hooked("hook_attn_scores");
  const pattern = scope.point("hook_pattern", blind ? softmax.where(softmax.equal(softmax), q.constant(0)) : softmax);

  const z = scope.point("hook_z", mixed(pattern, v.rename({ pos: "key" })).rename({ query: "pos" }));
  const results = () => z.einsum("he,hem->hm", W_O);
  if (scope.hooked("hook_result")) return scope.point("hook_result", results()).sum("head").add(b_O);
  scope.aside("hook_result", results);
  const out = z.einsum("he,hem->m", W_O).add(b_O);
  scope.says(({ products }) => products.push({ input: z, weight: W_O, bias: b_O, result: out }));
  return out;
}

/** What is between the products that make queries and keys and that of their scores, in words. */
function betweenOf({ clip, qkNorm, rotary }: AttentionKind): string[] {
  return [
    ...(clip === null ? [] : ["clipped queries, keys and values"]),
    ...(qkNorm ? ["norms of queries and keys"] : []),
    ...(rotary ? ["rotary positions"] : []),
  ];
}

/** Clips and norms: of values, of queries and keys as their products make them, and of those as rotary positions turn them. */
function clipsAndNorms({ clip, qkNorm }: AttentionKind, scope: Scope<AttentionNames>) {
  const clipped = (x: Tensor) => (clip === null ? x : x.minimum(x.constant(clip)).maximum(x.constant(-clip)));
  return {
    clipped,
    projected: (x: Tensor) => (qkNorm ? x : clipped(x)),
    normed: (x: Tensor, part: "q_norm" | "k_norm") => (qkNorm ? clipped(norm(x, qkNorm, scope.part(part))) : x),
  };
}

/** A softmax over the keys' scores and a sink, without the sink's share: [batch head query key]. */
function besideSinks(scores: Tensor, sinks: Tensor): Tensor {
  const shares = scores.logSumExp(-1, true).sub(sinks.unsqueeze(-1).unsqueeze(-1)).sigmoid();
  return scores.softmax().mul(shares);
}

/** q·k, [batch head query key]: a head of keys meets each of the neighbouring heads of queries that share it. */
function scoresOf(q: Tensor, k: Tensor): Tensor {
  if (k.axes.at(-2) === "head") return q.einsum("qhe,khe->hqk", k);
  const sharing = q.splitAxis(-2, { kv_head: k.shape.at(-2)!, "": -1 });
  return sharing.einsum("qhge,khe->hgqk", k).mergeAxes(-4, 2, "head");
}

/** Σ_key pattern v, [batch query head d_head]: so do values. */
function mixed(pattern: Tensor, v: Tensor): Tensor {
  if (v.axes.at(-2) === "head") return pattern.einsum("hqk,khe->qhe", v);
  const sharing = pattern.splitAxis(-3, { kv_head: v.shape.at(-2)!, "": -1 });
  return sharing.einsum("hgqk,khe->qhge", v).mergeAxes(-3, 2, "head");
}

/** x W + b for all heads: [batch pos d_model] or [batch pos head d_model] to [batch pos head d_head]. */
function project(x: Tensor, weight: Tensor, bias: Tensor, scope: Scope): Tensor {
  if (x.axes.at(-2) === weight.axes[0]) return x.einsum("hm,hme->he", weight).add(bias);
  const result = x.einsum("m,hme->he", weight).add(bias);
  scope.says(({ products }) => products.push({ input: x, weight, bias, result }));
  return result;
}
