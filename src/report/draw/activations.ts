import type { ActivationsSpec, IndexAxis, TokensSpec } from "../../finding/picture.ts";

/** The selected neuron's activations as coloured tokens, for a static picture. */
export function chosenTokens(spec: ActivationsSpec): TokensSpec {
  const { layer, neuron } = spec.chosen;
  const { label, ...color } = spec.color ?? {};
  return {
    kind: "tokens",
    name: spec.name,
    title: spec.title,
    rows: [{ title: label ?? neuronName(spec), color: { label: neuronName(spec), ...color } }],
    texts: spec.texts.map((text) => ({
      ...(text.label === undefined ? {} : { label: text.label }),
      tokens: text.tokens,
      values: [text.values.map((layers) => layers[layer]?.[neuron] ?? null)],
    })),
  };
}

/** "layer 3, neuron 17", or the indices' own labels. */
export function neuronName({ layer, neuron, chosen }: ActivationsSpec): string {
  return `${nameOf(layer, chosen.layer)}, ${nameOf(neuron, chosen.neuron)}`;
}

export function nameOf({ label = "", ticks }: IndexAxis, index: number): string {
  return ticks?.[index] ?? `${label} ${index}`.trim();
}
