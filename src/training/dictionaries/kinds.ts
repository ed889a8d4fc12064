/** The kinds of dictionaries that can be trained: one record a kind, with what it adds to the squared error. */
import { ACTIVATIONS, type Activation, type ActivationName, ofLargest } from "../../dictionaries/activations.ts";
import type { DictionaryConfig } from "../../dictionaries/config.ts";
import { decode, type Encoded, type PassOf, written } from "../../dictionaries/pass.ts";
import type { Tensor } from "../../graph/tensor.ts";
import type { LossSettings } from "./settings.ts";

/** A pass while a dictionary is trained. */
export interface TrainedPass {
  /** With the norms of the decoder's rows, as a value of the graph. */
  readonly of: PassOf & { readonly norms: Tensor };
  readonly encoded: Encoded;
  /** What is to be made, [token d_out], and what was made. */
  readonly target: Tensor;
  readonly made: Tensor;
  /** 1 for features that have not fired for long, 0 for the others, [d_sae]; null where there are none, and what they cost is 0. */
  readonly dead: Tensor | null;
  /** The weight of sparsity in this step, after its warm-up. */
  readonly coefficient: Tensor;
  readonly settings: LossSettings;
}

/** A kind of training. */
export interface TrainingKind {
  /** The activation whose weights it has while it is trained, a threshold as its logarithm. */
  readonly trains: ActivationName;
  /** The activation that it has afterwards. */
  readonly becomes: ActivationName;
  /** What stands in for that activation while it is trained. */
  activation?(cfg: DictionaryConfig, settings: LossSettings): Activation;
  /** Whether features are compared times the norms of their decoder's rows. */
  readonly rescales: boolean;
  /** The coefficient of its sparsity, which a warm-up raises from 0. */
  readonly coefficient: "l1" | "l0" | null;
  /** Whether what it adds decodes features again, which transcoders across layers do not have one decoder for. */
  readonly decodes: boolean;
  /** What is added to the mean squared error, by SAELens' names; each is a mean over tokens and has its coefficient in it. */
  terms(pass: TrainedPass): Readonly<Record<string, Tensor>>;
}

/** The mean over tokens of the squared error, summed over its width: SAELens' `mse_loss`. */
export function squaredError(made: Tensor, target: Tensor): Tensor {
  const error = made.rename(target.axes).sub(target);
  return error.mul(error).sum(-1).mean();
}

/** 1 where a condition holds, 0 elsewhere; a constant for gradients. */
const mask = (condition: Tensor): Tensor => condition.cast("float32");

/** Lower than any pre-activation. */
const LOWEST = -1e30;

/**
 * What dead features have to do: with the largest `d_in / 2` pre-activations of them they reconstruct the error that is left. `coefficient ·
 * min(dead / (d_in / 2), 1) · ‖decode(them) - (target - made)‖²`, 0 while none is dead. Source: Gao et al. 2024, and SAELens'
 * `calculate_topk_aux_loss`, whose decoder adds b_dec.
 */
function deadError({ of, encoded: { pre }, target, made, dead, settings }: TrainedPass): Tensor {
  if (!dead) return target.constant(0);
  const half = Math.max(1, Math.floor(of.cfg.dIn / 2));
  const scaled = of.cfg.rescaleActsByDecoderNorm ? pre.mul(of.norms) : pre;
  const ofDead = scaled.where(dead.greaterThan(0), LOWEST);
  const chosen = ofLargest(pre, ofDead, Math.min(half, of.cfg.dSae), (kept) => kept).mul(dead);
  const left = target.sub(made.rename(target.axes)).detach();
  const share = dead.sum().div(half).minimum(1);
  const error = squaredError(written(of, chosen), left);
  return error.mul(share).mul(settings.auxLossCoefficient);
}

/** The largest `k · tokens` of the whole batch. */
const overBatch = (k: number): Activation => ({
  ...ACTIVATIONS.topk,
  features(pre, _of, _k, by = pre) {
    const [all, largest] = [pre, by].map((x) => x.mergeAxes(0, 2));
    const count = Math.floor(k * pre.shape[0]);
    return ofLargest(all, largest, count, (kept) => kept.relu()).reshapeLike(pre, -2, 2);
  },
});

/**
 * `pre · (pre > θ)` with a gradient for θ: of those within half a bandwidth of θ, `-θ / bandwidth`; pre gets the gradient of what is above θ.
 * Source: Rajamanoharan et al. 2024 (arXiv 2407.14435), SAELens' `JumpReLU`.
 */
const jumping = (bandwidth: number): Activation => ({
  ...ACTIVATIONS.jumprelu,
  features(pre, { weight }) {
    const threshold = weight("threshold");
    const above = pre.mul(mask(pre.greaterThan(threshold)));
    const slope = near(pre, threshold, bandwidth).mul(threshold.detach().neg().div(bandwidth));
    return above.detach(above.add(slope.mul(threshold)));
  },
});

