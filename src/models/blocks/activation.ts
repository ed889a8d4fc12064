/** The MLP's nonlinearities, by TransformerLens' names. */
import type { Tensor } from "../../graph/tensor.ts";
import type { ActivationName } from "../config.ts";

/** gelu(x) = x Φ(x), with Φ by the tanh of a cubic (Hendrycks & Gimpel 2016). */
function tanhGelu(x: Tensor, slope: number): Tensor {
  const cube = x.mul(x).mul(x).mul(x.constant(0.044715));
  const gate = x.add(cube).mul(x.constant(slope)).tanh();
  return x.mul(x.constant(0.5)).mul(gate.add(x.constant(1)));
}

export const activations: { readonly [K in ActivationName]: (x: Tensor) => Tensor } = {
  relu: (x) => x.relu(),
  silu: (x) => x.mul(x.sigmoid()),
  gelu: (x) => x.mul(x.constant(0.5)).mul(x.mul(x.constant(Math.SQRT1_2)).erf().add(x.constant(1))),
  gelu_new: (x) => tanhGelu(x, Math.sqrt(2 / Math.PI)),
  gelu_fast: (x) => tanhGelu(x, 0.7978845608),
  gelu_pytorch_tanh: (x) => tanhGelu(x, Math.sqrt(2 / Math.PI)),
  /** SoLU: x · softmax(x) over the neurons (Elhage et al. 2022, transformer-circuits.pub/2022/solu). */
  solu: (x) => x.mul(x.softmax()),
  solu_ln: (x) => x.mul(x.softmax()),
};
