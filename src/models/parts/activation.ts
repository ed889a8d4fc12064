/** The MLP's nonlinearities, by TransformerLens' names. */
import type { Tensor } from "../../graph/tensor.ts";

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

/** The name of a nonlinearity that can be run; with `_ln` appended, a LayerNorm over the neurons follows. */
export type ActivationName = keyof typeof activations;
