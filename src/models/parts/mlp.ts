/** The MLPs of a block. */
import type { Tensor } from "../../graph/tensor.ts";
import type { Scope } from "../scope.ts";
import { type ActivationName, activate, type LearnedActivation } from "./activation.ts";
import { affine } from "./affine.ts";
import { type NormKind, type NormNames, norm } from "./norm.ts";

/** An MLP's weights. */
export interface MlpWeights {
  /** What neurons are made with, [d_model d_mlp]. */
  readonly W_in: Tensor;
  /** [d_mlp] */
  readonly b_in: Tensor;
  /** What gates are made with in a gated MLP, [d_model d_mlp]. */
  readonly W_gate: Tensor;
  /** What is added to gates before the nonlinearity, [d_mlp]. */
  readonly b_gate: Tensor;
  /** What is added to what gates multiply, [d_mlp]. */
  readonly b_linear: Tensor;
  /** What neurons write to the residual stream with, [d_mlp d_model]. */
  readonly W_out: Tensor;
  /** [d_model] */
  readonly b_out: Tensor;
}

/** An MLP's names. */
export interface MlpNames {
  readonly weight: keyof MlpWeights | `act_fn.${LearnedActivation["weight"]}`;
  readonly point: "hook_pre" | "hook_pre_linear" | "hook_mid" | "hook_post" | `ln.${NormNames["point"]}`;
}

/** A kind of MLP. */
export interface MlpKind {
  readonly d_model: number;
  readonly d_mlp: number;
  readonly act: ActivationName;
  /** A LayerNorm over the neurons, before they are multiplied with W_out (SoLU models). */
  readonly innerNorm: NormKind | null;
  /** Whether gates and what they multiply have biases of their own. */
  readonly gateBiases: boolean;
}

/**
 * `pre = x W_in + b_in; post = act(pre); out = post W_out + b_out`, [batch pos d_model] through [batch pos d_mlp].
 * With an inner norm: `mid = act(pre)`, and `post = ln(mid)`.
 * Hook points: `hook_pre`, `hook_post`, and with an inner norm between them `hook_mid`, `ln.hook_scale`,
 * `ln.hook_normalized`. Source: TransformerLens' `MLP`.
 */
export function plainMlp(kind: MlpKind, x: Tensor, scope: Scope<MlpNames>): Tensor {
  const { d_model, d_mlp } = kind;
  const W_in = scope.weight("W_in", { d_model, d_mlp }, "drawn");
  const b_in = scope.weight("b_in", { d_mlp }, "zeros");
  const pre = scope.point("hook_pre", affine(x, W_in, b_in, scope));
  return out(kind, activated(kind, pre, scope), scope);
}

/**
 * `pre = x W_gate; post = act(pre) · (x W_in) + b_in; out = post W_out + b_out`. With an inner norm as in `plainMlp`. With
 * biases of gates: `pre = x W_gate + b_gate; post = act(pre) · (x W_in + b_linear) + b_in`.
 * Hook points: `hook_pre`, `hook_pre_linear` for `x W_in (+ b_linear)`, `hook_post`.
 * Source: Shazeer 2020, arXiv 2002.05202; TransformerLens' `GatedMLP`, which adds `b_in` after the product.
 */
export function gatedMlp(kind: MlpKind, x: Tensor, scope: Scope<MlpNames>): Tensor {
  const { d_model, d_mlp } = kind;
  const W_gate = scope.weight("W_gate", { d_model, d_mlp }, "drawn");
  const b_gate = kind.gateBiases ? scope.weight("b_gate", { d_mlp }, "zeros") : undefined;
  const W_in = scope.weight("W_in", { d_model, d_mlp }, "drawn");
  const b_linear = kind.gateBiases ? scope.weight("b_linear", { d_mlp }, "zeros") : undefined;
  const b_in = scope.weight("b_in", { d_mlp }, "zeros");
  const pre = scope.point("hook_pre", affine(x, W_gate, b_gate, scope));
  const gate = activated(kind, pre, scope);
  const linear = scope.point("hook_pre_linear", affine(x, W_in, b_linear, scope));
  return out(kind, gate.mul(linear).add(b_in), scope);
}

/** `act(pre)`, normed if there is an inner norm. */
function activated({ act, innerNorm }: MlpKind, pre: Tensor, scope: Scope<MlpNames>): Tensor {
  const activation = activate(act, pre, scope);
  return innerNorm ? norm(scope.point("hook_mid", activation), innerNorm, scope.part("ln")) : activation;
}

function out({ d_model, d_mlp }: MlpKind, neurons: Tensor, scope: Scope<MlpNames>): Tensor {
  const W_out = scope.weight("W_out", { d_mlp, d_model }, "drawn");
  const b_out = scope.weight("b_out", { d_model }, "zeros");
  return affine(scope.point("hook_post", neurons), W_out, b_out, scope);
}
