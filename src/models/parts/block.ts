/** One transformer block: attention and MLP around the residual stream. */
import type { Tensor } from "../../graph/tensor.ts";
import type { Scope } from "../scope.ts";
import { write } from "./affine.ts";
import {
  type AttentionInputs,
  type AttentionKind,
  type AttentionNames,
  type AttentionRun,
  attention,
  type Mask,
} from "./attention.ts";
import type { ExpertsNames } from "./experts.ts";
import type { MlpNames } from "./mlp.ts";
import { type NormKind, type NormNames, norm } from "./norm.ts";
import type { RelativeNames } from "./relative-positions.ts";

/** A block's own names. */
interface OwnNames {
  readonly weight: never;
  readonly point:
    | "hook_resid_pre"
    | "hook_attn_in"
    | "hook_q_input"
    | "hook_k_input"
    | "hook_v_input"
    | "hook_attn_out"
    | "hook_resid_mid"
    | "hook_cross_attn_in"
    | "hook_cross_attn_out"
    | "hook_resid_mid_cross"
    | "hook_mlp_in"
    | "mlp.hook_in"
    | "mlp.hook_out"
    | "hook_mlp_out"
    | "hook_resid_post"
    | "hook_normalized_resid_post";
}

/** The hook points of a block and its parts, as they are called within it. */
export type BlockPoint =
  | OwnNames["point"]
  | `ln1.${NormNames["point"]}`
  | `ln1_post.${NormNames["point"]}`
  | `attn.${AttentionNames["point"]}`
  | `attn.${RelativeNames["point"]}`
  | `ln2.${NormNames["point"]}`
  | `ln2_post.${NormNames["point"]}`
  | `cross_attn.${AttentionNames["point"]}`
  | `ln3.${NormNames["point"]}`
  | `mlp.${MlpNames["point"] | ExpertsNames["point"]}`;

/**
 * Where a block's norms stand: before what reads the residual stream, after each addition to it, or between what attention and
 * MLP write and its addition to the stream.
 */
export const NORM_PLACEMENTS = ["before", "after", "output"] as const;
export type NormPlacement = (typeof NORM_PLACEMENTS)[number];

/** A kind of block. */
export interface BlockKind {
  /** Of attention, and of the MLP. */
  readonly norm: NormKind | null;
  readonly normPlacement: "before" | "after";
  /** Of what attention and MLP write, before it is added to the stream. */
  readonly outputNorm: NormKind | null;
  readonly attention: AttentionKind;
  /** From the stream to what an encoder has made; null in blocks without it. */
  readonly crossAttention?: AttentionKind | null;
  /** From the normed stream to what the MLP writes; null in blocks without one. */
  readonly mlp: ((x: Tensor, scope: Scope<MlpNames & ExpertsNames>) => Tensor) | null;
  /** Whether the MLP also reads what attention has written, or reads the same as attention. */
  readonly order: "sequential" | "parallel";
}

/** What a decoder's blocks read of the encoder. */
export interface CrossInputs {
  /** [batch pos d_model], or keys and values that were made of it before. */
  readonly key: Tensor;
  readonly value: Tensor;
  readonly made: boolean;
  readonly mask: Mask;
}

export interface BlockRun extends AttentionRun {
  readonly cross?: CrossInputs | undefined;
  /** Shortformer: position embeddings that the queries and keys see, and the residual stream does not. */
  readonly besideStream: Tensor | undefined;
}

/**
 * ```
 * sequential:  mid = pre + attn(ln1 pre)      post = mid + mlp(ln2 mid)
 * parallel:    post = pre + attn(ln1 pre) + mlp(ln2 pre)
 * output norms: mid = pre + ln1_post attn(ln1 pre)   post = mid + ln2_post mlp(ln2 mid)        and so in parallel blocks
 * crossing:    mid = pre + attn(ln1 pre)      cross = mid + cross_attn(ln2 mid, encoded)      post = cross + mlp(ln3 cross)
 * norms after: mid = pre + attn(pre)          post = ln1 mid + mlp(ln1 mid)          out = ln2 post
 * ```
 * all [batch pos d_model]. Hook points: `hook_resid_pre`, `hook_attn_out`, `hook_resid_mid` (sequential blocks with an
 * MLP), where it crosses to an encoder `hook_cross_attn_out`, `hook_resid_mid_cross` and on request `hook_cross_attn_in`,
 * `hook_mlp_out`, `hook_resid_post`, with norms after the additions then `hook_normalized_resid_post`, and on request
 * `hook_attn_in`, `hook_q_input`, `hook_k_input`, `hook_v_input` [batch pos head d_model] and `hook_mlp_in`, and within the norms `mlp.hook_in` and `mlp.hook_out`: what
 * the MLP itself reads and writes. Source:
 * TransformerLens' `TransformerBlock` and `T5Block`, and its `BertBlock` for norms after the additions (Vaswani et al. 2017); Wang and
 * Komatsuzaki 2021 (GPT-J) for the parallel one.
 */
export function block(kind: BlockKind, x: Tensor, run: BlockRun, scope: Scope<OwnNames>): Tensor {
  return kind.normPlacement === "after" ? blockWithNormsAfter(kind, x, run, scope) : blockOf(kind, x, run, scope);
}

