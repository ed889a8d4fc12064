/** The pictures of activation patching. */
import type { PictureSpec } from "../../finding/picture.ts";
import { type Patched, SITES } from "../../measures/activation-patching.ts";
import type { Contrast } from "../../measures/contrast.ts";
import { placeLabels } from "../contrast.ts";

/** The sites that are patched by position, or those by head, side by side on one scale. */
export function heatmaps(by: "pos" | "head", found: Patched, contrast: Contrast): readonly PictureSpec[] {
  const own = [...found].filter(([site]) => SITES[site].by === by);
  if (own.length === 0) return [];
  const width = Math.max(...own.map(([, values]) => values.shape[1]));
  const facets = own.map(([site, values]) => ({
    title: site,
    // Where query heads share keys and values, there are fewer of these than queries.
    values: Array.from({ length: values.shape[0] }, (_, layer) =>
      Array.from({ length: width }, (_, at) =>
        at < values.shape[1] ? contrast.normalized(values.get(layer, at)) : null,
      ),
    ),
  }));
  const shared = own.some(([, { axes }]) => axes[1] === "kv_head")
    ? " Several heads share one of the keys and values, so there are fewer of these."
    : "";
  const furthest = Math.max(1, ...facets.flatMap(({ values }) => values.flat().map((x) => Math.abs(x ?? 0))));
  return [
    {
      kind: "facets",
      name: by === "pos" ? "positions" : "heads",
      part: by === "pos" ? "positions" : "heads",
      title: by === "pos" ? "What is regained, by layer and position" : "What is regained, by layer and head",
      caption: `1: all of the clean run's logit difference is back; 0: none of it; below 0: it moves further away. ${own.map(([site]) => `${site} is ${SITES[site].what}`).join("; ")}.${shared}`,
      facets,
      x: by === "pos" ? { label: "position", ticks: placeLabels(contrast) } : { label: "head" },
      y: { label: "layer" },
      color: { label: "regained", domain: [-furthest, furthest] },
    },
  ];
}
