/** Which analyses can be of the changed run. */
import type { GivenIntervention } from "../measures/interventions/options.ts";

type What = NonNullable<GivenIntervention["what"]>;

const ALL: readonly What[] = ["head", "neuron", "attention", "mlp", "stream"];

/**
 * By analysis: what may be changed under it. Those that read the prompt are here. One that adds up what parts write cannot have a change
 * of a sum of these parts, which is none of them: a whole MLP where it has neurons, attention where it has heads.
 */
const CHANGED: Readonly<Record<string, readonly What[]>> = {
  look: ["head", "neuron", "attention", "mlp"],
  "logit-lens": ALL,
  "attention-patterns": ALL,
  "test-prompt": ALL,
  "direct-logit-attribution": ["head", "neuron"],
  "gradient-x-activation": ALL,
  "integrated-gradients": ALL,
  "neuron-saliency": ["head", "neuron"],
};

const NAMES: Readonly<Record<What, string>> = {
  ...{ head: "a head", neuron: "a neuron", attention: "attention", mlp: "an MLP", stream: "the stream" },
};

/** Why an analysis is of the unchanged run although there are changes; "" if it is of the changed one. */
export function whyUnchanged({ name }: { readonly name: string }, changes: readonly GivenIntervention[]): string {
  const may = CHANGED[name];
  if (!may) return "it reads other texts than the prompt, or weights alone";
  const other = changes.map(({ what = "head" }) => what).find((what) => !may.includes(what));
  return other ? `it adds up what parts write, and a change of ${NAMES[other]} is not one of these parts` : "";
}