function blockOf(kind: BlockKind, x: Tensor, run: BlockRun, scope: Scope<OwnNames>): Tensor {
  const pre = scope.point("hook_resid_pre", x);
  const from = attentionInputs(kind, pre, run.besideStream, scope);
  const attnResult = attention(kind.attention, from, run, scope.part("attn"));
  const attnOut = scope.point("hook_attn_out", norm(attnResult, kind.outputNorm, scope.part("ln1_post")));
  const afterAttention = write(pre, attnOut, scope);
  if (!kind.mlp) return scope.point("hook_resid_post", afterAttention);

  const sequential = kind.order === "sequential";
  const mid = sequential ? scope.point("hook_resid_mid", afterAttention) : afterAttention;
  const crossed = kind.crossAttention ? crossing(kind, kind.crossAttention, mid, run, scope) : mid;
  const mlpIn = requested("hook_mlp_in", sequential ? crossed : pre, scope);
  const ln = scope.part<NormNames>(kind.crossAttention ? "ln3" : "ln2");
  const mlpResult = ownMlp(kind.mlp, norm(mlpIn, kind.norm, ln), scope);
  const mlpOut = scope.point("hook_mlp_out", norm(mlpResult, kind.outputNorm, scope.part("ln2_post")));
  return scope.point("hook_resid_post", write(crossed, mlpOut, scope));
}

/** The stream with what it reads of an encoder. */
function crossing(
  kind: BlockKind,
  attentionKind: AttentionKind,
  mid: Tensor,
  { cross, places }: BlockRun,
  scope: Scope<OwnNames>,
): Tensor {
  const { key, value, made, mask } = cross!;
  const read = requested("hook_cross_attn_in", mid, scope);
  const query = norm(read, kind.norm, scope.part("ln2"));
  const run = { mask: () => mask, past: undefined, places, made };
  const out = attention(attentionKind, { query, key, value }, run, scope.part("cross_attn"));
  return scope.point("hook_resid_mid_cross", write(mid, scope.point("hook_cross_attn_out", out), scope));
}

function blockWithNormsAfter(kind: BlockKind, x: Tensor, run: BlockRun, scope: Scope<OwnNames>): Tensor {
  const pre = scope.point("hook_resid_pre", x);
  const from = attentionInputs({ ...kind, norm: null }, pre, run.besideStream, scope);
  const attnOut = scope.point("hook_attn_out", attention(kind.attention, from, run, scope.part("attn")));
  const afterAttention = write(pre, attnOut, scope);
  const normalized = (value: Tensor, ln: string) =>
    scope.point("hook_normalized_resid_post", norm(value, kind.norm, scope.part(ln)));
  if (!kind.mlp) return normalized(scope.point("hook_resid_post", afterAttention), "ln1");

  const mlpIn = requested("hook_mlp_in", scope.point("hook_resid_mid", afterAttention), scope);
  const mid = norm(mlpIn, kind.norm, scope.part("ln1"));
  const mlpOut = scope.point("hook_mlp_out", ownMlp(kind.mlp, mid, scope));
  return normalized(scope.point("hook_resid_post", write(mid, mlpOut, scope)), "ln2");
}

/** The MLP, with points at what it reads and what it writes. */
function ownMlp(mlp: NonNullable<BlockKind["mlp"]>, x: Tensor, scope: Scope<OwnNames>): Tensor {
  return requested("mlp.hook_out", mlp(requested("mlp.hook_in", x, scope), scope.part("mlp")), scope);
}

/** A value with a point on request: where it is to be changed the point itself, else the value with the point next to it. */
function requested(name: OwnNames["point"], value: Tensor, scope: Scope<OwnNames>): Tensor {
  if (scope.hooked(name)) return scope.point(name, value);
  scope.aside(name, () => value);
  return value;
}

/**
 * What queries, keys and values read: ln1 of the residual stream. TransformerLens runs ln1 once for each; here it runs
 * again only for a hooked input of one of them, since only that differs. The points `ln1.*` are the shared run's.
 */
function attentionInputs(
  kind: BlockKind,
  pre: Tensor,
  besideStream: Tensor | undefined,
  scope: Scope<OwnNames>,
): AttentionInputs {
  const { heads, keyValueHeads } = kind.attention;
  const queryHeads = { axis: "head", count: heads };
  const keyHeads = keyValueHeads === heads ? queryHeads : { axis: "kv_head", count: keyValueHeads };
  const isPerHead = (x: Tensor) => x.axes.at(-2) === "head" || x.axes.at(-2) === "kv_head";
  const perHead = (x: Tensor, { axis, count }: typeof queryHeads) =>
    isPerHead(x) ? x : x.unsqueeze(-2, axis).repeat(-2, count);
  const normalized = (x: Tensor, to: Scope<OwnNames>) => norm(x, kind.norm, to.part("ln1"));
  const positioned = (x: Tensor) => {
    if (!besideStream) return x;
    return x.add(isPerHead(x) ? besideStream.unsqueeze(-2, x.axes.at(-2)) : besideStream);
  };

  // One input for all three has one kind of heads; there is none where keys and values have heads of their own.
  const shares = keyHeads === queryHeads;
  const attnIn = shares && scope.hooked("hook_attn_in") ? scope.point("hook_attn_in", perHead(pre, queryHeads)) : pre;
  if (shares && attnIn === pre) scope.aside("hook_attn_in", () => perHead(pre, queryHeads));
  const shared = normalized(attnIn, scope);
  const own = (name: "hook_q_input" | "hook_k_input" | "hook_v_input", of: typeof queryHeads) => {
    if (!scope.hooked(name)) {
      scope.aside(name, () => perHead(attnIn, of));
      return shared;
    }
    return normalized(scope.point(name, perHead(attnIn, of)), scope.unlisted());
  };
  return {
    query: positioned(own("hook_q_input", queryHeads)),
    key: positioned(own("hook_k_input", keyHeads)),
    value: own("hook_v_input", keyHeads),
  };
}
