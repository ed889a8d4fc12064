/** Mixtures of experts: many gated MLPs, of which a router chooses a few for each position. */
import { Tensor } from "../../graph/tensor.ts";
import { ndarray } from "../../tensor/array.ts";
import type { Scope } from "../scope.ts";
import { activations, type FixedActivation } from "./activation.ts";
import { affine } from "./affine.ts";

/** An expert's names. */
interface ExpertNames {
  readonly weight: "W_gate" | "b_gate" | "W_in" | "b_in" | "W_out" | "b_out";
  readonly point: "hook_gate" | "hook_pre" | "hook_post";
}

/** Names of a mixture: the router's own, those of its experts and of the one that all positions share. */
export interface ExpertsNames {
  readonly weight: "W_gate" | "b_gate" | "W_shared";
  readonly point:
    | "hook_expert_weights"
    | "hook_expert_indices"
    | "hook_shared_weight"
    | `experts.${number}.${ExpertNames["point"]}`
    | `shared_expert.${ExpertNames["point"]}`;
}

/** What a block with MLPs has: one, or a mixture of experts. */
export const MLP_TYPES = ["dense", "experts"] as const;
export type MlpType = (typeof MLP_TYPES)[number];

/** A kind of mixture. */
export interface ExpertsKind {
  readonly d_model: number;
  /** Neurons of one expert. */
  readonly d_mlp: number;
  readonly act: FixedActivation;
  readonly experts: number;
  /** How many of them each position has. */
  readonly perToken: number;
  /** Whether the router's softmax is over all experts, or over those it has chosen. */
  readonly softmax: "all" | "chosen";
  /** After a softmax over all: whether the weights of the chosen are divided by their sum. */
  readonly normalized: boolean;
  /** Whether router and experts have biases. */
  readonly biases: boolean;
  /** Experts are `act(min(gate, limit)) · (1 + pre within ±limit)` instead of `act(gate) · pre`. */
  readonly limit: number | null;
  /** Neurons of the expert that every position has; null: there is none. */
  readonly shared: number | null;
}

/**
 * ```
 * p = softmax(x W_gate)                                             [batch pos expert]
 * w, e = the largest of p, and which they are; w = w / Σ w          [batch pos choice]
 * gate = x W_gate of e    pre = x W_in of e                         [batch pos choice d_mlp]
 * post = act(gate) · pre                                            [batch pos choice d_mlp]
 * out = Σ_choice w (post W_out of e) + sigmoid(x W_shared) · shared [batch pos d_model]
 * ```
 * with the kind's variations; the last term only where there is a shared expert. Only what is chosen is computed.
 *
 * Hook points: `hook_expert_weights` for `p`, `hook_expert_indices` for `e` (int32), and of each expert
 * `experts.{i}.hook_gate`, `experts.{i}.hook_pre`, `experts.{i}.hook_post`, [batch pos d_mlp], 0 at positions that have not chosen
 * it; all `hook_gate` fire first, then all `hook_pre`. If the softmax is over the chosen, `hook_expert_weights` has theirs, and 0
 * elsewhere. `hook_shared_weight` [batch pos 1] and `shared_expert.hook_…` of a shared expert.
 *
 * Source: Shazeer et al. 2017, arXiv 1701.06538; Jiang et al. 2024 (Mixtral); TransformerLens' `MoE` and `GptOssMoE`, whose
 * experts' points have rows for the positions that chose them alone; transformers' `Qwen2MoeSparseMoeBlock` for the shared one.
 */
export function experts(kind: ExpertsKind, x: Tensor, scope: Scope<ExpertsNames>): Tensor {
  const { d_model, d_mlp, biases } = kind;
  const W_gate = scope.weight("W_gate", { d_model, expert: kind.experts }, "drawn");
  const b_gate = biases ? scope.weight("b_gate", { expert: kind.experts }, "zeros") : undefined;
  const { weights, indices } = routed(kind, affine(x, W_gate, b_gate, scope), scope);

  const scopes = Array.from({ length: kind.experts }, (_, i) => scope.part<ExpertNames>(`experts.${i}`));
  const matrices = scopes.map((own) => expertWeights(own, d_model, d_mlp, biases));
  const product = (input: Tensor, name: "gate" | "in" | "out") => {
    const W = matrices.map((of) => of[`W_${name}`]);
    const b = matrices.flatMap((of) => of[`b_${name}`] ?? []);
    const chosen = (input === x ? x.unsqueeze(-2, "choice") : input).matmulChosen(indices, W);
    const result = b.length > 0 ? chosen.add(stacked(b).gather(0, indices)) : chosen;
    scope.says(({ products }) => {
      if (input === x) products.push(...W.map((weight, i) => ({ input, weight, bias: b[i], result })));
    });
    return result;
  };
  const at = (name: ExpertNames["point"], value: Tensor) => atExperts(name, value, indices, scopes);
  const gate = at("hook_gate", product(x, "gate"));
  const pre = at("hook_pre", product(x, "in"));
  const post = at("hook_post", activated(kind, gate, pre));
  const mixed = product(post, "out").mul(weights.unsqueeze(-1)).sum("choice");

  const writers = matrices.flatMap(({ W_out, b_out }) => [W_out, b_out]);
  const shared = kind.shared === null ? undefined : sharedExpert(kind, kind.shared, x, scope);
  const out = shared ? mixed.add(shared.out) : mixed;
  if (shared) writers.push(shared.W_out);
  scope.says(({ mixtures }) => mixtures.push({ result: out, weights: writers.filter((w) => w !== undefined) }));
  return out;
}

