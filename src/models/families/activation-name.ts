/** The name of a nonlinearity in a `config.json`, by which TransformerLens knows it. */
import { ConfigError } from "../../tensor/errors.ts";
import { nearest } from "../../tensor/nearest.ts";
import { shown } from "../../tensor/show.ts";
import { ACTIVATIONS } from "../parts/activation.ts";

/** Hugging Face's other names for nonlinearities. */
const SAME_ACTIVATION: Readonly<Record<string, string>> = {
  swish: "silu",
  gelu_python: "gelu",
  gelu_accurate: "gelu_new",
  gelu_python_tanh: "gelu_pytorch_tanh",
};

/**
 * A nonlinearity by TransformerLens' name.
 * @param field where the `config.json` says it
 * @throws ConfigError for one that is not computed
 */
export function activation(field: string, name: string): string {
  const known = Object.hasOwn(SAME_ACTIVATION, name) ? SAME_ACTIVATION[name] : name;
  if (ACTIVATIONS.includes(known as never)) return known;
  const near = nearest(name, [...ACTIVATIONS, ...Object.keys(SAME_ACTIVATION)]);
  throw new ConfigError(
    `${field} = ${shown(name)} is not supported.${near ? ` Did you mean "${near}"?` : ""} Supported: ${ACTIVATIONS.join(", ")}.`,
    { asked: field, found: name, nearest: near },
  );
}
