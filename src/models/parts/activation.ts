/** The MLP's nonlinearities, by TransformerLens' names. */
import type { Tensor } from "../../graph/tensor.ts";
import type { Scope } from "../scope.ts";

export const activations = {
  relu: (x: Tensor) => x.relu(),
  silu: (x: Tensor) => x.mul(x.sigmoid()),
  gelu: (x: Tensor) => x.gelu(),
  gelu_new: (x: Tensor) => x.gelu("tanh"),
  /** The same except for the tenth digit of a constant, which float32 cannot hold. */
  gelu_fast: (x: Tensor) => x.gelu("tanh"),
  gelu_pytorch_tanh: (x: Tensor) => x.gelu("tanh"),
  /** x · sigmoid(1.702 x), which lies near the exact one (Hendrycks and Gimpel 2016, arXiv 1606.08415). */
  quick_gelu: (x: Tensor) => x.mul(x.mul(1.702).sigmoid()),
  /** SoLU: x · softmax(x) over the neurons (Elhage et al. 2022, transformer-circuits.pub/2022/solu). */
  solu: (x: Tensor) => x.mul(x.softmax()),
  solu_ln: (x: Tensor) => x.mul(x.softmax()),
} satisfies Record<string, (x: Tensor) => Tensor>;

/** The names of what a nonlinearity learns. */
export interface LearnedActivation {
  readonly weight: "alpha_p" | "alpha_n";
  readonly point: never;
}

/** What xIELU's linear part is multiplied with, and by how much the other half's factor is above this at least. */
const XIELU_BETA = 0.5;

/**
 * `p x² + x / 2` where x > 0, `n (exp(x) - 1 - x) + x / 2` elsewhere, with `p = softplus(alpha_p)` and
 * `n = 1/2 + softplus(alpha_n)` of two learned numbers. Source: Huang et al. 2024, arXiv 2411.13010; transformers'
 * `XIELUActivation`, TransformerLens' `XIELU`.
 */
function xielu(x: Tensor, scope: Scope<LearnedActivation>): Tensor {
  const p = softplus(scope.weight("alpha_p", {}, "zeros"));
  const alphaN = softplus(scope.weight("alpha_n", {}, "zeros"));
  const n = alphaN.add(alphaN.constant(XIELU_BETA));
  const above = x.relu();
  const below = x.sub(above);
  const curved = below.exp().sub(x.constant(1)).sub(below);
  return above
    .mul(above)
    .mul(p)
    .add(curved.mul(n))
    .add(x.mul(x.constant(XIELU_BETA)));
}

/** `log(1 + exp(x))` */
function softplus(x: Tensor): Tensor {
  return x.exp().add(x.constant(1)).log();
}

/** The name of a nonlinearity that learns nothing; with `_ln` appended, a LayerNorm over the neurons follows. */
export type FixedActivation = keyof typeof activations;
/** The name of a nonlinearity that can be run. */
export type ActivationName = FixedActivation | "xielu";

export const ACTIVATIONS: readonly ActivationName[] = [...(Object.keys(activations) as ActivationName[]), "xielu"];

/** The nonlinearity of that name; the scope is that of the part whose values it is applied to. */
export function activate(name: ActivationName, x: Tensor, scope: Scope): Tensor {
  return name === "xielu" ? xielu(x, scope.part("act_fn")) : activations[name](x);
}