/** Which experts each position has, and what each of theirs weighs, [batch pos choice]. */
function routed(kind: ExpertsKind, logits: Tensor, scope: Scope<ExpertsNames>): { weights: Tensor; indices: Tensor } {
  const choices = (t: Tensor) => t.rename([...logits.axes.slice(0, -1), "choice"]);
  const k = kind.perToken;
  if (kind.softmax === "all") {
    const all = scope.point("hook_expert_weights", logits.softmax());
    const { values, indices } = all.topK(k);
    const weights = choices(kind.normalized ? values.div(values.sum(-1, true)) : values);
    return { weights, indices: scope.point("hook_expert_indices", choices(indices)) };
  }
  const { values, indices } = logits.topK(k);
  const which = choices(indices);
  const weights = choices(values.softmax());
  const placed = weights.unsqueeze(-1).where(isExpert(which, kind.experts), weights.constant(0)).sum("choice");
  const all = scope.point("hook_expert_weights", placed);
  const hooked = scope.point("hook_expert_indices", which);
  const own = all.unsqueeze(-2, "choice").where(isExpert(hooked, kind.experts), all.constant(0)).sum(-1);
  return { weights: own, indices: hooked };
}

/** Where each choice is which expert: bool [batch pos choice expert]. */
function isExpert(indices: Tensor, count: number): Tensor {
  const each = ndarray(
    "int32",
    [count],
    Int32Array.from({ length: count }, (_, i) => i),
  );
  return indices.unsqueeze(-1).equal(Tensor.leaf(each, ["expert"], "constant"));
}

/** An expert's weights. */
interface ExpertWeights {
  readonly W_gate: Tensor;
  readonly b_gate: Tensor | undefined;
  readonly W_in: Tensor;
  readonly b_in: Tensor | undefined;
  readonly W_out: Tensor;
  readonly b_out: Tensor | undefined;
}

function expertWeights(scope: Scope<ExpertNames>, d_model: number, d_mlp: number, biases: boolean): ExpertWeights {
  const bias = (name: "b_gate" | "b_in" | "b_out", sizes: Readonly<Record<string, number>>) =>
    biases ? scope.weight(name, sizes, "zeros") : undefined;
  return {
    W_gate: scope.weight("W_gate", { d_model, d_mlp }, "drawn"),
    b_gate: bias("b_gate", { d_mlp }),
    W_in: scope.weight("W_in", { d_model, d_mlp }, "drawn"),
    b_in: bias("b_in", { d_mlp }),
    W_out: scope.weight("W_out", { d_mlp, d_model }, "drawn"),
    b_out: bias("b_out", { d_model }),
  };
}

/** Biases as rows, [expert …]: weights in another layout, which is made once. */
function stacked(each: readonly Tensor[]): Tensor {
  const rows = each.map((bias) => bias.unsqueeze(0, "expert"));
  return rows.length === 1 ? rows[0] : Tensor.apply("concat", rows, { axis: -rows[0].shape.length });
}

/**
 * A value of the chosen experts, [batch pos choice d_mlp], with each expert's part of it as a hook point, [batch pos d_mlp]. What
 * follows is computed from those that are changed or differentiated; the others stand next to it.
 */
function atExperts(
  name: ExpertNames["point"],
  value: Tensor,
  indices: Tensor,
  scopes: readonly Scope<ExpertNames>[],
): Tensor {
  return scopes.reduce((whole, scope, i) => {
    const isOwn = () => indices.equal(indices.constant(i)).unsqueeze(-1);
    const own = () => partOf(value, isOwn());
    if (!scope.inPlace(name)) {
      scope.beside(name, own);
      return whole;
    }
    return scope.point(name, own()).unsqueeze(-2, "choice").where(isOwn(), whole);
  }, value);
}

/** Of each position the choice where the condition holds, or 0. A hook may have chosen an expert twice: both are equal. */
function partOf(value: Tensor, condition: Tensor): Tensor {
  const none = value.constant(0);
  const [axis, choices] = [value.axes.indexOf("choice"), value.shape.at(-2)!];
  return Array.from({ length: choices }, (_, c) => c).reduce<Tensor>(
    (part, c) => {
      const at = (t: Tensor) => t.slice(-2, c, c + 1).squeeze(-2);
      return at(value).where(at(condition), part);
    },
    none.expandLike(value.slice(axis, 0, 1).squeeze(axis)),
  );
}

/** `act(gate) · pre`, or within the kind's limit. */
function activated({ act, limit }: Pick<ExpertsKind, "act" | "limit">, gate: Tensor, pre: Tensor): Tensor {
  if (limit === null) return activations[act](gate).mul(pre);
  const [most, least] = [gate.constant(limit), gate.constant(-limit)];
  return activations[act](gate.minimum(most)).mul(pre.minimum(most).maximum(least).add(pre.constant(1)));
}

/** What the shared expert writes, weighed by `sigmoid(x W_shared)`. */
function sharedExpert(
  kind: ExpertsKind,
  d_mlp: number,
  x: Tensor,
  scope: Scope<ExpertsNames>,
): { out: Tensor; W_out: Tensor } {
  const { d_model } = kind;
  const W_shared = scope.weight("W_shared", { d_model, shared: 1 }, "drawn");
  const share = scope.point("hook_shared_weight", affine(x, W_shared, undefined, scope).sigmoid());
  const own = scope.part<ExpertNames>("shared_expert");
  const { W_gate, W_in, W_out } = expertWeights(own, d_model, d_mlp, false);
  const gate = own.point("hook_gate", affine(x, W_gate, undefined, own));
  const pre = own.point("hook_pre", affine(x, W_in, undefined, own));
  const post = own.point("hook_post", activated({ ...kind, limit: null }, gate, pre));
  return { out: post.matmul(W_out).mul(share), W_out };
}
