/** The pictures of an ablation, by kind. */
import { COMPONENT, HEAD, LAYER, NEURON, PROMPT, TOKEN } from "../../finding/columns.ts";
import type { View } from "../../finding/view.ts";
import type { AblationMeasurement } from "../../measures/ablation.ts";

/** The most texts that are drawn as tokens. */
const MOST_TEXTS = 60;
/** How many neurons are named in their picture. */
const NAMED = 6;

export function ablationPicture({ over, unit, layer, prompts }: AblationMeasurement): View {
  const label = unit === "nats" ? "loss change" : "logit difference change";
  const base = { name: "effects", table: "all" };
  if (over === "positions") {
    const note = prompts.length > MOST_TEXTS ? ` The first ${MOST_TEXTS} of ${prompts.length} prompts are shown.` : "";
    return {
      ...base,
      kind: "tokens",
      title: `What ablating layer ${layer} at each token does`,
      caption: `The change in the ${unit === "nats" ? "mean loss of the prompt" : "difference between the answers' logits after it"}.${note}`,
      text: PROMPT.name,
      token: TOKEN.name,
      rows: [{ column: "effect", label }],
      by: COMPONENT.name,
      most: MOST_TEXTS,
    };
  }
  if (over === "neurons") {
    return {
      ...base,
      kind: "scatter",
      title: `What ablating each neuron of layer ${layer} does`,
      caption: `Each point is a neuron; the ${NAMED} furthest from 0 are named.`,
      x: NEURON.name,
      y: { column: "effect", label },
      label: COMPONENT.name,
      labels: NAMED,
      references: [{ kind: "y", at: 0, label: "no effect" }],
    };
  }
  return {
    ...base,
    kind: "imshow",
    title: `What ablating each ${over === "heads" ? "head" : "layer's attention or MLP"} does`,
    caption:
      unit === "nats"
        ? "Positive: the loss rises, so it is needed."
        : "Negative: the answer's lead shrinks, so it is needed.",
    x: over === "heads" ? HEAD.name : { column: "part", label: "" },
    y: LAYER.name,
    color: { column: "effect", label },
  };
}
