/** The pictures of an ablation, each kind's own. */
import type { PictureSpec } from "../picture.ts";
import type { Ablated, AblationMeasurement } from "./measure.ts";

/** Texts that are drawn as tokens at most. */
const MOST_TEXTS = 60;

export function ablationPictures(measured: AblationMeasurement): PictureSpec[] {
  const { components, over, unit } = measured;
  const color = { label: unit === "nats" ? "loss change" : "logit difference change", unit };
  if (over === "positions") return [tokenPicture(measured, color)];
  if (over === "neurons") {
    return [
      {
        kind: "hist",
        name: "effects",
        title: `Effects of ablating each neuron of layer ${measured.layer}`,
        caption: "Most neurons do little on these prompts; those far from 0 are in the table.",
        series: [{ name: "neurons", values: components.map(({ effect }) => effect) }],
        x: { label: color.label, unit },
        of: "neurons",
        references: [{ kind: "x", at: 0, label: "no effect" }],
      },
    ];
  }
  const layers = [...new Set(components.map(({ layer }) => layer))];
  const rows = layers.map((layer) => components.filter((c) => c.layer === layer));
  const parts = rows[0].map(({ name }) => name.replace(/^L\d+ /, ""));
  return [
    {
      kind: "imshow",
      name: "effects",
      title: `What ablating each ${over === "heads" ? "head" : "layer's attention or MLP"} does`,
      caption:
        unit === "nats" ? "Positive: the loss rises, so it is needed." : "Negative: the answer loses, so it is needed.",
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
  const shown = prompts.slice(0, MOST_TEXTS);
  const note = prompts.length > MOST_TEXTS ? ` The first ${MOST_TEXTS} of ${prompts.length} prompts are shown.` : "";
  const of = (kind: string, prompt: number): Ablated[] =>
    components.filter((c) => c.name === kind && c.prompt === prompt).sort((a, b) => a.pos! - b.pos!);
  return {
    kind: "tokens",
    name: "effects",
    title: `What ablating layer ${layer} at each token does`,
    caption: `To the ${unit === "nats" ? "mean loss of the prompt" : "difference of the answers' logits after it"}.${note}`,
    rows: kinds.map((title) => ({ title, unit, color })),
    texts: shown.map((tokens, prompt) => ({
      label: String(prompt),
      tokens,
      values: kinds.map((kind) => of(kind, prompt).map(({ effect }) => effect)),
    })),
  };
}
