/** The pictures of an ablation, by kind. */
import type { PictureSpec } from "../../finding/picture.ts";
import type { Ablated, AblationMeasurement } from "../../measures/ablation.ts";

/** The most texts that are drawn as tokens. */
const MOST_TEXTS = 60;

export function ablationPictures(measured: AblationMeasurement): PictureSpec[] {
  const { components, over, unit } = measured;
  const color = { label: unit === "nats" ? "loss change" : "logit difference change", unit };
  if (over === "positions") return [tokenPicture(measured, color)];
  if (over === "neurons") return [neuronPicture(measured, color.label)];
  const layers = [...new Set(components.map(({ layer }) => layer))];
  const rows = layers.map((layer) => components.filter((c) => c.layer === layer));
  const parts = rows[0].map(({ name }) => name.replace(/^L\d+ /, ""));
  return [
    {
      kind: "imshow",
      name: "effects",
      title: `What ablating each ${over === "heads" ? "head" : "layer's attention or MLP"} does`,
      caption:
        unit === "nats"
          ? "Positive: the loss rises, so it is needed."
          : "Negative: the answer's lead shrinks, so it is needed.",
      values: rows.map((row) => row.map(({ effect }) => effect)),
      x: over === "heads" ? { label: "head" } : { ticks: parts },
      y: { label: "layer" },
      color,
    },
  ];
}

function tokenPicture(
  { components, prompts, unit, layer }: AblationMeasurement,
  color: { readonly label: string; readonly unit: string },
): PictureSpec {
  const kinds = [...new Set(components.map(({ name }) => name))];
  const furthest = Math.max(1e-6, ...components.map(({ effect }) => Math.abs(effect)));
  const shown = prompts.slice(0, MOST_TEXTS);
  const note = prompts.length > MOST_TEXTS ? ` The first ${MOST_TEXTS} of ${prompts.length} prompts are shown.` : "";
  const of = (kind: string, prompt: number): Ablated[] =>
    components.filter((c) => c.name === kind && c.prompt === prompt).sort((a, b) => a.pos! - b.pos!);
  return {
    kind: "tokens",
    name: "effects",
    title: `What ablating layer ${layer} at each token does`,
    caption: `The change in the ${unit === "nats" ? "mean loss of the prompt" : "difference between the answers' logits after it"}.${note}`,
    rows: kinds.map((title) => ({ title, unit, color: { ...color, domain: [-furthest, furthest] } })),
    texts: shown.map((tokens, prompt) => ({
      label: String(prompt),
      tokens,
      values: kinds.map((kind) => of(kind, prompt).map(({ effect }) => effect)),
    })),
  };
}

/** How many neurons are named in their picture. */
const NAMED = 6;

function neuronPicture({ components, unit, layer }: AblationMeasurement, label: string): PictureSpec {
  const first = new Set([...components].sort((a, b) => Math.abs(b.effect) - Math.abs(a.effect)).slice(0, NAMED));
  return {
    kind: "scatter",
    name: "effects",
    title: `What ablating each neuron of layer ${layer} does`,
    caption: `Each point is a neuron; the ${first.size} furthest from 0 are named.`,
    series: [
      {
        name: "neurons",
        x: components.map(({ index }) => index!),
        y: components.map(({ effect }) => effect),
        titles: components.map(({ name }) => name),
        labels: components.map((c) => (first.has(c) ? c.name : "")),
      },
    ],
    x: { label: "neuron" },
    y: { label, unit },
    references: [{ kind: "y", at: 0, label: "no effect" }],
  };
}
