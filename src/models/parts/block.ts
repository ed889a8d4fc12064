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
} from "./attention.ts";
import type { MlpNames } from "./mlp.ts";
import { type NormKind, type NormNames, norm } from "./norm.ts";

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
    | "hook_mlp_in"
    | "hook_mlp_out"
    | "hook_resid_post";
}

/** The hook points of a block and its parts, as they are called within it. */
export type BlockPoint =
  | OwnNames["point"]
  | `ln1.${NormNames["point"]}`
  | `attn.${AttentionNames["point"]}`
  | `ln2.${NormNames["point"]}`
  | `mlp.${MlpNames["point"]}`;

/** A kind of block. */
export interface BlockKind {
  /** Before attention, and before the MLP. */
  readonly norm: NormKind | null;
  readonly attention: AttentionKind;
  /** From the normed stream to what the MLP writes; null in blocks without one. */
  readonly mlp: ((x: Tensor, scope: Scope<MlpNames>) => Tensor) | null;
  /** Whether the MLP also reads what attention has written, or reads the same as attention. */
  readonly order: "sequential" | "parallel";
}

export interface BlockRun extends AttentionRun {
  /** Shortformer: position embeddings that the queries and keys see, and the residual stream does not. */
  readonly besideStream: Tensor | undefined;
}

/**
 * ```
 * sequential:  mid = pre + attn(ln1 pre)      post = mid + mlp(ln2 mid)
 * parallel:    post = pre + attn(ln1 pre) + mlp(ln2 pre)
 * ```
 * all [batch pos d_model]. Hook points: `hook_resid_pre`, `hook_attn_out`, `hook_resid_mid` (sequential blocks with an
 * MLP), `hook_mlp_out`, `hook_resid_post`, and on request `hook_attn_in`, `hook_q_input`, `hook_k_input`,
 * `hook_v_input` [batch pos head d_model] and `hook_mlp_in`. Source: TransformerLens' `TransformerBlock`; Wang and
 * Komatsuzaki 2021 (GPT-J) for the parallel one.
 */
export function block(kind: BlockKind, x: Tensor, run: BlockRun, scope: Scope<OwnNames>): Tensor {
  const pre = scope.point("hook_resid_pre", x);
  const from = attentionInputs(kind, pre, run.besideStream, scope);
  const attnOut = scope.point("hook_attn_out", attention(kind.attention, from, run, scope.part("attn")));
  const afterAttention = write(pre, attnOut, scope);
  if (!kind.mlp) return scope.point("hook_resid_post", afterAttention);

  const sequential = kind.order === "sequential";
  const mid = sequential ? scope.point("hook_resid_mid", afterAttention) : afterAttention;
  const read = sequential ? mid : pre;
  const mlpIn = scope.hooked("hook_mlp_in") ? scope.point("hook_mlp_in", read) : read;
  if (mlpIn === read) scope.aside("hook_mlp_in", () => read);
  const mlpOut = scope.point("hook_mlp_out", kind.mlp(norm(mlpIn, kind.norm, scope.part("ln2")), scope.part("mlp")));
  return scope.point("hook_resid_post", write(mid, mlpOut, scope));
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