/** 1 where pre-activations are within half a bandwidth of their threshold. */
function near(pre: Tensor, threshold: Tensor, bandwidth: number): Tensor {
  const away = pre.sub(threshold).abs();
  return mask(away.lessThan(bandwidth / 2));
}

/** `Σ (pre > θ)`, with the straight-through gradient `-1 / bandwidth` for θ, or `Σ tanh(scale · f · ‖W_dec row‖)`. */
function countOf({ of, encoded: { pre, acts }, settings }: TrainedPass): Tensor {
  if (settings.jumpreluSparsityLossMode === "tanh") {
    return acts.mul(of.norms).mul(settings.jumpreluTanhScale).tanh().sum(-1).mean();
  }
  const threshold = of.weight("threshold");
  const fires = mask(pre.greaterThan(threshold));
  const { jumpreluBandwidth } = settings;
  const slope = near(pre, threshold, jumpreluBandwidth).mul(-1 / jumpreluBandwidth);
  return fires.detach(slope.mul(threshold)).sum(-1).mean();
}

/** `a · Σ relu(θ - pre) · ‖W_dec row‖` over dead features. Source: Anthropic's update of January 2025, SAELens' `calculate_pre_act_loss`. */
function preActLoss({ of, encoded: { pre }, dead, settings }: TrainedPass): Tensor {
  if (!dead) return pre.constant(0);
  const below = of.weight("threshold").sub(pre).relu();
  return below
    .mul(dead)
    .mul(of.norms)
    .sum(-1)
    .mean()
    .mul(settings.preActLossCoefficient ?? 0);
}

/** What the features of each width, with their decoder rows, reconstruct alone: Bussmann et al. 2025 (arXiv 2503.17547). */
function innerErrors({ of, encoded: { features }, target, settings }: TrainedPass): Record<string, Tensor> {
  const widths = settings.matryoshkaWidths.filter((width) => width < of.cfg.dSae);
  return Object.fromEntries(
    widths.map((width) => {
      const part = features.slice(-1, 0, width).matmul(of.weight("W_dec").slice(0, 0, width));
      return [`inner_mse_loss_${width}`, squaredError(part.add(of.weight("b_dec")), target)];
    }),
  );
}

const chosen = { rescales: true, coefficient: null, decodes: true } as const;

/** The kinds by SAELens' names of architectures. */
export const TRAINING_KINDS = {
  standard: {
    trains: "relu",
    becomes: "relu",
    rescales: false,
    coefficient: "l1",
    decodes: false,
    terms: ({ of, encoded: { acts }, coefficient, settings: { lpNorm } }) => {
      // Features are not negative, so their sum is a product with the norms, which reads them once.
      const norm = lpNorm === 1 ? acts.matmul(of.norms.unsqueeze(-1)) : acts.mul(of.norms).norm(-1, false, lpNorm);
      return { l1_loss: norm.mean().mul(coefficient) };
    },
  },
  gated: {
    trains: "gated",
    becomes: "gated",
    rescales: false,
    coefficient: "l1",
    decodes: true,
    terms({ of, encoded, target, coefficient }) {
      const gate = encoded.input.matmul(of.weight("W_enc")).add(of.weight("b_gate")).relu();
      return {
        l1_loss: gate.mul(of.norms).sum(-1).mean().mul(coefficient),
        auxiliary_reconstruction_loss: squaredError(decode(of, gate), target),
      };
    },
  },
  jumprelu: {
    trains: "jumprelu",
    becomes: "jumprelu",
    activation: (_cfg, { jumpreluBandwidth }) => jumping(jumpreluBandwidth),
    rescales: false,
    coefficient: "l0",
    decodes: false,
    terms: (pass) => ({
      l0_loss: countOf(pass).mul(pass.coefficient),
      ...(pass.settings.preActLossCoefficient === null ? {} : { pre_act_loss: preActLoss(pass) }),
    }),
  },
  topk: {
    ...chosen,
    trains: "topk",
    becomes: "topk",
    terms: (pass) => ({ auxiliary_reconstruction_loss: deadError(pass) }),
  },
  batchtopk: {
    ...chosen,
    trains: "topk",
    becomes: "jumprelu",
    activation: ({ k }) => overBatch(k!),
    terms: (pass) => ({ auxiliary_reconstruction_loss: deadError(pass) }),
  },
  matryoshka_batchtopk: {
    ...chosen,
    trains: "topk",
    becomes: "jumprelu",
    activation: ({ k }) => overBatch(k!),
    terms: (pass) => ({ auxiliary_reconstruction_loss: deadError(pass), ...innerErrors(pass) }),
  },
} as const satisfies Readonly<Record<string, TrainingKind>>;

/** The name of a kind of training. */
export type TrainingKindName = keyof typeof TRAINING_KINDS;

/** Whether features of a whole batch are compared with each other, for which a threshold stands afterwards. */
export const comparesBatches = (kind: TrainingKindName): boolean =>
  TRAINING_KINDS[kind].becomes !== TRAINING_KINDS[kind].trains;
