/** The MLP's nonlinearities, by TransformerLens' names. */
import type { Tensor } from "../../graph/tensor.ts";
import type { ActivationName } from "../config.ts";

export const activations: { readonly [K in ActivationName]: (x: Tensor) => Tensor } = {
  relu: (x) => x.relu(),
  silu: (x) => x.mul(x.sigmoid()),
  gelu: (x) => x.gelu(),
  gelu_new: (x) => x.gelu("tanh"),
  /** The same but for the tenth digit of a constant, which float32 does not hold. */
  gelu_fast: (x) => x.gelu("tanh"),
  gelu_pytorch_tanh: (x) => x.gelu("tanh"),
  /** x · sigmoid(1.702 x), which lies near the exact one (Hendrycks and Gimpel 2016, arXiv 1606.08415). */
  quick_gelu: (x) => x.mul(x.mul(1.702).sigmoid()),
  /** SoLU: x · softmax(x) over the neurons (Elhage et al. 2022, transformer-circuits.pub/2022/solu). */
  solu: (x) => x.mul(x.softmax()),
  solu_ln: (x) => x.mul(x.softmax()),
};
