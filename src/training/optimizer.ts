/** Optimizers as graphs: from a weight, its gradient and the optimizer's state to the weight and state after this step. */
import type { Tensor } from "../graph/tensor.ts";

/** The available optimizers. */
export const OPTIMIZERS = ["adamw", "adam", "sgd"] as const;
export type OptimizerName = (typeof OPTIMIZERS)[number];

/** The settings of an optimizer. */
export interface OptimizerSettings {
  readonly betas: readonly [number, number];
  readonly eps: number;
  readonly weightDecay: number;
  readonly momentum: number;
}

/** A weight, its gradient, and the arrays of the weight's shape that are carried from step to step. */
export interface Before {
  readonly weight: Tensor;
  readonly gradient: Tensor;
  readonly memory: readonly Tensor[];
  /** The factor that clips the whole gradient. */
  readonly clip: Tensor | undefined;
}

export interface After {
  readonly weight: Tensor;
  readonly memory: readonly Tensor[];
}

/** One optimizer with its settings. */
export interface Optimizer {
  /** PyTorch's names for the state of each weight. All of it is 0 before the first step. */
  readonly memory: readonly string[];
  /** The numbers that a step is fed, from its learning rate and its number (starting at 1). */
  fed(lr: number, step: number): readonly number[];
  update(before: Before, fed: readonly Tensor[]): After;
}

/**
 * AdamW (Loshchilov & Hutter 2019), Adam (Kingma & Ba 2015) and gradient descent with momentum, as PyTorch computes them:
 * bias-corrected moments with eps outside the root; weight decay separate from the gradient in AdamW, added to it elsewhere.
 */
export function makeOptimizer(name: OptimizerName, settings: OptimizerSettings): Optimizer {
  return name === "sgd" ? sgd(settings) : adam(settings, name === "adamw");
}

/**
 * ```
 * m = β1 m + (1-β1) g        v = β2 v + (1-β2) g²
 * w = w (1 - lr decay) - lr/(1-β1^t) m / (sqrt(v)/sqrt(1-β2^t) + eps)
 * ```
 */
function adam({ betas: [beta1, beta2], eps, weightDecay }: OptimizerSettings, decoupled: boolean): Optimizer {
  return {
    memory: ["exp_avg", "exp_avg_sq"],
    fed: (lr, step) => [lr / (1 - beta1 ** step), 1 / Math.sqrt(1 - beta2 ** step), 1 - lr * weightDecay],
    update({ weight, gradient, memory: [m, v], clip }, [stepSize, rootCorrection, kept]) {
      const c = (value: number) => weight.constant(value);
      const decayed = decoupled && weightDecay !== 0 ? weight.mul(kept) : weight;
      let g = gradient;
      let [first, second] = [c(1 - beta1), c(1 - beta2)];
      if (!decoupled && weightDecay !== 0) {
        g = (clip ? g.mul(clip) : g).add(weight.mul(c(weightDecay)));
      } else if (clip) {
        // The clipping factor is merged into those of the moments: two numbers, instead of a pass over the gradient.
        first = first.mul(clip);
        second = second.mul(clip).mul(clip);
      }
      const mean = m.mul(c(beta1)).add(g.mul(first));
      const square = v.mul(c(beta2)).add(g.mul(g).mul(second));
      const step = mean.mul(stepSize).div(square.sqrt().mul(rootCorrection).add(c(eps)));
      return { weight: decayed.sub(step), memory: [mean, square] };
    },
  };
}

/** `b = momentum b + g + decay w; w = w - lr b`, where g is the gradient. */
function sgd({ weightDecay, momentum }: OptimizerSettings): Optimizer {
  return {
    memory: momentum === 0 ? [] : ["momentum_buffer"],
    fed: (lr) => [lr],
    update({ weight, gradient, memory, clip }, [lr]) {
      const clipped = clip ? gradient.mul(clip) : gradient;
      const g = weightDecay === 0 ? clipped : clipped.add(weight.mul(weight.constant(weightDecay)));
      const direction = momentum === 0 ? g : memory[0].mul(weight.constant(momentum)).add(g);
      return { weight: weight.sub(direction.mul(lr)), memory: momentum === 0 ? [] : [direction] };
    },
  };
}
