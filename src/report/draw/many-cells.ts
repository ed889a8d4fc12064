/** Heatmaps of many cells: they are drawn as the pixels of an image, because a node for each cell would be too much for a page. */
import type { FacetsSpec, ImshowSpec } from "../../finding/picture.ts";

/** With more cells than this, they become the pixels of one image. */
const MOST_NODES = 5000;

/** Whether the cells of a heatmap are drawn as pixels. */
export function isPixels({ values }: ImshowSpec): boolean {
  return values.length * (values[0]?.length ?? 0) > MOST_NODES;
}

/** With more cells than this, they become the pixels of one image for each facet. */
const MOST_NODES_TOGETHER = 20_000;

/** Whether the cells of the heatmaps are drawn as pixels. */
export function arePixels({ facets }: FacetsSpec): boolean {
  return facets.length * (facets[0]?.values.length ?? 0) * (facets[0]?.values[0]?.length ?? 0) > MOST_NODES_TOGETHER;
}
