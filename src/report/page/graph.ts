import type { GraphSpec } from "../../finding/picture.ts";
import { DEFAULT_WIDTH, drawFor } from "../draw/draw.ts";
import { largestShare } from "../draw/graph-shown.ts";
import { escapeMarkup } from "../escape.ts";
import { GRAPH } from "./graph-style.ts";
import type { PageNeeds } from "./needs.ts";
import { packNumbers } from "./packed.ts";

/** How it is used, which is not true of a picture on paper. */
const HINT =
  "Point at a node to see what leads to it and what it leads to; click to keep that, again to release it. Double-click, or the key p, pins a node.";

/** The width of a drawing for a phone. */
const NARROW = 350;

/** A graph that the script draws, and how to choose a part of it; without it, and on paper, there is the drawing of the other formats. */
export async function graphHtml(spec: GraphSpec, needs: PageNeeds): Promise<string> {
  needs.features.add(GRAPH);
  const { edges, ...rest } = spec;
  const numbers = edges.flatMap(({ from, to, weight, strength, share }) => {
    return [from, to, weight, strength ?? null, share ?? null];
  });
  const still = needs.still ? `<div class="still">${await stillOf(spec)}</div>\n` : "";
  return (
    `<div class="graph" data-graph="${escapeMarkup(JSON.stringify(rest))}" data-edges="${packNumbers(numbers)}">\n` +
    `${still}<div class="stage" hidden>\n${tools(spec)}\n<div class="drawing"></div>\n<p class="hint">${HINT}</p>\n</div>\n</div>`
  );
}

async function stillOf(spec: GraphSpec): Promise<string> {
  const width = spec.width ?? DEFAULT_WIDTH;
  const [wide, narrow] = [width, Math.min(NARROW, width)].map((one) => drawFor(spec, { words: false, width: one }));
  return `<div class="wide">${await wide}</div><div class="narrow">${await narrow}</div>`;
}

function tools(spec: GraphSpec): string {
  const most = largestShare(spec);
  const slider =
    most === undefined
      ? ""
      : `<label class="share">influence shown <input type="range" name="share" min="0" max="${Math.ceil(100 * most)}" step="1"><output></output></label>`;
  const button = (act: string, text: string) => `<button type="button" data-act="${act}" disabled>${text}</button>`;
  return (
    `<div class="tools">${slider}` +
    `<span role="group" aria-label="Which nodes">` +
    `<button type="button" data-view="all" aria-pressed="true">all</button><button type="button" data-view="pinned" aria-pressed="false" disabled>pinned (0)</button></span>` +
    `<span>${button("pin", "pin")}</span>` +
    `<span class="grouping" hidden><input type="text" name="label" aria-label="Label of the group" placeholder="label" maxlength="40">` +
    `${button("group", "group")}${button("ungroup", "ungroup")}</span>` +
    `<span class="count" role="status"></span></div>`
  );
}
