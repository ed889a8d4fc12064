import type { PictureSpec } from "../../finding/picture.ts";
import { DEFAULT_WIDTH, drawFor } from "../draw/draw.ts";
import { arePixels, isPixels } from "../draw/many-cells.ts";
import { escapeMarkup, escapeProse } from "../escape.ts";
import { attentionHtml } from "./attention.ts";
import { CHARTS } from "./charts-style.ts";
import { idOf } from "./ids.ts";
import { logitLensHtml } from "./logit-lens.ts";
import type { PageNeeds } from "./needs.ts";
import { tokensHtml } from "./tokens.ts";

/** The width of a drawing for a phone: drawn separately, because shrinking a chart shrinks its letters. */
const NARROW = 350;

/** The width of a drawing of many columns, which goes beyond the text. */
const BROAD = 960;
/** More columns of cells would be too narrow within the text. */
const MANY_COLUMNS = 40;

/** A drawing's width in CSS pixels. */
function widthOf(spec: PictureSpec): number {
  if (spec.width !== undefined) return spec.width;
  const columns =
    spec.kind === "imshow"
      ? (spec.values[0]?.length ?? 0)
      : spec.kind === "facets"
        ? spec.facets.length * (spec.facets[0]?.values[0]?.length ?? 0)
        : 0;
  return columns > MANY_COLUMNS ? BROAD : DEFAULT_WIDTH;
}

/** How a picture on a page is used, which is not true of a picture on paper. */
const HINTS: Partial<Record<PictureSpec["kind"], string>> = {
  tokens: "Point at a token for its values.",
  activations: "Point at a token for its value, or choose another neuron above.",
  attention:
    "Point at a token to see what it looks at, or what looks at it; click to keep it selected, again to release it.",
  "logit-lens": "Point at a cell for the runners-up and the right token.",
};

/** A picture with its caption; `numbering` is "Figure 3", or nothing for a picture alone. */
export async function figure(spec: PictureSpec, needs: PageNeeds, numbering = ""): Promise<string> {
  const heading = [numbering, spec.title].filter(Boolean).map((text) => escapeMarkup(text).replace(/\.$/, "") + ".");
  const caption = [heading.length > 0 ? `<b>${heading.join(" ")}</b>` : "", escapeProse(spec.caption ?? "")];
  const hint = HINTS[spec.kind];
  if (hint && !needs.hints.has(hint)) caption.push(`<span class="hint">${hint}</span>`);
  needs.hints.add(hint ?? "");
  const words = caption.filter(Boolean).join(" ");
  const content = await contentOf(spec, needs);
  return (
    `<figure id="${idOf("figure", spec.name)}" data-name="${escapeMarkup(spec.name)}">\n${content}` +
    (words ? `\n<figcaption>${words}</figcaption>` : "") +
    `\n</figure>`
  );
}

async function contentOf(spec: PictureSpec, needs: PageNeeds): Promise<string> {
  switch (spec.kind) {
    case "tokens":
      return tokensHtml(spec, needs.tokens);
    case "attention":
      return attentionHtml(spec, needs);
    case "activations":
      return (await import("./activations.ts")).activationsHtml(spec, needs);
    case "topk":
      return onPaper(spec, (await import("./topk.ts")).topkHtml(spec, needs), needs);
    case "graph":
      return (await import("./graph.ts")).graphHtml(spec, needs);
    case "logit-lens":
      return onPaper(spec, logitLensHtml(spec, needs), needs);
    default: {
      needs.features.add(CHARTS);
      const width = widthOf(spec);
      const wide = await drawFor(spec, { words: false, width }, true);
      const narrow = await drawFor(spec, { words: false, width: Math.min(NARROW, spec.width ?? NARROW) }, true);
      const room = width > DEFAULT_WIDTH ? ` scroll" style="--width:${width}px` : "";
      const both = `<div class="wide${room}">${wide}</div><div class="narrow">${narrow}</div>`;
      const pixels = (spec.kind === "imshow" && isPixels(spec)) || (spec.kind === "facets" && arePixels(spec));
      return pixels ? (await import("./pixels.ts")).pixelsHtml(spec, both, needs) : both;
    }
  }
}

/** A table that scrolls, and for paper the drawing, which wraps. */
async function onPaper(spec: PictureSpec, table: string, { still }: PageNeeds): Promise<string> {
  if (!still) return table;
  const drawing = await drawFor(spec, { words: false, width: DEFAULT_WIDTH }, true);
  return `<div class="screen">${table}</div><div class="paper">${drawing}</div>`;
}
