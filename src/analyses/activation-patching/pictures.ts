/** The pictures of activation patching. */
import { HEAD, LAYER, POS, SITE } from "../../finding/columns.ts";
import type { View } from "../../finding/view.ts";
import { type Patched, SITES } from "../../measures/activation-patching.ts";
import type { Contrast } from "../../measures/contrast.ts";
import { PLACES_AXIS, placeLabels } from "../contrast.ts";

/** The sites that are patched by position, or those by head, side by side on one scale. */
export function heatmaps(by: "pos" | "head", found: Patched, contrast: Contrast): readonly View[] {
  const own = [...found].filter(([site]) => SITES[site].by === by);
  if (own.length === 0) return [];
  // Where query heads share keys and values, there are fewer of these than queries.
  const shared = own.some(([, { axes }]) => axes[1] === "kv_head")
    ? " Several heads share one of the keys and values, so there are fewer of these."
    : "";
  return [
    {
      kind: "imshow",
      name: by === "pos" ? "positions" : "heads",
      part: by === "pos" ? "positions" : "heads",
      title: by === "pos" ? "What is regained, by layer and position" : "What is regained, by layer and head",
      caption: `1: all of the clean run's logit difference is back; 0: none of it; below 0: it moves further away. ${own.map(([site]) => `${site} is ${SITES[site].what}`).join("; ")}.${shared}`,
      table: "all",
      where: { [SITE.name]: own.map(([site]) => site) },
      facet: SITE.name,
      x: by === "pos" ? { column: POS.name, label: PLACES_AXIS, ticks: placeLabels(contrast) } : HEAD.name,
      y: LAYER.name,
      color: { column: "regained", atLeast: 1 },
    },
  ];
}
