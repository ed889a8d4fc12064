import type { ActivationsSpec, IndexAxis } from "../../finding/picture.ts";
import { chosenTokens, nameOf } from "../draw/activations.ts";
import { tokenColorings } from "../draw/token-values.ts";
import { escapeMarkup } from "../escape.ts";
import { visibleToken } from "../token-text.ts";
import { ACTIVATIONS } from "./activations-style.ts";
import type { ActivationsData } from "./client/activations.ts";
import type { PageNeeds } from "./needs.ts";
import { packNumbers } from "./packed.ts";
import { tokensHtml } from "./tokens.ts";

/** The selected neuron's tokens, and fields to select another; the script then recolours them. */
export function activationsHtml(spec: ActivationsSpec, needs: PageNeeds): string {
  const shown = chosenTokens(spec);
  const [coloring] = tokenColorings(shown);
  needs.features.add(ACTIVATIONS);
  needs.schemes.add(coloring.scheme);
  const layers = spec.texts[0]?.values[0]?.length ?? 0;
  const neurons = spec.texts[0]?.values[0]?.[0]?.length ?? 0;
  const data: ActivationsData = {
    layers,
    neurons,
    scheme: coloring.scheme,
    domain: spec.color?.domain ?? null,
    unit: spec.color?.unit ?? "",
    // An axis with a single index has no field to read its name from.
    fixed: [layers < 2 ? nameOf(spec.layer, 0) : "", neurons < 2 ? nameOf(spec.neuron, 0) : ""],
    tokens: spec.texts.flatMap((text) => text.tokens.map((token, pos) => [visibleToken(token), pos] as const)),
  };
  const fields =
    field(spec.layer, layers, spec.chosen.layer, "layer") + field(spec.neuron, neurons, spec.chosen.neuron, "neuron");
  return (
    `<div class="activations" data-activations="${escapeMarkup(JSON.stringify(data))}" ` +
    `data-values="${packNumbers(spec.texts.flatMap((text) => text.values.flat(2)))}">\n` +
    `<p class="fields" hidden>${fields}<output></output></p>\n${tokensHtml(shown, needs.tokens)}\n</div>`
  );
}

/** A list of names to choose from, or a number if indices have no names. */
function field({ label = "", ticks }: IndexAxis, count: number, chosen: number, name: string): string {
  if (count < 2) return "";
  const options = ticks?.map(
    (tick, i) => `<option value="${i}"${i === chosen ? " selected" : ""}>${escapeMarkup(tick)}</option>`,
  );
  const input = options
    ? `<select name="${name}">${options.join("")}</select>`
    : `<input name="${name}" type="number" min="0" max="${count - 1}" value="${chosen}">`;
  return `<label>${escapeMarkup(label)} ${input}${options ? "" : ` <small>of 0 to ${count - 1}</small>`}</label>`;
}
